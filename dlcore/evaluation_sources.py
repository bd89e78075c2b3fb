"""Classifiers to be examined: what they said of samples that they had not learned from. For ``jobs.call``.

Each function returns ``probabilities`` (N, K) float32, ``labels`` (N,) int64 and ``classes``, K names (English, those
that are words marked for translation); image sets also the ``dataset`` whose images, training ones first, these are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dlcore.data import labelled
from dlcore.texts import N_, Problem

CASES = 10_000  # of the rare disease, to learn from and to be tested on, each
PREVALENCE = 0.01
BY_HEART = 150  # digits that the overconfident classifier learns from
SIDE = 14  # it sees images of so many pixels a side


def rare(seed: int = 0) -> dict[str, Any]:
    """A screening test for one ill person in a hundred: logistic regression on 10,000 generated persons."""
    from sklearn.linear_model import LogisticRegression

    X, y = labelled.load("rare", CASES, 2 * seed, PREVALENCE)
    model = LogisticRegression().fit(X, y)
    X_test, y_test = labelled.load("rare", CASES, 2 * seed + 1, PREVALENCE)
    return _answer(model.predict_proba(X_test), y_test, "rare")


def breast_cancer(seed: int = 0) -> dict[str, Any]:
    """569 real tumours: logistic regression on two measurements, each case answered by a fit that left it out."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, y = labelled.breast_cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression())  # scaled within each fold: nothing leaks
    folds = StratifiedKFold(10, shuffle=True, random_state=seed)
    said = cross_val_predict(model, X, y, cv=folds, method="predict_proba")
    return _answer(np.asarray(said), y, "breast_cancer")


def by_heart() -> dict[str, Any]:
    """150 digits learned by heart: a linear classifier whose weights nothing holds back, asked about all the others."""
    from sklearn.linear_model import LogisticRegression

    images, y = all_images("digits")
    X = images[:, 0].reshape(len(y), SIDE, 2, SIDE, 2).mean((2, 4)).reshape(len(y), -1) / 255  # (N, 196)
    left = np.arange(BY_HEART, len(y))
    model = LogisticRegression(C=1e5, max_iter=300).fit(X[:BY_HEART], y[:BY_HEART])
    return {**_answer(model.predict_proba(X[left]), y[left], "digits"), "dataset": "digits", "which": left}


def shipped() -> dict[str, Any]:
    """The network that comes with the lessons, trained on MNIST, reads the built-in digits: other hands and scans."""
    import torch

    from dlcore.models.weights import load_shipped

    images, y = all_images("digits")
    model, _classes = load_shipped()
    with torch.inference_mode():
        said = torch.cat([model(part).softmax(1) for part in torch.tensor(images).split(600)])
    return {**_answer(said.numpy(), y, "digits"), "dataset": "digits", "which": np.arange(len(y))}


BUILT_IN: dict[str, Callable[[], dict[str, Any]]] = {
    "rare": rare,
    "breast_cancer": breast_cancer,
    "by_heart": by_heart,
    "shipped": shipped,
}


def built_in(name: str) -> dict[str, Any]:
    """The source of that name. Raises ``Problem`` (kind ``"source"``) for one that there is not."""
    if name not in BUILT_IN:
        raise Problem(
            N_("There is no classifier “{name}” to examine. There are: {names}."),
            kind="source",
            name=name,
            names=", ".join(BUILT_IN),
        )
    return BUILT_IN[name]()


def all_images(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Every image of a set, those for training first: ``(N, C, H, W)`` uint8 and labels ``(N,)``."""
    from dlcore.data.images import load

    data = load(dataset)
    return np.concatenate([data.X_train, data.X_test]), np.concatenate([data.y_train, data.y_test])


def pictures(dataset: str, which: np.ndarray, *, of_test: bool) -> np.ndarray:
    """Some images of a set, ``(n, C, H, W)`` uint8: by their number in the test set, or among all of them."""
    from dlcore.data.images import load

    data = load(dataset)
    if of_test:
        return data.X_test[which]
    cut = len(data.y_train)
    images = [data.X_train[k] if k < cut else data.X_test[k - cut] for k in np.asarray(which, int).tolist()]
    return np.stack(images) if images else np.zeros((0, *data.X_test.shape[1:]), np.uint8)


def _answer(probabilities: np.ndarray, labels: np.ndarray, classes: str) -> dict[str, Any]:
    return {
        "probabilities": np.asarray(probabilities, np.float32),
        "labels": np.asarray(labels, np.int64),
        "classes": list(labelled.CLASSES[classes]),
        "dataset": "",
        "which": np.arange(len(labels)),
    }
