"""Pictures as points in a plane, near each other where a network finds them alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GRADIENT, INDIGO, MODEL, REFERENCE, SKY, VIOLET, WARNING, figure

COLORS = (DATA, MODEL, GRADIENT, REFERENCE, WARNING, VIOLET, SKY, INDIGO)  # of classes, in their order; then again
SIGNS = ("circle", "square", "diamond")  # the first round of colours, the second, the third


def feature_map(
    xy: np.ndarray, y: np.ndarray, names: Sequence[str], *, held: np.ndarray, chosen: int | None = None,
    thumbs: Sequence[str] = (),
) -> go.Figure:  # fmt: skip
    """The map: a colour for each class, hollow where a picture is held out.

    Args:
        xy: places (N, 2); ``y`` (N,) classes; ``names`` of the classes, ready to print; ``held`` (N,) bool.
        chosen: the picture that is shown beside it.
        thumbs: data URLs of the pictures, to be drawn at their places instead of small points; none: points.
    """
    traces: list[dict[str, Any]] = []
    for k, name in enumerate(names):
        for hollow in (False, True):
            mine = np.flatnonzero((y == k) & (held == hollow))
            sign = SIGNS[k // len(COLORS) % len(SIGNS)] + ("-open" if hollow else "")
            marker = {"color": COLORS[k % len(COLORS)], "size": 9, "symbol": sign, "line": {"width": 2}}
            traces.append({
                "type": "scatter", "mode": "markers", "x": xy[mine, 0], "y": xy[mine, 1], "name": name,
                "marker": marker, "hovertemplate": f"{name}<extra></extra>",
            })  # fmt: skip
    if chosen is not None:
        ring = {"color": "rgba(0,0,0,0)", "size": 20, "line": {"width": 3, "color": MODEL}}
        traces.append({"type": "scatter", "mode": "markers", "x": xy[[chosen], 0], "y": xy[[chosen], 1],
                       "marker": ring, "hoverinfo": "skip"})  # fmt: skip
    low, high = xy.min(0), xy.max(0)
    span = np.maximum(high - low, 1e-9)
    axis = {"visible": False, "zeroline": False}
    layout = {
        "xaxis": {**axis, "range": [low[0] - 0.06 * span[0], high[0] + 0.06 * span[0]]},
        "yaxis": {**axis, "range": [low[1] - 0.06 * span[1], high[1] + 0.06 * span[1]]},
        "margin": {"l": 0, "r": 0, "t": 4, "b": 4}, "images": _thumbs(xy, span, thumbs), "hovermode": "closest",
    }  # fmt: skip
    return figure(traces, layout)


def _thumbs(xy: np.ndarray, span: np.ndarray, thumbs: Sequence[str]) -> list[dict[str, Any]]:
    """The pictures themselves, under the points, which stay at their middle."""
    return [
        {"source": source, "x": x, "y": y, "xref": "x", "yref": "y", "sizex": 0.07 * span[0], "sizey": 0.07 * span[1],
         "xanchor": "center", "yanchor": "middle", "layer": "below"}
        for source, (x, y) in zip(thumbs, xy.tolist(), strict=False)
    ]  # fmt: skip


def nearest(xy: np.ndarray, x: float, y: float, within: float = 0.05) -> int | None:
    """The point that a click means, if one lies within that share of the picture's width and height."""
    span = np.maximum(xy.max(0) - xy.min(0), 1e-9)
    far = (np.abs((xy - [x, y]) / span)).max(1)
    index = int(far.argmin())
    return index if far[index] <= within else None
