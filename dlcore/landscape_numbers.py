"""What a measured landscape says in numbers: how wide, how bent, how far from the truth. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PATH, RANDOM, ALONG = "path", "random", "along"  # the snapshots of ``dlcore.survey``
PLANES = (RANDOM, ALONG)
SEEN, HELD = 0, 1  # images that were learned, held-out ones
FLOOR = 1e-4  # losses below it are drawn as if they were this


@dataclass(frozen=True)
class Slice:
    """A plane through one network.

    Attributes:
        x, y: (nx,), (ny,) places along the two directions, the trained network at 0.
        loss: (ny, nx), NaN where it has not been measured.
    """

    x: np.ndarray
    y: np.ndarray
    loss: np.ndarray

    @property
    def complete(self) -> bool:
        """Whether every place has been measured."""
        return bool(np.isfinite(self.loss).all())

    @property
    def middle(self) -> tuple[int, int]:
        """Row and column of the place nearest to the trained network."""
        return int(np.abs(self.y).argmin()), int(np.abs(self.x).argmin())

    def share_below(self, level: float) -> float:
        """The share of the plane's places with a loss below ``level``, 0 to 1."""
        return float((self.loss < level).mean())

    def reach(self, level: float) -> float:
        """How far one can go, on the average over the directions in the plane, before the loss is above ``level``.

        The radius of the disc around the middle whose area is that of the places which a straight way from the middle
        reaches below it; in the units of the axes, at most the radius of the disc with the whole plane's area.
        """
        angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
        ways = np.linspace(0, 1, 200)[:, None] * min(self.x[-1], self.y[-1])  # (200, 1)
        found = self.at(ways * np.cos(angles), ways * np.sin(angles)) < level  # (200, 180)
        lengths = np.where(found.all(0), len(ways), (~found).argmax(0)) / len(ways) * ways[-1]
        return float(np.sqrt((lengths**2).mean()))

    def at(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The loss between the measured places, bilinear; at the border beyond it."""
        i, j = (
            np.clip((where - axis[0]) / (axis[1] - axis[0]), 0, len(axis) - 1.000001)
            for where, axis in ((y, self.y), (x, self.x))
        )
        r, c = i.astype(int), j.astype(int)
        s, t = i - r, j - c
        Z = self.loss
        upper = Z[r, c] * (1 - t) + Z[r, c + 1] * t
        return upper * (1 - s) + (Z[r + 1, c] * (1 - t) + Z[r + 1, c + 1] * t) * s

    def bent_down(self) -> float:
        """The share of inner places at which the plane bends down in some direction: no bowl has such a place.

        By the eigenvalues of the second differences; a bend of less than a thousandth of the largest one at that place
        counts as none, nor does one of a hundred-thousandth of the loss, which float32 cannot tell from flat ground.
        """
        Z = self.loss
        xx = Z[1:-1, 2:] - 2 * Z[1:-1, 1:-1] + Z[1:-1, :-2]
        yy = Z[2:, 1:-1] - 2 * Z[1:-1, 1:-1] + Z[:-2, 1:-1]
        xy = (Z[2:, 2:] - Z[2:, :-2] - Z[:-2, 2:] + Z[:-2, :-2]) / 4
        mean, half = (xx + yy) / 2, np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
        least, most = mean - half, np.abs(mean) + half
        return float((least < -1e-3 * np.maximum(most, 1e-2 * np.abs(Z[1:-1, 1:-1]))).mean())


@dataclass(frozen=True)
class Landscape:
    """All that a survey has measured so far: the arrays of its Snapshots, by name of the snapshot."""

    arrays: Mapping[str, Mapping[str, np.ndarray]]

    @cached_property
    def networks(self) -> list[str]:
        """The networks that were measured, the plain one first."""
        names = {key.partition("/")[2] for key in self.arrays.get(PATH, ()) if "/" in key}
        return sorted(names)  # "plain" before "residual"

    def slice(self, plane: str, network: str, images: int = SEEN) -> Slice | None:
        """A plane through a network; None before its first place."""
        found = self.arrays.get(plane, {})
        if f"loss/{network}" not in found:
            return None
        x, y = (np.asarray(found[f"{axis}/{network}"], float) for axis in "xy")
        return Slice(x, y, np.asarray(found[f"loss/{network}"][..., images], float))

    def path(self, name: str, network: str) -> np.ndarray:
        """One of the path's arrays, by its name in the snapshot without the network's."""
        return np.asarray(self.arrays[PATH][f"{name}/{network}"], float)

    def gap(self, network: str, images: int = SEEN) -> tuple[int, float, float]:
        """Where on its path the plane deceives most: which point, the loss of its weights, that of their shadow.

        Most by the ratio of the two, whichever is larger. Points that are not measured yet are left out.
        """
        true, shadow = (self.path(name, network)[:, images] for name in ("true", "projected"))
        with np.errstate(all="ignore"):
            ratio = np.abs(np.log(np.maximum(true, FLOOR)) - np.log(np.maximum(shadow, FLOOR)))
        if not np.isfinite(ratio).any():
            return 0, float("nan"), float("nan")
        i = int(np.nanargmax(ratio))
        return i, float(true[i]), float(shadow[i])

    def metrics(self, classes: int) -> dict[str, float]:
        """Numbers by network, ``<name>/<network>``, of the learned images.

        better_than_guessing: share of the random plane with a loss below ln K; reach: how far that goes; bent_down: see
        ``Slice``; explained: the share of the path's variance in its own plane.
        """
        found: dict[str, float] = {}
        for name in self.networks:
            plane = self.slice(RANDOM, name)
            if plane is None or not plane.complete:
                continue
            found |= {
                f"better_than_guessing/{name}": plane.share_below(math.log(classes)),
                f"reach/{name}": plane.reach(math.log(classes)),
                f"bent_down/{name}": plane.bent_down(),
                f"explained/{name}": float(self.path("explained", name).sum()),
            }
        return found
