"""What the depth lesson says with numbers: who learned, what arrives at the first block, and what the formulas show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.graph_math import number
from dlcore.texts import N_

NETWORKS = ("plain", "residual")
LEARNED, LOST = 0.10, 0.60  # training error up to which a network has learned, and from which on it has not
GUESSING = 0.9  # error of a guess among ten classes
WORDS = {
    "plain_lost": N_(
        "Depth {depth}: the residual network gets {residual} of its training images wrong, the plain one {plain}. That "
        "is no overfitting: these are the very images that it was shown."
    ),
    "plain_behind": N_(
        "Depth {depth}: on the training images the plain network is wrong in {plain} of all cases, the residual one in "
        "{residual}. The same layers, first weights and batches; only the links differ."
    ),
    "both": N_(
        "Depth {depth}: both have learned ({plain} and {residual} of the training images wrong). A link changes little "
        "here. Go deeper."
    ),
    "neither": N_(
        "Depth {depth}: neither has learned ({plain} and {residual} of the training images wrong). Links alone are not "
        "enough here."
    ),
    "residual_lost": N_(
        "Depth {depth}: this time the plain network is ahead ({plain} of the training images wrong), the residual one "
        "is not ({residual})."
    ),
}
FRESH = {
    "vanishes": N_(
        "Before any training: of the gradient at the last block {plain} arrives at the first one of the plain network, "
        "{residual} in the residual one."
    ),
    "grows": N_(
        "Before any training: the first block’s gradient is {plain} times the last one’s in the plain network, and "
        "{residual} times in the residual one. Above 1 it grows on its way back."
    ),
}
BOUND = 10.0  # a gradient that grows by more than this on its way back counts as growing


@dataclass(frozen=True)
class Told:
    """A sentence, marked with ``N_``, with its kind and the numbers for its braces."""

    kind: str
    sentence: str
    values: Mapping[str, str]


def ratio(row: np.ndarray) -> float:
    """The gradient at the first block over that at the last; NaN where none arrives at the last."""
    return float(row[0] / row[-1]) if len(row) and row[-1] else float("nan")


def per_block(row: np.ndarray) -> float:
    """By which factor the gradient changes at each block on its way back, in the (geometric) mean."""
    found = ratio(row)
    return float(found ** (1 / (len(row) - 1))) if len(row) > 1 and found > 0 else float("nan")


def fresh(gradients: Mapping[str, np.ndarray]) -> Told | None:
    """What to see before training, of both networks' gradients (L,); None where one is missing."""
    if not all(name in gradients for name in NETWORKS):
        return None
    found = {name: ratio(gradients[name]) for name in NETWORKS}
    kind = "grows" if max(found.values()) > BOUND else "vanishes"
    return Told(kind, FRESH[kind], {name: number(value, 2) for name, value in found.items()})


def verdict(error: Mapping[str, float], depth: int) -> Told | None:
    """How a run ended, of the training errors of both (0 to 1); None where one is missing."""
    if not all(np.isfinite(error.get(name, np.nan)) for name in NETWORKS):
        return None
    kind = _kind(error["plain"], error["residual"])
    return Told(kind, WORDS[kind], {"depth": str(depth), **{name: share(error[name]) for name in NETWORKS}})


def _kind(plain: float, residual: float) -> str:
    if max(plain, residual) <= LEARNED:
        return "both"
    if min(plain, residual) >= LOST:
        return "neither"
    if plain < residual:
        return "residual_lost"
    return "plain_lost" if plain >= LOST and residual <= LEARNED else "plain_behind"


def share(value: float) -> str:
    """An error as it is said: whole percents, and tenths of one below 10."""
    return f"{value:.0%}" if value >= 0.0995 else f"{value:.1%}"


def numbers(gradients: Mapping[str, np.ndarray], blocks: int) -> dict[str, str]:
    """What stands in the formulas; "…" until it is known."""
    told = {"blocks": str(blocks)}
    for name in NETWORKS:
        row = gradients.get(name)
        told[f"ratio_{name}"] = number(ratio(row), 2) if row is not None else "…"
        told[f"factor_{name}"] = number(per_block(row), 2) if row is not None else "…"
    return told


def errors(metrics: Mapping[str, Any], part: str = "train") -> dict[str, float]:
    """By network, the error of a finished run on its training (or ``test``) images, where it was measured."""
    found = {name: metrics.get(f"{part}_accuracy/{name}") for name in NETWORKS}
    return {name: 1 - float(value) for name, value in found.items() if value is not None}
