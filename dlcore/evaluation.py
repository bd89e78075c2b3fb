"""How good are a classifier's answers? Counts and scores by scikit-learn, for a worker.

The web process does not import this module's tools; it sends labels and gets arrays (``dlcore.jobs.call``).
"""

from __future__ import annotations

from typing import Any

import numpy as np


def report(labels: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, Any]:
    """The usual measures of a classification.

    Args:
        labels, predicted: ``(N,)`` true and predicted classes, 0 to ``classes`` − 1.

    Returns:
        ``confusion`` (K, K) int64, rows the truth, columns the answer; ``precision``, ``recall``, ``f1`` (K,) float64
        (0 where a class was never answered or never occurred) and ``support`` (K,) int64; ``accuracy`` and the
        unweighted means ``macro_precision``, ``macro_recall``, ``macro_f1``; the same ``weighted_…`` by support;
        ``balanced_accuracy``, the mean recall of the classes that occur. (Micro averages count all answers in one
        pot: for one answer per sample precision, recall and F1 are then all the accuracy.)
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    every = np.arange(classes)
    scores = precision_recall_fscore_support(labels, predicted, labels=every, zero_division=0)  # type: ignore[arg-type]
    precision, recall, f1, support = map(np.asarray, scores)
    share = support / max(support.sum(), 1)
    return {
        "confusion": confusion_matrix(labels, predicted, labels=every),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "support": support,
        "accuracy": float((np.asarray(labels) == predicted).mean()),
        "macro_precision": float(precision.mean()),
        "macro_recall": float(recall.mean()),
        "macro_f1": float(f1.mean()),
        "weighted_precision": float(share @ precision),
        "weighted_recall": float(share @ recall),
        "weighted_f1": float(share @ f1),
        "balanced_accuracy": float(recall[support > 0].mean()) if len(labels) else float("nan"),
    }


def worst_mistakes(probabilities: np.ndarray, labels: np.ndarray, most: int) -> np.ndarray:
    """The numbers (n ≤ ``most``,) of the wrongly answered samples, those first whose truth was held least likely.

    Args:
        probabilities: ``(N, K)``.
        labels: ``(N,)``.
    """
    of_truth = np.take_along_axis(probabilities, np.asarray(labels, np.int64)[:, None], 1)[:, 0]
    wrong = np.flatnonzero(probabilities.argmax(1) != labels)
    return wrong[np.argsort(of_truth[wrong], kind="stable")][:most]
