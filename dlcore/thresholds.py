"""One threshold, and all that hangs on it: counts, rates, ROC, precision and recall, costs. NumPy only.

A classifier says "positive" where its score is at least the threshold. Everything follows from how many positives and
how many negatives lie above each score, so these two are counted once (``curves``), and a slider only looks them up.
``tests/test_thresholds.py`` holds every number to scikit-learn's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOWEST, HIGHEST = 0.0001, 0.9999  # of the threshold that a reader sets; scores beyond are drawn at the ends


@dataclass(frozen=True, eq=False)
class Curves:
    """How many samples lie at or above each score.

    Attributes:
        thresholds: ``(T,)`` falling: ∞, then every score that occurs.
        tps, fps: ``(T,)`` positives and negatives with a score of at least that: true and false positives.
        positives, negatives: how many there are.
    """

    thresholds: np.ndarray
    tps: np.ndarray
    fps: np.ndarray
    positives: int
    negatives: int

    @property
    def prevalence(self) -> float:
        """The share of positives among these samples."""
        return self.positives / (self.positives + self.negatives)

    @property
    def tpr(self) -> np.ndarray:
        """True positive rate (recall) at each threshold; NaN where there are no positives."""
        return self.tps / self.positives if self.positives else np.full(len(self.tps), np.nan)

    @property
    def fpr(self) -> np.ndarray:
        """False positive rate at each threshold; NaN where there are no negatives."""
        return self.fps / self.negatives if self.negatives else np.full(len(self.fps), np.nan)

    def place(self, threshold: float | np.ndarray) -> np.ndarray:
        """The index of the last entry whose score reaches the threshold: of ``tps`` and ``fps`` there."""
        return np.searchsorted(-self.thresholds, -np.asarray(threshold, float), side="right") - 1


@dataclass(frozen=True)
class Counts:
    """A confusion matrix of two classes; weights make the counts fractional."""

    tp: float
    fp: float
    fn: float
    tn: float

    @property
    def total(self) -> float:
        """All samples."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def accuracy(self) -> float:
        """(TP + TN) / N."""
        return _share(self.tp + self.tn, self.total)

    @property
    def precision(self) -> float:
        """TP / (TP + FP): how often an alarm is right. NaN where there was no alarm."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float:
        """TP / (TP + FN): how many of the positives are found. NaN where there are none."""
        return _share(self.tp, self.tp + self.fn)

    @property
    def specificity(self) -> float:
        """TN / (TN + FP): how many of the negatives are left alone. NaN where there are none."""
        return _share(self.tn, self.tn + self.fp)

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall. NaN where nothing is positive."""
        return _share(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of recall and specificity: 0.5 for an answer that never looks."""
        return (self.recall + self.specificity) / 2

    def cost(self, ratio: float) -> float:
        """What the mistakes cost, in false alarms, where a miss costs ``ratio`` of them."""
        return self.fp + ratio * self.fn


def curves(positive: np.ndarray, scores: np.ndarray) -> Curves:
    """Count once, from the highest score down.

    Args:
        positive: ``(N,)`` bool, the truth.
        scores: ``(N,)`` finite.
    """
    scores, positive = np.asarray(scores, float), np.asarray(positive, bool)
    order = np.argsort(-scores, kind="stable")
    falling, hits = scores[order], positive[order]
    ends = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # equal scores are called together
    tps = np.cumsum(hits)[ends]
    return Curves(
        thresholds=np.append(np.inf, falling[ends]),
        tps=np.append(0, tps),
        fps=np.append(0, ends + 1 - tps),
        positives=int(hits.sum()),
        negatives=int((~hits).sum()),
    )


def weights(found: Curves, prevalence: float | None) -> tuple[float, float]:
    """What a positive and a negative count, so that positives make up ``prevalence`` and the sum stays; None: as is."""
    if prevalence is None or not found.positives or not found.negatives:
        return 1.0, 1.0
    return prevalence / found.prevalence, (1 - prevalence) / (1 - found.prevalence)


def counts(found: Curves, threshold: float, prevalence: float | None = None) -> Counts:
    """The confusion matrix at a threshold, as it would be if ``prevalence`` of the samples were positive."""
    k = int(found.place(threshold))
    (one, other), tp, fp = weights(found, prevalence), float(found.tps[k]), float(found.fps[k])
    return Counts(one * tp, other * fp, one * (found.positives - tp), other * (found.negatives - fp))


def precisions(found: Curves, prevalence: float | None = None) -> np.ndarray:
    """Precision at each threshold ``(T,)``; 1 where nothing is called positive, as scikit-learn draws it."""
    one, other = weights(found, prevalence)
    alarms = one * found.tps + other * found.fps
    return np.divide(one * found.tps, alarms, out=np.ones(len(alarms)), where=alarms > 0)


def area_under_roc(found: Curves) -> float:
    """AUC: the chance that a positive gets a higher score than a negative. NaN where a class is missing.

    The rates of each class are shares of that class alone, so no prevalence enters.
    """
    return float(np.trapezoid(found.tpr, found.fpr))


def average_precision(found: Curves, prevalence: float | None = None) -> float:
    """AP = Σ (R_n − R_{n−1}) P_n. NaN where there are no positives."""
    return float(np.sum(np.diff(found.tpr) * precisions(found, prevalence)[1:]))


def cheapest(found: Curves, ratio: float, prevalence: float | None = None) -> float:
    """The threshold at which mistakes cost least, if a miss costs ``ratio`` false alarms; ∞: never say "positive".

    Probabilities that can be trusted need no search: 1 / (1 + ratio) is best (Elkan 2001).
    """
    one, other = weights(found, prevalence)
    costs = other * found.fps + ratio * one * (found.positives - found.tps)
    return float(found.thresholds[int(np.argmin(costs))])


def histogram(found: Curves, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many positives and negatives have a score between two edges, ``(B,)`` each, read off the curves.

    Args:
        edges: ``(B + 1,)`` rising. The outer bins also hold what lies beyond them.
    """
    places = found.place(edges[1:-1])
    bounds = np.concatenate([[len(found.tps) - 1], places, [0]])
    return -np.diff(found.tps[bounds]), -np.diff(found.fps[bounds])


def thinned(found: Curves, most: int = 400) -> np.ndarray:
    """Indices of at most ``most`` entries that draw the same curves: evenly spaced along the ROC, both ends kept."""
    if len(found.tps) <= most:
        return np.arange(len(found.tps))
    walked = found.tps / max(found.positives, 1) + found.fps / max(found.negatives, 1)
    return np.unique(np.searchsorted(walked, np.linspace(0, walked[-1], most)))


def _share(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
