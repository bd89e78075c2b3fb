"""The hidden filter is learned back: controls, the examples, the filter as it forms, and how far it is off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from dlcore.experiments import convolution as experiment
from dlcore.experiments.convolution import Config
from dlcore.figures import kernels
from dlcore.filters import TITLES, write_filter
from dlcore.graph_math import number
from dlcore.history import History
from dlcore.kernel_data import KINDS
from dlcore.knobs import Knob, knobs_of
from dlcore.texts import N_, Problem
from ui import convolution_lab
from ui.controls import controls, put_value
from ui.i18n import _, ngettext
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.run_panel import run_panel
from ui.session import page_state
from ui.slider import Mark

LABELS = {**TITLES, **KINDS, experiment.OWN: N_("The workshop’s")}
GROUP = "kernel"
SHOWN = 8  # examples


def draw(lesson: Lesson, W: np.ndarray) -> tuple[Config, History]:
    """Draw it; ``W`` ``(C, k, k)`` is the workshop's filter, which may be the hidden one."""
    with st.container(key="lab-kernel"):
        panel, picture = st.columns([1, 2.7], gap="large")
    with panel:
        config = controls(
            lesson.config, labels=LABELS, marks=_marks, overrides=_bounds, hidden=_hidden, folded=("steps",),
            extra=convolution_lab.EXTRA,
        )  # fmt: skip
    text = write_filter(W[:1])
    if config.target == experiment.OWN and config.weights != text:
        put_value("weights", text)
        st.rerun()  # once: then they are the same
    with picture:
        _examples(config)
        history = run_panel(lesson, config, lambda history: view(config, history), start=N_("Learn it"))
    return config, history


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    return ("weights", "size") if values["target"] == experiment.OWN else ("weights",)


def _known(values: Mapping[str, Any]) -> Config:
    return Config(**{name: values[name] for name in knobs_of(Config)})


def _marks(values: Mapping[str, Any]) -> dict[str, Sequence[Mark]]:
    try:
        return {"learning_rate": [Mark(experiment.task(_known(values)).limit, "2/λmax", "limit")]}
    except Problem:
        return {}


def _bounds(values: Mapping[str, Any]) -> dict[str, Knob]:
    """The rate's slider spans what makes sense for these pictures."""
    try:
        limit = experiment.task(_known(values)).limit
    except Problem:
        return {}
    knob = knobs_of(Config)["learning_rate"]
    low, high = max(limit / 1000, 1e-4), min(3 * limit, 100.0)
    return {"learning_rate": replace(knob, low=low, high=high, default=values["learning_rate"])}


def _examples(config: Config) -> None:
    made = experiment.task(config)
    words = ngettext(
        "The example: a picture, and what the hidden filter answers.",
        "{n} examples: a picture, and below it what the hidden filter answers.", config.count,
    )  # fmt: skip
    st.caption(words.format(n=config.count))
    live_plot(
        kernels.answers(made.X[:SHOWN, 0], made.Z[:SHOWN]), key="examples", height=150,
        alt=_("Pictures in a row, and below each the answer of the hidden filter."),
    )  # fmt: skip


def view(config: Config, history: History) -> None:
    """The learned filter beside the hidden one, and the curves: a film of the run, played once when it has ended."""
    ran, film = _ran(config, history), history.frames.all()
    hidden = experiment.hidden(ran)
    path = film.get("weights", np.zeros((0, *hidden.shape)))
    step, loss, error = (np.asarray(film.get(name, ()), dtype=float) for name in ("step", "loss", "kernel_error"))
    ended = history.state == "finished"
    shared = {"group": f"kernel-{page_state('convolution').get('run')}" if ended else GROUP, "autoplay": ended}
    left, right = st.columns([1.15, 1])
    with left:
        plot, frames = kernels.pair(hidden, path, label=_)
        live_plot(
            plot, key="kernels", height=250, frames={**frames, **shared, "controls": True},
            alt=_("The hidden filter and the learned one, with their weights."),
        )  # fmt: skip
    with right:
        plot, frames = kernels.progress(step, loss, error, history.total_steps or config.steps, ran.noise, label=_)
        live_plot(
            plot, key="kernel-curves", height=250, frames={**frames, **shared, "controls": False},
            alt=_("Loss and the largest error of a weight against steps."),
        )  # fmt: skip
    with st.container(key="kernel-story"):
        st.markdown(_said(ran, history))


def _ran(config: Config, history: History) -> Config:
    return Config(**history.config) if history.config else config


def _said(config: Config, history: History) -> str:
    """What was found, and what the pictures could say of it."""
    made, error, loss = experiment.task(config), history.steps.last("kernel_error"), history.steps.last("loss")
    numbers = {"k": made.geometry.size**2, "free": made.undetermined, "kappa": number(made.condition_number, 3)}
    if error is None:
        return _("The learner sees pictures and answers only. Will it find the {k} weights?").format(**numbers)
    numbers |= {"error": number(error, 2), "loss": number(loss, 2)}
    if made.undetermined:
        return ":orange[:material/blur_on:] " + _(
            "Loss {loss}, and yet the filter is off by {error}: in {free} of {k} directions the weights may change "
            "without any answer on these pictures changing, so they stay as they began.").format(**numbers)  # fmt: skip
    if error <= experiment.FOUND:
        return ":green[:material/check_circle:] " + _(
            "Found: no weight is off by more than {error}. Nobody wrote them; the loss ({loss}) found them.").format(
                **numbers)  # fmt: skip
    if config.noise:
        return ":blue[:material/graphic_eq:] " + _(
            "Off by {error} with noise in the answers (loss {loss}). More pictures average it out."
        ).format(**numbers)
    return ":orange[:material/hourglass:] " + _(
        "Still off by {error} at a loss of {loss}. The bowl’s condition number on these pictures is κ = {kappa}: "
        "the larger, the longer the way.").format(**numbers)  # fmt: skip


def found_within(histories: Sequence[History], steps: int) -> float:
    """How far “a filter of 3 × 3 or more was found within so many steps” is achieved, in the best run (0 to 1)."""
    ends = [history.metrics.get("found_at") for history in histories if len(history.metrics.get("weights", ())) >= 9]
    return max((min(1.0, steps / max(at, 1)) for at in ends if at is not None), default=0.0)


def fooled(histories: Sequence[History]) -> bool:
    """Whether a run ended with next to no loss and yet another filter."""
    ends = [history.metrics for history in histories if history.state == "finished"]
    return any(end["loss"] < 1e-6 and end["kernel_error"] > 0.1 for end in ends)
