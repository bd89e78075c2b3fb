"""The image classifiers of the CNN lesson. Every layer has a name, so that its output can be asked for by it.

A model takes pixels as they are stored, 0 to 255, of any number type; its first layer, ``standardize``, does the rest.
So a model with its weights is complete: no one has to know what it was trained with.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

Shape = tuple[int, int, int]  # channels, height, width


class Standardize(nn.Module):
    """Pixels 0 to 255 to ``(pixel / 255 - mean) / std``; mean and std are kept with the weights.

    With ``per_image`` each image is standardised by its own mean and deviation instead.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: float = 0.0, std: float = 1.0, *, per_image: bool = False) -> None:
        super().__init__()
        self.per_image = per_image
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, X: Tensor) -> Tensor:
        """``(B, C, H, W)`` pixels → the same shape, float."""
        if self.per_image:
            X = X.to(self.mean.dtype)
            std, mean = torch.std_mean(X, (1, 2, 3), correction=0, keepdim=True)
            return (X - mean) / std.clamp(min=1.0)  # an image of one colour stays finite
        return (X.to(self.mean.dtype) - self.mean * 255) / (self.std * 255)


def article(shape: Shape, classes: int) -> list[tuple[str, nn.Module]]:
    """Three convolutions of 3 x 3, two poolings, one hidden dense layer: 93,322 parameters for 28 x 28 x 1."""
    channels, side = shape[0], ((min(shape[1:]) - 2) // 2 - 2) // 2 - 2
    return [
        ("conv1", nn.Conv2d(channels, 32, 3)),  # (B, 32, 26, 26)
        ("relu1", nn.ReLU()),
        ("pool1", nn.MaxPool2d(2)),  # (B, 32, 13, 13)
        ("conv2", nn.Conv2d(32, 64, 3)),  # (B, 64, 11, 11)
        ("relu2", nn.ReLU()),
        ("pool2", nn.MaxPool2d(2)),  # (B, 64, 5, 5)
        ("conv3", nn.Conv2d(64, 64, 3)),  # (B, 64, 3, 3)
        ("relu3", nn.ReLU()),
        ("flatten", nn.Flatten()),  # (B, 576)
        ("dense1", nn.Linear(64 * side * side, 64)),
        ("relu4", nn.ReLU()),
        ("logits", nn.Linear(64, classes)),
    ]


def fast(shape: Shape, classes: int) -> list[tuple[str, nn.Module]]:
    """Two convolutions made for speed: the first goes in steps of 2, the second is pooled before its relu.

    Both leave a quarter of the numbers for what follows to look at; pooling first changes nothing in the result.
    """
    channels, side = shape[0], ((min(shape[1:]) - 3) // 2 - 2) // 2
    return [
        ("conv1", nn.Conv2d(channels, 16, 5, stride=2)),  # (B, 16, 12, 12)
        ("relu1", nn.ReLU()),
        ("conv2", nn.Conv2d(16, 32, 3)),  # (B, 32, 10, 10)
        ("pool2", nn.MaxPool2d(2)),  # (B, 32, 5, 5)
        ("relu2", nn.ReLU()),
        ("flatten", nn.Flatten()),  # (B, 800)
        ("dense1", nn.Linear(32 * side * side, 128)),
        ("relu3", nn.ReLU()),
        ("logits", nn.Linear(128, classes)),
    ]


def mlp(shape: Shape, classes: int) -> list[tuple[str, nn.Module]]:
    """Two hidden dense layers that know nothing of neighbourhood: as good on shuffled pixels as on pictures."""
    channels, height, width = shape
    return [
        ("flatten", nn.Flatten()),  # (B, 784)
        ("dense1", nn.Linear(channels * height * width, 128)),
        ("relu1", nn.ReLU()),
        ("dense2", nn.Linear(128, 64)),
        ("relu2", nn.ReLU()),
        ("logits", nn.Linear(64, classes)),
    ]


NETWORKS: dict[str, Callable[[Shape, int], list[tuple[str, nn.Module]]]] = {
    "article": article,
    "fast": fast,
    "mlp": mlp,
}


def build(
    network: str,
    shape: Shape = (1, 28, 28),
    classes: int = 10,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    per_image: bool = False,
    dropout: float = 0.0,
) -> nn.Sequential:
    """A network by name, its weights drawn from torch's global generator: pixels ``(B, *shape)`` → logits ``(B, K)``.

    Args:
        network: one of ``NETWORKS``.
        shape: of one image, square.
        mean, std: of the pixels on the scale 0 to 1, for the first layer.
        per_image: the first layer uses each image's own mean and deviation instead.
        dropout: share of the last hidden layer's outputs that is dropped in training; 0 leaves the layer out.
    """
    layers = NETWORKS[network](shape, classes)
    if dropout:
        layers.insert(-1, ("dropout", nn.Dropout(dropout)))
    return nn.Sequential(OrderedDict([("standardize", Standardize(mean, std, per_image=per_image)), *layers]))


def parameter_count(model: nn.Module) -> int:
    """How many numbers the training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
