"""Four more kinds of drawn shapes, for who has learned the eight of ``dlcore.data.shapes``. Imports NumPy only."""

from __future__ import annotations

import numpy as np

from dlcore.data.shapes import Drawn, draw
from dlcore.texts import N_

KINDS = (N_("arrow"), N_("corner"), N_("half disc"), N_("hourglass"))
LEARNED, ASKED = 3, 4  # seeds of the pictures to learn from and of those for the test


def arrow(d: Drawn) -> np.ndarray:
    """A shaft and a head that points along x."""
    shaft = np.maximum(np.abs(d.x + 0.3 * d.size) - 0.6 * d.size, np.abs(d.y) - 1 - 0.5 * d.form)
    head = np.maximum(-d.x, 0.62 * (d.x - d.size) + 0.78 * np.abs(d.y))
    return np.minimum(shaft, head)


def corner(d: Drawn) -> np.ndarray:
    """Two strokes of the same length that meet at their ends, at a right angle."""
    half = 1 + 0.6 * d.form
    x, y, reach = d.x + 0.6 * d.size, d.y + 0.6 * d.size, 1.3 * d.size
    flat = np.maximum(np.abs(y) - half, np.maximum(-half - x, x - reach))
    return np.minimum(flat, np.maximum(np.abs(x) - half, np.maximum(-half - y, y - reach)))


def half_disc(d: Drawn) -> np.ndarray:
    """A disc of which one half is left."""
    x = d.x + 0.4 * d.size
    return np.maximum(np.hypot(x, d.y) - d.size, -x)


def hourglass(d: Drawn) -> np.ndarray:
    """Two triangles that meet at their tips."""
    slope = 0.65 + 0.2 * d.form
    sides = (np.abs(d.y) - slope * np.abs(d.x)) / np.hypot(1, slope)
    return np.maximum(np.abs(d.x) - 0.75 * d.size, sides)


DRAW = (arrow, corner, half_disc, hourglass)


def few(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` pictures of each kind, ``(4 * count, 1, 28, 28)`` uint8 and ``(4 * count,)`` int64, in turn.

    Args:
        seed: other pictures; the first ones of more are not those of fewer.
    """
    return draw(4 * count, seed=1000 * LEARNED + seed, drawing=DRAW)


def asked(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures for the test, always the same: ``few`` never draws them."""
    return draw(4 * count, seed=ASKED, drawing=DRAW)
