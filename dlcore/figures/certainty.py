"""How sure a score is: reliability, resamples, folds, dots and curves of repeated trainings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, REFERENCE, Label, figure
from dlcore.figures.curves import LABEL_SIZE
from dlcore.texts import N_

COLORS = (DATA, MODEL)  # of model A and model B
FEW = 10  # samples of a bin, below which its share is mostly chance
FOLDS_SHOWN = 200  # samples in the picture of the folds


def reliability(
    before: tuple[np.ndarray, np.ndarray, np.ndarray], after: tuple[np.ndarray, np.ndarray, np.ndarray],
    *, label: Label = str,
) -> go.Figure:  # fmt: skip
    """What was said against what came true, before (grey) and after (vermilion) the temperature; sizes are counts.

    Bins of fewer than ``FEW`` samples are pale and on no line: of nine samples one more is eleven points.

    Args:
        before, after: mean confidence, share that came true and count of each bin, ``(B,)`` each.
    """
    ideal = {"color": REFERENCE, "width": 1.5, "dash": "dot"}
    line = {"type": "line", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "line": ideal}
    data = [
        trace
        for values, color, name in ((before, GREY, N_("as it says")), (after, MODEL, N_("tempered")))
        for trace in _claims(*values, color, label(name))
    ]
    axis = {"range": [-0.02, 1.04], "zeroline": False, "tickformat": ".0%"}
    note = {"showarrow": False, "xref": "x domain", "yref": "y domain", "xanchor": "left", "x": 0.03}
    names = [
        {**note, "y": 0.98 - 0.075 * k, "text": f"● {label(name)}", "font": {"color": color, "size": LABEL_SIZE}}
        for k, (name, color) in enumerate(((N_("as it says"), GREY), (N_("tempered"), MODEL)))
    ]
    modest = {"x": 0.3, "y": 0.72, "text": label(N_("too modest")), "font": {"color": REFERENCE, "size": LABEL_SIZE}}
    boastful = {"x": 0.86, "y": 0.12, "text": label(N_("too sure")), "font": {"color": REFERENCE, "size": LABEL_SIZE}}
    layout = {
        "xaxis": {**axis, "title": {"text": label(N_("what it says: probability"))}},
        "yaxis": {**axis, "title": {"text": label(N_("what comes true: share"))}},
        "shapes": [line],
        "annotations": [*names, *({**text, "showarrow": False} for text in (modest, boastful))],
        "margin": {"l": 60, "r": 12, "t": 10, "b": 46},
    }
    return figure(data, layout)


def _claims(said: np.ndarray, true: np.ndarray, count: np.ndarray, color: str, name: str) -> list[dict]:
    """The bins that say something, on a line; and those of few samples, pale."""
    sizes, traces = 6 + 20 * np.sqrt(count / max(count.max(), 1)), []
    for seen, mode, opacity in ((count >= FEW, "lines+markers", 0.85), ((count > 0) & (count < FEW), "markers", 0.3)):
        traces.append({
            "type": "scatter", "mode": mode, "x": said[seen], "y": true[seen], "name": name,
            "customdata": count[seen], "hovertemplate": "%{x:.1%} → %{y:.1%} (n = %{customdata})<extra></extra>",
            "line": {"color": color, "width": 1}, "marker": {"color": color, "size": sizes[seen], "opacity": opacity},
        })  # fmt: skip
    return traces


def resamples(
    values: np.ndarray, span: tuple[float, float], measured: float, title: str, *, zero: bool = False,
    x_format: str = "", label: Label = str,
) -> go.Figure:  # fmt: skip
    """The histogram of a resampled number ``(n,)``, its interval shaded, the measured one purple.

    Args:
        title: of the x axis, marked with ``N_``.
        zero: show where zero lies: for a difference.
        x_format: d3 format of the x ticks.
    """
    known = values[np.isfinite(values)]
    heights, edges = np.histogram(known, bins=_even_edges(known))
    middle = (edges[:-1] + edges[1:]) / 2
    inside = (middle >= span[0]) & (middle <= span[1])
    data = [
        {"type": "bar", "x": middle[where], "y": heights[where], "width": np.diff(edges)[where], "hoverinfo": "skip",
         "marker": {"color": color, "line": {"width": 0}}}
        for where, color in ((inside, DATA), (~inside, GREY))
    ]  # fmt: skip
    marks = [_at(measured, REFERENCE, "solid")] + ([_at(0.0, MODEL, "dash")] if zero else [])
    low, high = float(edges[0]), float(edges[-1])
    low, high = (min(low, -0.05 * (high - low)), max(high, 0.05 * (high - low))) if zero else (low, high)
    layout = {
        "bargap": 0,
        "shapes": marks,
        "xaxis": {"title": {"text": label(title)}, "range": [low, high], "zeroline": False, "tickformat": x_format},
        "yaxis": {"title": {"text": label(N_("resamples"))}, "rangemode": "tozero", "zeroline": False},
        "margin": {"l": 56, "r": 12, "t": 10, "b": 46},
    }
    return figure(data, layout)


def _even_edges(values: np.ndarray) -> np.ndarray:
    """About 40 bins that each hold equally many of the values there can be: a share of N samples has steps of 1/N."""
    places = np.unique(np.round(values, 9))
    if len(places) < 2:
        return np.array([-0.5, 0.5]) + (places[0] if len(places) else 0.0)
    step = max(float(np.diff(places).min()), float(np.ptp(places)) / 1000)
    width = step * max(1, round(float(np.ptp(places)) / step / 40))
    return np.arange(places[0] - step / 2, places[-1] + width, width)


def _at(x: float, color: str, dash: str) -> dict:
    line = {"color": color, "width": 2, "dash": dash}
    return {"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0, "y1": 1, "yref": "y domain", "line": line}


def folds(fold: np.ndarray, labels: np.ndarray, count: int, *, label: Label = str) -> go.Figure:
    """Which samples are left out when: one row a round, vermilion what is tested on, blue and grey-blue the classes.

    Args:
        fold: ``(N,)`` the round in which a sample is left out; the first ``FOLDS_SHOWN`` are drawn.
        labels: ``(N,)`` classes.
    """
    shown, kinds = fold[:FOLDS_SHOWN], labels[:FOLDS_SHOWN] % 2
    left_out = shown[None, :] == np.arange(count)[:, None]  # (folds, n)
    z = np.where(left_out, 2, 0) + kinds[None, :]
    steps = [(0, "#a9cfe6"), (1, DATA), (2, "#f0b48a"), (3, MODEL)]
    scale = [[edge / 4, color] for place, color in steps for edge in (place, place + 1)]
    trace = {
        "type": "heatmap", "z": z.astype(np.float32), "zmin": -0.5, "zmax": 3.5, "colorscale": scale,
        "showscale": False, "ygap": 3, "hoverinfo": "skip",
    }  # fmt: skip
    rows = list(range(count)) if count <= 10 else list(range(0, count, 5))
    layout = {
        "xaxis": {"title": {"text": label(N_("sample"))}, "showgrid": False, "zeroline": False},
        "yaxis": {"title": {"text": label(N_("round"))}, "autorange": "reversed", "tickvals": rows,
                  "ticktext": [str(k + 1) for k in rows], "showgrid": False, "zeroline": False},
        "margin": {"l": 48, "r": 8, "t": 8, "b": 44},
    }  # fmt: skip
    return figure([trace], layout)


def strips(
    groups: Sequence[np.ndarray], names: Sequence[str], level: float | None, *, title: str, label: Label = str
) -> go.Figure:
    """Every score as a dot, one row for each model, with mean ± standard deviation; equal places are the same chance.

    Args:
        groups: one array of scores ``(n,)`` for each model (at most two).
        names: of the models, ready to print.
        level: a score to compare with (an answer that never looks), or None.
        title: of the scores, marked with ``N_``.
    """
    data: list[dict] = []
    for row, values in enumerate(groups):
        place = row + 0.22 * np.sin(2.4 * np.arange(len(values)))  # apart from each other, and the same every time
        dots = {"type": "scatter", "mode": "markers", "hovertemplate": "%{x:.4f}<extra></extra>"}
        data.append({**dots, "x": values, "y": place, "marker": {"color": COLORS[row], "size": 8, "opacity": 0.6}})
        known = values[np.isfinite(values)]
        if len(known) > 1:
            spread = {"type": "data", "array": [float(known.std(ddof=1))], "thickness": 2, "width": 8}
            mark = {"color": COLORS[row], "size": 11, "symbol": "diamond"}
            mean = {"x": [float(known.mean())], "y": [row + 0.38], "error_x": {**spread, "color": COLORS[row]}}
            data.append({**dots, **mean, "marker": mark})
    values = np.concatenate([g[np.isfinite(g)] for g in groups])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if level is not None and low - (high - low) < level < low:  # a level far away would squeeze the dots
        low = level
    pad = 0.06 * (high - low) or 0.05
    layout = {
        "xaxis": {"title": {"text": label(title)}, "range": [low - pad, high + pad], "zeroline": False},
        "yaxis": {"range": [len(groups) - 0.4, -0.5], "tickvals": list(range(len(groups))), "ticktext": list(names),
                  "showgrid": False, "zeroline": False},
        "shapes": [] if level is None else [_at(level, GREY, "dot")],
        "margin": {"l": 110, "r": 12, "t": 8, "b": 46},
    }  # fmt: skip
    return figure(data, layout)
