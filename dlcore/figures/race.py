"""A race on a surface: from above, in three dimensions, and as curves over the steps. Each function gives a ``Film``.

All films of a race have one frame per step. What moves with a slider is driven by the frames, and nothing else changes:
so a held slider is answered without Plotly (``assets/components/frames.js``, onlyMoved).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.figures import DATA, GRADIENT, GREY, MODEL, REFERENCE, SKY, VIOLET, WARNING, Label, figure
from dlcore.figures.descent import Film
from dlcore.texts import N_

STYLES: dict[str, tuple[str, str]] = {  # colour and marker of each rule, the same on every plot
    "gd": (WARNING, "circle"), "momentum": (DATA, "square"), "nesterov": (SKY, "diamond"),
    "adagrad": (REFERENCE, "triangle-up"), "rmsprop": (GRADIENT, "triangle-down"), "adam": (MODEL, "star"),
    "adamw": (VIOLET, "pentagon"),
}  # fmt: skip
SOLID = {"circle": "circle", "square": "square", "diamond": "diamond"}  # what Plotly has in three dimensions
GROUND = [[0.0, "rgba(84,104,140,0.60)"], [0.3, "rgba(105,125,160,0.32)"], [1.0, "rgba(130,145,170,0.04)"]]
RELIEF = [[0.0, "#2B4C7E"], [0.4, "#8FA6C6"], [1.0, "#E9EDF3"]]
FAINT, GHOST = 0.28, 0.5
FEET = 0.03  # of the height: how far above the surface the balls roll


@dataclass(frozen=True)
class Runner:
    """One racer as it is drawn.

    Attributes:
        name: translated. style: a key of ``STYLES``.
        theta: (n, 2), none of it far out; height: (n,) on the surface as drawn, only for three dimensions.
        distance: (n,).
        ghost: whether a branch has left it, so that it is drawn dashed; held: whether it is the one in hand.
    """

    name: str
    style: str
    theta: np.ndarray
    distance: np.ndarray
    height: np.ndarray | None = None
    ghost: bool = False
    held: bool = False


def race_map(
    axes: tuple[np.ndarray, np.ndarray],
    relief: np.ndarray,
    runners: Sequence[Runner],
    minima: np.ndarray,
    start: Sequence[float],
    *,
    count: int,
    label: Label = str,
) -> Film:
    """The surface from above, with the paths.

    Args:
        axes: (nx,), (ny,); relief: (ny, nx) from 0 at the lowest to 1 at the highest.
        minima: (M, 2).
    """
    data: list[dict[str, Any]] = [
        {"type": "contour", "x": axes[0], "y": axes[1], "z": relief.astype(np.float32), "colorscale": GROUND,
         "showscale": False, "hoverinfo": "skip", "name": label(N_("loss")), "zmin": 0, "zmax": 1,
         "line": {"width": 0.8, "color": "rgba(128,128,128,0.55)"},
         "contours": {"coloring": "heatmap", "start": 0.04, "end": 0.96, "size": 0.08}},
        _marks(minima[:, 0], minima[:, 1], "x-thin", GREY, 11, label(N_("minimum"))),
        _marks([start[0]], [start[1]], "circle-open", GREY, 12, label(N_("start"))),
    ]  # fmt: skip
    frames: dict[int, Any] = {}
    for runner in runners:
        x, y = runner.theta[:, 0], runner.theta[:, 1]
        data, frames = _added(data, frames, runner, x, y)
    spans = [[float(axis[0]), float(axis[-1])] for axis in axes]
    layout = {
        "xaxis": {"title": {"text": "x", "standoff": 2}, "range": spans[0], "zeroline": False, "showgrid": False},
        "yaxis": {"title": {"text": "y", "standoff": 2}, "range": spans[1], "zeroline": False, "showgrid": False},
        "hovermode": "closest", "margin": {"l": 44, "r": 8, "t": 8, "b": 40},
    }  # fmt: skip
    return Film(figure(data, layout), _film(count, frames))


def distance_curves(
    runners: Sequence[Runner], *, steps: int, y_range: tuple[float, float], arrived: float, label: Label = str
) -> Film:
    """The distance to the nearest minimum over the steps, on a logarithmic axis with a fixed range."""
    data: list[dict[str, Any]] = []
    frames: dict[int, Any] = {}
    for runner in runners:
        step = np.arange(len(runner.distance), dtype=float)
        data, frames = _added(data, frames, runner, step, np.clip(runner.distance, *y_range))
    line = {"type": "line", "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": arrived, "y1": arrived,
            "layer": "below", "line": {"color": GREY, "width": 1.5, "dash": "dot"}}  # fmt: skip
    note = {
        "text": label(N_("arrived")), "xref": "x domain", "x": 0.995, "yref": "y", "y": float(np.log10(arrived)),
        "showarrow": False, "xanchor": "right", "yanchor": "bottom", "font": {"color": GREY, "size": 12},
    }  # fmt: skip
    layout = _over_steps(steps, label(N_("distance")), y_range) | {
        "shapes": [line],
        "annotations": [note],
    }
    return Film(figure(data, layout), _film(steps + 1, frames))


def pair_curves(
    lines: Sequence[tuple[str, np.ndarray, str]], *, steps: int, y_title: str, log: bool, label: Label = str
) -> Film:
    """What belongs to the two parameters of one racer, over the steps.

    Args:
        lines: (name, (n, 2), dash): the first column is drawn in x's colour, the second in y's.
    """
    values = np.concatenate([np.ravel(array) for _n, array, _d in lines])
    span = _span(values, log)
    data: list[dict[str, Any]] = []
    frames: dict[int, Any] = {}
    notes = []
    for name, array, dash in lines:
        rows = np.clip(array, *span)
        for i, (axis, color) in enumerate((("x", DATA), ("y", MODEL))):
            step = np.arange(len(rows), dtype=float)
            here = {"x": {"at": step[None]}, "y": {"at": rows[None, :, i]}}
            grown = {"x": {"grow": step}, "y": {"grow": rows[:, i]}}
            title = f"{name} {axis}"
            frames |= {len(data): here, len(data) + 1: grown}
            data += [
                _line(step, rows[:, i], color, 1.2, dash, FAINT),
                _line(step, rows[:, i], color, 2, dash, 1, title),
            ]
    for i, (axis, color) in enumerate((("x", DATA), ("y", MODEL))):
        notes.append({
            "text": f"<b>{axis}</b>", "xref": "x domain", "x": 0.955 + 0.045 * i, "yref": "y domain", "y": 1,
            "showarrow": False, "xanchor": "right", "yanchor": "bottom", "font": {"color": color, "size": 14},
        })  # fmt: skip
    layout = _over_steps(steps, label(y_title), span, log=log) | {"annotations": notes}
    return Film(figure(data, layout), _film(steps + 1, frames))


def race_3d(
    axes: tuple[np.ndarray, np.ndarray],
    height: np.ndarray,
    runners: Sequence[Runner],
    minima: np.ndarray,
    *,
    count: int,
    label: Label = str,
) -> Film:
    """The surface in three dimensions with the balls rolling on it; ``height`` (ny, nx) from 0 to 1."""
    data: list[dict[str, Any]] = [
        {"type": "surface", "x": axes[0].astype(np.float32), "y": axes[1].astype(np.float32),
         "z": height.astype(np.float32), "colorscale": RELIEF, "showscale": False, "opacity": 0.95,
         "hoverinfo": "skip", "lighting": {"ambient": 0.75, "diffuse": 0.5, "specular": 0.08},
         "contours": {"z": {"show": True, "start": 0.05, "end": 1, "size": 0.1, "width": 1, "color": "#FFFFFF"}}},
    ]  # fmt: skip
    frames: dict[int, Any] = {}
    for runner in runners:
        color, symbol = STYLES[runner.style]
        assert runner.height is not None
        low, high = (np.array([axis[i] for axis in axes]) for i in (0, -1))
        inside = np.all((runner.theta >= low) & (runner.theta <= high), axis=1)
        x, y, z = (np.where(inside, v, np.nan) for v in (*runner.theta.T, runner.height + FEET))
        last = int(np.flatnonzero(inside)[-1]) if inside.any() else 0
        frames[len(data)] = {"x": {"grow": x}, "y": {"grow": y}, "z": {"grow": z}}
        frames[len(data) + 1] = {"x": {"at": x}, "y": {"at": y}, "z": {"at": z}}
        data += [
            {"type": "scatter3d", "mode": "lines", "x": x, "y": y, "z": z, "name": runner.name, "hoverinfo": "name",
             "line": {"color": color, "width": 6, "dash": "dash" if runner.ghost else "solid"}},
            {"type": "scatter3d", "mode": "markers", "x": [x[last]], "y": [y[last]], "z": [z[last]],
             "hoverinfo": "skip", "marker": {"color": color, "size": 7, "symbol": SOLID.get(symbol, "circle")}},
        ]  # fmt: skip
    names = [{"title": {"text": title}, "nticks": 5} for title in ("x", "y")]
    tall = {"title": {"text": label(N_("loss"))}, "showticklabels": False, "range": [0, 1.05]}
    scene = {"xaxis": names[0], "yaxis": names[1], "zaxis": tall, "aspectmode": "manual",
             "aspectratio": {"x": 1.5, "y": 1.0, "z": 0.7},
             "camera": {"eye": {"x": -0.75, "y": -1.45, "z": 1.05}, "center": {"x": 0, "y": 0, "z": -0.15}},
            }  # fmt: skip
    layout = {"scene": scene, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}}
    return Film(figure(data, layout), _film(count, frames))


def _added(
    data: list[dict[str, Any]], frames: dict[int, Any], runner: Runner, x: np.ndarray, y: np.ndarray
) -> tuple[list[dict[str, Any]], dict[int, Any]]:
    """A runner's three traces: where it will go (faint), where it has been, where it is."""
    color, symbol = STYLES[runner.style]
    dash, width = "dash" if runner.ghost else "solid", 3.2 if runner.held else 2.2
    n = len(data)
    frames = frames | {
        n: {"x": {"at": x[None]}, "y": {"at": y[None]}},
        n + 1: {"x": {"grow": x}, "y": {"grow": y}},
        n + 2: {"x": {"at": x}, "y": {"at": y}},
    }
    size = 13 if runner.held else 10
    return [
        *data,
        _line(x, y, color, 1.3, dash, FAINT),
        _line(x, y, color, width, dash, GHOST if runner.ghost else 1.0, runner.name),
        _marks(x[-1:], y[-1:], symbol, color, size, runner.name),
    ], frames


def _line(
    x: np.ndarray, y: np.ndarray, color: str, width: float, dash: str, opacity: float, name: str = ""
) -> dict[str, Any]:
    style = {"color": color, "width": width, "dash": dash}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "opacity": opacity, "line": style,
            "hoverinfo": "name" if name else "skip"}  # fmt: skip


def _marks(x: Any, y: Any, symbol: str, color: str, size: float, name: str) -> dict[str, Any]:
    hollow = symbol.endswith(("thin", "open"))
    edge = {"color": color if hollow else "#FFFFFF", "width": 2.5 if hollow else 1.2}
    marker = {"color": color, "size": size, "symbol": symbol, "line": edge}
    return {"type": "scatter", "mode": "markers", "x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float),
            "name": name, "hoverinfo": "name", "marker": marker}  # fmt: skip


def _over_steps(steps: int, y_title: str, span: tuple[float, float], *, log: bool = True) -> dict[str, Any]:
    ends = [float(np.log10(v)) for v in span] if log else [float(v) for v in span]
    y_axis: dict[str, Any] = {"title": {"text": y_title}, "range": ends, "zeroline": not log}
    if log:
        y_axis |= {"type": "log", "exponentformat": "power", "dtick": max(1, round((ends[1] - ends[0]) / 4))}
    return {"xaxis": {"title": {"text": ""}, "range": [0, 1.02 * steps], "zeroline": False, "automargin": False},
            "yaxis": y_axis,
            "hovermode": "closest", "margin": {"l": 60, "r": 12, "t": 22, "b": 26}}  # fmt: skip


def _span(values: np.ndarray, log: bool) -> tuple[float, float]:
    """A range that seldom moves while a slider is held: whole decades, or a round number either way."""
    seen = values[np.isfinite(values)]
    if log:
        seen = seen[seen > 0]
        if not len(seen):
            return 0.1, 10.0
        low, high = np.floor(np.log10(seen.min()) - 0.2) - 0.1, np.ceil(np.log10(seen.max()) + 0.2) + 0.1
        high = min(high, 12.0)
        return 10.0 ** max(min(low, high - 1), high - 8), 10.0**high
    most = float(np.abs(seen).max()) if len(seen) else 1.0
    top = 2.0 ** np.ceil(np.log2(min(max(most, 1e-9), 1e9)))
    return -top, top


def _film(count: int, traces: dict[int, Any]) -> dict[str, Any]:
    return {"count": count, "traces": traces, "controls": False}
