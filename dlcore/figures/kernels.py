"""A filter that is being learned beside the one that is hidden, step by step, and how far the two are apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DIVERGING, GRADIENT, GREY, MODEL, Label, figure
from dlcore.figures.curves import Curve, Level, curves
from dlcore.figures.descent import Film
from dlcore.texts import N_

FLOOR = 1e-16  # a loss or an error of less is drawn here


def pair(hidden: np.ndarray, path: np.ndarray, *, label: Label = str) -> Film:
    """The hidden filter ``(k, k)`` and the learned one, ``(n, k, k)`` over the frames, on one scale."""
    most = float(np.abs(hidden).max()) or 1.0
    k = hidden.shape[-1]
    now = path[-1] if len(path) else np.full((k, k), np.nan)
    data = [_map(hidden, most, ""), _map(now, most, "2")]
    hidden_axis = {"visible": False, "fixedrange": True}
    across = {**hidden_axis, "range": [-0.5, k - 0.5]}  # given: Plotly's own, from a filter of NaN, would stay too wide
    names = [(0.22, label(N_("hidden"))), (0.78, label(N_("learned")))]
    layout = {
        "xaxis": {**across, "domain": [0, 0.44]}, "xaxis2": {**across, "domain": [0.56, 1]},
        "yaxis": {**hidden_axis, "range": [k - 0.5, -0.5], "scaleanchor": "x"},
        "yaxis2": {**hidden_axis, "range": [k - 0.5, -0.5], "anchor": "x2", "scaleanchor": "x2"},
        "margin": {"l": 4, "r": 4, "t": 26, "b": 4},
        "annotations": [
            {"x": x, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "bottom", "text": text, "showarrow": False}
            for x, text in names
        ],
    }  # fmt: skip
    traces = {1: {"z": {"at": path}}} if len(path) else {}
    return Film(figure(data, layout), {"count": max(len(path), 1), "traces": traces})


def _map(W: np.ndarray, most: float, axis: str) -> dict[str, Any]:
    return {
        "type": "heatmap", "z": W, "colorscale": DIVERGING, "zmin": -most, "zmax": most, "showscale": False,
        "xgap": 2, "ygap": 2, "xaxis": f"x{axis}", "yaxis": f"y{axis}", "texttemplate": "%{z:.2f}",
        "textfont": {"size": 14 if len(W) < 5 else 10}, "hovertemplate": "%{z:.4f}<extra></extra>",
    }  # fmt: skip


def progress(
    step: np.ndarray, loss: np.ndarray, error: np.ndarray, total: int, noise: float, *, label: Label = str
) -> Film:
    """Loss and the filter's largest error over steps, (n,) each, on a logarithmic axis.

    Args:
        noise: standard deviation of the answers' noise; its square is what no filter gets below on new answers.
    """
    lines = [Curve(step, np.maximum(error, FLOOR), N_("filter error"), GRADIENT),
             Curve(step, np.maximum(loss, FLOOR), N_("loss"), MODEL)]  # fmt: skip
    seen = np.concatenate([loss, error, [1.0, 1e-3]])
    seen = seen[np.isfinite(seen)]
    spread = (10.0 ** np.floor(np.log10(max(float(seen.min()), FLOOR))), min(3 * float(seen.max()), 1e6))
    plot = curves(
        lines, x_title=N_("step"), y_title=N_("log scale"), log_y=True, x_range=(0.0, float(max(total, 1))),
        y_range=spread, levels=[Level(noise**2, N_("noise²"), GREY)] if noise else [], label=label,
    )  # fmt: skip
    frames = {i: {"x": {"grow": step}, "y": {"grow": np.asarray(line.y)}} for i, line in enumerate(lines)}
    return Film(plot, {"count": max(len(step), 1), "traces": frames if len(step) else {}})


def answers(pictures: np.ndarray, outputs: np.ndarray, *, label: Label = str) -> go.Figure:
    """Pictures (n, h, w), 0 to 1, in a row, and below each the hidden filter's answer (n, h', w')."""
    n, side = len(pictures), pictures.shape[-1]
    inset, most = (side - outputs.shape[-1]) // 2, float(np.abs(outputs).max()) or 1.0
    above, below = (np.full((side, n * (side + 2) - 2), np.nan) for _row in range(2))
    for i, (picture, output) in enumerate(zip(pictures, outputs, strict=True)):
        left = i * (side + 2)
        above[:, left : left + side] = picture
        below[inset : inset + output.shape[0], left + inset : left + inset + output.shape[1]] = output
    ink = [[0.0, "#000000"], [1.0, "#ffffff"]]
    shared = {"type": "heatmap", "showscale": False, "hoverinfo": "skip", "hoverongaps": False}
    data = [
        {**shared, "z": above, "colorscale": ink, "zmin": 0, "zmax": 1},
        {**shared, "z": below, "colorscale": DIVERGING, "zmin": -most, "zmax": most, "y": np.arange(side) + side + 2},
    ]
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    layout = {
        "xaxis": {**hidden, "constraintoward": "left"}, "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "yaxis": {**hidden, "range": [2 * side + 1.5, -0.5], "scaleanchor": "x", "constraintoward": "top"},
    }  # fmt: skip
    return figure(data, layout)
