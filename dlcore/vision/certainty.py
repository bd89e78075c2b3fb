"""How sure a network is of pictures of its kind, and of pictures that show nothing it has learned. For workers.

Largest probabilities, as Hendrycks and Gimpel ("A baseline for detecting misclassified and out-of-distribution
examples", 2017) compare them; ``missed`` is their usual summary.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from dlcore.data.album_sources import insects
from dlcore.data.images import load
from dlcore.data.uploads import read_image
from dlcore.vision import samples
from dlcore.vision.kinds import EACH
from dlcore.vision.models import Vision
from dlcore.vision.networks import KNOWN
from dlcore.vision.pixels import WHITE, enter, open_with
from dlcore.vision.weathering import probabilities_of

PHOTOGRAPHS, VIEWS, IMAGES = "photographs", "views", "images"  # what the known pictures are
SHOWING = ("temple", "clock", "balloon")  # examples that show something ImageNet has a name for; a dahlia it has not
STRANGE = ("noise", "flat", "stripes", "drawing", "digit")


def confidence(
    name: str, picture: np.ndarray, dataset: str, *, known: bool, part: tuple[int, int] = (0, 1)
) -> dict[str, Any]:
    """The largest probability of each of some pictures.

    Args:
        picture: one for the network; only its size counts.
        dataset: whose test images a network that is not of ImageNet knows.
        known: pictures of the kind that it learned from; else ones that show nothing it has learned.
        part: which of how many equal shares of the ``EACH`` pictures.

    Returns:
        ``sure`` (n,) float32; ``source``: of known pictures, what they are: "photographs" (of ants and bees, from
        ImageNet, each another one), "views" (cut out of the examples that come along) or "images" (test images);
        else "strangers".
    """
    opened = open_with(name, picture)
    numbers = np.array_split(np.arange(EACH), part[1])[part[0]]
    if known:
        source, shown = _known(opened.vision, dataset, numbers)
    else:
        source, shown = "strangers", [_stranger(opened.vision, int(k)) for k in numbers]
    P = torch.stack([enter(opened.vision, opened.net, one) for one in shown])
    return {"sure": probabilities_of(opened.net, P).max(1), "source": source}


def _known(vision: Vision, dataset: str, numbers: np.ndarray) -> tuple[str, list[np.ndarray]]:
    if vision.name not in KNOWN:
        data = load(dataset)
        return IMAGES, [data.X_test[k % len(data.X_test)] for k in numbers]
    if files := _photographs():
        return PHOTOGRAPHS, [read_image(files[k % len(files)].read_bytes(), most=512) for k in numbers]
    return VIEWS, [_view(int(k)) for k in numbers]


@lru_cache(maxsize=1)
def _photographs() -> list[Path]:
    """Photographs of ants and bees, where they are here: of each in turn."""
    folder = insects()
    both = [sorted((folder / "val" / kind).glob("*.jpg")) for kind in ("ants", "bees")] if folder else []
    return [file for pair in zip(*both, strict=False) for file in pair]


def _view(number: int) -> np.ndarray:
    """A piece of one of the examples, 70 to 100 % of its sides, at times mirrored."""
    picture, rng = samples.sample(SHOWING[number % len(SHOWING)]), np.random.default_rng(number)
    share, (H, W) = rng.uniform(0.7, 1.0), picture.shape[:2]
    h, w = round(share * H), round(share * W)
    top, left = rng.integers(0, H - h + 1), rng.integers(0, W - w + 1)
    piece = picture[top : top + h, left : left + w]
    return np.ascontiguousarray(piece[:, ::-1] if number // len(SHOWING) % 2 else piece)


def _stranger(vision: Vision, number: int) -> np.ndarray:
    """A picture ``(C, H, W)`` uint8, of each kind in turn, that the network has no name for."""
    learned = {"digit": "3", "drawing": "star"}  # no strangers to a network that has such a class
    kinds = [kind for kind in STRANGE if learned.get(kind) not in vision.classes]
    kind, rng, (C, H, W) = kinds[number % len(kinds)], np.random.default_rng(number), vision.shape
    if kind == "noise":  # in grains of one pixel and of more
        grain = 2 ** (number // len(kinds) % 4)
        found = rng.integers(0, WHITE + 1, (C, -(-H // grain), -(-W // grain))).repeat(grain, 1).repeat(grain, 2)
        return found[:, :H, :W].astype(np.uint8)
    if kind == "flat":
        return np.broadcast_to(rng.integers(0, WHITE + 1, (C, 1, 1)), vision.shape).astype(np.uint8)
    if kind == "stripes":
        wide, turn = rng.uniform(0.02, 0.2), rng.uniform(0, np.pi)
        y, x = np.mgrid[:H, :W] / H
        bright = (x * np.cos(turn) + y * np.sin(turn)) // wide % 2
        return np.broadcast_to(WHITE * bright[None], vision.shape).astype(np.uint8)
    data = load("digits" if kind == "digit" else "shapes")
    image = Image.fromarray(data.X_test[number, 0]).resize((W, H), Image.Resampling.BICUBIC)
    return np.broadcast_to(np.asarray(image)[None], vision.shape).astype(np.uint8)
