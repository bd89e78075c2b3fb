"""Four small classifiers of scikit-learn with one dial each, from stiff to pliant. For workers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

NAMES = ("logistic", "knn", "tree", "mlp")
DIALS: dict[str, tuple[float, ...]] = {  # from the stiffest to the most pliant
    "logistic": (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0),  # C, the inverse of the penalty
    "knn": (101, 51, 25, 11, 5, 3, 1),  # neighbours that vote
    "tree": (1, 2, 3, 4, 6, 9, 14, 20),  # depth
    "mlp": (1, 2, 4, 8, 16, 32, 64),  # hidden units
}
USUAL: dict[str, float] = {"logistic": 1.0, "knn": 11, "tree": 4, "mlp": 16}
SCORES = ("accuracy", "balanced_accuracy", "roc_auc")


def make(name: str, dial: float, seed: int) -> Any:
    """An untrained pipeline: standardised features, then the classifier, ``dial`` as in ``DIALS``.

    All chance in it comes from ``seed`` alone; scaling is learned with the rest, from the training samples only.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    if name == "logistic":
        model = LogisticRegression(C=dial, max_iter=200)
    elif name == "knn":
        model = KNeighborsClassifier(int(dial))
    elif name == "tree":
        model = DecisionTreeClassifier(max_depth=int(dial), random_state=seed)
    else:
        batch: Any = 32  # scikit-learn's stub knows the word "auto" only
        model = MLPClassifier((int(dial),), max_iter=60, batch_size=batch, learning_rate_init=0.01, random_state=seed)
    return make_pipeline(StandardScaler(), model)


def fitted(name: str, dial: float, seed: int, X: np.ndarray, y: np.ndarray) -> Any:
    """``make`` and fit, on one thread; that 60 passes may not be enough is known. What saw one class says that one.

    Neighbours are no more than there are samples.
    """
    from sklearn.dummy import DummyClassifier
    from threadpoolctl import threadpool_limits

    dial = min(dial, len(y)) if name == "knn" else dial
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        model = make(name, dial, seed) if len(np.unique(y)) > 1 else DummyClassifier()
        return model.fit(X, y)


def score(model: Any, X: np.ndarray, y: np.ndarray, kind: str) -> float:
    """How good the fitted model is on ``X (N, d)``, ``y (N,)``, by scikit-learn's scorer; NaN where it has no meaning.

    Args:
        kind: one of ``SCORES``; "roc_auc" with more than two classes is the mean over one class against the rest.
    """
    from sklearn.metrics import get_scorer

    if kind == "roc_auc" and len(model.classes_) > 2:
        kind = "roc_auc_ovr"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(get_scorer(kind)(model, X, y))
        except ValueError:  # a class is missing among the samples
            return float("nan")
