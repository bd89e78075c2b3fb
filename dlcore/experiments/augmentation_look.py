"""Looking at augmentation: random variants of images, what a network says of them, and what scaling does to pixels.

For ``dlcore.jobs.call``: builtins and arrays in, builtins and arrays out, in a worker. The variants are made by
``dlcore.augmentation``, as in training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from threading import Lock
from typing import Any

import numpy as np

from dlcore.augmentation_settings import Strengths
from dlcore.data.images import load, proportional_order
from dlcore.experiments.augmentation import SCALINGS, aside

DRAWING = Lock()  # the process has one generator, and answers several questions at a time
BINS = 64
MOST_SPREAD = 5_000  # images whose pixels are counted


def variants(
    dataset: str, settings: Mapping[str, Any], seed: int, rows: int = 4, draws: int = 7, *, skip: int = 0
) -> dict[str, Any]:
    """Images and random variants of them, each class in turn.

    Args:
        settings: the fields of ``Strengths`` by name; others are passed over.
        seed: of the draws; the same seed gives the same draws, however strong.
        rows: images. draws: variants of each. skip: images that are passed over, so that others come.

    Returns:
        ``images`` (rows, 1 + draws, C, H, W) uint8, the original first; ``labels`` (rows,) int64; ``classes``;
        ``shares`` (rows, draws, K) float32, the targets that training would use; ``maps`` (rows, draws, 2, 3) float32,
        where the points of each image go (``dlcore.warps``).
    """
    import torch

    from dlcore.augmentation import augment, mixed

    data = load(dataset)
    some = np.roll(proportional_order(data.y_train), -skip)[:rows]
    X, y = torch.tensor(data.X_train[some]), torch.tensor(data.y_train[some])
    many, many_y = X.repeat_interleave(draws, 0).to(torch.float32), y.repeat_interleave(draws)  # (rows * draws, …)
    known = _strengths(settings)
    with DRAWING, aside(seed):
        changed = augment(many, known, group=1)
        changed, shares = mixed(changed, many_y, len(data.classes), known)
    pictures = changed.round().to(torch.uint8).view(rows, draws, *X.shape[1:])
    return {
        "images": torch.cat([X[:, None], pictures], 1).numpy(),
        "labels": y.numpy(),
        "classes": list(data.classes),
        "shares": shares.view(rows, draws, -1).numpy(),
        "maps": _maps(len(many), X.shape[-2], X.shape[-1], known, seed).view(rows, draws, 2, 3).numpy(),
    }


def _strengths(settings: Mapping[str, Any]) -> Strengths:
    return Strengths(**{f.name: settings[f.name] for f in fields(Strengths) if f.name in settings})


def _maps(count: int, height: int, width: int, settings: Strengths, seed: int) -> Any:
    """The maps of the same draws: a pipeline draws them first."""
    from dlcore import warps

    with DRAWING, aside(seed):
        return warps.maps(warps.draw(count, height, width, settings))


def questions(
    dataset: str,
    settings: Mapping[str, Any],
    seed: int,
    count: int = 12,
    checkpoint: str | None = None,
    *,
    skip: int = 0,
) -> dict[str, Any]:
    """One variant each of ``count`` images, and what a network says of it.

    Args:
        checkpoint: path of a run's checkpoint, or None for the shipped network, which knows handwritten digits.
        skip: images that are passed over, so that others come.

    Returns:
        ``images`` (count, C, H, W) uint8; ``originals`` alike; ``labels`` (count,); ``classes``; ``probabilities``
        (count, K) float32.
    """
    import torch

    from dlcore.trained import network

    made = variants(dataset, {**settings, "mix": "none"}, seed, rows=count, draws=1, skip=skip)
    model = network(checkpoint).model
    with torch.inference_mode():
        logits = model(torch.tensor(made["images"][:, 1]))
    return {
        "images": made["images"][:, 1],
        "originals": made["images"][:, 0],
        "labels": made["labels"],
        "classes": made["classes"],
        "probabilities": logits.softmax(1).numpy(),
    }


def pixels(dataset: str, train_size: int) -> dict[str, Any]:
    """How the pixels of the training images are spread, as stored and after each way of scaling.

    Of many images, ``MOST_SPREAD`` are looked at, each class in proportion: photographs as floats fill a worker.

    Returns:
        For each of ``SCALINGS``: ``edges`` (BINS + 1,), ``shares`` (BINS,) of all pixels, ``mean`` and ``std``.
    """
    X = load(dataset, train_size=min(train_size or MOST_SPREAD, MOST_SPREAD)).X_train.astype(np.float32)
    found = {}
    for name in SCALINGS:
        values = scaled(X, name)
        counts, edges = np.histogram(values, BINS)
        found[name] = {
            "edges": edges.astype(np.float32),
            "shares": (counts / values.size).astype(np.float32),
            "mean": float(values.mean()),
            "std": float(values.std()),
        }
    return found


def scaled(X: np.ndarray, scaling: str) -> np.ndarray:
    """Pixels ``(N, C, H, W)`` float 0 to 255 as the network's first layer sees them (``dlcore.models.cnn``)."""
    if scaling == "raw":
        return X
    if scaling == "unit":
        return X / 255
    if scaling == "normalised":
        return (X - X.mean()) / X.std()
    mean, std = X.mean((1, 2, 3), keepdims=True), X.std((1, 2, 3), keepdims=True)
    return (X - mean) / np.maximum(std, 1)
