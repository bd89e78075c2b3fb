"""Asking a network of the learner's own about a new picture. For ``jobs.call``."""

from __future__ import annotations

import time
from typing import Any

import numpy as np


def ask(blob: np.ndarray, path: str) -> dict[str, Any]:
    """What the network says of a picture.

    Args:
        blob: the file's bytes (n,) uint8.
        path: of the run's checkpoint, or of a file that ``dlcore.own_model.keep`` has kept.

    Returns:
        ``probabilities`` (K,) float32, ``classes``, ``seconds`` of the answer, ``picture`` (256, 256, 3) uint8 as it
        was cut.

    Raises:
        Problem: the picture cannot be read, or the network is not here.
    """
    import torch

    from dlcore.data.album import SIDE
    from dlcore.data.own_images import square
    from dlcore.data.uploads import read_image
    from dlcore.own_model import vision

    picture = square(read_image(blob.tobytes()), SIDE)
    found = vision(path)
    began = time.perf_counter()
    with torch.inference_mode():
        said = found.module(found.prepare(np.array(picture))[None]).softmax(1)[0].numpy()
    return {
        "probabilities": said, "classes": found.classes, "seconds": time.perf_counter() - began, "picture": picture,
    }  # fmt: skip
