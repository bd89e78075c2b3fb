"""Sequences that ask a network to remember: four tasks, each with a dial for how long.

All are generated, so there is no end of them: a batch is drawn from a generator, and the held-out set is drawn from one
of its own. Sequences of different lengths are padded behind their end, and ``Batch.lengths`` says where that is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlcore.texts import N_

SYMBOLS = 4  # A, B, C, D
COPIED = 4  # symbols that are to be repeated, in order
DEEPEST = 9  # open brackets at most
TOLERANCE = 0.1  # a sum that is off by no more counts as right
HELD_OUT, HELD_OUT_SEED = 1000, 90_210  # sequences to be tested on, the same in every run of a task and length


@dataclass(frozen=True)
class Batch:
    """Sequences and what is asked of them.

    Attributes:
        X: (N, T, inputs) float32, zeros behind a sequence's end.
        lengths: (N,) int64, steps of each.
        y: answers: (N,) int64 classes; (N, COPIED) int64 where several are asked; (N,) float32 for a number.
    """

    X: np.ndarray
    lengths: np.ndarray
    y: np.ndarray

    @property
    def equal(self) -> bool:
        """Whether all are of one length, so that nothing needs to be packed."""
        return bool((self.lengths == self.X.shape[1]).all())


@dataclass(frozen=True)
class MemoryTask:
    """One kind of task.

    Attributes:
        draw: length, count, generator, whether all have the full length → a batch.
        inputs: numbers that are shown at each step.
        classes: possible answers; 0 where the answer is a number.
        answers: how many are asked for, at the last steps.
        letters: what the inputs are called, for the eye.
        question: what is asked, in words.
    """

    draw: Callable[[int, int, np.random.Generator, bool], Batch]
    inputs: int
    classes: int
    answers: int
    letters: tuple[str, ...]
    question: str


def first_symbol(length: int, count: int, rng: np.random.Generator, full: bool = False) -> Batch:
    """Letters; which was the first? All the others, of the same alphabet, are to be passed over."""
    symbols = rng.integers(SYMBOLS, size=(count, length))
    return Batch(one_hot(symbols, SYMBOLS), np.full(count, length), symbols[:, 0])


def copy(length: int, count: int, rng: np.random.Generator, full: bool = False) -> Batch:
    """Letters, then blanks, then a sign: repeat them in order. Each is wanted ``length`` steps after it was shown.

    Hochreiter and Schmidhuber (1997); in this form Arjovsky et al. (2016). The wait is no shorter than the letters.
    """
    wait = max(length, COPIED)
    blank, sign = SYMBOLS, SYMBOLS + 1
    symbols = np.full((count, wait + COPIED), blank)
    symbols[:, :COPIED] = rng.integers(SYMBOLS, size=(count, COPIED))
    symbols[:, wait] = sign
    return Batch(one_hot(symbols, SYMBOLS + 2), np.full(count, wait + COPIED), symbols[:, :COPIED].copy())


def adding(length: int, count: int, rng: np.random.Generator, full: bool = False) -> Batch:
    """Numbers between 0 and 1, two of them marked, one in either half: what is their sum?

    The adding problem of Hochreiter and Schmidhuber (1997). Who always answers 1 has a mean squared error of 1/6.
    """
    X = np.zeros((count, length, 2), np.float32)
    X[:, :, 0] = rng.random((count, length), np.float32)
    half, rows = length // 2, np.arange(count)
    first, second = rng.integers(half, size=count), rng.integers(half, length, size=count)
    X[rows, first, 1] = X[rows, second, 1] = 1
    return Batch(X, np.full(count, length), X[rows, first, 0] + X[rows, second, 0])


def parentheses(length: int, count: int, rng: np.random.Generator, full: bool = False) -> Batch:
    """Brackets that open and close: how many are open at the end? Sequences have from half the length to all of it.

    A walk on 0 … DEEPEST: up or down at even odds, where both are possible. Counting is what an LSTM's cell state can
    do, adding 1 and taking 1 away (Gers and Schmidhuber 2001; Weiss et al. 2018).
    """
    lengths = np.full(count, length) if full else rng.integers((length + 1) // 2, length + 1, size=count)
    coins = rng.random((count, length)) < 0.5
    depth, opens = np.zeros(count, np.int64), np.zeros((count, length), bool)
    answer = np.zeros(count, np.int64)
    for t in range(length):
        opens[:, t] = (coins[:, t] | (depth == 0)) & (depth < DEEPEST)
        depth += np.where(opens[:, t], 1, -1)
        answer[lengths == t + 1] = depth[lengths == t + 1]
    X = one_hot((~opens).astype(np.int64), 2)
    X[np.arange(length) >= lengths[:, None]] = 0
    return Batch(X, lengths, answer)


def one_hot(symbols: np.ndarray, size: int) -> np.ndarray:
    """``(N, T)`` integers as ``(N, T, size)`` float32 rows with a single 1."""
    return np.eye(size, dtype=np.float32)[symbols]


LETTERS = tuple("ABCD")
TASKS: dict[str, MemoryTask] = {
    "first_symbol": MemoryTask(
        first_symbol, SYMBOLS, SYMBOLS, 1, LETTERS, N_("Which letter came first?")),
    "copy": MemoryTask(
        copy, SYMBOLS + 2, SYMBOLS, COPIED, (*LETTERS, "·", "?"), N_("Repeat the letters, in order.")),
    "adding": MemoryTask(
        adding, 2, 0, 1, (), N_("What do the two marked numbers add up to?")),
    "parentheses": MemoryTask(
        parentheses, 2, DEEPEST + 1, 1, ("(", ")"), N_("How many brackets are still open?")),
}  # fmt: skip


@lru_cache(maxsize=64)
def held_out(task: str, length: int) -> Batch:
    """The sequences that a network is tested on; no training batch is drawn from this generator."""
    rng = np.random.default_rng((HELD_OUT_SEED, length))
    return TASKS[task].draw(length, HELD_OUT, rng, False)


@lru_cache(maxsize=64)
def chance(task: str, length: int) -> float:
    """What the best answer that looks at nothing scores on the held-out sequences (always the same one)."""
    y = held_out(task, length).y
    if TASKS[task].classes:
        return 1 / SYMBOLS if task in ("first_symbol", "copy") else float(np.bincount(y).max() / len(y))
    return float((np.abs(y - 1) <= TOLERANCE).mean())
