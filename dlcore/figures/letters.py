"""Figures of the text lesson: bits per letter while a network learns, and what it expects next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, Label, figure
from dlcore.figures.cells import COLORS, NAMES
from dlcore.figures.curves import Curve, Level, curves
from dlcore.texts import N_

Lines = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by cell: steps (n,), bits (n,)
LEVELS = {"uniform": N_("guessing"), "letters": N_("letters’ frequencies"), "pairs": N_("pairs of letters")}


def bits(
    learned: Lines, held_out: Lines, levels: Mapping[str, float], total: int,
    ring: tuple[np.ndarray, np.ndarray] | None = None, *, label: Label = str,
) -> go.Figure:  # fmt: skip
    """Bits per letter against steps: of the learned text (pale) and of the held-out (bold, with its points).

    Args:
        levels: what is reached without a network, by the names of ``LEVELS``.
        total: steps of the whole run, so that the curves grow into their place.
        ring: a way (n,), (n,) at whose end a ring is drawn, as the last trace.
    """
    alone = len(held_out) == 1
    lines = [
        Curve(x, y, N_("learned text") if alone else "", DATA if alone else COLORS[cell], width=1.3, opacity=0.55)
        for cell, (x, y) in learned.items()
    ]
    lines += [
        Curve(x, y, N_("held-out text") if alone else NAMES[cell], MODEL if alone else COLORS[cell], markers=True)
        for cell, (x, y) in held_out.items()
    ]
    marks = [Level(value, LEVELS[name], GREY) for name, value in levels.items()]
    top = max([6.2, *levels.values()]) + 0.3
    lowest = min([1.5, *(float(np.nanmin(line.y)) for line in lines if np.isfinite(line.y).any())])
    made = curves(
        lines, x_title=N_("step"), y_title=N_("bits per letter"), x_range=(0.0, float(max(total, 1))),
        y_range=(max(0.0, np.floor(2 * lowest) / 2), top), levels=marks, label=label,
    )  # fmt: skip
    if ring is None:
        return made
    for name in made._layout["annotations"]:  # the ring at the end would stand on a name's first letter
        if name.get("xref") is None:
            name |= {"x": max(name["x"], float(ring[0][-1])), "xshift": 12}
    line = {"color": "rgba(0,0,0,0)", "size": 13, "line": {"color": GREY, "width": 2}}
    end = {"type": "scatter", "mode": "markers", "x": ring[0][-1:], "y": ring[1][-1:], "marker": line,
           "hoverinfo": "skip"}  # fmt: skip
    return figure([*made._data, end], made._layout)


def expected(letters: Sequence[str], probabilities: np.ndarray, *, label: Label = str) -> go.Figure:
    """The likeliest next letters, from the top down, and the share (n,) of each; "" is a place without one."""
    trace = {
        "type": "bar", "orientation": "h", "x": probabilities, "y": list(range(len(letters))),
        "marker": {"color": MODEL}, "width": 0.7, "text": [f"{p:.1%}" for p in probabilities.tolist()],
        "textposition": "outside", "cliponaxis": False, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"range": [0, 1.16], "tickvals": [0, 0.5, 1], "tickformat": ".0%", "fixedrange": True,
                  "title": {"text": label(N_("probability of the next letter"))}},
        "yaxis": {"autorange": "reversed", "tickvals": list(range(len(letters))), "ticktext": list(letters),
                  "showgrid": False, "fixedrange": True, "ticks": "", "tickfont": {"size": 15}},
        "margin": {"l": 36, "r": 8, "t": 4, "b": 40}, "transition": {"duration": 150},
    }  # fmt: skip
    return figure([trace], layout)
