"""One threshold in three pictures: the scores that it cuts, and the points that it makes on ROC and precision-recall.

Right answers are blue and wrong ones vermilion, as in the confusion matrix; the cheapest threshold is purple.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, REFERENCE, Label, figure
from dlcore.figures.curves import LABEL_SIZE
from dlcore.texts import N_

TICKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)  # of a scale that is even in the log-odds
CORNERS = (N_("found"), N_("false alarms"), N_("missed"), N_("left alone"))  # TP, FP, FN, TN


def log_odds(probability: float | np.ndarray) -> np.ndarray:
    """ln(p / (1 − p)), for 0 < p < 1."""
    p = np.asarray(probability, float)
    return np.log(p / (1 - p))


def score_histogram(
    edges: np.ndarray, positives: np.ndarray, negatives: np.ndarray, cut: float, best: float | None,
    corners: Sequence[str], names: Sequence[str], *, label: Label = str,
) -> go.Figure:  # fmt: skip
    """Scores of the positives upwards, of the negatives downwards; what lies right of the cut is called positive.

    Args:
        edges: ``(B + 1,)`` probabilities, rising, strictly between 0 and 1.
        positives, negatives: ``(B,)`` counts; each class is drawn as shares of itself.
        cut, best: the threshold, and the cheapest one (None: not on this scale).
        corners: what to write beside TP, FP, FN, TN (their counts), ready to print.
        names: of the positives and of the negatives, ready to print.
    """
    x, at = log_odds(edges), float(log_odds(cut))
    up, down = positives / max(positives.sum(), 1), -negatives / max(negatives.sum(), 1)
    data = [*_side(x, up, at, MODEL, DATA), *_side(x, down, at, DATA, MODEL)]
    tallest, within = (max(float(np.abs(h[part]).max()) for h in (up, down)) for part in (slice(None), slice(1, -1)))
    high = 1.3 * max(min(tallest, 2.5 * within), 1e-3)  # what lies beyond the scale must not flatten what lies on it
    marks = [_upright(at, GREY, "solid", 2)]
    marks += [_upright(float(log_odds(best)), REFERENCE, "dot", 2)] if best is not None else []
    layout = {
        "bargap": 0, "barmode": "overlay", "shapes": marks, "annotations": _corner_notes(corners, names, label),
        "xaxis": {"title": {"text": label(N_("score of the classifier"))}, "range": [x[0], x[-1]], "zeroline": False,
                  "tickvals": log_odds(np.array(TICKS)).tolist(), "ticktext": [f"{t:g}" for t in TICKS]},
        "yaxis": {"range": [-high, high], "visible": False, "fixedrange": True},
        "margin": {"l": 12, "r": 12, "t": 8, "b": 44},
    }  # fmt: skip
    return figure(data, layout)


def _side(x: np.ndarray, heights: np.ndarray, cut: float, left: str, right: str) -> list[dict]:
    """The bars of one class, in one colour left of the cut and in another right of it; the bin it falls in is cut."""
    bars = []
    for color, low, high in ((left, x[0], cut), (right, cut, x[-1])):
        begins, ends = np.clip(x[:-1], low, high), np.clip(x[1:], low, high)
        seen = ends > begins
        bars.append({
            "type": "bar", "x": ((begins + ends) / 2)[seen], "y": heights[seen], "width": (ends - begins)[seen],
            "marker": {"color": color, "line": {"width": 0}}, "hoverinfo": "skip",
        })  # fmt: skip
    return bars


def _corner_notes(corners: Sequence[str], names: Sequence[str], label: Label) -> list[dict]:
    found, alarms, missed, alone = corners
    places = (  # x, y, whose
        (1, 1, CORNERS[0], found, DATA), (1, 0, CORNERS[1], alarms, MODEL),
        (0, 1, CORNERS[2], missed, MODEL), (0, 0, CORNERS[3], alone, DATA),
    )  # fmt: skip
    sides, ends = ("left", "right"), (0.025, 0.975)  # clear of the outermost bars
    notes = [
        {"x": ends[x], "y": y, "xref": "x domain", "yref": "y domain", "xanchor": sides[x], "showarrow": False,
         "yanchor": "top" if y else "bottom", "text": f"{label(word)}: <b>{count}</b>",
         "font": {"color": color, "size": LABEL_SIZE}}
        for x, y, word, count, color in places
    ]  # fmt: skip
    whose = [
        {"x": 0.5, "y": y, "xref": "x domain", "yref": "y domain", "showarrow": False, "xanchor": "center",
         "yanchor": "top" if y else "bottom", "text": name, "font": {"size": LABEL_SIZE}}
        for y, name in zip((1, 0), names, strict=True)
    ]  # fmt: skip
    return notes + whose


def _upright(x: float, color: str, dash: str, width: float) -> dict:
    line = {"color": color, "dash": dash, "width": width}
    return {"type": "line", "x0": x, "x1": x, "xref": "x", "y0": 0.09, "y1": 0.91, "yref": "y domain", "line": line}


def roc(
    fpr: np.ndarray, tpr: np.ndarray, point: tuple[float, float], best: tuple[float, float], area: float,
    *, label: Label = str,
) -> go.Figure:  # fmt: skip
    """The ROC curve ``(T,)``, the threshold's point (false positive rate, true positive rate), and the cheapest one."""
    chance = {"type": "line", "x0": 0, "x1": 1, "y0": 0, "y1": 1, "line": {"color": GREY, "width": 1, "dash": "dot"}}
    titles = N_("false alarms among the negatives"), N_("found among the positives (recall)")
    return _curve(fpr, tpr, point, best, titles, f"AUC {area:.3f}", (0.98, 0.06, "right"), chance, label)


def precision_recall(
    recall: np.ndarray, precision: np.ndarray, point: tuple[float, float], best: tuple[float, float], area: float,
    prevalence: float, *, label: Label = str,
) -> go.Figure:  # fmt: skip
    """Precision against recall ``(T,)``; the dotted line is the precision of an alarm at random: the prevalence."""
    level = {"type": "line", "x0": 0, "x1": 1, "y0": prevalence, "y1": prevalence}
    chance = {**level, "line": {"color": GREY, "width": 1, "dash": "dot"}}
    titles = N_("found among the positives (recall)"), N_("right among the alarms (precision)")
    return _curve(recall, precision, point, best, titles, f"AP {area:.3f}", (0.98, 0.97, "right"), chance, label)


def _curve(
    x: np.ndarray, y: np.ndarray, point: tuple[float, float], best: tuple[float, float], titles: Sequence[str],
    text: str, place: tuple[float, float, str], chance: dict, label: Label,
) -> go.Figure:  # fmt: skip
    names = [label(title) for title in titles]
    hover = f"{names[0]} %{{x:.3f}}<br>{names[1]} %{{y:.3f}}<extra></extra>"
    data = [
        {"type": "scatter", "mode": "lines", "x": x, "y": y, "hovertemplate": hover,
         "line": {"color": MODEL, "width": 2}},
        {"type": "scatter", "mode": "markers", "x": [best[0]], "y": [best[1]], "hovertemplate": hover,
         "marker": {"color": REFERENCE, "size": 13, "symbol": "diamond-open", "line": {"width": 2.5}}},
        {"type": "scatter", "mode": "markers", "x": [point[0]], "y": [point[1]], "hovertemplate": hover,
         "marker": {"color": MODEL, "size": 12}},
    ]  # fmt: skip
    axis = {"range": [-0.02, 1.02], "zeroline": False, "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    note = {"x": place[0], "y": place[1], "xanchor": place[2], "text": f"<b>{text}</b>", "showarrow": False}
    layout = {
        "xaxis": {**axis, "title": {"text": names[0], "font": {"size": 12}}},
        "yaxis": {**axis, "title": {"text": names[1], "font": {"size": 12}}},
        "shapes": [chance], "annotations": [{**note, "xref": "x domain", "yref": "y domain"}],
        "margin": {"l": 52, "r": 10, "t": 10, "b": 52},  # the browser's buttons stand under the title
    }  # fmt: skip
    return figure(data, layout)


def cell_scores(edges: np.ndarray, inside: np.ndarray, everyone: np.ndarray, *, label: Label = str) -> go.Figure:
    """The scores of one cell's samples ``(B,)`` in blue, before those of all samples of the same truth in grey."""
    x = log_odds(edges)
    bars = {"type": "bar", "x": (x[:-1] + x[1:]) / 2, "width": np.diff(x), "hoverinfo": "skip"}
    data = [
        {**bars, "y": everyone, "marker": {"color": GREY, "opacity": 0.35, "line": {"width": 0}}},
        {**bars, "y": inside, "marker": {"color": DATA, "line": {"width": 0}}},
    ]
    layout = {
        "bargap": 0, "barmode": "overlay",
        "xaxis": {"title": {"text": label(N_("score of the classifier"))}, "range": [x[0], x[-1]], "zeroline": False,
                  "tickvals": log_odds(np.array(TICKS)).tolist(), "ticktext": [f"{t:g}" for t in TICKS]},
        "yaxis": {"title": {"text": label(N_("samples"))}, "rangemode": "tozero"},
    }  # fmt: skip
    return figure(data, layout)
