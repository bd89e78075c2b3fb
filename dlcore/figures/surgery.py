"""Pictures of a network without some of its blocks: right answers by class, changed answers, more and more out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, REFERENCE, Label, figure
from dlcore.figures.curves import Curve, curves
from dlcore.figures.images import captioned
from dlcore.texts import N_

NAMES = {"residual": (N_("residual"), MODEL), "plain": (N_("plain"), REFERENCE)}


def by_class(classes: Sequence[str], before: np.ndarray, after: np.ndarray, *, label: Label = str) -> go.Figure:
    """Two bars for each class, shares ``(K,)``: with all blocks in (grey) and without those that are out."""
    base = {"type": "bar", "x": list(classes), "hovertemplate": "%{x}: %{y:.1%}<extra></extra>"}
    traces = [
        {**base, "y": before, "marker": {"color": GREY, "opacity": 0.55}},
        {**base, "y": after, "marker": {"color": MODEL}},
    ]
    title = label(N_("right answers"))
    layout = {
        "barmode": "group", "bargap": 0.28, "bargroupgap": 0.05,
        "xaxis": {"type": "category", "fixedrange": True, "automargin": True},
        "yaxis": {"range": [0, 1.02], "tickformat": ".0%", "fixedrange": True, "title": {"text": title}},
        "margin": {"l": 56, "r": 8, "t": 8, "b": 54}, "transition": {"duration": 200},
    }  # fmt: skip
    return figure(traces, layout)


def changed(images: np.ndarray, before: Sequence[str], now: Sequence[str], columns: int) -> go.Figure:
    """Images ``(n, C, h, w)`` uint8, below each the answer before (blue) and now (vermilion)."""
    return captioned(images, before, now, (DATA, MODEL), columns)


def one_after_another(lines: Mapping[str, np.ndarray], blocks: int, *, label: Label = str) -> go.Figure:
    """Accuracies ``(draws, n + 1)`` of each network with 0, 1, … n blocks out: every order pale, and their mean."""
    drawn = []
    for name, shares in lines.items():
        title, color = NAMES[name]
        out = np.arange(shares.shape[1], dtype=float)
        drawn += [Curve(out, row, color=color, width=1, opacity=0.3) for row in shares]
        drawn.append(Curve(out, shares.mean(0), title, color, markers=True))
    return curves(
        drawn, x_title=N_("blocks out"), y_title=N_("right answers"), x_range=(0.0, float(blocks)), y_range=(0.0, 1.02),
        y_format=".0%", label=label,
    )  # fmt: skip
