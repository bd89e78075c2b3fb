"""What is told of a trained network without some of its blocks: numbers and sentences made of them. NumPy only.

``answers`` are classes ``(N,)`` that a network named, ``labels`` the true ones; blocks are numbered from 0 here, and
from 1 where a person reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dlcore.texts import N_

RESIDUAL, PLAIN = "residual", "plain"
BARELY, COLLAPSED = 0.02, 0.3  # of the right answers lost
Words = tuple[str, dict[str, Any]]  # a sentence marked with N_, and what stands in its braces


def read_removed(text: str, count: int) -> list[int]:
    """Numbers of blocks, from 0 and in order, from an address (``"2,5"``); what names none of ``count`` is left out."""
    named = {int(part) - 1 for part in text.split(",") if part.strip().isdecimal()}
    return sorted(k for k in named if 0 <= k < count)


def write_removed(removed: Iterable[int]) -> str:
    """The text that ``read_removed`` reads."""
    return ",".join(str(k + 1) for k in sorted(removed))


def accuracies(said: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Share of right answers by row of ``said`` ``(rows, N)``; NaN where a row has no answers (-1)."""
    return np.where((said < 0).all(-1), np.nan, (said == labels).mean(-1))


def gathered(pieces: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Answers to several stretches of test images, one after the other, as one: ``labels`` and each network's."""
    return {name: np.concatenate([piece[name] for piece in pieces], axis=-1) for name in pieces[0]}


def changed(before: np.ndarray, after: np.ndarray, most: int) -> np.ndarray:
    """Numbers of the first images whose answer is another one now."""
    return np.flatnonzero(before != after)[:most]


def by_class(answers: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Share of right answers in each class ``(classes,)``; NaN for one without images."""
    total = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[answers == labels], minlength=classes)
    return np.divide(right, total, out=np.full(classes, np.nan), where=total > 0)


def verdict(whole: float, each: np.ndarray, twin_whole: float | None, twin: np.ndarray | None) -> list[Words]:
    """What the bars say, of a network with links and of its plain twin; shares, ``each`` (n,) by block."""
    loss = whole - each
    worst = int(np.nanargmax(loss))
    numbers = {"mean": f"{np.nanmean(each):.1%}", "whole": f"{whole:.1%}", "worst": worst + 1}
    numbers |= {"left": f"{each[worst]:.1%}", "n": int(np.isfinite(each).sum())}
    sentence = N_(
        "Without any one of its {n} blocks {mean} are right on average, of {whole} with all of them; most is lost with "
        "block {worst}: {left} are left."
    )
    words: list[Words] = [(sentence, numbers)]
    if twin is None or twin_whole is None or not np.isfinite(twin).any():
        return words
    said = {"mean": f"{np.nanmean(twin):.1%}", "whole": f"{twin_whole:.1%}"}
    if twin_whole < 0.5 * whole:
        words.append((N_("The twin without links has not learned enough ({whole}) to lose anything."), said))
    else:
        words.append((N_("The twin without links falls from {whole} to {mean}: its only path is cut."), said))
    return words


def told(share: float, whole: float, out: int) -> Words:
    """The live answer: what is right with ``out`` blocks out."""
    numbers = {
        "share": f"{share:.1%}",
        "whole": f"{whole:.1%}",
        "out": out,
        "points": f"{abs(100 * (share - whole)):.1f}",
    }
    if not out:
        return N_("All blocks are in: {whole} right."), numbers
    if share >= whole:
        return N_("{share} right without them; with all blocks in it is {whole}. Nothing is lost."), numbers
    if whole - share <= BARELY:
        return N_("{share} right without them, {points} points less than with all blocks in ({whole})."), numbers
    if share <= COLLAPSED:
        return N_("{share} right without them: of {whole} not much is left."), numbers
    return N_("{share} right without them: {points} points are lost of {whole}."), numbers


def paths(blocks: int, out: int) -> Words:
    """How many ways through the network there are, and how many are left."""
    numbers = {"all": f"{2.0**blocks:,.0f}", "left": f"{2.0 ** (blocks - out):,.0f}", "mean": f"{(blocks - out) / 2:g}"}
    if not out:
        words = N_(
            "Each block can be passed through its layers or past them: {all} paths, {mean} blocks long on average."
        )
        return words, numbers
    return N_("Of {all} paths through the network {left} are left; they are {mean} blocks long on average."), numbers
