"""Drawn shapes: small grey pictures of eight kinds, computed here, so that they are always there. Imports NumPy only.

Each picture differs in place, size, turn, proportions, brightness and noise. A shape is a signed distance (negative
inside), as Inigo Quilez writes them (iquilezles.org/articles/distfunctions2d); a pixel's ink is how much of it lies
inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlcore.texts import N_

SIDE = 28
COUNT, TEST_COUNT = 1600, 400  # pictures in all, and of these for the test
SIZES = (4.5, 7.5)  # pixels from the middle of a shape to its farthest point
PLACES = ("anywhere", "centred")
NOISE = 24.0  # standard deviation of what is added to every pixel, of 255
KINDS = (
    N_("disc"), N_("ring"), N_("square"), N_("triangle"), N_("cross"), N_("star"), N_("bar"), N_("crescent"),
)  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """What distinguishes pictures of one kind; each field is ``(N, 1, 1)``, lengths in pixels."""

    x: np.ndarray  # where a pixel lies from the shape's middle, in the shape's own turned axes: (N, 28, 28)
    y: np.ndarray
    size: np.ndarray
    form: np.ndarray  # 0 to 1: thickness, or how deep it is cut


def disc(d: Drawn) -> np.ndarray:
    """A full circle, ``(N, 28, 28)`` distances like the others."""
    return np.hypot(d.x, d.y) - d.size


def ring(d: Drawn) -> np.ndarray:
    """A circle's line, 1.2 to 2.2 pixels thick."""
    half = 0.6 + 0.5 * d.form
    return np.abs(np.hypot(d.x, d.y) - d.size + half) - half


def square(d: Drawn) -> np.ndarray:
    """All four sides alike."""
    return np.maximum(np.abs(d.x), np.abs(d.y)) - 0.78 * d.size


def triangle(d: Drawn) -> np.ndarray:
    """Three equal sides: the farthest of three half-planes."""
    edges = [np.cos(a) * d.x + np.sin(a) * d.y for a in (0.0, 2 * np.pi / 3, -2 * np.pi / 3)]
    return np.maximum.reduce(edges) - d.size / 2


def bar(d: Drawn) -> np.ndarray:
    """A stroke, 2 to 3.6 pixels thick."""
    return np.maximum(np.abs(d.x) - d.size, np.abs(d.y) - 1 - 0.8 * d.form)


def cross(d: Drawn) -> np.ndarray:
    """Two strokes over one another."""
    half = 0.8 + 0.6 * d.form
    x, y = np.abs(d.x), np.abs(d.y)
    return np.minimum(np.maximum(x - d.size, y - half), np.maximum(y - d.size, x - half))


def star(d: Drawn) -> np.ndarray:
    """Five points; the notches between them lie at 0.35 to 0.5 of the size."""
    half = np.pi / 5
    radius, angle = np.hypot(d.x, d.y), np.abs(np.mod(np.arctan2(d.y, d.x), 2 * half) - half)  # folded: 0 to 36 degrees
    notch = d.size * (0.35 + 0.15 * d.form)
    across, along = notch * np.sin(half), d.size - notch * np.cos(half)  # from the notch (angle 0) to the point
    x, y = radius * np.cos(half - angle), radius * np.sin(half - angle)
    return ((x - d.size) * across + y * along) / np.hypot(across, along)


def crescent(d: Drawn) -> np.ndarray:
    """A disc from which another, put to one side, is cut."""
    bite = np.hypot(d.x - d.size * (0.45 + 0.15 * d.form), d.y)
    return np.maximum(np.hypot(d.x, d.y) - d.size, 0.85 * d.size - bite)


DRAW: tuple[Callable[[Drawn], np.ndarray], ...] = (disc, ring, square, triangle, cross, star, bar, crescent)


def draw(
    count: int, *, place: str = "anywhere", seed: int = 0, drawing: Sequence[Callable[[Drawn], np.ndarray]] = DRAW
) -> tuple[np.ndarray, np.ndarray]:
    """``count`` pictures, ``(count, 1, 28, 28)`` uint8, bright on black, and their kinds ``(count,)`` int64, in turn.

    Args:
        place: one of ``PLACES``: wherever the shape is whole in the frame, or in its middle. All else that chance
            decides is the same for both.
        seed: other pictures of the same kinds.
        drawing: the kinds, a signed distance each.
    """
    if place not in PLACES:
        raise ValueError(f"{place!r} is no place; there are {PLACES}")
    rng = np.random.default_rng((seed, count))
    y = np.arange(count) % len(drawing)
    size, turn, form, ink, down, right = rng.random((6, count, 1, 1))
    size = SIZES[0] + (SIZES[1] - SIZES[0]) * size
    room = (SIDE - 1) / 2 - size  # how far the middle may move
    row, column = np.arange(SIDE)[:, None] - (SIDE - 1) / 2, np.arange(SIDE) - (SIDE - 1) / 2
    if place == "anywhere":
        row, column = row - room * (2 * down - 1), column - room * (2 * right - 1)
    turn = 2 * np.pi * turn
    drawn = (column * np.cos(turn) + row * np.sin(turn), row * np.cos(turn) - column * np.sin(turn), size, form)
    X = np.empty((count, SIDE, SIDE))
    for label, distance in enumerate(drawing):
        which = y == label
        X[which] = distance(Drawn(*(a[which] for a in drawn)))
    X = np.clip(0.5 - X, 0, 1) * (140 + 115 * ink) + NOISE * rng.standard_normal(X.shape)
    return np.clip(np.round(X), 0, 255).astype(np.uint8)[:, None], y.astype(np.int64)


@lru_cache(maxsize=4)
def shapes(
    *, centred: bool = False, centred_test: bool | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """1,200 pictures to learn from and 400 for the test, always the same: X_train, y_train, X_test, y_test.

    Args:
        centred: every shape to learn from stands in the middle.
        centred_test: the same of the test's; None: as ``centred`` says. With ``shapes(centred=True,
            centred_test=False)`` a network learns in the middle and is asked elsewhere.
    """
    places = [PLACES[bool(c)] for c in (centred, centred if centred_test is None else centred_test)]
    X_train, y_train = draw(COUNT - TEST_COUNT, place=places[0])
    X_test, y_test = draw(TEST_COUNT, place=places[1])
    for array in (X_train, y_train, X_test, y_test):
        array.setflags(write=False)  # shared by all who ask
    return X_train, y_train, X_test, y_test
