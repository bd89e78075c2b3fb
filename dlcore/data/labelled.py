"""Small sets for classification, features and labels, for workers: generated ones, and some of scikit-learn's."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import numpy as np

from dlcore.texts import N_

NAMES = ("moons", "rare", "breast_cancer", "digits")
SHIFT = np.array([1.5, 1.2])  # between the means of the two classes of "rare", in standard deviations
BREAST = ("mean texture", "mean smoothness")  # two of 30 measurements: with all of them hardly a case is in doubt
CLASSES = {
    "moons": (N_("lower moon"), N_("upper moon")),
    "rare": (N_("healthy"), N_("ill")),
    "breast_cancer": (N_("benign"), N_("malignant")),
    "digits": tuple("0123456789"),
}


def load(name: str, size: int, seed: int = 0, prevalence: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """``size`` samples (or all there are) as ``X (N, d)`` float64 and ``y (N,)`` int64; same seed, same samples.

    Args:
        name: one of ``NAMES``.
        prevalence: the share of positives in "rare"; the other sets are as they are.
    """
    rng = np.random.default_rng(seed)
    if name == "moons":
        return moons(size, rng)
    if name == "rare":
        return rare(size, prevalence, rng)
    X, y = breast_cancer() if name == "breast_cancer" else _digits()
    chosen = rng.permutation(len(y))[:size]
    return X[chosen], y[chosen]


def moons(size: int, rng: np.random.Generator, noise: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles that reach into each other, with normal noise: nobody can be right everywhere."""
    y = np.arange(size) % 2
    angle = rng.uniform(0, np.pi, size)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    X = np.where(y[:, None] == 1, upper, lower) + rng.normal(0, noise, (size, 2))
    return X, y


def rare(size: int, prevalence: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two normal clouds, ``SHIFT`` apart, of which the second (the positives) has the share ``prevalence``.

    The best possible AUC is Φ(|SHIFT| / √2) = 0.913. The number of positives is exact (at least 2, at most N − 2).
    """
    many = int(np.clip(round(prevalence * size), 2, size - 2))
    y = rng.permutation(np.arange(size) < many).astype(np.int64)
    return rng.normal(size=(size, 2)) + y[:, None] * SHIFT, y


@lru_cache(maxsize=1)
def breast_cancer() -> tuple[np.ndarray, np.ndarray]:
    """569 tumours (Wolberg, Street, Mangasarian 1995), two measurements ``(569, 2)``; 1 is malignant (212 of them)."""
    from sklearn.datasets import load_breast_cancer

    data = cast(Any, load_breast_cancer())
    columns = [list(data.feature_names).index(name) for name in BREAST]
    return data.data[:, columns], 1 - data.target.astype(np.int64)


@lru_cache(maxsize=1)
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 scanned digits as 64 pixels, 0 to 1."""
    from sklearn.datasets import load_digits

    pixels, target = cast("tuple[np.ndarray, np.ndarray]", load_digits(return_X_y=True))
    return pixels / 16.0, target.astype(np.int64)
