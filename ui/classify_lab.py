"""The laboratory of pictures: whose picture, which networks, what is done to it, and what they say while it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlcore import jobs
from dlcore.experiments.classify import Config
from dlcore.figures import DATA, MODEL, answers
from dlcore.texts import Problem
from dlcore.vision.changes import Changes, touched
from dlcore.vision.networks import available
from ui import network_choice as networks
from ui import picture_source as sources
from ui.controls import controls, get_extra, put_extra, put_value
from ui.i18n import _, plain, tell
from ui.inside_panel import EXTRA as WHY
from ui.intro import lab
from ui.kept_here import kept
from ui.live_plot import live_plot
from ui.network_choice import NONE, RUN
from ui.picture_box import Box, picture_box
from ui.picture_source import LOOK, SLUG, Picture, settings
from ui.robust_panel import EXTRA as FOOLED
from ui.session import page_state, set_up_by_teacher

EXTRA = (  # where the picture comes from; a run that answers; the network beside it; and those of the panels
    "source", "own", "beside", *WHY, *FOOLED,
)  # fmt: skip
HIDDEN = ("image", "model", "change", "left", "top", "width", "height")
ROWS = 5
UNSURE = 0.5  # no answer has more: the network does not know
PATIENCE = 60.0  # seconds: a worker that has just begun loads torch and the weights first
HEIGHT = 376  # px of the table before there is a picture


@dataclass(frozen=True, eq=False)
class Scene:
    """What is on the table: the picture, the networks that answer it, and what they said.

    ``first`` are the answers to the untouched picture, ``answers`` those to the picture as it is; in the order of
    ``names``. A network that could not answer has {"problem": …}.
    """

    config: Config
    picture: Picture
    names: list[str]
    answers: list[dict[str, Any]]
    first: list[dict[str, Any]]

    @property
    def touched(self) -> bool:
        """Whether anything is done to the picture."""
        return touched(Changes(**settings(self.config)))


def draw() -> tuple[Scene | None, Config]:
    """Draw controls, picture and answers; returns what is on the table (None while there is nothing) and the config."""
    with st.container(key="classify-lab"):
        panel, picture = lab(2.9)
    with panel:
        where = sources.source()
        room, choice = st.container(key="classify-source"), st.container(key="classify-networks")
    with picture:
        table = st.container(key="classify-table")
        with st.container(key="classify-changes"):
            config = controls(Config, hidden=HIDDEN, extra=EXTRA, kept=("image", "model", "change", "steps"))
    with choice:  # after the controls, which have read the address
        names = _networks()
    with table:
        return _scene(config, where, names, room), config


def _scene(config: Config, where: str, names: list[str], room: DeltaGenerator) -> Scene | None:
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        with st.container(height=HEIGHT, border=False):
            st.info(_("The workers are being woken up; this takes a few seconds."), icon=":material/hourglass_top:")
        return None
    try:
        with room:
            chosen = sources.choose(where, config.image)
        if chosen is None:
            return _invite(where)
        names = [name for name in names if networks.ready(name)] or available()[:1]
        return _table(config, chosen, names)
    except Problem as problem:
        st.warning(tell(problem))
        st.button(_("Try again"), icon=":material/refresh:", key=f"{SLUG}.again")
        return None


def _invite(where: str) -> None:
    """An empty table that says what to do."""
    words = {
        sources.FILES: _("Your picture comes here. Bring one: a pet, a cup, the view from your window."),
        sources.CAMERA: _("Hold something into the camera and press the button."),
    }
    with st.container(height=HEIGHT, border=True, key="classify-invitation"):
        st.markdown(f":material/add_photo_alternate: {words[where]}")


def _networks() -> list[str]:
    """The one or two networks that answer, as they are named in the address."""
    own, beside = get_extra("own", slug=SLUG), get_extra("beside", slug=SLUG) or NONE
    named = _known(own) or _model()
    if not set_up_by_teacher():
        networks.choose(_("Who answers"), f"{SLUG}.network", named, _take, slug=SLUG)
        networks.choose(
            _("Beside it"), f"{SLUG}.beside", _known(beside) or NONE,
            lambda name: put_extra("beside", "" if name == NONE else name, slug=SLUG), slug=SLUG, nobody=True,
        )  # fmt: skip
    second = _known(beside)
    return [named, *([second] if second and second not in (NONE, named) else [])]


def _model() -> str:
    """The network that the address names, or the best that is here."""
    asked = page_state(SLUG).get("given", {}).get("model", "auto")
    return available()[0] if asked == "auto" else asked


def _known(name: str) -> str:
    return name if name in networks.offered(SLUG) else ""


def _take(name: str) -> None:
    """Let that network answer from now on."""
    own = name.startswith(RUN)
    put_extra("own", name if own else "", slug=SLUG)
    put_value("model", None if own or name == available()[0] else name, slug=SLUG)


def _table(config: Config, picture: Picture, names: list[str]) -> Scene:
    """The picture with its cover, and beside it the answers."""
    found, first = look(picture, names, config), look(picture, names, None)
    scene = Scene(config, picture, names, found["answers"], first["answers"])
    columns = st.columns([1.5, *([1] * len(names))], gap="medium")
    with columns[0]:
        window = max(answer.get("window", 0.0) for answer in scene.answers)
        picture_box(
            found["jpeg"], found["size"], key=f"{SLUG}.picture", box=_box(config), on_move=_cover, window=window,
            alt=_("The picture: {name}").format(name=picture.name), editable=not set_up_by_teacher(),
        )  # fmt: skip
    for place, (column, color) in enumerate(zip(columns[1:], (MODEL, DATA), strict=False)):
        with column:
            _say(scene, place, color)
    _story(scene)
    return scene


def look(picture: Picture, names: list[str], config: Config | None) -> dict[str, Any]:
    """What the networks say to the picture with the changes of ``config`` (None: untouched); kept in this session."""
    asked, seed = (settings(config), config.seed) if config else (settings(Config()), 0)
    if not touched(Changes(**asked)):
        asked, seed = settings(Config()), 0
    workers = [networks.worker_name(name) for name in names]
    key = (picture.key, *workers, *asked.values(), seed)
    file = picture.file if asked == settings(Config()) else None
    arguments = picture.pixels, workers, asked, seed, file
    return kept("answer", key, lambda: jobs.call(f"{LOOK}:look", *arguments, timeout=PATIENCE))


def _box(config: Config) -> Box:
    there = config.width > 0 and config.height > 0
    return (config.left, config.top, config.width, config.height) if there else (0.0, 0.0, 0.0, 0.0)


def _cover(box: Box) -> None:
    """Take the box that came from the picture; none leaves nothing in the address."""
    for name, value in zip(("left", "top", "width", "height"), box, strict=True):
        put_value(name, value if box[2] and box[3] else None, slug=SLUG)


def _say(scene: Scene, place: int, color: str) -> None:
    """One network's answer: its name, bars, how long it took and what it has."""
    name, answer = scene.names[place], scene.answers[place]
    st.markdown(f"**{plain(networks.title(name))}**")
    if "problem" in answer:
        with st.container(height=ROWS * answers.ROW, border=False):
            st.info(tell(answer["problem"]), icon=":material/info:")
        return
    labels = networks.class_names(name, answer["labels"], answer["index"])
    live_plot(
        answers.top(labels, answer["shares"].tolist(), color), key=f"{SLUG}.answer.{place}",
        height=ROWS * answers.ROW, alt=_("The likeliest answers of {network}.").format(network=networks.title(name)),
        table={_("answer"): labels, _("probability"): answer["shares"].round(4), _("class number"): answer["index"]},
    )  # fmt: skip
    st.caption(_facts(networks.costs(name), answer))


def _facts(costs: dict[str, Any], answer: dict[str, Any]) -> str:
    words = _("{milliseconds:.0f} ms for one of {classes:,} classes; {parameters} weights, {adds} multiply-adds")
    return words.format(
        milliseconds=1000 * answer["seconds"], classes=answer["classes"],
        parameters=amount(costs["parameters"]), adds=amount(costs["multiply_adds"]),
    )  # fmt: skip


def amount(count: float) -> str:
    """A large number as people say it, with three digits."""
    if count >= 1e9:
        return _("{n:.3g} billion").format(n=count / 1e9)
    return _("{n:.3g} million").format(n=count / 1e6) if count >= 1e6 else f"{count:,.0f}"


def _story(scene: Scene) -> None:
    """What the first network says, and what has become of its first answer."""
    name, first, now = scene.names[0], scene.first[0], scene.answers[0]
    with st.container(key="classify-story"):
        if "problem" in first or "problem" in now:
            return
        best = [networks.class_names(name, said["labels"], said["index"])[0] for said in (first, now)]
        shares = [answers.percent(float(said["shares"][0])) for said in (first, now)]
        if not scene.touched:
            words = _("It says **{now}** and is {after} sure.") if now["shares"][0] >= UNSURE else _(
                "It leans to **{now}**, but gives it only {after}: it does not know."
            )  # fmt: skip
        elif first["index"][0] == now["index"][0]:
            words = _("Still **{now}**: {before} sure of the picture as it was, {after} of it as it is.")
        else:
            words = _("It said **{first}** ({before}) to the picture as it was; now it says **{now}** ({after}).")
        told = {"first": plain(best[0]), "now": plain(best[1]), "before": shares[0], "after": shares[1]}
        st.markdown(f":blue[:material/visibility:] {words.format(**told)}")


def first_name(scene: Scene | None) -> str:
    """What the first network's first answer is called; "" where there is none."""
    if scene is None or "problem" in scene.answers[0]:
        return ""
    answer = scene.answers[0]
    return networks.class_names(scene.names[0], answer["labels"][:1], answer["index"][:1])[0]
