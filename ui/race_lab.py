"""The laboratory of the race: surface, distances and the racer in hand that move together; branches, and who came when.

Every plot of the group ``race`` shows the same step; the browser plays them by itself.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from dlcore import race_knobs
from dlcore import race_story as words
from dlcore import race_views as look
from dlcore.branches import MOST_BRANCHES, changed_branch, read_branches, without_last
from dlcore.experiments import optimizers as experiment
from dlcore.experiments.optimizers import Config
from dlcore.figures import ON_DARK
from dlcore.figures.descent import Film
from dlcore.figures.race import STYLES
from dlcore.race_views import Scene
from dlcore.texts import N_, Problem
from dlcore.update_rules import RULES, best_pair
from ui.at_frame import at_frame
from ui.controls import controls, put_value
from ui.i18n import _, tell
from ui.intro import lab
from ui.live_plot import frame_text, live_plot
from ui.names import SCHEDULES
from ui.session import imposed, set_up_by_teacher
from ui.slider import Mark, slider

SLUG, GROUP = "optimizers", "race"
TALL, MIDDLE, LOW = 292, 158, 116  # px; the lab fits a laptop's screen with its question above it
GLYPHS = {"circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "triangle-down": "▼", "star": "★",
          "pentagon": "⬟"}  # fmt: skip
LABELS = {
    "bowl": N_("Bowl"), "ravine": N_("Winding ravine"), "rosenbrock": "Rosenbrock", "beale": "Beale",
    "himmelblau": "Himmelblau", "saddle": N_("Saddle"), "plateau": N_("Plateau"), "noisy": N_("Noisy bowl"),
    "network": N_("A real network"), "typed": N_("My own formula"), **SCHEDULES,
}  # fmt: skip
ABOUT = {
    "bowl": N_("A bowl κ times as steep across as along."),
    "ravine": N_("A narrow valley with bends."),
    "rosenbrock": N_("A banana: easy to find, long to follow."),
    "beale": N_("Flat in the middle, very steep in the corners."),
    "himmelblau": N_("Four minima, all equally deep."),
    "saddle": N_("A pass in the middle, a hollow on either side."),
    "plateau": N_("Flat nearly everywhere, with one hole."),
    "noisy": N_("Each slope is told with an error."),
    "network": N_("25 weights, cut through three trained networks."),
    "typed": N_("The loss that you typed."),
}
ICONS = {"limit": ":red[:material/trending_up:]", "noise": ":orange[:material/swap_vert:]",
         "arrived": ":green[:material/check_circle:]", "decay": ":orange[:material/south_west:]",
         "pace": ":gray[:material/functions:]", "under way": ":blue[:material/arrow_forward:]",
         "hollow": ":orange[:material/stop_circle:]"}  # fmt: skip


def marks(values: Mapping[str, Any]) -> dict[str, list[Mark]]:
    """What theory says of the surface on screen, on the sliders of the rules."""
    found = race_knobs.limits(values)
    return {knob: [Mark(value, _(name), kind) for value, kind, name in listed] for knob, listed in found.items()}  # type: ignore[arg-type]


def draw() -> tuple[Config, Scene | None]:
    """Draw controls and pictures; returns what they show, without a scene where the surface cannot be read."""
    panel, picture = lab()
    with panel:
        branch = st.container(key="branch", gap="small")
        config = controls(
            Config, labels=LABELS, overrides=lambda v: race_knobs.bounds(v, _), marks=marks, hidden=race_knobs.hidden
        )
        with branch:
            config = _branch(config)
    with picture:
        try:
            shown = look.scene(config)
        except Problem as problem:
            _top_row(config, config.racers.split("~"))
            st.info(tell(problem), icon=":material/functions:")
            return config, None
        _pictures(config, shown)
        return config, shown


# --- controls that are no plain knobs ---------------------------------------------------------------------------------


def _best_pair(config: Config, shown: Scene) -> None:
    """One press sets both of the heavy ball's knobs to the best pair of this bowl."""
    if config.hand != "momentum" or shown.surface.curvatures is None or set_up_by_teacher():
        return
    rate, beta = best_pair(*shown.surface.curvatures)

    def take() -> None:
        put_value("momentum_learning_rate", float(f"{rate:.7g}"), slug=SLUG)
        put_value("momentum_beta", round(beta, 7), slug=SLUG)

    st.button(
        _("Best rate and β"), icon=":material/target:", key="best-pair", on_click=take, type="tertiary",
        help=_("Polyak’s pair for this bowl: the fastest heavy ball in the long run."), width="content",
    )  # fmt: skip


def _branch(config: Config) -> Config:
    """Rule and rate of the branch in hand; the config with what they say."""
    if set_up_by_teacher():
        return config
    try:
        entries = read_branches(config.branches)
    except Problem:
        return config
    if config.hand not in map(str, range(1, len(entries) + 1)):
        return config
    number = int(config.hand)
    _parent, step, rule, rate = entries[number - 1]

    def other_rule(new: str) -> None:
        good = experiment.courses.rates(config.surface)[new]
        _set(changed_branch(config.branches, number, rule=new, learning_rate=good))

    st.selectbox(_("Rule from step {step} on").format(step=step), list(RULES),
                 format_func=lambda r: _(RULES[r].title),
                 **imposed(f"{SLUG}.branch{number}.rule", rule, other_rule))  # fmt: skip
    values = {**vars(config), "hand": rule}
    low, high = (getattr(race_knobs.bounds(values)[f"{rule}_learning_rate"], end) for end in ("low", "high"))
    moved = slider(
        _("Learning rate η from step {step} on").format(step=step), key=f"{SLUG}.branch{number}.rate.{rule}",
        value=rate, log=True, low=min(low, rate), high=max(high, rate), controlled=True,
        marks=marks(values).get(f"{rule}_learning_rate", ()),
    )  # fmt: skip
    if moved == rate:
        return config
    branches = changed_branch(config.branches, number, learning_rate=moved)
    _set(branches)
    return replace(config, branches=branches)


def _set(branches: str) -> None:
    put_value("branches", branches or None, slug=SLUG)


def _top_row(config: Config, names: Sequence[str]) -> bool:
    """Who races, and from where it is seen; says whether it is the landscape."""

    def choose(chosen: list[str]) -> None:
        now = [rule for rule in RULES if rule in chosen]
        put_value("racers", "~".join(now) or None, slug=SLUG)
        put_value("optimizer", None, slug=SLUG)
        if now and config.hand in RULES and config.hand not in now:
            put_value("hand", now[0], slug=SLUG)

    ways = {"map": _("Map"), "solid": _("3-D")}
    titles = {rule: f"{GLYPHS[STYLES[rule][1]]} {_(RULES[rule].title)}" for rule in RULES}
    with st.container(key="track", horizontal=True, horizontal_alignment="distribute", gap="small"):
        st.pills(
            _("On the track"), list(RULES), selection_mode="multi", **imposed(f"{SLUG}.track", list(names), choose),
            format_func=titles.__getitem__, label_visibility="collapsed", width="content",
        )  # fmt: skip
        seen = st.segmented_control(
            _("Surface as"), list(ways), default="map", required=True, key=f"{SLUG}.as",
            format_func=ways.__getitem__, label_visibility="collapsed", width="content",
        )  # fmt: skip
    return seen == "solid"


def _hand_row(config: Config, shown: Scene) -> str:
    """Whose knobs, memory and formula are shown, which of its curves; and the branches."""
    names = {racer.name: look.name_of(racer, _) for racer in shown.racers}
    views = {"rate": _("Rates"), "step": _("Step lengths"), "memory": _("Memory")}
    with st.container(key="hand-row", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{_('In hand')}**", width="content")
        st.selectbox(
            _("In hand"), list(names), format_func=names.__getitem__, width=200, label_visibility="collapsed",
            **imposed(f"{SLUG}.hand", shown.hand.name, lambda name: put_value("hand", name, slug=SLUG)),
        )  # fmt: skip
        _branch_buttons(config, shown)
        if not config.branches:
            _best_pair(config, shown)
        st.space("stretch")
        view = st.segmented_control(
            _("Curve"), list(views), default="rate", required=True, key=f"{SLUG}.view",
            format_func=views.__getitem__, label_visibility="collapsed", width="content",
        )  # fmt: skip
    return view or "rate"


# --- pictures ---------------------------------------------------------------------------------------------------------


def _pictures(config: Config, shown: Scene) -> None:
    solid = _top_row(config, look.names_on_track(config))
    left, right = st.columns([1.3, 1], gap="small")
    with left:
        film = look.ground_film(shown, solid=solid, label=_)
        alt = _("The surface with its minima, and the paths of all racers.")
        _plot(film, "solid" if solid else "map", TALL, alt, on_click=False if solid else _start_here,
              controls=True, autoplay=True, start="begin", seconds=min(8.0, 2.5 + config.steps / 150))  # fmt: skip
        _words(shown)
    with right, st.container(gap="xsmall"):
        todo = _("Drag to turn it.") if solid else _("Click to start elsewhere.")
        st.caption(_("{about} {todo}").format(about=_(ABOUT[config.surface]), todo=todo))
        alt = _("Everybody’s distance to the minimum over steps.")
        _plot(look.distance_film(shown, label=_), "distance", MIDDLE, alt)
        _results(shown)
    view = _hand_row(config, shown)
    left, right = st.columns([1.6, 1], gap="small")
    with left:
        frame_text(*look.update_lines(shown), group=GROUP, key="update", count=config.steps + 1)
    with right:
        alt = _("For each of the two parameters of the racer in hand: rate, step length or memory, over steps.")
        _plot(look.hand_film(shown, view, label=_), f"hand-{view}", LOW, alt)


def _plot(film: Film, key: str, height: int, alt: str, *, on_click: Any = False, **frames: Any) -> None:
    live_plot(film.figure, key=key, height=height, alt=alt, frames={**film.frames, "group": GROUP, **frames},
              on_click=on_click)  # fmt: skip


def _start_here(click: dict[str, Any]) -> None:
    """A click on the map sets the start."""
    put_value("start_x", float(f"{click['x']:.4g}"), slug=SLUG)
    put_value("start_y", float(f"{click['y']:.4g}"), slug=SLUG)


# --- branches and words -----------------------------------------------------------------------------------------------


def _branch_buttons(config: Config, shown: Scene) -> None:
    """Branch at the step that is shown, take the last branch back."""
    made = read_branches(config.branches)

    def branch(step: int) -> None:
        _set(look.branched(config, step))
        put_value("hand", str(len(made) + 1), slug=SLUG)

    def undo() -> None:
        _set(without_last(config.branches))
        if config.hand == str(len(made)):
            put_value("hand", made[-1][0], slug=SLUG)

    last = min(shown.tracks[shown.hand.name].steps, config.steps) - 1
    at_frame(
        _("Branch at step {step}"), branch, group=GROUP, key="branch-here", first=1, last=max(last, 1),
        idle=_("Branch at a step"), disabled=len(made) >= MOST_BRANCHES or last < 1,
        help=_("Rewind to a step: from there the racer in hand goes on with another rate or another rule, and the old "
               "way stays as a ghost."),
    )  # fmt: skip
    if made:
        st.button(_("Undo"), icon=":material/undo:", key="branch-undo", on_click=undo, width="content")


def _results(shown: Scene) -> None:
    """The ranking."""
    rows = []
    for racer, arrived in shown.ranking:
        color, symbol = STYLES[racer.rule]
        name, end = html.escape(look.name_of(racer, _)), html.escape(words.result(shown, racer, arrived, _))
        held = ' class="held"' if racer.name == shown.hand.name else ""
        color = f"light-dark({color}, {ON_DARK.get(color, color)})"
        rows.append(f'<tr{held}><td style="color:{color}">{GLYPHS[symbol]}</td><td>{name}</td><td>{end}</td></tr>')
    st.html(f'<table class="dl-ranking"><tbody>{"".join(rows)}</tbody></table>')


def _words(shown: Scene) -> None:
    """A sentence on the racer in hand."""
    kind, sentence, values = words.story(shown)
    with st.container(key="story"):
        name = look.name_of(shown.hand, _)
        st.markdown(f"{ICONS[kind]} **{name}**{_(': ')}{_(sentence).format(**values)}")
