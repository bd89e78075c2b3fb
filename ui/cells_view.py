"""The living curves of recurrent cells that learn from the same batches: the loss, and the score on held-out data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlcore.figures.cells import NAMES, Lines, by_cell
from dlcore.figures.curves import Level
from dlcore.history import History
from dlcore.texts import N_
from ui.i18n import _
from ui.live_plot import live_plot
from ui.training_view import SMOOTHING, running_mean

HEIGHT = 270


@dataclass(frozen=True)
class Score:
    """What is measured on held-out data.

    Attributes:
        name: its name in ``Epoch.metrics``, without the cell.
        title: what the axis says, marked with ``N_``.
        format: d3 format of the axis's ticks.
        span: the axis's range; None for that of the numbers.
        log: whether the axis is logarithmic.
        levels: what it is compared with: chance, a naive forecast.
    """

    name: str = "test_accuracy"
    title: str = N_("right answers")
    format: str = ".0%"
    span: tuple[float, float] | None = (0.0, 1.02)
    log: bool = False
    levels: Sequence[Level] = ()


def cells_view(
    history: History, score: Score | None = None, *, loss_levels: Sequence[Level] = (), height: int = HEIGHT
) -> None:
    """Draw both plots side by side; quick enough for every tick, and their space is kept before there is anything."""
    left, right = st.columns(2, gap="small")
    with left:
        live_plot(
            loss_figure(history, loss_levels), key="cells-loss", height=height,
            alt=_("The loss of each cell against steps, on the batches it learns from, on a logarithmic scale."),
        )  # fmt: skip
    with right:
        live_plot(
            score_figure(history, score or Score()), key="cells-score", height=height,
            alt=_("The score of each cell on held-out sequences against steps."),
        )  # fmt: skip


def cells_of(history: History) -> tuple[str, ...]:
    """The cells that the run trains, in the order in which they are shown."""
    return tuple(history.info.get("cells", ()))


def step_lines(history: History, name: str) -> Lines:
    """A number that each step tells of each cell (``loss``, ``gradient_norm``), by cell."""
    steps = history.steps.column("step")
    return {cell: (steps, history.steps.column(f"{name}/{cell}")) for cell in cells_of(history)}


def held_out_lines(history: History, name: str) -> Lines:
    """A number measured on held-out data, by cell."""
    steps = history.epochs.column("step")
    return {cell: (steps, history.epochs.column(f"{name}/{cell}")) for cell in cells_of(history)}


def loss_figure(history: History, levels: Sequence[Level] = ()) -> go.Figure:
    """Loss of each batch (pale) and its running mean, on a logarithmic scale."""
    raw = step_lines(history, "loss")
    lines = {cell: (x, running_mean(y, SMOOTHING)) for cell, (x, y) in raw.items()}
    seen = np.concatenate([y[np.isfinite(y) & (y > 0)] for _x, y in raw.values()]) if raw else np.array([])
    low, high = np.min([0.1, *seen]), np.max([2.0, *seen])
    return by_cell(
        lines, under=raw, x_title=N_("step"), y_title=N_("loss"), log_y=True, x_range=steps_span(history),
        y_range=(float(10 ** np.floor(np.log10(low))), float(high)), levels=levels, label=_,
    )  # fmt: skip


def score_figure(history: History, score: Score) -> go.Figure:
    """The score on held-out data, with what it is compared with."""
    return by_cell(
        held_out_lines(history, score.name), markers=True, x_title=N_("step"), y_title=score.title,
        x_range=steps_span(history), y_range=score.span, y_format=score.format, log_y=score.log, levels=score.levels,
        label=_,
    )  # fmt: skip


def steps_span(history: History) -> tuple[float, float]:
    """The whole run's length, so that the curves grow into their place and nothing jumps."""
    return 0.0, float(history.total_steps or 100)


def told_scores(history: History, name: str = "test_accuracy", form: str = ".0%") -> str:
    """The newest score of each cell as text: “RNN 26%, LSTM 100%”."""
    found = [(NAMES[cell], history.epochs.last(f"{name}/{cell}")) for cell in cells_of(history)]
    return _(", ").join(f"{cell} {value:{form}}" for cell, value in found if value is not None)
