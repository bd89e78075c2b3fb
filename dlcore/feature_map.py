"""Where pictures lie for a network: many numbers a picture brought down to two. For ``jobs.call``.

PCA (Pearson 1901) turns and looks along the two widest directions: distances keep their meaning, much is not seen.
t-SNE (van der Maaten and Hinton 2008) keeps neighbours together: clusters show, distances between them mean nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore.texts import N_, Problem

SPACES = ("pixels", "features", "answers")
METHODS = ("pca", "tsne")
MOST = 600  # pictures on the map: t-SNE takes a few seconds for them
PIXELS = 32  # a side, of what "pixels" compares
LEAST = 4


def places(album: str, network: str, space: str, method: str, checkpoint: str | None = None) -> dict[str, Any]:
    """Every picture of a kept album as a point in the plane.

    Args:
        album: its fingerprint.
        network: whose features, as ``dlcore.vision.models.model`` takes it.
        space: "pixels" (before any network), "features" (what the network makes of them) or "answers" (the logits of
            the layer that was trained, which needs the ``checkpoint``).

    Returns:
        ``xy`` (N, 2) float32, ``y`` (N,), ``held`` (N,) bool, ``names`` (fingerprints), ``classes``, and ``kept``: the
        share of the variance that the plane shows (PCA; else NaN), ``neighbours``: how often a picture's nearest one,
        in all numbers, is of its class.

    Raises:
        Problem: pictures are missing, or too few.
    """
    from dlcore.data.album import load

    found = load(album)
    names, y, held = found.samples()
    chosen = np.sort(np.random.default_rng(0).permutation(len(y))[:MOST])
    if len(chosen) < LEAST:
        raise Problem(N_("A map needs at least {n} pictures."), kind="map", n=LEAST)
    names, y, held = [names[k] for k in chosen], y[chosen], held[chosen]
    X = _numbers(names, network, space, checkpoint)
    xy, kept = plane(X, method)
    return {
        "xy": xy, "y": y, "held": held, "names": names, "classes": found.names, "kept": kept,
        "neighbours": neighbours(X, y),
    }  # fmt: skip


def _numbers(names: list[str], network: str, space: str, checkpoint: str | None) -> np.ndarray:
    """What is compared of each picture, (N, D) float32."""
    from dlcore.data.album import read_pictures
    from dlcore.own_features import seen

    if space == "pixels":
        return np.stack([p.ravel() for p in read_pictures(names, PIXELS)]).astype(np.float32) / 255
    X = seen(names, network)
    if space == "features" or checkpoint is None:
        return X
    from dlcore.own_model import last_layer

    weight, bias = last_layer(checkpoint)
    return X @ weight.T + bias


def plane(X: np.ndarray, method: str, seed: int = 0) -> tuple[np.ndarray, float]:
    """Rows of ``X`` (N, D) as points (N, 2) float32, and the share of their variance that is seen (NaN for t-SNE)."""
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        pca = PCA(min(50, *X.shape), random_state=seed, svd_solver="full")
        few = pca.fit_transform(X)
        if few.shape[1] < 2:
            few = np.pad(few, ((0, 0), (0, 2 - few.shape[1])))
        if method == "pca":
            return few[:, :2].astype(np.float32), float(pca.explained_variance_ratio_[:2].sum())
        from sklearn.manifold import TSNE

        perplexity = min(20.0, (len(X) - 1) / 3)
        xy = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(few)
    return np.asarray(xy, np.float32), float("nan")


def neighbours(X: np.ndarray, y: np.ndarray) -> float:
    """The share of rows whose nearest other row has the same label."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=2).fit(X).kneighbors(X, return_distance=False)
    other = np.where(found[:, 0] == np.arange(len(X)), found[:, 1], found[:, 0])
    return float((y[other] == y).mean())
