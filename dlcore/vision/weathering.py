"""Pictures as cameras, weather and files leave them, and pictures of things that a network has never learned. Workers.

The kinds are a handful of those of Hendrycks and Dietterich ("Benchmarking neural network robustness to common
corruptions and perturbations", 2019), in five strengths each. The strengths are our own: theirs are made for one size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from dlcore.vision.attribution import LARGE
from dlcore.vision.kinds import CORRUPTIONS, STRANGERS
from dlcore.vision.pixels import WHITE, OnPixels, open_with

SEVERITIES = 5
QUALITIES = (40, 25, 15, 10, 5)  # of JPEG
BATCH = 10
SHOWN = 112  # pixels a side of what is sent to be looked at


def _noise(pixels: np.ndarray, severity: int) -> np.ndarray:
    rng = np.random.default_rng(severity)
    return pixels + WHITE * 0.08 * severity * rng.standard_normal(pixels.shape)


def _blur(pixels: np.ndarray, severity: int) -> np.ndarray:
    radius = severity * min(pixels.shape[:2]) / 110
    return np.asarray(_image(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _contrast(pixels: np.ndarray, severity: int) -> np.ndarray:
    mean = pixels.mean()
    return mean + (pixels - mean) * (1 - 0.18 * severity)


def _brightness(pixels: np.ndarray, severity: int) -> np.ndarray:
    return pixels.astype(float) + WHITE * 0.12 * severity


def _pixelate(pixels: np.ndarray, severity: int) -> np.ndarray:
    image = _image(pixels)
    width, height = image.size
    factor = 1 / (1 + 0.5 * severity * max(1.0, min(width, height) / 64))
    small = (max(2, round(width * factor)), max(2, round(height * factor)))
    return np.asarray(image.resize(small, Image.Resampling.BOX).resize((width, height), Image.Resampling.NEAREST))


def _jpeg(pixels: np.ndarray, severity: int) -> np.ndarray:
    blob = BytesIO()
    _image(pixels).save(blob, "JPEG", quality=QUALITIES[severity - 1])
    return np.asarray(Image.open(blob))


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels)


CHANGES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "noise": _noise,
    "blur": _blur,
    "contrast": _contrast,
    "brightness": _brightness,
    "pixelate": _pixelate,
    "jpeg": _jpeg,
}


def corrupted(picture: np.ndarray, kind: str, severity: int) -> np.ndarray:
    """A picture ``(C, H, W)`` uint8 under one corruption, ``severity`` 1 to 5; the same each time."""
    pixels = picture[0] if len(picture) == 1 else np.ascontiguousarray(picture.transpose(1, 2, 0))
    changed = np.clip(np.rint(CHANGES[kind](pixels, severity)), 0, WHITE).astype(np.uint8)
    return changed[None] if len(picture) == 1 else np.ascontiguousarray(changed.transpose(2, 0, 1))


def weather(name: str, picture: np.ndarray, kinds: Sequence[str] = tuple(CORRUPTIONS)) -> dict[str, Any]:
    """One picture under every corruption.

    Returns:
        ``kinds`` (as asked, names of ``CORRUPTIONS``); ``probabilities`` (kinds, 5) float32 of the class that is
        answered without any; ``answers`` (kinds, 5); ``before``, that class, and ``sure``, its probability;
        ``pictures`` (kinds, 5, C, h, w) uint8, at most 112 pixels a side.
    """
    opened = open_with(name, picture)
    pixels = (opened.P[0] * WHITE).round().byte().numpy()
    all_of_them = np.stack([corrupted(pixels, kind, s + 1) for kind in kinds for s in range(SEVERITIES)])
    probabilities = probabilities_of(opened.net, torch.from_numpy(all_of_them).float() / WHITE)
    step = max(1, -(-pixels.shape[1] // SHOWN))
    small = all_of_them[:, :, ::step, ::step]
    grid = (len(kinds), SEVERITIES)
    return {
        "kinds": list(kinds),
        "probabilities": probabilities[:, opened.best].reshape(grid),
        "answers": probabilities.argmax(1).reshape(grid),
        "before": opened.best,
        "sure": float(opened.logits.softmax(0)[opened.best]),
        "pictures": small.reshape(*grid, *small.shape[1:]),
    }


def probabilities_of(net: OnPixels, P: Tensor) -> np.ndarray:
    """Answers to pictures ``(N, C, H, W)`` from 0 to 1, a few large ones at a time: ``(N, K)`` float32."""
    size = BATCH if P.shape[2] * P.shape[3] > LARGE else 500
    with torch.no_grad():
        return torch.cat([net(part).softmax(1) for part in P.split(size)]).numpy()


def strangers(name: str, picture: np.ndarray, *, seed: int = 0) -> dict[str, Any]:
    """What a network says of pictures that show nothing it has learned.

    Returns:
        ``kinds`` (names of ``STRANGERS``); ``pictures`` (n, C, h, w) uint8; ``answers`` (n,) and ``sure`` (n,), the
        largest probability.
    """
    opened = open_with(name, picture)
    C, H, W = opened.vision.shape
    learned = {"digit": "3", "drawing": "star"}  # no strangers to a network that has such a class
    kinds = [kind for kind in STRANGERS if learned.get(kind) not in opened.vision.classes]
    shown = {kind: _stranger(kind, opened.P[0].numpy(), seed).astype(np.float32) for kind in kinds}
    P = torch.from_numpy(np.stack([np.broadcast_to(p, (C, H, W)) for p in shown.values()]).copy())
    probabilities = probabilities_of(opened.net, P)
    return {
        "kinds": list(shown),
        "pictures": (P * WHITE).round().byte().numpy(),
        "answers": probabilities.argmax(1),
        "sure": probabilities.max(1),
    }


def _stranger(kind: str, P: np.ndarray, seed: int) -> np.ndarray:
    """A picture ``(C or 1, H, W)`` from 0 to 1 of the size of ``P``."""
    from dlcore.data.images import load

    C, H, W = P.shape
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.random((C, H, W))
    if kind == "flat":
        return np.full((1, H, W), 0.5)
    if kind == "stripes":
        return np.broadcast_to((np.arange(W) // max(1, W // 14) % 2)[None, None], (1, H, W)).astype(float)
    if kind == "puzzle":
        return _cut_up(P, rng)
    data = load("digits" if kind == "digit" else "shapes")
    which = data.classes.index("3" if kind == "digit" else "star")
    image = data.X_test[np.flatnonzero(data.y_test == which)[0], 0]
    return np.asarray(Image.fromarray(image).resize((W, H), Image.Resampling.BICUBIC))[None] / WHITE


def _cut_up(P: np.ndarray, rng: np.random.Generator, pieces: int = 4) -> np.ndarray:
    """The picture in 4 × 4 pieces in another order: every detail is there, and nothing is where it was."""
    h, w = P.shape[1] // pieces, P.shape[2] // pieces
    cut = [P[:, r * h : r * h + h, c * w : c * w + w] for r in range(pieces) for c in range(pieces)]
    order, result = rng.permutation(len(cut)), P.copy()
    for place, which in enumerate(order):
        r, c = divmod(place, pieces)
        result[:, r * h : r * h + h, c * w : c * w + w] = cut[which]
    return result
