"""The reading lesson told in a run's own numbers: samples to ask about, what a reading showed, what formulas say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dlcore.history import History

SAMPLES = {
    "names": ("Yamamoto", "Kowalski", "Papadakis", "O'Brien", "Rossi", "Schneider", "Nguyen"),
    "territories": ("Sveitsi", "Frankreich", "Maďarsko", "Fildişi", "Isole Salomone", "Nieuw-Zeeland"),
    "rt_polarity": ("a funny and moving film .", "not good at all .", "this film is not bad .",
                    "the first half is clever , but the ending is dull and far too long .", "nothing works here ."),
    "waimai": ("好吃", "不好吃", "味道不错，就是送餐太慢了", "送餐很快，但是菜是凉的", "没有想象中那么难吃"),
    "grammar": ("the music is not good .", "the film was slow , but the ending is very moving .",
                "the ending is very moving , but the film was slow .", "i did not find the plot boring ."),
    "grammar_zh": ("这道菜不好吃。", "送餐很慢，但是味道非常好。", "味道非常好，但是送餐很慢。", "没人会说服务马虎。"),
}  # fmt: skip
NEGATIONS = frozenset(
    ["not", "never", "no", "hardly", "nobody", "nothing", "without", "neither", "nor", "不", "没", "未", "别", "无"]
)
TURNS = frozenset(["but", "although", "though", "yet", "still", "however", "despite", "但", "可", "过", "虽", "却"])
SURE, QUITE_SURE, MARGIN = 0.5, 0.7, 0.10  # of a name's country; of a sentence; by which a bag has to be beaten


def negates(token: str) -> bool:
    """Whether an English word or a Chinese character says no."""
    return token in NEGATIONS or token.endswith("n't")


def turned_at_the_end(reading: Mapping[str, Any]) -> bool:
    """Whether the last letter of a name changed the country, with more than half for one before and the other after."""
    shares = reading["probabilities"]
    if reading["kind"] != "letters" or len(shares) < 3:
        return False
    before, after = shares[-2], shares[-1]
    return before.argmax() != after.argmax() and min(before.max(), after.max()) > SURE


def reordered(readings: Sequence[tuple[Sequence[str], float]]) -> bool:
    """Whether two (tokens, probability of praise) have the same tokens in another order and opposite, sure answers."""
    sides: dict[tuple[str, ...], set[bool]] = {}
    for tokens, praises in readings:
        if len(tokens) > 2 and max(praises, 1 - praises) > QUITE_SURE:
            sides.setdefault(tuple(sorted(tokens)), set()).add(praises > 0.5)
    return any(len(side) == 2 for side in sides.values())


def deaf_to_no(reading: Mapping[str, Any]) -> bool:
    """Whether a plain sentence with one “not” is answered alike without it, quite sure both times.

    Where a second clause follows (“but”), the first one’s “not” need not change anything: it does not count.
    """
    tokens, without = reading["tokens"], reading.get("without_no")
    if reading["kind"] == "letters" or without is None or any(token in TURNS for token in tokens):
        return False
    with_it, praises = float(reading["probabilities"][-1, 1]), float(without)
    sure = min(max(with_it, 1 - with_it), max(praises, 1 - praises)) > QUITE_SURE
    return sure and (with_it > 0.5) == (praises > 0.5)


def beats_bag(runs: Iterable[History]) -> float:
    """How far the best finished run is above its bag of words, of ``MARGIN``: 1 where it has been reached."""
    leads = [run.metrics["test_accuracy"] - run.metrics["bag_accuracy"] for run in runs if is_done(run)]
    return min(1.0, max([0.0, *leads]) / MARGIN)


def is_done(run: History) -> bool:
    """Whether a run has reached its end, with its numbers."""
    return run.state == "finished" and {"test_accuracy", "bag_accuracy"} <= run.metrics.keys()


def numbers(history: History, config: Any) -> dict[str, str]:
    """What the prose is filled with, ready to print: of the run, or before it as far as the settings say it."""
    if not history.info:
        later = dict.fromkeys(("V", "K", "chance"), r"\ldots") | dict.fromkeys(("params", "repeats", "shared"), "…")
        return {"E": str(config.embedding), "H": str(config.hidden), **later}
    config, info = history.config, history.info
    return {
        "V": f"{info['tokens']:,}".replace(",", "{,}"), "E": str(config["embedding"]), "H": str(config["hidden"]),
        "K": str(len(info["classes"])), "params": f"{max(info['params'].values()):,}",
        "chance": f"{math.log(len(info['classes'])):.2f}", "repeats": f"{info['repeats']:,}",
        "shared": f"{info['shared']:,}",
    }  # fmt: skip


def confused_pairs(confusion: np.ndarray, most: int = 5) -> list[tuple[int, int, int]]:
    """The most frequent mistakes of a matrix ``(K, K)``: (truth, answer, how often), the most frequent first."""
    wrong = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = (np.unravel_index(int(k), wrong.shape) for k in order)
    return [(int(i), int(j), int(wrong[i, j])) for i, j in pairs if wrong[i, j]]
