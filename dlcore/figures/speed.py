"""Trainings to the same accuracy: their curves, their seconds as bars, steps against step time, parts of a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GRADIENT, GREY, MODEL, REFERENCE, SKY, VIOLET, WARNING, Label, figure
from dlcore.figures.curves import Curve, Level, curves, spread
from dlcore.texts import N_

COLORS = (DATA, GRADIENT, WARNING, REFERENCE, SKY, VIOLET)  # of the trainings after the plain loop, in turns
PARTS = (  # of a step, with the colours that they have everywhere: what goes in, forward, backward; the rest
    (N_("data"), DATA), (N_("forward"), MODEL), (N_("backward"), GRADIENT), (N_("optimizer"), WARNING),
)  # fmt: skip
LOWEST = 0.4  # share of right answers at the foot of the curves: below it nothing is decided
ROW = 1.06  # on the same axis, where the numbers of the curves stand
NUMBER_WIDTH = 0.055  # of the plot's width: nearer than this, two numbers would touch
FONT = 12  # px


def colors(count: int) -> list[str]:
    """One for each training: grey for the plain loop, vermilion for the last."""
    middle = [COLORS[k % len(COLORS)] for k in range(max(count - 2, 0))]
    return [GREY, *middle, MODEL][:count] if count > 1 else [GREY]


def progress(
    runs: Sequence[tuple[np.ndarray, np.ndarray]], target: float, count: int, *, label: Label = str
) -> go.Figure:
    """Right answers on test images against seconds of training, a curve for each training so far.

    Their numbers stand in a row over the plot, each tied to the end of its curve.

    Args:
        runs: of each training its seconds (n,) and its accuracies (n,).
        count: how many trainings there will be.
    """
    shades = colors(count)
    lines = [Curve(np.where(x > 0, x, np.nan), y, "", shades[place], markers=True) for place, (x, y) in enumerate(runs)]
    seen = np.concatenate([x[x > 0] for x, _y in runs]) if runs else np.empty(0)
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (0.01, 10.0)
    span = 10 ** np.floor(np.log10(low)), 10 ** np.ceil(np.log10(high * 1.05))
    plot = curves(
        lines, x_title=N_("seconds of training"), y_title=N_("right on test images"), log_x=True, x_range=span,
        y_range=(LOWEST, ROW + 0.03), y_format=".0%", levels=[Level(target, N_("target"), GREY)], label=label,
    )  # fmt: skip
    plot._layout["yaxis"]["tickvals"] = np.linspace(LOWEST, 1.0, 4)
    plot._layout["annotations"] = [*plot._layout["annotations"], *_numbers(runs, shades, np.log10(span))]
    return plot


def _numbers(
    runs: Sequence[tuple[np.ndarray, np.ndarray]], shades: Sequence[str], span: np.ndarray
) -> list[dict[str, Any]]:
    """The trainings' numbers in a row, moved apart where they would touch, with a line down to the end of each."""
    ends = [(place, float(np.log10(x[-1])), float(y[-1])) for place, (x, y) in enumerate(runs) if len(x) and x[-1] > 0]
    width = span[1] - span[0]
    stands = span[0] + width * spread(np.array([(x - span[0]) / width for _place, x, _y in ends]), NUMBER_WIDTH)
    return [
        {
            "text": str(place + 1), "x": x, "y": y, "ax": float(at), "ay": ROW, "axref": "x", "ayref": "y",
            "showarrow": True, "arrowhead": 0, "arrowwidth": 1, "arrowcolor": shades[place],
            "font": {"color": shades[place], "size": FONT + 1},
        }
        for (place, x, y), at in zip(ends, stands, strict=True)
    ]  # fmt: skip


def seconds(
    names: Sequence[str], training: np.ndarray, compiling: np.ndarray, notes: Sequence[str], reached: Sequence[bool],
    *, label: Label = str,
) -> go.Figure:  # fmt: skip
    """Bars on a logarithmic axis with a note at each end; NaN where a training has not been yet, pale if given up.

    Args:
        names: (n,) translated. training, compiling: (n,) seconds. notes: (n,) what stands behind each bar.
    """
    whole = np.asarray(training, float) + np.asarray(compiling, float)
    known = whole[np.isfinite(whole) & (whole > 0)]
    low = 10 ** np.floor(np.log10(known.min() / 1.5)) if len(known) else 0.01
    high = known.max() if len(known) else 10.0
    widths = np.where(np.isfinite(whole) & (whole > low), whole, low)
    trace = {
        "type": "bar", "orientation": "h", "y": list(names), "x": widths - low, "base": low, "width": 0.7,
        "marker": {"color": colors(len(names)), "opacity": [1.0 if there else 0.35 for there in reached]},
        "text": list(notes), "textposition": "outside", "cliponaxis": False, "textfont": {"size": FONT},
        "customdata": whole, "hovertemplate": "%{y}: %{customdata:.3g} s<extra></extra>",
    }  # fmt: skip
    ends = [float(np.log10(low)), float(np.log10(high) + 0.75 * max(np.log10(high / low), 1))]
    axis = {"type": "log", "range": ends, "dtick": 1, "fixedrange": True, "exponentformat": "none",
            "title": {"text": label(N_("seconds to the target"))}}  # fmt: skip
    return figure([trace], {"xaxis": axis, "yaxis": _names(), "margin": {"l": 8, "r": 8, "t": 8, "b": 60}})


def two_factors(
    step_ms: np.ndarray, steps: np.ndarray, reached: Sequence[bool], count: int, *, label: Label = str
) -> go.Figure:  # fmt: skip
    """Steps to the target against the time of one step, both logarithmic: on each falling line the seconds are equal.

    Args:
        step_ms, steps: (n,) of the trainings so far; joined in their order and numbered.
    """
    known = np.isfinite(step_ms) & (np.asarray(step_ms) > 0) & (np.asarray(steps) > 0)
    x_range, y_range = _decades(step_ms[known], (1.0, 100.0)), _decades(steps[known], (10.0, 1000.0))
    shades = np.array(colors(count))[: len(step_ms)]
    points = {
        "type": "scatter", "mode": "lines+markers+text", "x": step_ms[known], "y": steps[known],
        "line": {"color": GREY, "width": 1, "dash": "dot"},
        "marker": {"color": list(shades[known]), "size": 12,
                   "symbol": ["circle" if r else "circle-open" for r, k in zip(reached, known, strict=True) if k]},
        "text": [str(k + 1) for k in np.flatnonzero(known)], "textposition": "top right",
        "textfont": {"size": FONT + 1},
        "hovertemplate": "%{text}: %{y:,} × %{x:.3g} ms<extra></extra>",
    }  # fmt: skip
    notes, lines = _equal_times(x_range, y_range)
    axis = {"type": "log", "dtick": 1, "fixedrange": True, "exponentformat": "none"}
    layout = {
        "xaxis": {**axis, "range": list(np.log10(x_range)), "title": {"text": label(N_("milliseconds per step"))}},
        "yaxis": {**axis, "range": list(np.log10(y_range)), "title": {"text": label(N_("steps to the target"))}},
        "annotations": notes, "margin": {"l": 64, "r": 16, "t": 12, "b": 48},
    }  # fmt: skip
    return figure([*lines, points], layout)


def _decades(values: np.ndarray, empty: tuple[float, float]) -> tuple[float, float]:
    """Whole decades round the values, so that the axis seldom moves."""
    if not len(values):
        return empty
    low, high = np.floor(np.log10(values.min() / 1.3)), np.ceil(np.log10(values.max() * 1.3))
    return float(10**low), float(10 ** max(high, low + 1))


def _equal_times(x_range: tuple[float, float], y_range: tuple[float, float]) -> tuple[list, list]:
    """The lines on which steps × milliseconds is a power of ten of seconds, and what stands at them."""
    low, high = np.log10(x_range[0] * y_range[0]) - 3, np.log10(x_range[1] * y_range[1]) - 3
    notes, lines = [], []
    for power in range(int(np.floor(low)) + 1, int(np.ceil(high))):
        x = np.array(x_range)
        lines.append({
            "type": "scatter", "mode": "lines", "x": x, "y": 10.0 ** (power + 3) / x, "hoverinfo": "skip",
            "line": {"color": GREY, "width": 1}, "opacity": 0.45,
        })  # fmt: skip
        at = np.clip(power + 3 - np.log10(y_range[0]) - 0.12, np.log10(x_range[0]), np.log10(x_range[1]) - 0.08)
        notes.append({
            "x": float(at), "y": float(power + 3 - at), "text": f"{10.0**power:g} s", "showarrow": False,
            "font": {"color": GREY, "size": FONT}, "xanchor": "right", "yanchor": "bottom",
        })  # fmt: skip
    return notes, lines


def parts(names: Sequence[str], shares: np.ndarray, totals: Sequence[str], *, label: Label = str) -> go.Figure:
    """Of each training's step, which share goes where (n, 4), with its whole time in words behind it; NaN: not yet."""
    known = np.isfinite(shares).all(axis=1)
    traces: list[dict[str, Any]] = [
        {
            "type": "bar", "orientation": "h", "y": list(names), "x": np.where(known, column, 0), "width": 0.7,
            "name": label(name), "marker": {"color": color}, "hovertemplate": "%{y}: %{x:.0%}",
        }
        for (name, color), column in zip(PARTS, shares.T, strict=True)
    ]  # fmt: skip
    notes = [
        {"x": 1.02, "y": name, "text": total, "showarrow": False, "xanchor": "left", "font": {"size": FONT}}
        for name, total in zip(names, totals, strict=True)
    ]
    layout = {
        "barmode": "stack", "showlegend": True, "annotations": notes, "yaxis": _names(),
        "xaxis": {"range": [0, 1.3], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "fixedrange": True,
                  "title": {"text": label(N_("share of a step’s time"))}},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
        "margin": {"l": 8, "r": 8, "t": 28, "b": 60},
    }  # fmt: skip
    return figure(traces, layout)


def _names() -> dict[str, Any]:
    """The axis of names, from the top down."""
    return {"type": "category", "autorange": "reversed", "showgrid": False, "fixedrange": True, "ticks": "",
            "automargin": True}  # fmt: skip
