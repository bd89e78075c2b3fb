"""Some images of each class of a dataset, to look at before anything is learned. For a worker."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np


def strips(name: str, each: int = 6) -> dict[str, Any]:
    """A strip of training images for each class of a dataset, by its name for ``dlcore.data.images.load``.

    Returns:
        ``classes``; ``counts``: training images of each; ``shown``: how many of them are in its strip; ``strips``: PNG
        bytes of each, ``each`` images wide; ``note`` on the data, "" where there is none; ``train``, ``test``: images
        in all; ``shape`` (C, H, W).

    Raises:
        Problem: the dataset is not here.
    """
    from dlcore.data.images import load

    data = load(name)
    chosen = [np.flatnonzero(data.y_train == label)[:each] for label in range(len(data.classes))]
    return {
        "classes": list(data.classes),
        "counts": np.bincount(data.y_train, minlength=len(data.classes)).tolist(),
        "shown": [len(rows) for rows in chosen],
        "strips": [strip(data.X_train[rows], each) for rows in chosen],
        "note": data.note,
        "train": len(data.y_train),
        "test": len(data.y_test),
        "shape": tuple(data.X_train.shape[1:]),
    }


def strip(images: np.ndarray, width: int, gap: int = 1) -> bytes:
    """Images ``(n, C, H, W)`` uint8 side by side as a PNG with room for ``width`` of them; the rest is transparent."""
    from PIL import Image

    _n, _channels, height, wide = images.shape
    picture = np.zeros((height, width * (wide + gap) - gap, 4), np.uint8)
    for place, image in enumerate(images):
        left = place * (wide + gap)
        picture[:, left : left + wide, :3] = image.transpose(1, 2, 0)
        picture[:, left : left + wide, 3] = 255
    blob = BytesIO()
    Image.fromarray(picture).save(blob, "PNG")
    return blob.getvalue()
