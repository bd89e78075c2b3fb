"""Which images a network takes for alike: near in what enters its last layer, not in their pixels. For workers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from dlcore.data.uploads import read_image
from dlcore.trained import written
from dlcore.vision.models import RUN, model
from dlcore.vision.pixels import WHITE, enter, on_pixels, open_with

AT_ONCE = 250
ALBUM = "album:"  # before the fingerprint of pictures of the reader's own, as a data set


def nearest(name: str, picture: np.ndarray, dataset: str, *, count: int = 8, train_size: int = 0) -> dict[str, Any]:
    """The images of a dataset that are nearest to a picture in feature space, and the nearest in pixels beside them.

    Args:
        dataset, train_size: whose training images are asked (``units.asked_images``). Those of an album, which the
            network may take in another size, are compared in pixels as small as the album has them.

    Returns:
        ``images`` (count, C, H, W) uint8, ``labels`` (count,), ``alike`` (count,) the cosine of the features, 1 for the
        same; the same three for the nearest in pixels, less their mean, as ``pixel_…``; ``classes`` of the dataset,
        ``of`` how many.
    """
    from dlcore.units import asked_images

    opened, data = open_with(name, picture), asked_images(dataset, train_size)
    known = _features(name, written(name.removeprefix(RUN)) if name.startswith(RUN) else 0, dataset, train_size)
    with torch.no_grad():
        mine = opened.vision.features(opened.net.entering(opened.P))
    found: dict[str, Any] = {"classes": list(data.classes), "of": len(data.X_train)}
    flat = torch.tensor(data.X_train.reshape(len(data.X_train), -1)).float()
    seen = opened.P
    if seen.shape[1:] != data.X_train.shape[1:]:
        seen = interpolate(seen, data.X_train.shape[2:], mode="area")
    pairs = {"": (known, mine), "pixel_": (_unit(_centred(flat)), _centred(seen.flatten(1)))}
    for prefix, (all_of_them, one) in pairs.items():
        alike = (all_of_them @ _unit(one)[0]).numpy()
        best = np.argsort(-alike, kind="stable")[:count]
        found |= {
            f"{prefix}images": data.X_train[best],
            f"{prefix}labels": data.y_train[best],
            f"{prefix}alike": alike[best],
        }
    return found


def described(name: str, picture: np.ndarray) -> dict[str, Any]:
    """A picture as the network takes it for alike to others, to be compared with other pictures' descriptions.

    Args:
        picture: ``(H, W, 3)`` uint8, ``(C, H, W)`` as the network takes it, or a file's bytes ``(n,)``.

    Returns:
        ``features`` (D,) float32, what enters the last layer, of length 1; ``pixels`` (d,) float32, the picture in at
        most 32 × 32 pixels, less their mean, of length 1; ``thumb`` (C, h, w) uint8, at most 112 pixels a side.
    """
    vision = model(name)
    net = on_pixels(vision)
    P = enter(vision, net, read_image(picture.tobytes(), most=1024) if picture.ndim == 1 else picture)[None]
    side = min(32, P.shape[2])
    small = adaptive_avg_pool2d(P, (side, side)).flatten(1)
    shown = adaptive_avg_pool2d(P, (min(112, P.shape[2]), min(112, P.shape[3])))
    with torch.no_grad():
        features = vision.features(net.entering(P))
    return {
        "features": _unit(features)[0].numpy(),
        "pixels": _unit(_centred(small))[0].numpy(),
        "thumb": (shown[0] * WHITE).round().byte().numpy(),
    }


@lru_cache(maxsize=4)
def _features(name: str, _written: int, dataset: str, train_size: int) -> Tensor:
    """Features of length 1 of all training images asked, ``(N, D)``."""
    from dlcore.units import asked_images

    if dataset.startswith(ALBUM):
        return _unit(torch.from_numpy(_of_album(name, dataset.removeprefix(ALBUM))))
    vision, X = model(name), torch.from_numpy(asked_images(dataset, train_size).X_train.copy()).float()
    with torch.no_grad():
        return torch.cat([_unit(vision.features(part)) for part in X.split(AT_ONCE)])


def _of_album(name: str, fingerprint: str) -> np.ndarray:
    """What a network of the reader's own makes of the pictures that it learned from, as it saw them then, (N, D)."""
    from dlcore.data.album import load
    from dlcore.own_features import seen
    from dlcore.own_model import base_of

    names, _y, test = load(fingerprint).samples()
    return seen([n for n, out in zip(names, test.tolist(), strict=True) if not out], base_of(name.removeprefix(RUN)))


def _centred(rows: Tensor) -> Tensor:
    """Pixels less their mean, so that how bright a picture is does not count."""
    return rows - rows.mean(1, keepdim=True)


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows, dim=1)
