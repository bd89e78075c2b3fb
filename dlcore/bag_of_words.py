"""The plain rival of a network that reads: how often each token occurs, in any order, and a logistic regression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.data.corpora import Corpus

FEW = 500  # tokens, up to which a table that is not sparse is faster


@dataclass(frozen=True)
class Bag:
    """A fitted bag: logits = counts @ W.T + b. ``W (K, V)`` float32, ``b (K,)`` float32."""

    W: np.ndarray
    b: np.ndarray

    def probabilities(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Of texts as numbers: ``(N, K)`` float64."""
        logits = np.stack([self.W[:, row].sum(1) for row in rows]).astype(float) + self.b  # (N, K)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return shares / shares.sum(1, keepdims=True)

    def plain(self) -> dict[str, np.ndarray]:
        """As it travels in a checkpoint; ``Bag(**plain)`` reads it back."""
        return {"W": self.W, "b": self.b}


def counts(rows: Sequence[np.ndarray], size: int) -> Any:
    """How often each of ``size`` tokens occurs in each text, as a sparse matrix ``(N, size)``."""
    from scipy.sparse import csr_matrix

    ends = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return csr_matrix((np.ones(ends[-1]), np.concatenate(rows), ends), shape=(len(rows), size))


def fit(data: Corpus) -> Bag:
    """The bag of the training texts: scikit-learn's logistic regression with its usual penalty (C = 1)."""
    from sklearn.linear_model import LogisticRegression

    size = len(data.vocabulary.tokens)
    X = counts(data.train, size)
    model = LogisticRegression(max_iter=200, tol=1e-3).fit(X.toarray() if size < FEW else X, data.texts.y_train)
    W, b = model.coef_, model.intercept_
    if len(W) == 1:  # two classes have one row: the log-odds of the second
        W, b = np.stack([0 * W[0], W[0]]), np.array([0.0, b[0]])
    return Bag(W.astype(np.float32), b.astype(np.float32))


def scores(data: Corpus, bag: Bag) -> Mapping[str, float]:
    """What needs no network: ``bag_accuracy``, and ``majority_accuracy``, always the most frequent class."""
    truth, most = data.texts.y_test, np.bincount(data.texts.y_train).argmax()
    said = bag.probabilities(data.test).argmax(1)
    return {"bag_accuracy": float((said == truth).mean()), "majority_accuracy": float((truth == most).mean())}
