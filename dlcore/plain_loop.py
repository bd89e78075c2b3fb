"""The training loop that most people write first: one image after the other through a ``DataLoader``. The yardstick.

It is what the lesson on speed begins with, and what the benchmark ``time_to_accuracy`` compares with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn


class Pictures(torch.utils.data.Dataset):
    """Images as a tutorial's ``Dataset`` gives them: a Pillow image is made and transformed each time one is asked.

    Args:
        images: ``(N, C, H, W)`` uint8, grey or RGB.
        labels: ``(N,)`` int64.
        transform: of torchvision, from a Pillow image to a tensor.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, transform: Callable[[Image.Image], Tensor]) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image = self.images[index]
        picture = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        return self.transform(picture), int(self.labels[index])


def usual_transform(mean: float, std: float) -> Callable[[Image.Image], Tensor]:
    """``ToTensor`` and ``Normalize``, with the pixels' mean and deviation on the scale 0 to 1."""
    from torchvision import transforms

    return transforms.Compose([transforms.ToTensor(), transforms.Normalize((mean,), (std,))])


def network(shape: tuple[int, ...] = (1, 28, 28), classes: int = 10) -> nn.Sequential:
    """The network for images ``(C, H, W)``, as in PyTorch's own MNIST example."""
    channels, height, width = shape
    inside = 64 * ((height - 4) // 2) * ((width - 4) // 2)
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(inside, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, classes),
    )  # fmt: skip


def one_pass(model: nn.Module, loader: Iterable[Any], optimizer: torch.optim.Optimizer) -> None:
    """One pass over the data."""
    model.train()
    for X, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X), y)
        loss.backward()
        optimizer.step()
