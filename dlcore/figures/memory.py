"""Figures of the memory lesson: the gradient by time step, and the score against the distance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, Label
from dlcore.figures.cells import NAMES, Lines, cell_curves, color_of
from dlcore.figures.curves import Curve, Level, curves, decades
from dlcore.texts import N_

LOWEST = 1e-20  # what lies deeper is drawn at the bottom
SPAN = (1e-16, 1e1)  # what the axis shows at least, so that it seldom moves


def through_time(
    now: Mapping[str, np.ndarray],
    before: Mapping[str, np.ndarray],
    *,
    length: int,
    linear: np.ndarray | None = None,
    label: Label = str,
) -> go.Figure:
    """The norm of ∂L/∂h_t against t, on a logarithmic axis, one line for each cell.

    Args:
        now: (T,) by cell, of the run; or of the fresh networks where there is no run. ``lstm.c`` is that of c_t.
        before: (T,) by cell, dotted: of fresh networks.
        length: T of the axis.
        linear: (T,), what is left in a linear network whose recurrent matrix has the chosen spectral radius.
    """
    lines = [
        *cell_curves(_lines(before, cells=False), dash="dot", width=1.5, nameless=True),
        *cell_curves(_lines(now, cells=False), width=2.5),
        *(replace(line, name="LSTM c", color=MODEL, dash="dash") for line in cell_curves(_lines(now, cells=True))),
    ]
    if linear is not None:
        lines.insert(0, Curve(np.arange(1, len(linear) + 1), linear, N_("linear"), GREY, dash="dash", width=1.5))
    return curves(
        lines, x_title=N_("step t of the sequence"), y_title=N_("gradient ∂L/∂h at step t"), log_y=True,
        x_range=(1.0, float(max(length, 2))), y_range=decades([line.y for line in lines], SPAN), label=label,
    )  # fmt: skip


def _lines(norms: Mapping[str, np.ndarray], *, cells: bool) -> Lines:
    """Of the hidden states; or of cell states, which have names like ``lstm.c``."""
    return {
        name: (np.arange(1, len(row) + 1), np.maximum(np.asarray(row, float), LOWEST))
        for name, row in norms.items()
        if ("." in name) == cells
    }


def by_distance(
    sets: Sequence[tuple[str, str, np.ndarray, np.ndarray, bool]],
    *,
    chance: float,
    longest: int,
    title: str = N_("right answers"),
    label: Label = str,
) -> go.Figure:
    """The score of trained networks against the distance that they were trained for.

    Args:
        sets: cell, what is to be told beside its name, distances (n,), scores (n,), whether it has the settings on
            screen (bold) or others (pale).
        longest: the axis's end.
    """
    lines = [
        Curve(
            x, y, f"{NAMES.get(cell, cell)} {note}".strip() if bold else "", color_of(cell), markers=True,
            opacity=1.0 if bold else 0.3, dash="solid" if bold else "dot",
        )
        for cell, note, x, y, bold in sets
    ]  # fmt: skip
    return curves(
        lines, x_title=N_("distance"), y_title=title, x_range=(0.0, float(longest)), y_range=(0.0, 1.02),
        y_format=".0%", levels=[Level(chance, N_("guessing"))], label=label,
    )  # fmt: skip


def answers(rows: Mapping[str, np.ndarray], truth: np.ndarray | None = None, *, label: Label = str) -> go.Figure:
    """What each cell would answer after each step of one sequence.

    Args:
        rows: by cell, (T,): the probability of the right answer; or the number, where ``truth`` is the right one (T,).
    """
    length = max((len(row) for row in rows.values()), default=2)
    lines = cell_curves({cell: (np.arange(1, len(row) + 1), row) for cell, row in rows.items()}, markers=length <= 40)
    if truth is not None:
        lines.insert(0, Curve(np.arange(1, len(truth) + 1), truth, N_("right"), DATA, dash="dash"))
    shares = {"y_range": (0.0, 1.02), "y_format": ".0%"} if truth is None else {}
    title = N_("sure of the right answer") if truth is None else N_("answer")
    return curves(
        lines, x_title=N_("step t of the sequence"), y_title=title, x_range=(1.0, float(max(2, length))), label=label,
        **shares,
    )  # fmt: skip
