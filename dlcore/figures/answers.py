"""What networks answer to pictures: the likeliest classes as bars, and how an answer holds while a change grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, Label, figure
from dlcore.texts import N_

ROW = 46  # pixels for a bar with its name over it


def top(names: Sequence[str], shares: Sequence[float], color: str = MODEL, *, rows: int = 5) -> go.Figure:
    """The likeliest classes ``(n,)`` from the top down, each name over its bar: the first in ``color``.

    Args:
        rows: room for so many, whatever ``n`` is, so that nothing jumps.
    """
    shares = list(shares)[:rows]
    places = list(range(len(shares)))
    bars = {
        "type": "bar", "orientation": "h", "x": shares, "y": places, "width": 0.34,
        "marker": {"color": [GREY if k else color for k in places], "opacity": [0.6 if k else 1.0 for k in places]},
        "text": [percent(share) for share in shares], "textposition": "outside", "cliponaxis": False,
        "customdata": list(names)[:rows], "hovertemplate": "%{customdata}: %{x:.2%}<extra></extra>",
    }  # fmt: skip
    titles = [
        {"x": 0, "y": k, "xanchor": "left", "yanchor": "bottom", "yshift": 9, "showarrow": False,
         "text": shortened(name), "font": {"size": 14 if k else 15, **({} if k else {"color": color})}}
        for k, name in zip(places, names, strict=False)
    ]  # fmt: skip
    layout = {
        "xaxis": {"range": [0, 1.16], "visible": False, "fixedrange": True},
        "yaxis": {"range": [rows - 0.6, -0.75], "visible": False, "fixedrange": True},
        "annotations": titles, "margin": {"l": 2, "r": 4, "t": 0, "b": 0}, "transition": {"duration": 150},
    }  # fmt: skip
    return figure([bars], layout)


def percent(share: float) -> str:
    """A probability with a sensible count of digits; never a 100 % or 0 % that is none."""
    if share >= 0.9995:
        return ">99.9%"
    return f"{100 * share:.1f}%" if share >= 0.0005 else "<0.1%"


def shortened(name: str, most: int = 34) -> str:
    """A name that fits over a bar."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


@dataclass(frozen=True, eq=False)
class Sweep:
    """How one network's answer holds.

    Attributes:
        name: of the network.
        strength, probability, index: of the change, of the first answer, and which answer is the likeliest, (n,) each.
    """

    name: str
    strength: np.ndarray
    probability: np.ndarray
    index: np.ndarray


def sweeps(
    found: Sequence[Sweep], answers: Sequence[Sequence[str]], *, title: str, ends: tuple[float, float],
    log: bool = False, label: Label = str,
) -> go.Figure:  # fmt: skip
    """The probability of each network's first answer against the strength of a change; circles where it is not given.

    Args:
        answers: what each network says at each strength, ready to print.
        title: of the strength's axis, with its unit.
        ends: the strengths at either end of the axis, whatever has come so far.
        log: logarithmic strengths.
    """
    colors = (MODEL, DATA)
    traces = []
    for sweep, names, color in zip(found, answers, colors, strict=False):
        holds = sweep.index == sweep.index[0]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "x": sweep.strength, "y": sweep.probability,
            "line": {"color": color, "width": 2.5}, "name": sweep.name,
            "marker": {"size": 8, "color": [color if h else "rgba(0,0,0,0)" for h in holds],
                       "line": {"color": color, "width": 1.5}},
            "customdata": list(names), "hovertemplate": "%{x:.3g}: %{customdata} (%{y:.1%})<extra></extra>",
        })  # fmt: skip
    pad = 0.02 * (ends[1] - ends[0])
    span = [float(np.log10(e)) for e in ends] if log else [ends[0] - pad, ends[1] + pad]
    layout = {
        "xaxis": {"title": {"text": title}, "range": span, "type": "log" if log else "linear", "fixedrange": True},
        "yaxis": {"title": {"text": label(N_("probability of the first answer"))}, "range": [-0.03, 1.05],
                  "tickformat": ".0%", "dtick": 0.25, "fixedrange": True},
        "margin": {"l": 64, "r": 16, "t": 12, "b": 48}, "hovermode": "closest",
    }  # fmt: skip
    return figure(traces, layout)
