"""The image classifiers, built from lists of layers. Every layer has a name, so that its output can be asked for by it.

A model takes pixels as they are stored, 0 to 255, of any number type; its first layer, ``standardize``, does the rest.
So a model with its weights is complete: no one has to know what it was trained with.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import Tensor, nn

from dlcore.data.shuffle import pixel_order
from dlcore.models.layer_shapes import Shape, fault, shapes
from dlcore.models.layers import PRESETS, Layer, parse

NETWORKS = PRESETS  # by name; their weights are called conv1.weight, …, dense1.weight, …, logits.bias
FUNCTIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "sigmoid": nn.Sigmoid}


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


class Shuffle(nn.Module):
    """Puts the pixels of every picture into one fixed other order. As a layer, so that it is never forgotten."""

    order: Tensor

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.register_buffer("order", torch.from_numpy(pixel_order(pixels)))

    def forward(self, X: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same shape."""
        return X.flatten(2)[:, :, self.order].view(X.shape)


class Norm1d(nn.BatchNorm1d):
    """Batch normalisation of lists, which lets a batch of one pass: there is nothing to take a mean over.

    The last batch of an epoch may be one image; torch would refuse it.
    """

    def forward(self, X: Tensor) -> Tensor:
        """``(B, C)`` → the same shape."""
        if self.training and len(X) == 1:
            return nn.functional.batch_norm(X, self.running_mean, self.running_var, self.weight, self.bias)
        return super().forward(X)


class Norm2d(nn.BatchNorm2d):
    """Batch normalisation of maps, which lets a batch of one number a map pass."""

    def forward(self, X: Tensor) -> Tensor:
        """``(B, C, H, W)`` → the same shape."""
        if self.training and X.shape[0] * X.shape[2] * X.shape[3] == 1:
            return nn.functional.batch_norm(X, self.running_mean, self.running_var, self.weight, self.bias)
        return super().forward(X)


class _Average(nn.Module):
    """Each map to its mean: ``(B, C, H, W)`` → ``(B, C)``."""

    def forward(self, X: Tensor) -> Tensor:
        return X.mean((2, 3))


class _Largest(nn.Module):
    """Each map to its largest number, wherever it is: ``(B, C, H, W)`` → ``(B, C)``."""

    def forward(self, X: Tensor) -> Tensor:
        return X.amax((2, 3))


def build(
    network: str,
    shape: Shape = (1, 28, 28),
    classes: int = 10,
    *,
    mean: float = 0.0,
    std: float = 1.0,
    per_image: bool = False,
    dropout: float = 0.0,
    layers: str = "",
    shuffled: bool = False,
) -> nn.Sequential:
    """A network by name, its weights drawn from torch's global generator: pixels ``(B, *shape)`` → logits ``(B, K)``.

    Args:
        network: one of ``NETWORKS``, or "own" for the one in ``layers``.
        shape: of one image.
        mean, std: of the pixels on the scale 0 to 1, for the first layer.
        per_image: the first layer uses each image's own mean and deviation instead.
        dropout: share of the last hidden layer's outputs that is dropped in training; 0 leaves the layer out.
        layers: a text as ``dlcore.models.layers.parse`` reads it.
        shuffled: the pixels change places before the first layer (``dlcore.data.shuffle``).

    Raises:
        Problem: a layer cannot be read, or does not fit where it stands.
    """
    asked = parse(layers if network == "own" else NETWORKS[network])
    if dropout:
        asked.insert(-1, Layer("dropout", share=dropout))
    rows = shapes(asked, shape, classes)
    if (problem := fault(rows)) is not None:
        raise problem
    inputs = [shape, *(row.shape for row in rows)]
    made = [(row.name, _module(row.layer, before, row.shape)) for row, before in zip(rows, inputs, strict=False)]
    order = [("shuffle", Shuffle(shape[1] * shape[2]))] if shuffled else []
    first = ("standardize", Standardize(mean, std, per_image=per_image))
    return nn.Sequential(OrderedDict([first, *order, *made]))


def _module(layer: Layer, before: Shape, after: Shape) -> nn.Module:
    """The layer as torch has it, for what comes in and goes out (without the batch axis)."""
    makers: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: nn.Conv2d(before[0], layer.size, layer.window, layer.stride, layer.pad),
        "pool": lambda: (nn.MaxPool2d if layer.how == "max" else nn.AvgPool2d)(layer.window, layer.stride),
        "norm": lambda: Norm2d(before[0]) if len(before) == 3 else Norm1d(before[0]),
        "dropout": lambda: nn.Dropout(layer.share),
        "flatten": nn.Flatten,
        "average": _Average,
        "largest": _Largest,
        "dense": lambda: nn.Linear(before[0], after[0]),
        **FUNCTIONS,
    }
    return makers[layer.kind]()


def parameter_count(model: nn.Module) -> int:
    """How many numbers the training may change."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
