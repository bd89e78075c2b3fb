"""Networks to borrow eyes from, without any weights on disk: drawn at random, and the same in every test."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from dlcore.data.album import Album, Kind, keep_picture
from dlcore.vision.models import Vision, imagenet


def tiny(seed: int = 0) -> Vision:
    """Two convolutions with random weights: enough to tell colours apart. 16 features."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 4, 4), nn.ReLU(), nn.Conv2d(8, 16, 4, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(16, 5),
    ).eval()  # fmt: skip

    def prepare(picture: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(picture[::4, ::4].transpose(2, 0, 1).copy()).float() / 255

    return Vision("mobilenet_v2", module, list("abcde"), (3, 64, 64), prepare, module[3])


def mobilenet(seed: int = 0) -> Vision:
    """MobileNetV2 as torchvision builds it, with random weights and torchvision's transform."""
    from torchvision.models import get_model

    torch.manual_seed(seed)
    return imagenet("mobilenet_v2", get_model("mobilenet_v2", weights=None))


def picture(colour: tuple[int, int, int], seed: int, side: int = 256) -> np.ndarray:
    """A noisy picture of one colour, (side, side, 3) uint8."""
    noise = np.random.default_rng(seed).normal(0, 25, (side, side, 3))
    return np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)


def two_colours(each: int = 6) -> Album:
    """A kept album of reddish and bluish pictures."""
    red = tuple(keep_picture(picture((190, 90, 80), k)) for k in range(each))
    blue = tuple(keep_picture(picture((80, 90, 190), 100 + k)) for k in range(each))
    return Album((Kind("red", red), Kind("blue", blue)))
