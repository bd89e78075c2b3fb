"""Examples from which a filter can be learned back: pictures, and what the hidden filter made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dlcore.convolution import Geometry, correlate, taps
from dlcore.filters import preset
from dlcore.texts import N_

SIDE = 12  # pixels of a picture
KINDS = {
    "shapes": N_("Shapes"), "noise": N_("Random pixels"), "blurred": N_("Blurred pixels"),
    "stripes": N_("Upright stripes"), "flat": N_("Even grey"),
}  # fmt: skip
NOTHING = 1e-10  # of the largest curvature: a direction flatter than this is not determined by the examples


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures with the hidden filter's answers, and what they say about its weights.

    Attributes:
        X: pictures (N, 1, 12, 12), 0 to 1.
        Z: the answers that are to be met, (N, H, W), noise included.
        W: the hidden filter, (1, k, k).
        eigenvalues: of the loss's Hessian by the k² weights, ascending, (k²,).
    """

    X: np.ndarray
    Z: np.ndarray
    W: np.ndarray
    geometry: Geometry
    eigenvalues: np.ndarray

    @property
    def limit(self) -> float:
        """Gradient descent converges below this rate: 2 / λmax."""
        return float(2 / self.eigenvalues[-1])

    @property
    def undetermined(self) -> int:
        """In how many directions the filter may be changed without any answer on these pictures changing."""
        return int((self.eigenvalues < NOTHING * self.eigenvalues[-1]).sum())

    @property
    def condition_number(self) -> float:
        """λmax over the smallest curvature that is not nothing."""
        return float(self.eigenvalues[-1] / self.eigenvalues[self.undetermined])


def pictures(kind: str, count: int, seed: int) -> np.ndarray:
    """``(count, 1, 12, 12)`` pictures with values 0 to 1; a longer list begins with the shorter one."""
    made = [_picture(kind, np.random.default_rng((seed, n))) for n in range(count)]
    return np.stack(made)[:, None]


def _picture(kind: str, rng: np.random.Generator) -> np.ndarray:
    if kind == "flat":
        return np.full((SIDE, SIDE), rng.uniform(0.3, 1))
    if kind == "stripes":
        return np.tile(rng.uniform(0, 1, SIDE), (SIDE, 1))
    if kind == "noise":
        return rng.uniform(0, 1, (SIDE, SIDE))
    if kind == "blurred":
        wide = rng.uniform(0, 1, (1, SIDE + 6, SIDE + 6))
        soft = correlate(wide, preset("gaussian", 7)[None], 0.0, Geometry(7))
        return np.clip(0.5 + 4 * (soft - 0.5), 0, 1)  # as much contrast as before
    picture, (y, x) = np.zeros((SIDE, SIDE)), np.mgrid[:SIDE, :SIDE]
    for _shape in range(3):
        (top, left), (tall, wide) = rng.uniform(0, 9, 2), rng.uniform(2, 6, 2)
        inside = (y >= top) & (y < top + tall) & (x >= left) & (x < left + wide)
        round_one = np.hypot(y - top - 2, x - left - 2) < tall / 1.6
        picture[round_one if rng.random() < 0.5 else inside] = rng.uniform(0.3, 1)
    return picture


@lru_cache(maxsize=64)
def examples(kind: str, count: int, noise: float, seed: int, target: tuple[tuple[float, ...], ...]) -> Examples:
    """The examples that a hidden filter ``target`` (k rows of k weights) makes; ``noise`` is added to its answers."""
    W = np.array(target)[None]  # (1, k, k)
    geometry = Geometry(W.shape[-1])
    X = pictures(kind, count, seed)
    Z = correlate(X, W, 0.0, geometry)
    Z = Z + noise * np.random.default_rng((seed, 10_000)).normal(size=Z.shape)
    seen = np.stack([x.ravel() for _i, _j, x in taps(X, geometry)], axis=1)  # (M, k²): the window at every place
    return Examples(X, Z, W, geometry, np.linalg.eigvalsh(2 / len(seen) * (seen.T @ seen)))
