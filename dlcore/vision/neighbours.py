"""Which images a network takes for alike: near in what enters its last layer, not in their pixels. For workers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlcore.trained import written
from dlcore.vision.models import RUN, model
from dlcore.vision.pixels import open_with

AT_ONCE = 250


def nearest(name: str, picture: np.ndarray, dataset: str, *, count: int = 8, train_size: int = 0) -> dict[str, Any]:
    """The images of a dataset that are nearest to a picture in feature space, and the nearest in pixels beside them.

    Args:
        dataset, train_size: whose training images are asked (``units.asked_images``); of the network's own shape.

    Returns:
        ``images`` (count, C, H, W) uint8, ``labels`` (count,), ``alike`` (count,) the cosine of the features, 1 for the
        same; the same three for the nearest in pixels as ``pixel_…``; ``classes`` of the dataset, ``of`` how many.
    """
    from dlcore.units import asked_images

    opened, data = open_with(name, picture), asked_images(dataset, train_size)
    known = _features(name, written(name.removeprefix(RUN)) if name.startswith(RUN) else 0, dataset, train_size)
    with torch.no_grad():
        mine = opened.vision.features(opened.net.entering(opened.P))
    found: dict[str, Any] = {"classes": list(data.classes), "of": len(data.X_train)}
    flat = torch.tensor(data.X_train.reshape(len(data.X_train), -1)).float()
    pairs = {"": (known, mine), "pixel_": (_unit(flat), opened.P.flatten(1))}
    for prefix, (all_of_them, one) in pairs.items():
        alike = (all_of_them @ _unit(one)[0]).numpy()
        best = np.argsort(-alike, kind="stable")[:count]
        found |= {
            f"{prefix}images": data.X_train[best],
            f"{prefix}labels": data.y_train[best],
            f"{prefix}alike": alike[best],
        }
    return found


@lru_cache(maxsize=4)
def _features(name: str, _written: int, dataset: str, train_size: int) -> Tensor:
    """Features of length 1 of all training images asked, ``(N, D)``."""
    from dlcore.units import asked_images

    vision, X = model(name), torch.from_numpy(asked_images(dataset, train_size).X_train.copy()).float()
    with torch.no_grad():
        return torch.cat([_unit(vision.features(part)) for part in X.split(AT_ONCE)])


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows, dim=1)
