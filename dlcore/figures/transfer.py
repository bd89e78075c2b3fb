"""Figures of the transfer lesson: right answers against pictures of each class, blocks taken over, and steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GRADIENT, GREY, INDIGO, MODEL, REFERENCE, VIOLET, WARNING, Label
from dlcore.figures.curves import Curve, Level, curves
from dlcore.texts import N_

COLORS = {
    "scratch": GREY, "frozen": DATA, "finetuned": MODEL, "last": VIOLET, "slower": WARNING, "lora": GRADIENT,
    "own": INDIGO, "old": REFERENCE, "teacher": MODEL, "alone": GREY, "hard": DATA, "soft": GRADIENT,
}  # fmt: skip
TITLES = {
    "scratch": N_("from scratch"), "frozen": N_("frozen"), "finetuned": N_("fine-tuned"), "last": N_("last block"),
    "slower": N_("slower below"), "lora": N_("LoRA"), "own": N_("yours"),
    "old": N_("old classes"), "teacher": N_("teacher"),
    "alone": N_("labels only"), "hard": N_("its answers"), "soft": N_("its doubts, too"),
}  # fmt: skip
BOLD = ("scratch", "frozen", "finetuned", "own")
DODGE = 0.012  # decades by which neighbours' bars are moved apart, so that they can be told, from 2 to 50 pictures
NAME_GAP = 0.09  # of the height from one name to the next: the plots are low, and seven ways end close together
Scores = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by method: mean (n,), spread (n,); shares of right answers


def by_images(
    images: np.ndarray,
    scores: Scores,
    *,
    now: Mapping[str, tuple[float, float]] | None = None,
    most: float = 50.0,
    guessing: float = 0.25,
    label: Label = str,
) -> go.Figure:
    """Right answers on held-out pictures against pictures of each class, with the spread of the repetitions.

    Args:
        images: (n,) of the trainings that are done.
        now: by method (images, share) of the training that goes on, drawn as an open ring.
        most: pictures of each class that the run ends with, for the axis.
    """
    dodge = DODGE * min(1.0, np.log10(most / 2) / np.log10(50 / 2)) if most > 2 else 0.0  # of a short axis less
    lines = [_line(name, images * 10 ** (dodge * _place(k, len(scores))), mean)
             for k, (name, (mean, _s)) in enumerate(scores.items())]  # fmt: skip
    plot = curves(
        lines, x_title=N_("pictures of each class"), y_title=N_("right on new pictures"), log_x=True,
        x_range=(1.8, max(5.0, most) * 1.12), y_range=_heights(guessing), y_format=".0%",
        levels=[Level(guessing, N_("guessing"))], label=label, line_height=NAME_GAP,
    )  # fmt: skip
    ends = [note for note in plot._layout["annotations"] if note["text"] in {label(TITLES[name]) for name in scores}]
    for note in ends:  # one below the other, behind the last of the points that were moved apart
        note["x"] = max(end["x"] for end in ends)
    axis = plot._layout["xaxis"]
    axis.pop("dtick", None)
    axis |= {"tickvals": [1, 2, 5, 10, 20, 50], "ticktext": ["1", "2", "5", "10", "20", "50"]}
    _spreads(plot, scores)
    for name, (at, share) in (now or {}).items():
        plot._data.append({
            "type": "scatter", "x": [at], "y": [share], "mode": "markers", "hoverinfo": "skip",
            "marker": {"symbol": "circle-open", "size": 9, "color": COLORS[name], "line": {"width": 2}},
        })  # fmt: skip
    return plot


def by_blocks(scores: Scores, count: int, *, guessing: float = 0.25, label: Label = str) -> go.Figure:
    """Right answers against how many blocks are taken over, those frozen or trained on (Yosinski and others 2014).

    Args:
        scores: "scratch" (1,) and, as "frozen" and "tuned", (count,) each.
        count: blocks of the network.
    """
    names = {"frozen": (N_("frozen"), DATA), "tuned": (N_("trained on"), MODEL)}
    places = np.arange(count + 1, dtype=float)
    lines, spreads = [], {}
    for name, (title, color) in names.items():
        if name in scores and "scratch" in scores:
            mean, spread = (np.concatenate(pair) for pair in zip(scores["scratch"], scores[name], strict=True))
            lines.append(Curve(places, mean, title, color, width=2.75, markers=True))
            spreads[name] = (mean, spread)
    plot = curves(
        lines, x_title=N_("blocks taken over"), y_title=N_("right on new pictures"), x_range=(-0.15, count + 0.15),
        y_range=_heights(guessing), y_format=".0%", levels=[Level(guessing, N_("guessing"))], label=label,
        line_height=NAME_GAP,
    )  # fmt: skip
    plot._layout["xaxis"]["dtick"] = 1
    _spreads(plot, spreads)
    return plot


def progress(
    steps: np.ndarray,
    shares: Mapping[str, np.ndarray],
    *,
    last: float,
    levels: Mapping[str, float] | None = None,
    guessing: float | None = 0.25,
    label: Label = str,
) -> go.Figure:
    """Right answers on held-out pictures against steps of the training that goes on.

    Args:
        steps: (n,). shares: by method (n,). last: step with which it ends.
        levels: straight lines by method: what another network reaches.
    """
    lines = [_line(name, steps, share, markers=False) for name, share in shares.items()]
    drawn = [Level(value, TITLES[name], COLORS[name], "dash") for name, value in (levels or {}).items()]
    if guessing is not None:
        drawn.append(Level(guessing, N_("guessing")))
    return curves(
        lines, x_title=N_("step of this training"), y_title=N_("right on held-out pictures"), x_range=(0.0, last),
        y_range=_heights(guessing), y_format=".0%", levels=drawn, label=label, line_height=NAME_GAP,
    )  # fmt: skip


def cost(names: Sequence[str], trained: Sequence[int], accuracy: Sequence[float], *, label: Label = str) -> go.Figure:
    """Right answers against how many numbers are trained, on a logarithmic axis: a point with its name each."""
    lines = [
        Curve(np.array([float(x)]), np.array([y]), TITLES[name], COLORS[name], markers=True)
        for name, x, y in zip(names, trained, accuracy, strict=True)
    ]
    most = max([1e5, *(2.0 * x for x in trained)])
    plot = curves(
        lines, x_title=N_("numbers that are trained"), y_title=N_("right on new pictures"), log_x=True,
        x_range=(100.0, most), y_range=_heights(0.5), y_format=".0%", label=label,
    )  # fmt: skip
    for trace in plot._data:
        trace["marker"]["size"] = 11
    return plot


def _heights(guessing: float | None) -> tuple[float, float]:
    """The range of the upright axis: what lies below guessing needs little room."""
    return max(0.0, (guessing or 0.1) - 0.1), 1.0


def _line(name: str, x: np.ndarray, y: np.ndarray, *, markers: bool = True) -> Curve:
    bold = name in (*BOLD, "old", "hard", "soft", "alone")
    dash = "dash" if name == "own" else "solid"
    title = TITLES.get(name, "")
    return Curve(x, y, title, COLORS.get(name, REFERENCE), dash, 2.75 if bold else 1.5, markers, 1.0 if bold else 0.8)


def _place(k: int, count: int) -> float:
    return k - (count - 1) / 2


def _spreads(plot: go.Figure, scores: Scores) -> None:
    """Bars of one standard deviation on the lines' points."""
    for trace, (_mean, spread) in zip(plot._data, scores.values(), strict=False):
        trace["error_y"] = {"type": "data", "array": np.asarray(spread, float), "thickness": 1, "width": 3}
