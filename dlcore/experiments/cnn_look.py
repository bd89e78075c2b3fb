"""Looking at a trained image network: what it answers to a picture, and where it fails.

For ``dlcore.jobs.call``: builtins and arrays in, builtins and arrays out, in a worker. A network is named by its
checkpoint file; ``None`` means the one that is shipped with the lessons.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcore.texts import N_, Problem
from dlcore.trained import network, outputs_for, softmax

NOTHING_THERE = N_("Nothing that looks like ink was found in this picture. Write larger and darker, on plain paper.")


def read_picture(picture: np.ndarray, checkpoint: str | None = None, *, prepared: bool = False) -> dict[str, Any]:
    """What a network makes of a drawing, a photograph or an image of its own kind.

    Args:
        picture: ``(H, W)`` uint8 as drawn; ``(C, H, W)`` uint8 as the network knows them; or ``(n,)`` uint8, a file's
            bytes as they were uploaded.
        checkpoint: path of a run's checkpoint, or None for the shipped network.
        prepared: the picture is shown to the network untouched.

    Returns:
        ``probabilities`` (K,) float32; ``classes`` of the network; ``seen`` (C, H, W) uint8, what was made of the
        picture; ``tensor`` (C, H, W) float32, the very numbers that enter the first layer.

    Raises:
        Problem: kind ``"upload"`` (a file that cannot be read), ``"blank"`` (no ink in it).
    """
    seen = picture if prepared else as_known(picture, network(checkpoint).shape)
    layers, classes = outputs_for(seen, checkpoint)
    return {
        "probabilities": softmax(layers["logits"]),
        "classes": classes,
        "seen": seen,
        "tensor": layers["standardize"],
    }


def as_known(picture: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A drawing or a file's bytes in the form that the network learned from, ``(C, H, W)`` uint8."""
    from dlcore.data.ink import as_mnist
    from dlcore.data.uploads import read_image

    colour = shape[0] == 3
    page = read_image(picture.tobytes(), grey=not colour) if picture.ndim == 1 else picture
    if colour or shape[1:] != (28, 28):
        return _cropped(page, shape)
    seen = as_mnist(page)
    if not seen.any():
        raise Problem(NOTHING_THERE, kind="blank")
    return seen[None]


def _cropped(page: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """The middle square of a photograph ``(H, W)`` or ``(H, W, 3)``, scaled to ``(C, H, W)``."""
    from PIL import Image, ImageOps

    small = ImageOps.fit(Image.fromarray(page), (shape[2], shape[1]), Image.Resampling.LANCZOS)
    pixels = np.asarray(small.convert("RGB" if shape[0] == 3 else "L"))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1) if shape[0] == 3 else pixels[None])


def first_filters(checkpoint: str | None = None) -> np.ndarray | None:
    """The first convolution's weights for the first channel, ``(filters, h, w)`` float32; None if it has none."""
    from dlcore import probe

    found = probe.first_filters(network(checkpoint).model)
    return found["filters"]["weight"][:, 0].copy() if found else None


def run_report(dataset: str, probabilities: np.ndarray, labels: np.ndarray, most: int = 18) -> dict[str, Any]:
    """What a run's answers on the test images are worth, with the worst mistakes as images.

    Args:
        dataset: a name of ``dlcore.data.images``.
        probabilities: ``(N, K)`` of the test images, in the data's order.
        labels: ``(N,)`` true classes.
        most: how many mistakes to send.

    Returns:
        ``dlcore.evaluation.report`` and ``worst``: image numbers (n,), with their ``images`` (n, C, H, W) uint8.
    """
    from dlcore.data.images import load
    from dlcore.evaluation import report, worst_mistakes

    probabilities = probabilities.astype(np.float32)
    worst = worst_mistakes(probabilities, labels, most)
    images = load(dataset).X_test[worst]
    return {**report(labels, probabilities.argmax(1), probabilities.shape[1]), "worst": worst, "images": images}


def sample_images(dataset: str, count: int = 16) -> dict[str, np.ndarray]:
    """Some test images to look at, every class in turn: ``images`` (n, C, H, W) uint8 and ``labels`` (n,)."""
    from dlcore.data.images import load, proportional_order

    data = load(dataset)
    few = np.sort(proportional_order(data.y_test)[:count])
    return {"images": data.X_test[few], "labels": data.y_test[few]}
