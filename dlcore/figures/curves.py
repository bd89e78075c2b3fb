"""Line curves with their names on the lines: loss and accuracy over steps, or any other function of one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import GREY, MODEL, Label, figure

LABEL_SIZE = 13  # px
LINE_HEIGHT = 0.07  # of the plot's height: nearer than this, two labels would touch
MOST_NARROW = (
    1e-12  # a range narrower than this share of its values is widened, so that a flat line stays in the middle
)


@dataclass(frozen=True)
class Curve:
    """One line.

    Attributes:
        x, y: (n,) numbers; where y is NaN (or not positive on a logarithmic axis) the line is broken.
        name: stands at the line's end, in its colour; "" for none.
        color: a meaning from ``dlcore.figures``.
        dash: "solid", "dash", "dot".
        markers: draw the points, too: for few of them (one an epoch).
    """

    x: np.ndarray
    y: np.ndarray
    name: str = ""
    color: str = MODEL
    dash: str = "solid"
    width: float = 2.0
    markers: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class Level:
    """A straight reference line across the plot, at ``value`` of the y axis (or of x if ``upright``)."""

    value: float
    name: str = ""
    color: str = GREY
    dash: str = "dot"
    upright: bool = False


def curves(
    lines: Sequence[Curve],
    *,
    x_title: str = "",
    y_title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    y_format: str = "",
    levels: Sequence[Level] = (),
    line_height: float = LINE_HEIGHT,
    label: Label = str,
) -> go.Figure:
    """Lines in one plot; all names and titles go through ``label``.

    Args:
        x_range, y_range: (low, high) in the data's units; without them the range of finite values and levels. Give
            ``x_range`` for a run that goes on, so that the curve grows into its place and nothing jumps.
        line_height: how far apart two names at lines' ends must be, as a share of the height; more in a low plot.
        y_format: d3 format of the y ticks, e.g. ``".0%"``.
    """
    lines = [_drawable(line, log_x, log_y) for line in lines]
    x_axis = _axis(
        x_title, log_x, x_range or _span([c.x for c in lines], [v for v in levels if v.upright], log_x), label
    )
    y_axis = _axis(
        y_title, log_y, y_range or _span([c.y for c in lines], [v for v in levels if not v.upright], log_y, 0.06), label
    )
    y_axis["tickformat"] = y_format
    data = [_trace(line, label) for line in lines]
    shapes, notes = _levels(levels, label, log_x, log_y, y_axis["range"])
    names = end_labels(lines, x_axis["range"], y_axis["range"], log_x, log_y, label, line_height)
    room = max((_width(label(line.name)) for line in lines if line.name), default=0)  # kept before there is data
    margin = {"l": 64, "r": 16 + room, "t": 12, "b": 48}
    layout = {"xaxis": x_axis, "yaxis": y_axis, "shapes": shapes, "annotations": notes + names, "margin": margin}
    return figure(data, {**layout, "hovermode": "x unified"})


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of the last ``width`` values at each place (of fewer at the beginning), same length."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def decades(values: Sequence[np.ndarray], least: tuple[float, float]) -> tuple[float, float]:
    """Whole decades for a logarithmic axis that hold all values and at least the range ``least``.

    Below two at a time, so that the axis seldom moves.
    """
    seen = np.concatenate([np.asarray(v, float).ravel() for v in values]) if values else np.array([])
    seen = seen[np.isfinite(seen) & (seen > 0)]
    low, high = np.min([least[0], *seen]), np.max([least[1], *seen])
    return float(10.0 ** (2 * np.floor(np.log10(low) / 2))), float(10.0 ** np.ceil(np.log10(high)))


def _drawable(line: Curve, log_x: bool, log_y: bool) -> Curve:
    """The curve as float arrays, NaN where an axis cannot show the value."""
    x, y = np.asarray(line.x, dtype=float), np.array(line.y, dtype=float)
    y[~np.isfinite(y) | (log_y & (y <= 0)) | (log_x & (x <= 0))] = np.nan
    return Curve(x, y, line.name, line.color, line.dash, line.width, line.markers, line.opacity)


def _trace(line: Curve, label: Label) -> dict[str, Any]:
    return {
        "type": "scatter", "x": line.x, "y": line.y, "name": label(line.name) if line.name else "",
        "mode": "lines+markers" if line.markers else "lines", "opacity": line.opacity,
        "line": {"color": line.color, "width": line.width, "dash": line.dash},
        "marker": {"size": 6, "color": line.color},
        "hovertemplate": "%{y:.4g}" if line.name else "%{y:.4g}<extra></extra>",
    }  # fmt: skip


def _span(arrays: Sequence[np.ndarray], levels: Sequence[Level], log: bool, pad: float = 0.0) -> tuple[float, float]:
    """The range of all finite values, widened by ``pad`` of itself at both ends (in decades on a logarithmic axis)."""
    values = np.concatenate(
        [np.asarray(a, dtype=float).ravel() for a in arrays] + [np.array([v.value for v in levels])]
    )
    values = values[np.isfinite(values) & (not log or values > 0)] if len(values) else values
    if not len(values):
        return (0.1, 1.0) if log else (0.0, 1.0)
    values = np.log10(values) if log else values
    low, high = float(values.min()), float(values.max())
    if high - low <= MOST_NARROW * max(abs(low), abs(high)):
        half = 0.5 if log or low == 0 else 0.1 * abs(low)
        low, high = low - half, high + half
    low, high = low - pad * (high - low), high + pad * (high - low)
    return (10**low, 10**high) if log else (low, high)


def _axis(title: str, log: bool, span: tuple[float, float], label: Label) -> dict[str, Any]:
    """An axis with an explicit range (Plotly wants logarithms there): a curve that grows moves nothing else."""
    ends = [float(np.log10(v)) for v in span] if log else [float(v) for v in span]
    axis: dict[str, Any] = {"title": {"text": label(title) if title else ""}, "range": ends, "zeroline": False}
    if log:
        axis.update(type="log", exponentformat="power")
        if 1 <= ends[1] - ends[0] <= 3:
            axis["dtick"] = "D2"  # 1, 2, 5 of each decade; Plotly's own choice writes all nine, over each other
        elif ends[1] - ends[0] > 3:
            axis["dtick"] = max(1, round((ends[1] - ends[0]) / 6))
        elif ends[1] - ends[0] > 1:
            axis["dtick"] = "D2"  # 1, 2, 5: all nine would touch
    return axis


def _levels(
    levels: Sequence[Level], label: Label, log_x: bool, log_y: bool, y_range: Sequence[float]
) -> tuple[list, list]:
    """Reference lines, named under their right end (above it where the line lies low), or at an upright one's top."""
    shapes, notes = [], []
    for level in levels:
        log = log_x if level.upright else log_y
        place = float(np.log10(level.value)) if log else level.value
        line = {"color": level.color, "width": 1.5, "dash": level.dash}
        font = {"color": level.color, "size": LABEL_SIZE - 1}
        note = {"text": label(level.name) if level.name else "", "showarrow": False, "font": font}
        if level.upright:
            axes, ends = {"xref": "x", "yref": "y domain"}, {"x0": level.value, "x1": level.value, "y0": 0, "y1": 1}
            notes.append({**note, **axes, "x": place, "y": 1, "yanchor": "top", "xanchor": "left"})
        else:
            axes, ends = {"xref": "x domain", "yref": "y"}, {"x0": 0, "x1": 1, "y0": level.value, "y1": level.value}
            low = place - y_range[0] < 0.15 * (y_range[1] - y_range[0])
            side = {"yanchor": "bottom" if low else "top", "xanchor": "right"}
            notes.append({**note, **axes, **side, "x": 0.99, "y": place})
        shapes.append({"type": "line", **axes, **ends, "layer": "below", "line": line})
    return shapes, notes


def end_labels(
    lines: Sequence[Curve],
    x_range: Sequence[float],
    y_range: Sequence[float],
    log_x: bool = False,
    log_y: bool = False,
    label: Label = str,
    line_height: float = LINE_HEIGHT,
) -> list[dict[str, Any]]:
    """Annotations with the lines' names behind their last points, moved apart where they would touch.

    Args:
        x_range, y_range: the axes' ranges as Plotly has them (logarithms on logarithmic axes).
    """
    ends = []  # (x, y, line), in axis coordinates
    for line in lines:
        seen = np.flatnonzero(np.isfinite(line.y))
        if line.name and len(seen):
            x, y = line.x[seen[-1]], line.y[seen[-1]]
            ends.append((np.log10(x) if log_x else x, np.log10(y) if log_y else y, line))
    height = y_range[1] - y_range[0]
    heights = spread(np.array([(y - y_range[0]) / height for _, y, _ in ends]), line_height)
    return [
        {
            "text": label(line.name), "x": float(x), "y": float(y_range[0] + at * height), "showarrow": False,
            "xanchor": "left", "yanchor": "middle", "xshift": 5, "font": {"color": line.color, "size": LABEL_SIZE},
        }
        for (x, _, line), at in zip(ends, heights, strict=True)
    ]  # fmt: skip


def spread(places: np.ndarray, gap: float) -> np.ndarray:
    """Places (n,) in [0, 1], moved as little as possible (in the mean square) so that every two are ``gap`` apart.

    Without the gaps between them they need only be in order, and where they are not, neighbours pool at their mean
    (isotonic regression). Places that cannot all fit are spread beyond 1.
    """
    order = np.argsort(places, kind="stable")
    gaps = gap * np.arange(len(places))
    pools: list[tuple[float, int]] = []  # (mean, size)
    for place in places[order] - gaps:
        mean, size = float(place), 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, size = (before * members + mean * size) / (members + size), members + size
        pools.append((mean, size))
    settled = np.array([mean for mean, size in pools for _ in range(size)])
    low, high = gap / 2, 1 - gap / 2 - gap * (len(places) - 1)
    result = np.empty(len(places))
    result[order] = np.clip(settled, low, max(low, high)) + gaps
    return result


def _width(text: str) -> int:
    """Roughly how wide a label is, in px: Chinese characters are twice as wide as Latin ones."""
    return int(sum(1.0 if ord(c) > 0x2E80 else 0.56 for c in text) * LABEL_SIZE) + 8
