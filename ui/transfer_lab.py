"""The transfer lesson's lab: a network to freeze block by block, and what every way to learn makes of few pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from dlcore import transfer_story as story
from dlcore.data import album as albums
from dlcore.data.album import Album
from dlcore.data.few_shot import INSECTS, NO_ALBUM, enough, insects_folder, rarest
from dlcore.data.new_shapes import KINDS
from dlcore.experiments.transfer import Config
from dlcore.figures import transfer as figures
from dlcore.figures.transfer import TITLES
from dlcore.history import History
from dlcore.knobs import Knob, knobs_of
from dlcore.texts import N_, Problem
from dlcore.transfer_methods import (
    DRAWN,
    FROZEN,
    IMAGENET,
    NEW,
    SHIPPED,
    TRAINED,
    base_name,
    blocks_for,
    letters,
    methods_of,
)
from dlcore.vision.networks import available
from ui.album_board import thumbnail
from ui.controls import controls, put_value
from ui.freezer import drawn_pictures, freezer
from ui.i18n import _, ngettext, tell
from ui.intro import lab
from ui.lessons import lesson_for
from ui.live_plot import live_plot
from ui.run_panel import run_panel
from ui.session import owner, page_state

SLUG, HEIGHT = "transfer", 244
SHOWN = 6  # classes that are named beside the network
LABELS = {
    "question.methods": N_("Ways"), "question.layers": N_("Blocks"), "question.distil": N_("Distillation"),
    "dataset.shapes": N_("Shapes"), "dataset.insects": N_("Ants and bees"), "dataset.album": N_("Classes of your own"),
    "base.backbone": N_("Ours, small"), "base.mobilenet_v2": "MobileNetV2",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What the lab shows: the settings and the run."""

    config: Config
    history: History


def draw() -> Shown:
    """Draw controls and picture; returns what they show."""
    panel, picture = lab()
    with panel:
        config = controls(Config, labels=LABELS, hidden=_hidden, overrides=_here)
    with picture:
        config, album, problem = _own_classes(config)
        _network(config, album)
        if problem is not None:
            st.info(tell(problem), icon=":material/info:")
        elif waits := _patience(config, album):
            st.caption(waits)
        if config.dataset != DRAWN and IMAGENET not in available():
            st.caption(_(
                "With MobileNetV2, whose weights are not on this machine, one can begin from ImageNet. To get it: "
                "`python -m dlcore download mobilenet_v2`."
            ))  # fmt: skip
        history = run_panel(
            lesson_for(SLUG), config, partial(view, config, len(_classes(config, album))), ready=problem is None
        )
    return Shown(config, history)


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    """The picture sets ``own``; networks that come trained have learned what they have learned."""
    unseen = ["own"] if values["question"] == "methods" else ["own", "slower", "rank"]
    if values["dataset"] == DRAWN:
        unseen += ["base"]
    else:
        unseen += ["source_classes", "source_epochs"]
    if values["dataset"] == "album":
        unseen += ["data_hash"]
    return unseen if values["question"] == "distil" else [*unseen, "temperature"]


def _here(_values: Mapping[str, Any]) -> dict[str, Knob]:
    """Of networks to begin with those alone whose weights this machine has."""
    knob = knobs_of(Config)["base"]
    there = (SHIPPED, *(name for name in knob.choices if name in available()))
    return {"base": replace(knob, choices=tuple(name for name in knob.choices if name in there))}


def _own_classes(config: Config) -> tuple[Config, Album | None, Problem | None]:
    """The config with the album that it means, that album, and why nothing can be learned."""
    try:
        if config.dataset == "insects" and insects_folder() is None:
            raise Problem(N_("The photographs of ants and bees are not on this machine. The shapes are always here."))
        config = _with_album(config)
        if config.dataset != "album":
            return config, None, None
        if not config.data_hash:
            raise Problem(NO_ALBUM, kind="data_missing")
        album = albums.load(config.data_hash, owner())
        enough(album)
        return config, album, None
    except Problem as problem:
        return config, None, problem


def _with_album(config: Config) -> Config:
    """Its fingerprint in the address, so that a reload finds it: a link's, else that of the board as it stands now."""
    state = page_state(SLUG)
    taken = state.get("from_album", "")
    linked = config.data_hash if config.data_hash != taken else ""
    if config.dataset != "album":
        wanted = linked
    else:
        wanted = linked or page_state("teach").get("album_hash", "") or taken
        state["from_album"] = wanted
    if wanted != config.data_hash:
        put_value("data_hash", wanted or None, slug=SLUG)
    return replace(config, data_hash=wanted)


def _patience(config: Config, album: Album | None) -> str:
    """How long a run will take, where that is more than a moment."""
    asked = replace(config, images=min(config.images, rarest(album))) if album else config
    minutes = story.minutes(asked, len(_classes(config, album)))
    if minutes < 1:
        return ""
    words = ngettext(
        "On two processor cores without a graphics card this run takes about {n} minute.",
        "On two processor cores without a graphics card this run takes about {n} minutes.",
        round(minutes),
    )
    return words.format(n=round(minutes))


def _classes(config: Config, album: Album | None) -> list[str]:
    if config.dataset == "album":
        return album.names if album else ["?", "?"]
    return [_(name) for name in (KINDS if config.dataset == DRAWN else INSECTS)]


def _network(config: Config, album: Album | None) -> None:
    base, classes = base_name(config), _classes(config, album)
    blocks = blocks_for(base, len(classes))
    count = len(blocks) - 1
    presets = {
        _(TITLES["scratch"]): NEW * count, _(TITLES["frozen"]): FROZEN * count,
        _(TITLES["last"]): FROZEN * (count - 1) + TRAINED, _(TITLES["finetuned"]): TRAINED * count,
    }  # fmt: skip
    pictures = drawn_pictures() if base == DRAWN else ()
    if album:
        pictures = [thumbnail(kind.pictures[0]) for kind in album.kinds[:SHOWN]]
    freezer(
        blocks, letters(config.own, count), key=f"freezer-{base}", classes=classes[:SHOWN], presets=presets,
        pictures=pictures, on_letters=lambda made: put_value("own", made, slug=SLUG),
    )  # fmt: skip


# -- pictures --------------------------------------------------------------------------------------------------------


def view(config: Config, classes: int, history: History) -> None:
    """All that lives: the results so far, the training that goes on, and a sentence. ``classes`` the next run has."""
    words, values = story.said(config, history)
    with st.container(key="transfer-story"):
        st.markdown(_(words).format(**{name: _(value) for name, value in values.items()}))
    left, right = st.columns([1.25, 1], gap="small")
    with left:
        _results(config, classes, history)
    with right:
        _training(config, classes, history)


def _results(config: Config, classes: int, history: History) -> None:
    images, scores = story.scores_of(history)
    guessing = _guessing(classes, history)
    ran = history.config.get("question", config.question)
    if ran == "layers":
        methods = history.info.get("methods") or [method.name for method in methods_of(config)]
        count = sum(name.startswith("frozen") for name in methods)
        plot = figures.by_blocks(story.by_blocks(scores), count, guessing=guessing, label=_)
        alt = _("Right answers on new pictures against blocks taken over, frozen and trained on.")
    else:
        name, _steps, shares = story.under_way(history)
        live = history.state in ("running", "paused") and name.isdecimal()
        now = {method: (float(name), float(share[-1])) for method, share in shares.items()} if live else {}
        most = float(history.config.get("images", config.images))
        plot = figures.by_images(images, scores, now=now, most=most, guessing=guessing, label=_)
        alt = _("Right answers on new pictures against pictures of each class, a line for each way to learn.")
    live_plot(plot, key="transfer-results", height=HEIGHT, alt=alt)


def _guessing(classes: int, history: History) -> float:
    """The share that somebody gets right who draws lots."""
    return 1 / len(history.info.get("classes", range(classes)))


def _training(config: Config, classes: int, history: History) -> None:
    name, steps, shares = story.under_way(history)
    levels = {}
    if name == "pupils":
        levels = {"teacher": float(story.scores_of(history)[1]["teacher"][0][0])}
    each = history.config.get("steps", config.steps)
    last = {"source": None, "pupils": 5 * each}.get(name, each)
    if last is None:
        last = max(float(steps[-1]), history.total_steps - _rest(history)) if len(steps) else 100.0
    guessing = _guessing(classes, history)
    live_plot(
        figures.progress(
            steps, shares, last=float(last), levels=levels, guessing=None if name == "source" else guessing, label=_
        ),
        key="transfer-training", height=HEIGHT,
        alt=_("Right answers on held-out pictures against the steps of the training that goes on."),
    )  # fmt: skip


def _rest(history: History) -> float:
    """Steps of all stages but the first."""
    steps = history.config.get("steps", 60)
    return sum(5 * steps if name == "pupils" else steps for name in history.info["stages"][1:])


def cost(history: History) -> None:
    """What each way costs: numbers that are trained, time of a step, and what it reaches; a picture and a table."""
    rows = story.table(history)
    with st.container(key="prose-cost-picture"):
        sizes = list(rows[0]["accuracy"]) if rows else []
        at = 5 if 5 in sizes else (sizes[-1] if sizes else 5)
        live_plot(
            figures.cost(
                [r["name"] for r in rows], [r["trained"] for r in rows], [r["accuracy"][at] for r in rows], label=_
            ),
            key="transfer-cost", height=280,
            alt=_("Right answers on new pictures against how many numbers each way trains."),
        )  # fmt: skip
        if not rows:
            st.caption(_("When a run on “Ways” has finished, they stand here side by side."))
            return
        st.caption(_("With {n} pictures of each class.").format(n=at))
        heads = [_("Way"), _("numbers trained"), _("ms per step"), *(str(size) for size in sizes)]
        lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
        for row in rows:
            shares = [story.percent(share) for share in row["accuracy"].values()]
            cells = [_(TITLES[row["name"]]), f"{row['trained']:,}", _ms(row["step_ms"]), *shares]
            lines.append("| " + " | ".join(cells) + " |")
        st.markdown("\n".join(lines))


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.2g}"
