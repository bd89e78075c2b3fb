"""The attention lesson told in a run's own numbers: what its formulas are filled with, and what its challenges ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import numpy as np

from dlcore.data.pairs import WIDTH
from dlcore.experiments.attention import NONE
from dlcore.history import History
from dlcore.texts import N_

END_SIGN = "∎"  # where the network says that the answer is complete
TITLES = {NONE: N_("without attention"), "dot": N_("with attention"), "additive": N_("with attention")}
SHORT = {NONE: N_("without"), "dot": N_("with"), "additive": N_("with")}  # at a curve's end
GLANCE, FREE = 0.5, 0.05  # a letter with more attention, which costs less of the probability when it is hidden


def example(history: History) -> tuple[str, str]:
    """The text and the answer (END shown) of the film: the letters and symbols on its axes; empty before a run."""
    samples = history.info.get("samples", ())
    if not samples:
        return "", ""
    text, answer = samples[0]
    return text, answer + END_SIGN * (WIDTH[history.config["task"]] > len(answer))


def film(history: History) -> tuple[np.ndarray, np.ndarray]:
    """Steps ``(n,)`` and maps ``(n, U, T)`` of the example over the run; no map where the network does not attend."""
    text, symbols = example(history)
    frames = [frame for frame in history.frames.kept if frame["weights"].shape[-1]]
    if not frames:
        return np.zeros(0), np.zeros((0, len(symbols), len(text)), np.float32)
    maps = np.stack([frame["weights"][: len(symbols)] for frame in frames])
    return np.array([float(frame["step"]) for frame in frames]), maps


def numbers(history: History, hidden: int) -> dict[str, str]:
    """What the formulas are filled with, ready to print: the example's numbers; before a run, dots and ``hidden``."""
    text, symbols = example(history)
    _steps, maps = film(history)
    names = ("symbol", "place", "letters", "first", "second", "w1", "w2", "rest", "ratio", "gap")
    if not len(maps):
        return {**dict.fromkeys(names, "…"), "hidden": str(history.config.get("hidden", hidden))}
    weights = maps[-1]
    row = int(weights[: len(symbols)].max(1).argmax())  # the symbol whose look is the most decided
    first, second = np.argsort(-weights[row])[:2]
    w1, w2 = float(weights[row, first]), float(weights[row, second])
    return {
        "symbol": _set(symbols[row]), "place": str(row + 1), "letters": str(len(text)),
        "hidden": str(history.config["hidden"]),
        "first": _set(text[first]), "second": _set(text[second]), "w1": f"{w1:.3f}", "w2": f"{w2:.3f}",
        "rest": f"{max(0.0, 1 - w1 - w2):.3f}", "ratio": f"{w1 / max(w2, 1e-9):.3g}",
        "gap": f"{np.log(w1 / max(w2, 1e-9)):.2f}",
    }  # fmt: skip


def _set(letter: str) -> str:
    """A letter as KaTeX sets it."""
    shown = "\\" + letter if letter in "#%_&$" else {" ": "␣", "\\": "/", "{": "(", "}": ")"}.get(letter, letter)
    return f"\\text{{{shown}}}"


def impossible(task: str, answer: str) -> bool:
    """Whether an answer is not a day that there is (or not a number): the network knows letters, no calendar."""
    if task == "dates":
        try:
            date.fromisoformat(answer)
        except ValueError:
            return True
        return len(answer) != WIDTH["dates"]
    return not answer.isdigit()


def looked_in_vain(found: Mapping[str, Any], symbol: int) -> bool:
    """Whether the letter that a symbol of an answer (``attention_look``) looks at most is one it can do without."""
    if found["looks"] is None:
        return False
    letter = int(np.argmax(found["looks"][symbol]))
    return bool(found["looks"][symbol, letter] > GLANCE and found["needs"][symbol, letter] < FREE)


def surest(found: Mapping[str, Any]) -> float:
    """The probability of the whole answer: the product of its symbols'."""
    said = np.asarray(found["said"])
    return float(np.prod(np.asarray(found["shares"])[np.arange(len(said)), said]))


def accuracy(run: History, name: str) -> float:
    """A network's share of right answers at the end of a finished run; NaN if the run did not have it."""
    return float(run.metrics.get(f"test_accuracy/{name}", np.nan)) if run.state == "finished" else float("nan")


def caught_up(runs: Iterable[History]) -> float:
    """The best that a network without attention reached among sentences of 30 letters or more, of 90 %."""
    shares = [accuracy(run, NONE) for run in runs if run.config.get("length", 0) >= 30]
    return max((share / 0.9 for share in shares if share == share), default=0.0)


def from_afar(runs: Iterable[History]) -> float:
    """The best share of right answers after at most 600 steps from texts of 120 letters or more, of 95 %."""
    done = [run for run in runs if run.state == "finished"]
    far = [run for run in done if run.config["length"] >= 120 and run.config["steps"] <= 600]
    return max((run.metrics["test_accuracy"] / 0.95 for run in far), default=0.0)
