"""How much would the number differ with other test samples? The bootstrap (Efron 1979), for a worker. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
AT_ONCE = 4_000_000  # drawn indices held in memory


def bootstrap_means(values: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """The mean of ``values`` ``(N,)`` in each of so many samples of N drawn from them with replacement."""
    rng, n = np.random.default_rng(seed), len(values)
    means, done = np.empty(resamples), 0
    while done < resamples:
        now = min(resamples - done, max(1, AT_ONCE // n))
        means[done : done + now] = values[rng.integers(0, n, (now, n))].mean(1)
        done += now
    return means


def bootstrap_auc(positive: np.ndarray, scores: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """The area under the ROC curve in each resample, ``(resamples,)``; NaN where one class was not drawn at all.

    A resample is how often each sample was drawn. With the samples in order of their scores, the area is the share of
    pairs in which the positive stands higher, ties counted half (Mann and Whitney 1947).
    """
    rng, n = np.random.default_rng(seed), len(scores)
    groups, place = np.unique(scores, return_inverse=True)
    areas = np.empty(resamples)
    for k in range(resamples):
        drawn = np.bincount(rng.integers(0, n, n), minlength=n)
        ups = np.bincount(place, drawn * positive, len(groups))
        downs = np.bincount(place, drawn * ~positive, len(groups))
        pairs = ups.sum() * downs.sum()
        below = np.cumsum(downs) - downs / 2
        areas[k] = ups @ below / pairs if pairs else np.nan
    return areas


def interval(values: np.ndarray, level: float = LEVEL) -> tuple[float, float]:
    """The percentile interval: what lies between them has a share of ``level``. NaNs are left out."""
    tail = (1 - level) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)


def uncertainty(right: np.ndarray, positive: np.ndarray, scores: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Accuracy and AUC of a classifier with their resamples, for ``jobs.call``.

    Args:
        right: ``(N,)`` bool, whether each answer was right.
        positive: ``(N,)`` bool, the truth about the class in question.
        scores: ``(N,)`` of that class.

    Returns:
        ``accuracies`` and ``areas``, ``(RESAMPLES,)`` float64 each.
    """
    right, positive = np.asarray(right, bool), np.asarray(positive, bool)
    return {
        "accuracies": bootstrap_means(right.astype(np.float32), seed=seed),
        "areas": bootstrap_auc(positive, np.asarray(scores, float), seed=seed),
    }
