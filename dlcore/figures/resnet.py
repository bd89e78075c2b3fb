"""Figures of the depth lesson: errors against steps, and what arrives in every block, plain beside residual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import GREY, MODEL, REFERENCE, Label
from dlcore.figures.curves import LABEL_SIZE, LINE_HEIGHT, Curve, Level, curves, decades, spread
from dlcore.figures.descent import Film
from dlcore.texts import N_

COLORS = {"plain": REFERENCE, "residual": MODEL}
NAMES = {"plain": N_("plain"), "residual": N_("residual")}
DEEPEST = 1e-30  # what lies deeper is drawn at the bottom
ROOM = 62  # px at the right, for the names at the lines' ends

Lines = Mapping[str, tuple[np.ndarray, np.ndarray]]  # by network: x (n,), y (n,)
Rows = Mapping[str, np.ndarray]  # by network: (F, L), a frame each, a block each


def errors(
    train: Lines,
    test: Lines,
    *,
    steps: float,
    playhead: np.ndarray,
    depths: Sequence[int] = (),
    guessing: float = 0.9,
    label: Label = str,
) -> Film:
    """Share of wrong answers against steps: on the training images bold, on the test images thin and pale.

    Args:
        steps: the whole run's, for the axis.
        playhead: (F,) the steps of the film's frames, at which an upright line stands.
        depths: where several are trained one after the other; each has its own stretch of the axis, and curves.
    """
    starts = steps / len(depths) * np.arange(len(depths)) if len(depths) > 1 else np.zeros(0)
    train, test = ({name: _apart(*xy, starts[1:]) for name, xy in lines.items()} for lines in (train, test))
    now = Curve(np.repeat(playhead[-1:], 2), np.array([0.0, 1.0]), "", GREY, "dot", 1.25)
    lines = [
        now,
        *(Curve(*xy, "", COLORS[name], "dash", 1.25, opacity=0.65) for name, xy in test.items()),
        *(Curve(*xy, NAMES[name], COLORS[name], width=2.75) for name, xy in train.items()),
    ]
    plot = curves(
        lines, x_title=N_("step"), x_range=(0.0, steps), y_range=(0.0, 1.0), y_format=".0%",
        levels=[Level(guessing, N_("guessing")),
                *(Level(at, str(depth), upright=True) for at, depth in zip(starts, depths, strict=False))], label=label,
    )  # fmt: skip
    plot._layout["margin"] |= {"l": 46, "r": ROOM, "t": 26}
    heading = N_("wrong answers, depth by depth") if len(starts) else N_("wrong answers")
    plot._layout["annotations"] = [*plot._layout["annotations"], _heading(heading, label)]
    places = np.repeat(np.asarray(playhead, float)[:, None], 2, axis=1)
    return Film(plot, {"count": len(playhead), "traces": {0: {"x": {"at": places}}}})


def _apart(x: np.ndarray, y: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The line with a gap (NaN) before the first point behind each start: trainings that are not one another's."""
    places = [place for place in np.searchsorted(x, starts, side="right") if 0 < place < len(x)]
    return np.insert(np.asarray(x, float), places, starts[: len(places)]), np.insert(y, places, np.nan)


def by_block(rows: Rows, *, title: str, span: tuple[float, float], height: int = 172, label: Label = str) -> Film:
    """A number of each block on a logarithmic axis, as a film; dotted, what it was before the first step.

    Args:
        rows: the first frame is that before the first step.
        title: stands over the plot, where it takes no room from the lines.
        span: what the axis shows at least.
        height: of the plot in px, which decides how far apart the names must be.
    """
    rows = {name: np.maximum(np.asarray(row, float), DEEPEST) for name, row in rows.items()}
    blocks = {name: np.arange(1, row.shape[1] + 1, dtype=float) for name, row in rows.items()}
    lines = [
        *(Curve(blocks[name], row[0], "", COLORS[name], "dot", 1.5, opacity=0.7) for name, row in rows.items()),
        *(
            Curve(blocks[name], row[-1], "", COLORS[name], width=2.5, markers=row.shape[1] <= 12)
            for name, row in rows.items()
        ),
    ]
    reach = decades(list(rows.values()), span)
    last = max([2, *(row.shape[1] for row in rows.values())])
    plot = curves(lines, x_title=N_("block"), log_y=True, x_range=(1.0, float(last)), y_range=reach, label=label)
    plot._layout["margin"] |= {"l": 46, "r": ROOM, "t": 26}
    plot._layout["annotations"] = [_heading(title, label)]
    first = len(rows)
    traces: dict[int, Any] = {first + i: {"y": {"at": row}} for i, row in enumerate(rows.values())}
    heights = _label_places(list(rows.values()), reach, height)
    for i, name in enumerate(rows):
        traces[2 * first + i] = {"y": {"at": heights[:, i]}}
        plot._data.append(_name(name, blocks[name][-1:], heights[-1:, i], label))
    return Film(plot, {"count": max([1, *(len(row) for row in rows.values())]), "traces": traces})


def _heading(title: str, label: Label) -> dict[str, Any]:
    return {
        "text": label(title), "xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom",
        "yshift": 4, "showarrow": False, "font": {"size": LABEL_SIZE},
    }  # fmt: skip


def _name(name: str, x: np.ndarray, y: np.ndarray, label: Label) -> dict[str, Any]:
    """A line's name at its end, as a trace, so that it moves with the film."""
    return {
        "type": "scatter", "x": x, "y": y, "text": [f" {label(NAMES[name])}"], "mode": "text",
        "textposition": "middle right", "cliponaxis": False, "hoverinfo": "skip",
        "textfont": {"color": COLORS[name], "size": LABEL_SIZE},
    }  # fmt: skip


def _label_places(rows: Sequence[np.ndarray], reach: tuple[float, float], height: int) -> np.ndarray:
    """Where the names stand in each frame, (F, networks), in the axis's numbers: at the lines' ends, not touching."""
    if not rows:
        return np.zeros((1, 0))
    low, high = np.log10(reach)
    ends = np.stack([(np.log10(row[:, -1]) - low) / (high - low) for row in rows], axis=1)
    gap = max(LINE_HEIGHT, 16 / max(height - 74, 16))
    return 10 ** (low + (high - low) * np.stack([spread(frame, gap) for frame in ends]))


def by_depth(train: Lines, *, guessing: float = 0.9, label: Label = str) -> go.Figure:
    """The training error of trained networks against their depth, on a logarithmic axis."""
    lines = [Curve(*xy, NAMES[name], COLORS[name], markers=True) for name, xy in train.items()]
    return curves(
        lines, x_title=N_("depth"), y_title=N_("wrong answers in training"), log_x=True, x_range=(2.0, 110.0),
        y_range=(0.0, 1.0), y_format=".0%", levels=[Level(guessing, N_("guessing"))], label=label,
    )  # fmt: skip
