"""How good a classifier is: confusion matrix, scores by class, the probabilities of one answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, WARNING, Label, figure
from dlcore.texts import N_

# Right answers in the data's blue, wrong ones in the model's vermilion; opaque, so that counts are legible on any page.
RIGHT_AND_WRONG = [[0.0, DATA], [0.5, "#dbe9f3"], [0.5, "#fbe6d8"], [1.0, MODEL]]
FAINTEST = 0.2  # how strong the colour of a single mistake is, of 1


def confusion(
    counts: np.ndarray,
    classes: Sequence[str],
    *,
    shares: bool = False,
    chosen: tuple[int, int] | None = None,
    label: Label = str,
) -> go.Figure:
    """The confusion matrix ``(K, K)``: rows the truth, columns the answer; a cell's centre is at (column, row).

    Colour is the share of the row: blue on the diagonal, vermilion beside it (as its square root and never fainter than
    ``FAINTEST``, so that one mistake in a thousand is still seen).

    Args:
        counts: whole or fractional.
        shares: write each cell's share of its row instead of its count.
        chosen: row and column of a cell that gets a frame.
    """
    part = counts / np.maximum(counts.sum(1, keepdims=True), 1e-9)
    wrong = np.where(counts > 0, FAINTEST + (1 - FAINTEST) * np.sqrt(part), np.nan)
    colours = np.where(np.eye(len(counts), dtype=bool), -part, wrong)
    names = [label(name) for name in classes]
    texts = [[_in_cell(n, p, shares) for n, p in zip(*row, strict=True)] for row in zip(counts, part, strict=True)]
    words = f"{label(N_('truth'))} {{}}, {label(N_('answer'))} {{}}: {{}}"
    trace = {
        "type": "heatmap", "z": colours.astype(np.float32), "zmin": -1, "zmax": 1, "colorscale": RIGHT_AND_WRONG,
        "showscale": False, "xgap": 2, "ygap": 2, "text": texts, "texttemplate": "%{text}",
        "hovertext": [[words.format(a, b, n) for b, n in zip(names, row, strict=True)]
                      for a, row in zip(names, texts, strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    frame = [] if chosen is None else [_cell_frame(*chosen)]
    return figure([trace], {**_matrix_axes(names, label), "shapes": frame})


def _in_cell(count: float, part: float, shares: bool) -> str:
    if not count:
        return ""
    return f"{part:.1%}" if shares else amount(float(count))


def amount(count: float) -> str:
    """A count as it is printed: whole, or to three digits where a weight has made it fractional."""
    return f"{count:,.0f}" if count >= 100 or abs(count - round(count)) < 1e-9 else f"{count:.3g}"


def _matrix_axes(names: list[str], label: Label) -> dict:
    long, last = max(map(len, names)) > 2, len(names) - 0.5
    title = {"standoff": 8}
    axis = {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "zeroline": False,
            "ticks": "", "showline": False, "constrain": "domain"}  # fmt: skip
    turned = -40 if long and len(names) > 3 else 0
    top = 104 if turned else 56
    return {
        "xaxis": {**axis, "title": {**title, "text": label(N_("Answer"))}, "side": "top",
                  "range": [-0.5, last], "tickangle": turned},
        "yaxis": {**axis, "title": {**title, "text": label(N_("Truth"))}, "range": [last, -0.5], "scaleanchor": "x"},
        "margin": {"l": 96 if long else 56, "r": 8, "t": top, "b": 24},
    }  # fmt: skip


def _cell_frame(row: int, column: int) -> dict:
    ends = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", **ends, "line": {"color": WARNING, "width": 4}}


def scores(
    precision: np.ndarray, recall: np.ndarray, f1: np.ndarray, classes: Sequence[str], *, label: Label = str
) -> go.Figure:
    """Precision, recall and F1 of each class, ``(K,)`` each, as dots on one line per class (Cleveland's dot plot)."""
    names = [label(name) for name in classes]
    lowest = float(min(precision.min(), recall.min(), f1.min()))
    start = max(0.0, np.floor((lowest - 0.01) * 20) / 20)
    spans = {
        "type": "scatter", "mode": "lines", "line": {"color": GREY, "width": 1}, "hoverinfo": "skip",
        "x": np.column_stack([precision, recall, np.full(len(names), np.nan)]).ravel(),
        "y": [name for name in names for _ in range(3)],
    }  # fmt: skip
    rows = ((N_("precision"), precision, MODEL, "diamond"), (N_("recall"), recall, DATA, "circle"),
            (N_("F1"), f1, GREY, "line-ns-open"))  # fmt: skip
    dots = [
        {
            "type": "scatter", "mode": "markers", "x": values, "y": names, "name": label(name),
            "marker": {"color": color, "symbol": symbol, "size": 9, "line": {"width": 2, "color": color}},
            "hovertemplate": "%{x:.3f}",
        }
        for name, values, color, symbol in rows
    ]  # fmt: skip
    layout = {
        "xaxis": {"range": [start, 1.004], "tickformat": ".0%", "side": "top", "zeroline": False},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": True},
        "margin": {"l": 88 if max(map(len, names)) > 2 else 32, "r": 16, "t": 28, "b": 36},
        "hovermode": "y unified", "showlegend": True,
        "legend": {"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top"},
    }  # fmt: skip
    return figure([spans, *dots], layout)


def answer(
    probabilities: np.ndarray, classes: Sequence[str], *, truth: int | None = None, label: Label = str
) -> go.Figure:
    """The probabilities ``(K,)`` of one answer as bars: the largest vermilion, the truth (if known) blue."""
    names = [label(name) for name in classes]
    best = int(probabilities.argmax())
    colors = [MODEL if k == best else DATA if k == truth else GREY for k in range(len(names))]
    trace = {
        "type": "bar", "orientation": "h", "x": probabilities, "y": names, "marker": {"color": colors}, "width": 0.7,
        "text": [_percent(p) for p in probabilities.tolist()], "textposition": "outside", "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:.2%}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {"range": [0, 1.12], "visible": False, "fixedrange": True},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "fixedrange": True, "ticks": ""},
        "margin": {"l": 88 if max(map(len, names)) > 2 else 28, "r": 8, "t": 4, "b": 4},
        "transition": {"duration": 200},
    }
    return figure([trace], layout)


def _percent(share: float) -> str:
    """A probability with a sensible count of digits; never a 100 % or 0 % that is none."""
    if share >= 0.9995:
        return ">99.9%"
    return f"{100 * share:.1f}%" if share >= 0.001 else ""
