"""Short texts with a class each, split into those to learn from and those held out; repeats are handled, and counted.

A text that is on both sides of a split asks for memory, not for understanding. So a repeat of the same text with the
same class is dropped, and all that is left of one spelling (a name of two countries) goes to one side together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HELD_OUT = 0.1  # of the distinct texts


@dataclass(frozen=True)
class Texts:
    """Texts (N,) and their classes ``y (N,)`` int64, in both halves.

    Attributes:
        classes: their names, marked for translation.
        hash: fingerprint of all of it; the split belongs to the data.
        repeats: how many lines said again what another had said, and were left out.
        shared: how many spellings have more than one class; of these at most one can be answered right.
    """

    train: tuple[str, ...]
    y_train: np.ndarray
    test: tuple[str, ...]
    y_test: np.ndarray
    classes: tuple[str, ...]
    hash: str
    repeats: int
    shared: int


def split(texts: Sequence[str], labels: Sequence[int], classes: Sequence[str], *, share: float = HELD_OUT) -> Texts:
    """Drop repeats, hold ``share`` of the spellings of every class out (at least one), and count what was dropped.

    The same draw each time: it depends on the texts alone. A spelling is counted for the first class that it has.
    """
    homes: dict[str, list[int]] = {}  # spelling, capitals aside → its classes, in the order of the texts
    kept: dict[tuple[str, int], str] = {}
    for text, label in zip(texts, labels, strict=True):
        key = text.casefold()
        if (key, label) not in kept:
            kept[key, label] = text
            homes.setdefault(key, []).append(label)
    firsts, rng, away = np.array([found[0] for found in homes.values()]), np.random.default_rng(0), set()
    keys = list(homes)
    for label in range(len(classes)):
        own = np.flatnonzero(firsts == label)
        count = max(1, round(share * len(own))) if len(own) > 1 else 0
        away |= {keys[k] for k in rng.permutation(own)[:count]}
    sides: tuple[list, list] = ([], [])
    for (key, label), text in kept.items():
        sides[key in away].append((text, label))
    (train, y_train), (test, y_test) = (zip(*side, strict=True) if side else ((), ()) for side in sides)
    told = "\n".join([*classes, *(f"{label}\t{text}" for side in sides for text, label in side)])
    return Texts(
        train, np.array(y_train, np.int64), test, np.array(y_test, np.int64), tuple(classes),
        hashlib.sha256(told.encode()).hexdigest()[:16],
        repeats=len(texts) - len(kept), shared=sum(len(found) > 1 for found in homes.values()),
    )  # fmt: skip
