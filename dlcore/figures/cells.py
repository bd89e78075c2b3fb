"""How the three recurrent cells look in every lesson: one colour each, and their name at the line's end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import GREY, MODEL, REFERENCE, WARNING
from dlcore.figures.curves import Curve, curves

COLORS = {"rnn": WARNING, "lstm": MODEL, "gru": REFERENCE}
NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}  # the same in every language

Lines = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by cell: x (n,), y (n,)


def color_of(cell: str) -> str:
    """The cell's colour; grey for what is no cell (a baseline)."""
    return COLORS.get(cell, GREY)


def cell_curves(
    lines: Lines,
    *,
    faint: bool = False,
    nameless: bool = False,
    dash: str = "solid",
    markers: bool = False,
    width: float = 2.0,
) -> list[Curve]:
    """A curve for each cell, in the order given.

    Args:
        faint: thin and pale, without a name: the noisy numbers under a bold mean of them.
        nameless: without a name at its end, where the same cell has another line that bears it.
    """
    return [
        Curve(
            np.asarray(x, dtype=float), np.asarray(y, dtype=float), "" if faint or nameless else NAMES.get(cell, cell),
            color_of(cell), dash=dash, markers=markers, width=1.0 if faint else width, opacity=0.25 if faint else 1.0,
        )
        for cell, (x, y) in lines.items()
    ]  # fmt: skip


def by_cell(lines: Lines, *, under: Lines | None = None, markers: bool = False, **axes: Any) -> go.Figure:
    """The cells' lines in one plot.

    Args:
        under: the same cells' noisy numbers, drawn pale beneath.
        markers: draw the points too, where there are few.
        axes: titles, ranges, levels and ``label``, as ``dlcore.figures.curves.curves`` takes them.
    """
    return curves([*cell_curves(under or {}, faint=True), *cell_curves(lines, markers=markers)], **axes)
