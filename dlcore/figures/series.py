"""A series in time: what is known, what is held out, and who forecasts what; errors, seasons and hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, DIVERGING, GREY, INDIGO, Label, figure
from dlcore.figures.curves import Curve, Level, curves, end_labels
from dlcore.figures.descent import Film
from dlcore.texts import N_

MOST_POINTS = 3000  # of the whole series above the picture
SHADE, READ, SAID = "rgba(128,128,128,0.12)", "rgba(0,114,178,0.14)", "rgba(213,94,0,0.14)"
LABEL_SIZE, ROOM = 13, 118  # px: of a name at a line's end, and kept free for the names
UPPER = (0.84, 1.0)  # of the height: the whole series


@dataclass(frozen=True, eq=False)
class Line:
    """A forecast in the picture: rows x (n,) and values y (n,), or (F, n) for a film; NaN breaks it."""

    x: np.ndarray
    y: np.ndarray
    name: str
    color: str
    dash: str = "solid"
    width: float = 2.0

    @property
    def last(self) -> np.ndarray:
        """What it shows at the end of the film."""
        return self.y if self.y.ndim == 1 else self.y[-1]


@dataclass(frozen=True, eq=False)
class Scene:
    """What is drawn round the forecasts.

    Attributes:
        values: (N,) the whole series; rows from ``split`` on are held out.
        view: first and last row of the large picture.
        ticks: rows and what is written below them.
        window, horizon: (first, last) rows that are read and forecast; None for none.
        title: of the vertical axis.
        y_range: of it; by default that of the values and forecasts in view.
    """

    values: np.ndarray
    split: int
    view: tuple[int, int]
    ticks: Sequence[tuple[int, str]]
    title: str
    window: tuple[int, int] | None = None
    horizon: tuple[int, int] | None = None
    whole: bool = True  # draw the whole series above


def picture(scene: Scene, lines: Sequence[Line], *, label: Label = str) -> Film:
    """The part of the series in view with its forecasts, and above it the whole series with the view framed."""
    low, high = scene.view
    rows = np.arange(max(low, 0), min(high + 1, len(scene.values)))
    known = rows[rows < scene.split]
    later = rows[rows >= scene.split - 1]
    data = [
        _trace(known, scene.values[known], DATA, 2, label(N_("known"))),
        _trace(later, scene.values[later], DATA, 2, label(N_("held out")), opacity=0.45),
        *(_trace(line.x, line.last, line.color, line.width, label(line.name), line.dash) for line in lines),
    ]
    span = _span(scene.values[rows], lines)
    names = end_labels([Curve(line.x, line.last, line.name, line.color) for line in lines], [low, high], span,
                       label=label, line_height=0.1)  # fmt: skip
    for name in names:  # at the right edge, where no line runs through them
        name |= {"x": high, "xshift": 6}
    layout = {
        "xaxis": {"range": [low, high], "anchor": "y", "zeroline": False, "showgrid": False, **_named(scene.ticks)},
        "yaxis": {"range": span, "zeroline": False, "title": {"text": label(scene.title)},
                  "domain": [0, UPPER[0] - 0.06 if scene.whole else 1]},
        "shapes": _regions(scene), "margin": {"l": 60, "r": ROOM, "t": 8, "b": 28}, "hovermode": "x",
        "annotations": [*names, *_words(scene, label)],
    }  # fmt: skip
    if scene.whole:
        data.append(_whole(scene.values))
        axis = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
        layout |= {
            "xaxis2": {**axis, "range": [0, len(scene.values) - 1], "anchor": "y2"},
            "yaxis2": {**axis, "domain": list(UPPER), "anchor": "x2"},
        }
    count = max((len(line.y) for line in lines if line.y.ndim == 2), default=1)
    films = {2 + i: {"y": {"at": line.y}} for i, line in enumerate(lines) if line.y.ndim == 2}
    return Film(figure(data, layout), {"count": count, "traces": films})


def _named(ticks: Sequence[tuple[int, str]]) -> dict[str, Any]:
    return {"tickvals": [t for t, _text in ticks], "ticktext": [text for _t, text in ticks]} if ticks else {}


def _trace(
    x: np.ndarray, y: np.ndarray, color: str, width: float, name: str, dash: str = "solid", opacity: float = 1.0
) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "opacity": opacity,
        "line": {"color": color, "width": width, "dash": dash}, "hovertemplate": "%{y:.4g}",
    }  # fmt: skip


def _whole(values: np.ndarray) -> dict[str, Any]:
    stride = max(1, len(values) // MOST_POINTS)
    shown = np.arange(0, len(values), stride)
    return {**_trace(shown, values[shown], DATA, 1, ""), "xaxis": "x2", "yaxis": "y2", "hoverinfo": "skip",
            "hovertemplate": None}  # fmt: skip


def _span(values: np.ndarray, lines: Sequence[Line]) -> list[float]:
    """The values in view, and the forecasts as far as they stay within twice that range: a wild one must not flatten
    everything else."""
    low, high = float(np.min(values)), float(np.max(values))
    reach = (high - low) or 1.0
    said = np.concatenate([line.y.ravel() for line in lines]) if lines else np.array([])
    said = np.clip(said[np.isfinite(said)], low - 0.5 * reach, high + 0.5 * reach)
    if len(said):
        low, high = min(low, float(said.min())), max(high, float(said.max()))
    return [low - 0.14 * (high - low or 1.0), high + 0.06 * (high - low or 1.0)]


def _regions(scene: Scene) -> list[dict[str, Any]]:
    """What is held out, and what is read and forecast."""
    end = len(scene.values) - 1
    shapes = [_rect(scene.split - 0.5, end + 0.5, SHADE, "x", "y domain")]
    if scene.whole:
        shapes.append(_rect(scene.split - 0.5, end + 0.5, SHADE, "x2", "y2 domain"))
        view = _rect(max(scene.view[0], 0), min(scene.view[1], end), "rgba(0,0,0,0)", "x2", "y2 domain")
        shapes.append({**view, "line": {"color": GREY, "width": 1.2}})
    for rows, color in ((scene.window, READ), (scene.horizon, SAID)):
        if rows:
            shapes.append(_rect(rows[0] - 0.5, rows[1] + 0.5, color, "x", "y domain"))
    return shapes


def _rect(x0: float, x1: float, color: str, x: str, y: str) -> dict[str, Any]:
    ends = {"x0": x0, "x1": x1, "y0": 0, "y1": 1, "xref": x, "yref": y}
    return {"type": "rect", **ends, "fillcolor": color, "line": {"width": 0}, "layer": "below"}


def _words(scene: Scene, label: Label) -> list[dict[str, Any]]:
    """The names of what is shaded, at its foot."""
    names = [(scene.window, N_("window"), DATA), (scene.horizon, N_("horizon"), "#D55E00")]
    font = {"size": LABEL_SIZE - 1}
    return [
        {"text": label(name), "x": (rows[0] + rows[1]) / 2, "y": 0, "xref": "x", "yref": "y domain",
         "yanchor": "bottom", "showarrow": False, "font": {**font, "color": color}}
        for rows, name, color in names if rows
    ]  # fmt: skip


def by_step(errors: Sequence[Line], *, unit: str = "", label: Label = str) -> go.Figure:
    """The mean absolute error against how many steps ahead, (k,) each, with x = 1 … k."""
    top = max((float(np.nanmax(line.y)) for line in errors if len(line.y)), default=1.0)
    most = max((len(line.y) for line in errors), default=2)
    lines = [
        Curve(np.arange(1, len(line.y) + 1), line.y, line.name, line.color, line.dash, line.width, markers=most <= 24)
        for line in errors
    ]
    return curves(
        lines, x_title=N_("steps ahead"), y_title=unit or N_("mean error"), x_range=(0.5, most + 0.5),
        y_range=(0.0, 1.08 * top or 1.0), line_height=0.17, label=label,
    )  # fmt: skip


def seasons(r: np.ndarray, season: int, *, label: Label = str) -> go.Figure:
    """An autocorrelation (lags + 1,) as a curve, with the season marked."""
    line = Curve(np.arange(len(r)), r, "", DATA)
    marked = [Level(float(season), label(N_("a season: {n}")).format(n=season), INDIGO, upright=True)]
    plot = curves(
        [line], x_title=N_("steps between the two"), y_title=N_("autocorrelation"), y_range=(-1.02, 1.02),
        levels=[Level(0.0), *(marked if season and season < len(r) else [])], label=label,
    )  # fmt: skip
    return plot


def states(hidden: np.ndarray, *, label: Label = str) -> go.Figure:
    """The hidden state (window, H) while a window is read, unit by unit: vermilion positive, blue negative."""
    order = np.argsort(hidden[-1])
    trace = {
        "type": "heatmap", "z": hidden.T[order].astype(np.float32), "zmin": -1, "zmax": 1, "colorscale": DIVERGING,
        "showscale": False, "x": np.arange(1 - len(hidden), 1), "hovertemplate": "%{z:.3f}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"title": {"text": label(N_("steps before the forecast"))}, "zeroline": False, "showgrid": False},
        "yaxis": {"title": {"text": label(N_("hidden unit"))}, "showticklabels": False, "showgrid": False, "ticks": ""},
        "margin": {"l": 36, "r": 8, "t": 8, "b": 44},
    }
    return figure([trace], layout)


def residuals(rows: np.ndarray, off: np.ndarray, chosen: int, ticks: Sequence[tuple[int, str]], *, unit: str = "",
              label: Label = str) -> go.Figure:  # fmt: skip
    """Errors of the one-step forecasts over the held-out end (n,) as bars, the chosen row marked."""
    colors = np.where(rows == chosen, "#E69F00", GREY)
    trace = {"type": "bar", "x": rows, "y": off, "marker": {"color": colors.tolist()}, "hovertemplate": "%{y:.4g}",
             "name": ""}  # fmt: skip
    layout = {
        "xaxis": {"showgrid": False, **_named(ticks)},
        "yaxis": {"title": {"text": unit or label(N_("error"))}, "zeroline": True}, "bargap": 0.1,
        "margin": {"l": 60, "r": 8, "t": 8, "b": 44},
    }  # fmt: skip
    return figure([trace], layout)
