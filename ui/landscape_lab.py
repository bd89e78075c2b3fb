"""The lab of the loss landscape: two networks trained side by side, and the ground on which each of them stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore import landscape_story as story
from dlcore import landscape_views as views
from dlcore.experiments.landscape import Config
from dlcore.figures import landscape as figures
from dlcore.figures.resnet import NAMES
from dlcore.history import History
from dlcore.landscape_numbers import ALONG, HELD, RANDOM, SEEN
from dlcore.texts import N_
from ui.challenge import Task
from ui.controls import controls
from ui.data_box import data_box
from ui.i18n import _, sentences
from ui.intro import lab
from ui.lessons import Lesson
from ui.live_plot import live_plot, player
from ui.names import BLOCKS, DATASETS, OPTIMIZERS, RESNETS, SCHEDULES
from ui.run_panel import run_panel
from ui.session import owner

SLUG, GROUP = "landscape", "landscape"
LABELS = {**DATASETS, **OPTIMIZERS, **SCHEDULES, **RESNETS, **BLOCKS}
FOLDED = ("dataset", "network", "blocks", "init", "optimizer", "learning_rate", "batch_size")
PLANES = {RANDOM: N_("Random directions"), ALONG: N_("Along the run")}
WAYS = {"map": N_("Map"), "solid": N_("3-D")}
IMAGES = {SEEN: N_("Images learned from"), HELD: N_("Test images")}
TALL, LOW = 250, 156  # px; the lab fits a laptop's screen with its question above it


def draw(lesson: Lesson) -> tuple[Config, History]:
    """Draw the controls, the run and its picture."""
    panel, picture = lab()
    with panel:
        config = controls(Config, labels=LABELS, hidden=_hidden, folded=FOLDED)
    with picture:
        here = data_box(config.dataset)
        history = run_panel(lesson, config, partial(view, config), start=N_("Train and measure"), ready=bool(here))
    return config, history


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    """What has nothing to say of these networks."""
    stack = values["network"] == "stack"
    hidden = ["gradient_norms", "depths", *(["shortcut"] if stack else ["blocks", "depth", "width"])]
    return [*hidden, *(["residual"] if values["twin"] else [])]


def view(config: Config, history: History) -> None:
    """The two grounds; what they say in words; beside it a cross-section, or how true the map of the run is."""
    choices, bar = st.columns([2, 1], gap="small", vertical_alignment="center")
    with choices.container(key="landscape-choice", horizontal=True, horizontal_alignment="distribute", gap="xsmall"):
        plane = _choice(_("Plane of the map"), "plane", PLANES)
        images = _choice(_("Loss on"), "images", IMAGES)
        way = _choice(_("Seen as"), "way", WAYS)
    with bar:
        way_steps = views.shadow_lines(history, images)
        player(GROUP, key="landscape-player", steps=way_steps and way_steps[0])
    drawn = views.maps(history, plane, images, label=_)
    for place, name in zip(st.columns(2, gap="small"), views.networks_of(history), strict=False):
        with place, st.container(gap="xsmall"):
            st.caption(_title(history, name))
            _ground(drawn.get(name), name, plane, way, config.span)
    words, plot = st.columns([1.3, 1], gap="small")
    with words.container(key="landscape-story"):
        st.markdown(said(history, plane, images))
    with plot:
        if plane == ALONG and way_steps:
            _shadows(*way_steps)
        else:
            _section(history, plane, images)


def _choice(name: str, key: str, options: Mapping[Any, str]) -> Any:
    return st.segmented_control(
        name, list(options), format_func=lambda option: _(options[option]), default=next(iter(options)), required=True,
        key=f"{SLUG}.shown.{key}", label_visibility="collapsed", width="content",
    )  # fmt: skip


def _title(history: History, name: str) -> str:
    """The network's name, and what it has learned."""
    if history.state != "finished":
        return f"**{_(NAMES[name])}**"
    return _("**{name}** · {train} of the training images right, {test} of the test images").format(
        name=_(NAMES[name]), train=f"{story.right(history, name):.1%}",
        test=f"{history.metrics.get(f'test_accuracy/{name}', float('nan')):.1%}",
    )  # fmt: skip


def _ground(drawn: figures.Map | None, name: str, plane: str, way: str, span: float) -> None:
    alt = _("The loss around the trained network in a plane of two directions, and the path of the run.")
    if drawn is None:
        blank = figures.unknown((_("first direction"), _("second direction")), span)
        live_plot(blank, key=f"ground-{name}-none", height=TALL, alt=alt)
        return
    film = (figures.relief if way == "solid" else figures.contour)(drawn, label=_)
    live_plot(film.figure, key=f"ground-{name}-{plane}-{way}", height=TALL, alt=alt,
              frames={**film.frames, "group": GROUP})  # fmt: skip


def _section(history: History, plane: str, images: int) -> None:
    """The loss along the first direction; while the networks are being trained, how that goes."""
    lines = views.sections(history, plane, images)
    level = views.guessing(history)
    if lines:
        figure = figures.section(lines, guessing=level, x_title=N_("along the first direction"), label=_)
        alt = _("The loss of both networks along the first direction, the trained networks at 0.")
    else:
        steps = float(history.info.get("training_steps", 345))
        figure = figures.training(views.training_lines(history), steps=steps, guessing=level, label=_)
        alt = _("The training loss of both networks against steps.")
    live_plot(figure, key=f"landscape-line-{bool(lines)}", height=LOW, alt=alt)


def _shadows(step: np.ndarray, lines: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """The losses on the way, of the weights and of their shadows on the map."""
    alt = _("Loss on the way: of the run’s weights, and of the nearest weights on the map of the run.")
    film = figures.shadows(step, lines, label=_)
    live_plot(film.figure, key="landscape-shadows", height=LOW, alt=alt, frames={**film.frames, "group": GROUP})


def said(history: History, plane: str, images: int = SEEN) -> str:
    """What the picture says, in the run's numbers; before that, what will happen."""
    names = {name: _(NAMES[name]) for name in NAMES}
    if plane == ALONG and (words := story.caveat(history, names, _, images)) and _measured(history):
        return ":orange[:material/warning:] " + words
    if history.state == "finished":
        told = (story.verdict(history, _), story.of_which(history, images, _), story.dot(history, _))
        return ":blue[:material/landscape:] " + sentences(*told)
    if views.landscape_of(history).networks:
        return ":blue[:material/grid_on:] " + _(
            "The networks are trained. Each point of a map is a network whose weights all differ from theirs; it is "
            "asked all the images, and its loss is one colour."
        )
    return ":blue[:material/flag:] " + _(
        "First both networks are trained, from the same first weights and with the same batches. Then their "
        "surroundings are measured, coarse at first, then finer."
    )


def _measured(history: History) -> bool:
    return history.step > history.info.get("training_steps", 0)


def tasks() -> list[Task]:
    """The challenges; each is achieved by one of the runs that this browser has finished."""
    return [
        Task(
            "fair",
            _("Two networks that have both learned (at least 95% of their training images), and still the plain one’s "
              "basin reaches less than nine tenths as far as the residual one’s."),
            partial(_any, story.fair),
            hint=_("Twenty layers and 15 epochs are too hard for the plain one. Give it less depth, or more time."),
            praise=_("Now the two may be compared. Both holes are deep; one is narrower."),
        ),
        Task(
            "plain",
            _("Let the plain network stand on ground so flat that its loss is the same everywhere, within one "
              "percent, while the residual one gets more than 90% of its training images right."),
            partial(_any, story.on_a_plain),
            hint=_("What keeps the numbers in a deep stack from dying out? Take it away."),
            praise=_("Nothing reaches the last layer, so no weight changes anything. Nobody descends from a plain."),
        ),
        Task(
            "deceived",
            _("Find a run whose map lies by a factor of three: a point of the path whose loss and whose shadow’s "
              "loss differ so much."),
            partial(_any, story.deceived),
            hint=_("The plane is laid through the whole way. Which part of a long run does it hardly see?"),
            praise=_("The line was drawn over colours that are not its own. Ask for that number under every such "
                     "picture."),
        ),
    ]  # fmt: skip


def _any(check: Any) -> float:
    runs = jobs.runs(owner(), SLUG)
    return story.finished_any((jobs.history(run.run_id, owner=owner()) for run in runs), check)
