"""What the memory lesson says with numbers: a sequence for the eye, ratios of gradients, and scores by distance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.data.memory_tasks import TASKS, held_out
from dlcore.graph_math import number
from dlcore.history import History
from dlcore.sequence_training import cells_of

SHOWN = 14  # steps of a sequence that are written out at either end
OPEN, MORE_THAN_LUCK = 3.0, 0.1  # a bias at which a gate begins open; a score so far above chance is no luck
KEPT = 0.01  # of the last step's gradient: from here on the first step can be learned from


def written(task: str, length: int, place: int = 0) -> tuple[str, str]:
    """One held-out sequence and its answer as Markdown; a long one without its middle, what counts in bold."""
    batch = held_out(task, length)
    X, y = batch.X[place, : batch.lengths[place]], batch.y[place]
    if task == "adding":
        steps = [f"**{x:.2f}**" if marked else f":gray[{x:.2f}]" for x, marked in X]
        return _shortened(steps, X[:, 1] > 0), f"{y:.2f}"
    letters = [TASKS[task].letters[symbol] for symbol in X.argmax(1)]
    counts = np.zeros(len(letters), bool)
    counts[: np.size(y)] = task != "parentheses"
    steps = [f"**{letter}**" if bold else letter for letter, bold in zip(letters, counts, strict=True)]
    answer = " ".join(TASKS[task].letters[a] for a in y) if task == "copy" else str(y)
    return _shortened(steps, counts), TASKS[task].letters[y] if task == "first_symbol" else answer


def _shortened(steps: list[str], counts: np.ndarray) -> str:
    """The steps with spaces between them; in the middle of many only those that count are kept."""
    kept = [i for i in range(len(steps)) if i < SHOWN or i >= len(steps) - SHOWN or counts[i]]
    parts = []
    for before, i in zip([-1, *kept], kept, strict=False):
        parts += ["…"] if i > before + 1 else []
        parts.append(steps[i])
    return " ".join(parts)


def known_at(task: str, X: np.ndarray, y: Any) -> np.ndarray:
    """The right answer if it were asked after each step of a sequence ``(T, inputs)``: (T,), NaN where there is none.

    Args:
        y: the answer at the end, where it cannot be read off (copy: the letters that are due).
    """
    if task == "first_symbol":
        return np.full(len(X), float(X[0].argmax()))
    if task == "parentheses":
        return np.cumsum(X @ [1.0, -1.0])
    if task == "adding":
        return np.cumsum(X[:, 0] * X[:, 1])
    truth = np.full(len(X), np.nan)
    truth[-len(y) :] = y
    return truth


def sure(task: str, found: Mapping[str, np.ndarray], truth: np.ndarray) -> dict[str, np.ndarray]:
    """By cell, (T,): the probability of the right answer after each step; of a sum the number that it would say."""
    if task == "adding":
        return {cell: row[:, 0] for cell, row in found.items()}
    asked = np.isfinite(truth)
    places = np.clip(np.where(asked, truth, 0), 0, None).astype(int)
    shares = {}
    for cell, row in found.items():
        within = asked & (places < row.shape[1])  # more brackets may be open than there are answers
        shares[cell] = np.where(within, row[np.arange(len(row)), np.minimum(places, row.shape[1] - 1)], np.nan)
    return shares


def ratio(norms: np.ndarray) -> float:
    """The first step's gradient over the last one's."""
    return float(norms[0] / norms[-1]) if norms[-1] else float("nan")


def ratios(gradients: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The same by cell, of hidden states."""
    return {cell: ratio(norms) for cell, norms in gradients.items() if "." not in cell}


def newest_gradients(frames: list[dict[str, np.ndarray]], last: bool = True) -> dict[str, np.ndarray]:
    """By cell, (T,) of the newest frame of a run (or of its first)."""
    if not frames:
        return {}
    frame = frames[-1 if last else 0]
    return {name.removeprefix("gradient/"): row for name, row in frame.items() if name.startswith("gradient/")}


@dataclass(frozen=True)
class Line:
    """Scores of one cell against distance, of runs that share what shapes its memory."""

    cell: str
    forget_bias: float
    start: str
    radius: float
    lengths: np.ndarray  # (n,), rising
    scores: np.ndarray  # (n,), means where there are several

    def of(self, config: Any) -> bool:
        """Whether these are the settings on screen."""
        return shape(config, self.cell) == (self.cell, self.forget_bias, self.start, self.radius)


def shape(config: Any, cell: str) -> tuple[str, float, str, float]:
    """What decides how a cell of this config begins; an RNN has no gate."""
    return cell, 0.0 if cell == "rnn" else float(config.forget_bias), config.start, float(config.radius)


def rows_of(config: Any, metrics: Mapping[str, Any]) -> list[tuple[tuple[str, float, str, float], int, float]]:
    """What a finished run tells of memory: (shape, distance, score) of each cell at each distance."""
    found = metrics.get("by_distance") or {
        "length": [config.length],
        **{cell: [metrics.get(f"test_accuracy/{cell}")] for cell in cells_of(config)},
    }
    return [
        (shape(config, cell), length, score)
        for cell in cells_of(config)
        for length, score in zip(found["length"], found[cell], strict=True)
        if score is not None and np.isfinite(score)
    ]


def lines(rows: Iterable[tuple[tuple[str, float, str, float], int, float]]) -> list[Line]:
    """The rows as lines, one for each shape."""
    by_shape: dict[tuple[str, float, str, float], dict[int, list[float]]] = {}
    for form, length, score in rows:
        by_shape.setdefault(form, {}).setdefault(length, []).append(score)
    return [
        Line(*form, np.array(sorted(at), float), np.array([np.mean(at[n]) for n in sorted(at)]))
        for form, at in by_shape.items()
    ]


def forgotten(run: History) -> tuple[float, float] | None:
    """Of a finished run whose gated cells, begun with a small bias, only guess: what a gate keeps at first.

    Returns:
        sigmoid(bias), the share kept at each step, and that share over the whole distance; None for any other run.
    """
    gated = [cell for cell in run.info.get("cells", ()) if cell != "rnn"]
    scores = [run.metrics.get(f"test_accuracy/{cell}", math.nan) for cell in run.info.get("cells", ())]
    bias = run.config.get("forget_bias", OPEN)
    guessed = all(score < run.info["chance"] + MORE_THAN_LUCK for score in scores)
    if run.config.get("distances", 1) > 1 or not gated or bias >= OPEN or not guessed:
        return None
    keep = 1 / (1 + math.exp(-bias))
    return keep, keep ** (run.config["length"] - 1)


def linear_decay(radius: float, length: int) -> np.ndarray:
    """What a linear network with this spectral radius leaves of the last step's gradient: radius^(T − t), (T,)."""
    with np.errstate(over="ignore"):
        return radius ** np.arange(length - 1, -1, -1.0)


def numbers(config: Any, fresh: Mapping[str, np.ndarray]) -> dict[str, str]:
    """What stands in the formulas: the distance, and each cell's ratio before training (letters until it is known)."""
    known = ratios(fresh)
    told = {f"ratio_{cell}": number(known[cell], 2) if cell in known else "…" for cell in ("rnn", "lstm", "gru")}
    keep = 1 / (1 + np.exp(-config.forget_bias))
    return {
        **told,
        "T": str(config.length),
        "bias": f"{config.forget_bias:g}",
        "keep": f"{keep:.3f}",
        "kept": number(float(keep) ** (config.length - 1), 2),
    }
