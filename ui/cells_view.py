"""The living curves of recurrent cells that learn from the same batches: the loss, and the score on held-out data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dlcore.figures.cells import NAMES, by_cell
from dlcore.figures.curves import Level
from dlcore.history import History
from dlcore.texts import N_
from ui.i18n import _
from ui.training_view import SMOOTHING, running_mean


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


@dataclass(frozen=True)
class Coming:
    """The run that the settings would give: room for its curves and their names is kept before it begins."""

    cells: Sequence[str]
    steps: int


def cells_of(history: History) -> tuple[str, ...]:
    """The cells that the run trains, in the order in which they are shown."""
    return tuple(history.info.get("cells", ()))


def loss_figure(history: History, coming: Coming) -> go.Figure:
    """Loss of each batch (pale) and its running mean, on a logarithmic scale."""
    steps, cells = history.steps.column("step"), cells_of(history) or coming.cells
    raw = {cell: (steps, history.steps.column(f"loss/{cell}")) for cell in cells}
    lines = {cell: (x, running_mean(y, SMOOTHING)) for cell, (x, y) in raw.items()}
    seen = np.concatenate([y[np.isfinite(y) & (y > 0)] for _x, y in raw.values()]) if raw else np.array([])
    low, high = np.min([0.1, *seen]), np.max([2.0, *seen])
    return by_cell(
        lines, under=raw, x_title=N_("step"), y_title=N_("loss"), log_y=True, x_range=_span(history, coming),
        y_range=(float(10 ** np.floor(np.log10(low))), float(high)), label=_,
    )  # fmt: skip


def score_figure(history: History, score: Score, coming: Coming) -> go.Figure:
    """The score on held-out data, with what it is compared with."""
    steps, cells = history.epochs.column("step"), cells_of(history) or coming.cells
    return by_cell(
        {cell: (steps, history.epochs.column(f"{score.name}/{cell}")) for cell in cells},
        markers=True, x_title=N_("step"), y_title=score.title, x_range=_span(history, coming),
        y_range=score.span, y_format=score.format, log_y=score.log, levels=score.levels, label=_,
    )  # fmt: skip


def _span(history: History, coming: Coming) -> tuple[float, float]:
    """The whole run's length, so that the curves grow into their place and nothing jumps."""
    return 0.0, float(history.total_steps or coming.steps)


def told_scores(history: History, name: str = "test_accuracy", form: str = ".0%") -> str:
    """The newest score of each cell as text: “RNN 26%, LSTM 100%”."""
    found = [(NAMES[cell], history.epochs.last(f"{name}/{cell}")) for cell in cells_of(history)]
    return _(", ").join(f"{cell} {value:{form}}" for cell, value in found if value is not None)
