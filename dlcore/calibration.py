"""Does "80 % sure" mean right in 80 of 100 cases? Reliability, its error, and the temperature that mends it.

NumPy only. Guo, Pleiss, Sun, Weinberger, "On calibration of modern neural networks" (2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = 15  # of equal width from 0 to 1, as in the paper
TINIEST = 1e-38  # below it a probability has no logarithm in float32; what is less is taken for this


@dataclass(frozen=True, eq=False)
class Reliability:
    """What was said and what was true, bin by bin.

    Attributes:
        edges: ``(B + 1,)`` from 0 to 1.
        said: ``(B,)`` mean confidence of the samples in a bin; NaN where there are none.
        true: ``(B,)`` share of them that came true; NaN where there are none.
        count: ``(B,)`` how many.
    """

    edges: np.ndarray
    said: np.ndarray
    true: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: Σ (n_b / N) |true_b − said_b|."""
        gaps = np.abs(self.true - self.said)
        return float(np.nansum(self.count * gaps) / self.count.sum())


def claims(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the classifier claims and whether it came true: confidence ``(N,)`` in [0, 1] and ``(N,)`` bool.

    With two classes the claim is "this is a positive", with its probability; with more it is the answer (the largest).
    """
    if probabilities.shape[1] == 2:
        return probabilities[:, 1].astype(float), np.asarray(labels) == 1
    return probabilities.max(1).astype(float), probabilities.argmax(1) == labels


def reliability(confidence: np.ndarray, came_true: np.ndarray, bins: int = BINS) -> Reliability:
    """Sort claims ``(N,)`` into ``bins`` of equal width; a confidence on an edge belongs to the bin above it."""
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        said = np.bincount(place, confidence, bins) / count
        true = np.bincount(place, came_true, bins) / count
    return Reliability(edges, said, true, count)


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """softmax(ln p / T), ``(N, K)`` float64. The largest stays the largest, so no answer changes."""
    z = np.log(np.maximum(probabilities, TINIEST).astype(float)) / temperature  # (N, K): logits, up to a constant
    shares = np.exp(z - z.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def negative_log_likelihood(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean of −ln p(truth): the cross-entropy."""
    of_truth = np.take_along_axis(probabilities, np.asarray(labels, int)[:, None], 1)[:, 0]
    return float(-np.log(np.maximum(of_truth, TINIEST)).mean())


def brier(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The mean of Σ_k (p_k − [k is the truth])², 0 to 2 (Brier 1950). With two classes twice (p − y)²."""
    truth = np.arange(probabilities.shape[1]) == np.asarray(labels)[:, None]  # (N, K)
    return float(((probabilities - truth) ** 2).sum(1).mean())


def fit_temperature(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """The temperature in [0.05, 50] with the smallest negative log-likelihood.

    That is convex in β = 1/T, with the derivative mean(E_p[ln p] − ln p(truth)); its zero is found by halving in ln β.
    """
    z = np.log(np.maximum(probabilities, TINIEST).astype(float))
    of_truth = np.take_along_axis(z, np.asarray(labels, int)[:, None], 1)[:, 0].mean()
    low, high = -np.log(50.0), np.log(20.0)
    for _ in range(20):
        middle = (low + high) / 2
        slope = (tempered(probabilities, float(np.exp(-middle))) * z).sum(1).mean() - of_truth
        low, high = (low, middle) if slope > 0 else (middle, high)
    return float(np.exp(-(low + high) / 2))


def halves(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two halves of ``count`` samples at random: one to fit a temperature on, the other to see whether it helps."""
    order = np.random.default_rng(seed).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])
