"""A descent on the mean squared error, seen from four sides: the data, the map, the bowl and the loss curve.

Each function gives a ``Film``: the figure, and how its traces follow the playhead (the format of ``frames`` is told in
``ui/live_plot.py``). All films of a descent have the same number of frames, one per state of the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GRADIENT, GREY, MODEL, REFERENCE, SEQUENTIAL, Label, figure
from dlcore.figures.curves import Curve, Level, curves
from dlcore.texts import N_

MOST_DRAWN, MOST_RESIDUALS = 1500, 450  # rows of a large table; beyond it evenly chosen ones
GRID, BOWL = 49, 40  # points a side: map, 3-D surface
DECADES = 4.0  # of excess loss that the colours of a map tell apart
POINTS_TRACE = 1  # which trace of data_space (and scattered) holds the points, for clicks on them
DEEPEST, HIGHEST = 1e-8, 1e6  # the loss curve shows this much below and above the start


class Film(NamedTuple):
    """A figure and its frames; ``None`` where nothing moves."""

    figure: go.Figure
    frames: dict[str, Any]


def data_space(
    x: np.ndarray,
    y: np.ndarray,
    lines: np.ndarray,
    optimum: np.ndarray,
    *,
    x_title: str,
    y_title: str,
    label: Label = str,
) -> Film:
    """The points, the line on its way, its residuals, and the closed-form line.

    Args:
        x, y: (N,) in their own units.
        lines: (n, 2) intercept and slope of each state, in the same units, none of them far out (``quadratic.within``).
        optimum: (2,) intercept and slope of the closed form.
    """
    shown, ruled = _chosen(len(x), MOST_DRAWN), _chosen(len(x), MOST_RESIDUALS)
    x_range, y_range = _padded(x, 0.05), _padded(np.append(y, _near_zero(y)), 0.12)
    ends = np.column_stack([np.ones(2), x_range])  # (2, 2): the line is drawn between the edges
    basis = np.full((3 * len(ruled), 3), np.nan)  # per row: the point, the line above or below it, a gap
    basis[0::3] = np.column_stack([np.zeros((len(ruled), 2)), y[ruled]])
    basis[1::3] = np.column_stack([np.ones(len(ruled)), x[ruled], np.zeros(len(ruled))])
    states = np.column_stack([lines, np.ones(len(lines))])  # (n, 3)
    opacity = 0.75 if len(shown) < 200 else 0.5
    data = [
        _line(np.repeat(x[ruled], 3), basis @ states[-1], GREY, 1, opacity=0.35),
        {"type": "scatter", "mode": "markers", "x": x[shown], "y": y[shown], "name": label(N_("data")),
         "marker": {"color": DATA, "size": 7 if len(shown) < 200 else 5, "opacity": opacity},
         "hovertemplate": "%{x:.4g}, %{y:.4g}<extra></extra>"},
        _line(np.array(x_range), ends @ optimum, REFERENCE, 2, "dash", name=label(N_("best line"))),
        _line(np.array(x_range), ends @ lines[-1], MODEL, 3.5, name=label(N_("your line"))),
    ]  # fmt: skip
    frames = {0: {"y": {"mix": [states, basis]}}, 3: {"y": {"at": lines @ ends.T}}}
    layout = {"xaxis": _axis(x_title, x_range), "yaxis": _axis(y_title, y_range), "hovermode": "closest"}
    return Film(figure(data, layout), _frames(len(lines), frames))


def prediction_space(
    X: np.ndarray, y: np.ndarray, theta: np.ndarray, *, x_title: str, y_title: str, label: Label = str
) -> Film:
    """For several features: each row's prediction against its target. A perfect model puts all on the diagonal.

    Args:
        X: (N, d) with its column of ones; y: (N,).
        theta: (n, d) of each state, none of them far out.
    """
    shown = _chosen(len(y), MOST_RESIDUALS)
    span = _padded(np.append(y, _near_zero(y)), 0.08)
    basis = X[shown]  # (rows, d)
    diagonal = {**_line(np.array(span), np.array(span), GREY, 1.5, "dot"), "name": label(N_("perfect"))}
    dots = {"type": "scatter", "mode": "markers", "x": y[shown], "y": basis @ theta[-1], "name": label(N_("patients")),
            "marker": {"color": MODEL, "size": 6, "opacity": 0.55},
            "hovertemplate": "%{x:.4g} → %{y:.4g}<extra></extra>"}  # fmt: skip
    layout = {"xaxis": _axis(x_title, span), "yaxis": _axis(y_title, span), "hovermode": "closest"}
    return Film(figure([diagonal, dots], layout), _frames(len(theta), {1: {"y": {"mix": [theta, basis]}}}))


def loss_map(
    path: np.ndarray,
    optimum: np.ndarray,
    hessian: np.ndarray,
    half: np.ndarray,
    *,
    true: bool,
    titles: Sequence[str],
    label: Label = str,
) -> Film:
    """The parameter space from above: level lines of the excess loss, the path, the optimum.

    Args:
        path: (n, 2) coordinates, none of them far out; optimum: (2,); hessian: (2, 2); half: (2,)
            and ``true`` as in ``quadratic.Plane``.
    """
    axes = [np.linspace(c - h, c + h, GRID) for c, h in zip(optimum, half, strict=True)]
    level = _log_excess(axes, optimum, hessian)
    data = [
        {"type": "contour", "x": axes[0], "y": axes[1], "z": level.astype(np.float32), "colorscale": SEQUENTIAL,
         "showscale": False, "line": {"width": 0.7, "color": "rgba(255,255,255,0.45)"}, "hoverinfo": "skip",
         "contours": {"coloring": "heatmap", "start": -DECADES, "end": 0, "size": 0.5}, "name": label(N_("loss"))},
        {**_line(path[:, 0], path[:, 1], "#FFFFFF", 4, opacity=0.9), "hoverinfo": "skip"},
        {**_line(path[:, 0], path[:, 1], MODEL, 2, name=label(N_("path"))), "mode": "lines+markers",
         "marker": {"size": 5, "color": MODEL}},
        _dot(optimum, REFERENCE, "x", 11, label(N_("closed form"))),
        _dot(path[-1], MODEL, "circle", 14, label(N_("here"))),
    ]  # fmt: skip
    grow = {"x": {"grow": path[:, 0]}, "y": {"grow": path[:, 1]}}
    frames = {1: grow, 2: grow, 4: {"x": {"at": path[:, 0]}, "y": {"at": path[:, 1]}}}
    spans = [(float(axis[0]), float(axis[-1])) for axis in axes]
    layout = {"xaxis": _axis(titles[0], spans[0]), "yaxis": _axis(titles[1], spans[1]), "hovermode": "closest"}
    if true:
        layout["xaxis"]["constrain"] = "domain"
        layout["yaxis"] |= {"constrain": "domain", "scaleanchor": "x"}
    return Film(figure(data, layout), _frames(len(path), frames))


def loss_bowl(
    path: np.ndarray,
    optimum: np.ndarray,
    hessian: np.ndarray,
    half: np.ndarray,
    floor: float,
    *,
    titles: Sequence[str],
    label: Label = str,
) -> Film:
    """The same in three dimensions: the loss as a surface, the path on it. Arguments as for ``loss_map``."""
    axes = [np.linspace(c - h, c + h, BOWL) for c, h in zip(optimum, half, strict=True)]
    height = _excess(axes, optimum, hessian) + floor  # (BOWL, BOWL)
    inside = np.all(np.abs(path - optimum) <= half * 1.0001, axis=1)  # (n,)
    track = np.where(inside[:, None], path, np.nan)
    e = track - optimum
    z = 0.5 * np.einsum("ni,ij,nj->n", e, hessian, e) + floor + 0.012 * np.ptp(height)  # just above the surface
    last = np.flatnonzero(inside)[-1] if inside.any() else 0
    data = [
        {"type": "surface", "x": axes[0].astype(np.float32), "y": axes[1].astype(np.float32),
         "z": height.astype(np.float32), "surfacecolor": _log_excess(axes, optimum, hessian).astype(np.float32),
         "colorscale": SEQUENTIAL, "showscale": False, "opacity": 0.92, "hoverinfo": "skip",
         "lighting": {"ambient": 0.85, "diffuse": 0.35, "specular": 0.05}},
        {"type": "scatter3d", "mode": "lines", "x": track[:, 0], "y": track[:, 1], "z": z, "name": label(N_("path")),
         "line": {"color": MODEL, "width": 7}, "hoverinfo": "skip"},
        {"type": "scatter3d", "mode": "markers", "x": [optimum[0]], "y": [optimum[1]],
         "z": [floor + 0.02 * float(np.ptp(height))], "marker": {"color": REFERENCE, "size": 5, "symbol": "x"},
         "hoverinfo": "skip"},
        {"type": "scatter3d", "mode": "markers", "x": [track[last, 0]], "y": [track[last, 1]], "z": [z[last]],
         "marker": {"color": MODEL, "size": 7}, "hoverinfo": "skip"},
    ]  # fmt: skip
    grow = {"x": {"grow": track[:, 0]}, "y": {"grow": track[:, 1]}, "z": {"grow": z}}
    here = {"x": {"at": track[:, 0]}, "y": {"at": track[:, 1]}, "z": {"at": z}}
    names = [{"title": {"text": label(title)}, "nticks": 5} for title in (*titles, N_("loss"))]
    scene = {"xaxis": names[0], "yaxis": names[1], "zaxis": names[2], "aspectmode": "cube",
             "camera": {"eye": {"x": 1.25, "y": -1.45, "z": 0.95}, "center": {"x": 0, "y": 0, "z": -0.12}}}  # fmt: skip
    layout = {"scene": scene, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}}
    return Film(figure(data, layout), _frames(len(path), {1: grow, 3: here}))


def loss_curve(loss: np.ndarray, excess: np.ndarray, floor: float, steps: int, *, label: Label = str) -> Film:
    """Loss over steps on a logarithmic axis, the closed form's as a level, and what lies between the two.

    Args:
        loss, excess: (n,) of the path; n − 1 may be less than ``steps`` where the run left the finite numbers.
        floor: the loss of the closed form.
    """
    step = np.arange(len(loss), dtype=float)
    top = max(float(loss[0]), floor) or 1.0
    high = min(float(loss.max()) or top, HIGHEST * top)
    low = min(max(float(excess.min()), DEEPEST * top), floor if floor > DEEPEST * top else np.inf, 0.1 * top)
    y_range = (low / 2, high * 3)
    shown = np.clip(loss, *y_range), np.where(excess > 0, np.clip(excess, *y_range), np.nan)
    lines = [
        Curve(step, shown[1], N_("above the optimum"), GRADIENT, width=2, opacity=0.35),
        Curve(step, shown[0], N_("loss"), MODEL, width=2, opacity=0.35),
    ]
    film = curves(
        lines, x_title=N_("step"), y_title=N_("loss (log scale)"), log_y=True, x_range=(0, max(steps, 1)),
        y_range=y_range, levels=[Level(floor, N_("closed form"), REFERENCE)] if floor > low / 2 else [], label=label,
    )  # fmt: skip
    grown = [{**dict(trace), "opacity": 1.0, "name": "", "hoverinfo": "skip"} for trace in film._data]
    dots = [
        _dot((step[-1], y[-1]), line.color, "circle", 9, "") | {"cliponaxis": False}
        for line, y in zip(lines, reversed(shown), strict=True)
    ]
    moving = figure([*film._data, *grown, *dots], film._layout)
    pairs = [(2, shown[1]), (3, shown[0])]
    frames = {i: {"x": {"grow": step}, "y": {"grow": y}} for i, y in pairs}
    frames |= {i + 2: {"x": {"at": step}, "y": {"at": y}} for i, y in pairs}
    return Film(moving, _frames(len(loss), frames))


def _frames(count: int, traces: dict[int, Any]) -> dict[str, Any]:
    return {"count": count, "traces": traces, "controls": False}


def _chosen(n: int, most: int) -> np.ndarray:
    """Indices of at most ``most`` of n rows, evenly spaced."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(int)


def _near_zero(y: np.ndarray) -> float:
    """0 where it lies within half the data's range of the data, so that the first, flat line is in the picture."""
    reach = 0.5 * float(np.ptp(y)) or 1.0
    return 0.0 if y.min() - reach <= 0 <= y.max() + reach else float(y.min())


def _padded(values: np.ndarray, share: float) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    pad = share * (high - low) or 1.0
    return low - pad, high + pad


def _axis(title: str, span: tuple[float, float]) -> dict[str, Any]:
    return {"title": {"text": title}, "range": list(span), "zeroline": False}


def _line(
    x: np.ndarray, y: np.ndarray, color: str, width: float, dash: str = "solid", *, name: str = "", opacity: float = 1.0
) -> dict[str, Any]:
    style = {"color": color, "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "opacity": opacity, "line": style,
            "hoverinfo": "name" if name else "skip"}  # fmt: skip


def _dot(place: Sequence[float] | np.ndarray, color: str, symbol: str, size: float, name: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "markers", "x": [float(place[0])], "y": [float(place[1])], "name": name,
            "marker": {"color": color, "size": size, "symbol": symbol, "line": {"color": "#FFFFFF", "width": 1.5}},
            "hoverinfo": "name" if name else "skip", "cliponaxis": True}  # fmt: skip


def _excess(axes: list[np.ndarray], optimum: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Excess loss on the grid, (len(axes[1]), len(axes[0])) as Plotly has rows."""
    a, b = np.meshgrid(axes[0] - optimum[0], axes[1] - optimum[1])
    return 0.5 * (hessian[0, 0] * a * a + 2 * hessian[0, 1] * a * b + hessian[1, 1] * b * b)


def _log_excess(axes: list[np.ndarray], optimum: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Its logarithm relative to the corners, cut off ``DECADES`` below them."""
    excess = _excess(axes, optimum, hessian)
    return np.log10(np.maximum(excess / excess.max(), 10**-DECADES))


def scattered(x: np.ndarray, y: np.ndarray, *, x_title: str, y_title: str) -> Film:
    """Points (N,) that no line can be fitted to yet, none or one or all above each other; room for more."""
    x_range = _padded(np.append(x, [0.0, 10.0]), 0.05)
    y_range = _padded(np.append(y, [0.0, 10.0]), 0.12)
    dots = {"type": "scatter", "mode": "markers", "x": x, "y": y, "marker": {"color": DATA, "size": 7}}
    nothing = _line(np.zeros(0), np.zeros(0), GREY, 1)  # so that the points have the number they have in data_space
    layout = {"xaxis": _axis(x_title, x_range), "yaxis": _axis(y_title, y_range), "hovermode": "closest"}
    return Film(figure([nothing, dots], layout), _frames(1, {}))
