"""The loss around a network: maps, relief, cross-sections, and how far the map is from the truth.

Losses are drawn as their logarithms to base 10, since they differ by powers of ten; numbers beside them are losses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import GREY, SEQUENTIAL, Label, figure
from dlcore.figures.curves import Curve, Level, curves
from dlcore.figures.descent import Film
from dlcore.figures.resnet import COLORS, NAMES
from dlcore.texts import N_

TRAIL, EDGE = "#FFFFFF", "#1A1A1A"  # a path on the colours of a map, in light and dark the same
LEVELS = 3  # contour lines per power of ten
LIFT = 0.03  # of the height: how far above the relief the path is drawn


@dataclass(frozen=True)
class Map:
    """One network's plane as it is drawn.

    Attributes:
        x, y: (nx,), (ny,). height: (ny, nx) log10 of the loss, NaN where it is not known yet.
        path: (n, 2) where the run went; path_height: (n,) on the map there.
        titles: of the two axes.
        range: (lowest, highest) height of all maps that are shown beside each other.
    """

    x: np.ndarray
    y: np.ndarray
    height: np.ndarray
    path: np.ndarray
    path_height: np.ndarray
    titles: tuple[str, str]
    range: tuple[float, float]


def contour(drawn: Map, *, label: Label = str) -> Film:
    """The plane from above: colours and lines of equal loss, the trained network, the path with its playhead."""
    x, y = drawn.path.T
    low, high = drawn.range
    data: list[dict[str, Any]] = [
        {"type": "contour", "x": drawn.x, "y": drawn.y, "z": drawn.height.astype(np.float32), "connectgaps": True,
         "customdata": (10**drawn.height).astype(np.float32), "colorscale": SEQUENTIAL, "zmin": low, "zmax": high,
         "hovertemplate": label(N_("loss")) + " %{customdata:.3g}<extra></extra>", "colorbar": _bar(low, high),
         "line": {"width": 0.6, "color": "rgba(255,255,255,0.55)"},
         "contours": {"coloring": "heatmap", "start": low, "end": high, "size": 1 / LEVELS}},
        _way(x, y, 1.2, 0.55),
        _way(x, y, 2.6, 1.0),
        _marks(x[:1], y[:1], "circle-open", 10, label(N_("first weights"))),
        _marks(np.zeros(1), np.zeros(1), "cross", 10, label(N_("trained"))),
        _marks(x[-1:], y[-1:], "circle", 10, label(N_("the run"))),
    ]  # fmt: skip
    traces = {2: {"x": {"grow": x}, "y": {"grow": y}}, 5: {"x": {"at": x}, "y": {"at": y}}}
    axes = [
        {"title": {"text": title, "standoff": 2}, "range": [float(axis[0]), float(axis[-1])], "zeroline": False,
         "showgrid": False, "nticks": 5}
        for title, axis in zip(drawn.titles, (drawn.x, drawn.y), strict=True)
    ]  # fmt: skip
    layout = {"xaxis": axes[0], "yaxis": axes[1], "hovermode": "closest", "margin": {"l": 48, "r": 8, "t": 8, "b": 38}}
    return Film(figure(data, layout), {"count": max(len(x), 1), "traces": traces, "controls": False})


def relief(drawn: Map, *, label: Label = str) -> Film:
    """The same in three dimensions."""
    x, y = drawn.path.T
    low, high = drawn.range
    z = drawn.path_height + LIFT * (high - low)
    data: list[dict[str, Any]] = [
        {"type": "surface", "x": drawn.x.astype(np.float32), "y": drawn.y.astype(np.float32), "connectgaps": True,
         "z": drawn.height.astype(np.float32), "colorscale": SEQUENTIAL, "cmin": low, "cmax": high, "showscale": False,
         "customdata": (10**drawn.height).astype(np.float32), "lighting": {"ambient": 0.75, "specular": 0.08},
         "hovertemplate": label(N_("loss")) + " %{customdata:.3g}<extra></extra>"},
        {"type": "scatter3d", "mode": "lines", "x": x, "y": y, "z": z, "hoverinfo": "skip",
         "line": {"color": TRAIL, "width": 6}},
        {"type": "scatter3d", "mode": "markers", "x": x[-1:], "y": y[-1:], "z": z[-1:], "hoverinfo": "skip",
         "marker": {"color": TRAIL, "size": 5, "line": {"color": EDGE, "width": 1}}},
    ]  # fmt: skip
    traces = {1: {"x": {"grow": x}, "y": {"grow": y}, "z": {"grow": z}},
              2: {"x": {"at": x}, "y": {"at": y}, "z": {"at": z}}}  # fmt: skip
    flat = [{"title": {"text": title}, "nticks": 4} for title in drawn.titles]
    ticks = _decades(low, high)
    tall = {"title": {"text": label(N_("loss"))}, "range": [low, high + 2 * LIFT * (high - low)],
            "tickvals": ticks, "ticktext": _losses(ticks)}  # fmt: skip
    scene = {"xaxis": flat[0], "yaxis": flat[1], "zaxis": tall, "aspectmode": "manual",
             "aspectratio": {"x": 1, "y": 1, "z": 0.75},
             "camera": {"eye": {"x": -1.17, "y": -1.58, "z": 1.11},
                        "center": {"x": 0, "y": 0, "z": -0.22}}}  # fmt: skip
    layout = {"scene": scene, "margin": {"l": 0, "r": 0, "t": 0, "b": 0}}
    return Film(figure(data, layout), {"count": max(len(x), 1), "traces": traces, "controls": False})


def section(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], *, guessing: float, x_title: str, label: Label = str
) -> go.Figure:
    """The loss along one direction through the trained networks, each in its colour; ``guessing`` is a level of it."""
    drawn = [Curve(x, loss, NAMES[name], COLORS[name]) for name, (x, loss) in lines.items()]
    plot = curves(
        drawn, x_title=x_title, y_title=N_("loss"), log_y=True, levels=[Level(guessing, N_("guessing"), GREY)],
        line_height=0.12, label=label,
    )  # fmt: skip
    return _written_out(plot, *_range_of([loss for _x, loss in lines.values()], guessing))


def training(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]], *, steps: float, guessing: float, label: Label = str
) -> go.Figure:
    """The loss of each batch while the networks are being trained."""
    drawn = [Curve(step, loss, NAMES[name], COLORS[name]) for name, (step, loss) in lines.items()]
    reach = _range_of([loss for _step, loss in lines.values()], guessing)
    plot = curves(
        drawn, x_title=N_("step"), y_title=N_("loss"), log_y=True, x_range=(0.0, steps), line_height=0.12, label=label,
        y_range=reach, levels=[Level(guessing, N_("guessing"), GREY)],
    )  # fmt: skip
    return _written_out(plot, *reach)


def shadows(step: np.ndarray, lines: Mapping[str, tuple[np.ndarray, np.ndarray]], *, label: Label = str) -> Film:
    """Loss against steps, of the run's weights (solid) and of their shadows on the map (dotted), with a playhead.

    Args:
        step: (n,). lines: for each network the two losses, (n,) each; NaN where they are not known.
    """
    drawn: list[Curve] = []
    for name, (true, shadow) in lines.items():
        drawn += [Curve(step, shadow, "", COLORS[name], "dot"), Curve(step, true, NAMES[name], COLORS[name])]
    low, high = _range_of([loss for pair in lines.values() for loss in pair], 1.0)
    now = Curve(np.repeat(step[-1:], 2), np.array([low, high]), "", GREY, "dot", 1.25)
    plot = curves(
        [*drawn, now], x_title=N_("step"), y_title=N_("loss"), log_y=True, line_height=0.12, label=label,
        x_range=(0.0, float(step[-1])), y_range=(low, high),
    )  # fmt: skip
    moved = {len(drawn): {"x": {"at": np.repeat(step[:, None], 2, axis=1)}}}
    return Film(_written_out(plot, low, high), {"count": len(step), "traces": moved, "controls": False})


def _written_out(plot: go.Figure, low: float, high: float) -> go.Figure:
    """The plot with its losses from ``low`` to ``high`` written as on the maps: 0.3, not a small 3 between powers."""
    ticks = _decades(np.log10(low), np.log10(high))
    plot._layout["yaxis"] |= {"tickvals": [10.0**v for v in ticks], "ticktext": _losses(ticks)}
    return plot


def _range_of(arrays: Sequence[np.ndarray], level: float) -> tuple[float, float]:
    """Half decades around all that can be drawn and ``level``, so that the axis seldom moves."""
    values = np.concatenate([np.ravel(np.asarray(a, float)) for a in arrays] + [np.array([level])])
    logs = np.log10(values[np.isfinite(values) & (values > 0)])
    return float(10 ** (np.floor(2 * logs.min()) / 2)), float(10 ** (np.ceil(2 * logs.max() + 0.1) / 2))


def _bar(low: float, high: float) -> dict[str, Any]:
    ticks = _decades(low, high)
    return {"thickness": 9, "outlinewidth": 0, "tickvals": ticks, "ticktext": _losses(ticks),
            "xpad": 4, "ypad": 4}  # fmt: skip


def _losses(heights: list[float]) -> list[str]:
    return [f"{10.0**v:g}" for v in heights]


def _decades(low: float, high: float) -> list[float]:
    """The heights at which a loss is written: 1, 10, 100 …, with 3, 30 … between them where there is room."""
    parts = (0.0, float(np.log10(3))) if high - low <= 2.5 else (0.0,)
    every = max(1, round((high - low) / 6))
    found = [k + part for k in range(int(np.floor(low)), int(np.ceil(high)) + 1, every) for part in parts]
    return [value for value in found if low - 1e-9 <= value <= high + 1e-9]


def _way(x: np.ndarray, y: np.ndarray, width: float, opacity: float) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "hoverinfo": "skip", "opacity": opacity,
            "line": {"color": TRAIL, "width": width}}  # fmt: skip


def _marks(x: np.ndarray, y: np.ndarray, symbol: str, size: int, name: str) -> dict[str, Any]:
    hollow = symbol.endswith("open")
    edge = {"color": TRAIL if hollow else EDGE, "width": 2.2 if hollow else 1.2}
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "name": name, "hoverinfo": "name",
            "marker": {"color": TRAIL, "size": size, "symbol": symbol, "line": edge}}  # fmt: skip


def unknown(titles: tuple[str, str], span: float) -> go.Figure:
    """The place of a map before anything is measured."""
    axes = [
        {"title": {"text": title, "standoff": 2}, "range": [-span, span], "zeroline": False, "nticks": 5}
        for title in titles
    ]
    layout = {"xaxis": axes[0], "yaxis": axes[1], "margin": {"l": 48, "r": 47, "t": 8, "b": 38}}
    return figure([], layout)
