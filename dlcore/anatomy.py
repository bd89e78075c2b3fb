"""A whole network as a picture: each layer's kind, shape, parameters and output for one image. For workers.

Where an output looks in the input, its receptive field, follows from windows and strides alone (Araujo, Norris and
Sim, "Computing receptive fields of convolutional neural networks", Distill 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.trained import network, outputs_for, softmax

if TYPE_CHECKING:
    from torch import nn

MOST_MAPS = 64  # channels of one layer that are sent; no preset has more in a convolution
MOST_UNITS = 1024  # of a list of numbers; a flattened layer may have more
KINDS = {
    "Standardize": "scale", "Conv2d": "conv", "MaxPool2d": "maxpool", "AvgPool2d": "avgpool", "Linear": "dense",
    "Flatten": "flatten", "Dropout": "dropout", "BatchNorm1d": "norm", "BatchNorm2d": "norm",
    "AdaptiveMaxPool2d": "globalpool", "AdaptiveAvgPool2d": "globalpool", "_Average": "globalpool",
    "_Largest": "globalpool",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """Which input pixels an output sees along one axis: ``size`` of them, the first output's from ``start`` on.

    The next output's begin ``jump`` pixels further. ``start`` is negative where a layer pads.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def through(self, window: int, stride: int, pad: int, dilation: int = 1) -> Field:
        """The field after one more layer with such a window."""
        reach = dilation * (window - 1)
        return Field(self.size + reach * self.jump, self.jump * stride, self.start - pad * self.jump)

    def of_all(self, places: int) -> Field:
        """What a number sees that is made of all outputs: the same for every such number, so ``jump`` is 0."""
        return Field(self.size + (places - 1) * self.jump, 0, self.start)

    def span(self, place: int, side: int) -> tuple[int, int]:
        """First and last-but-one pixel of the output at ``place``, cut to an input of ``side`` pixels."""
        first = self.start + place * self.jump
        return max(0, first), min(side, first + self.size)


Fields = tuple[Field, Field]  # along rows and columns


def fields(model: nn.Sequential, shape: tuple[int, ...]) -> dict[str, Fields]:
    """The receptive field of each layer's outputs, for images ``(C, H, W)``.

    A number made of a whole map sees all that the map saw, which may be less than the image: windows that do not fit
    leave pixels at the rim unseen.
    """
    import torch

    found, now, X = {}, (Field(), Field()), torch.zeros(1, *shape)
    with torch.inference_mode():
        for name, layer in model.named_children():
            now = _after(layer, now, X.shape[2:])
            X = layer(X)
            found[name] = now
    return found


def _after(layer: nn.Module, now: Fields, places: tuple[int, ...]) -> Fields:
    """The field after a layer that is given maps of ``places`` (h, w), or a list of numbers (none)."""
    kind = kind_of(layer)
    if not places:
        return now
    if kind in ("dense", "flatten", "globalpool", "shuffle"):  # pixels from anywhere: a window on them sees them all
        return now[0].of_all(places[0]), now[1].of_all(places[1])
    if kind not in ("conv", "maxpool", "avgpool"):
        return now  # works on each number alone
    window, stride, pad, dilation = (
        _pair(getattr(layer, name, 1)) for name in ("kernel_size", "stride", "padding", "dilation")
    )
    rows, columns = (now[i].through(window[i], stride[i], pad[i], dilation[i]) for i in (0, 1))
    return rows, columns


def kind_of(layer: nn.Module) -> str:
    """What a layer does, in one word; an activation by its own name ("relu")."""
    name = next((cls.__name__ for cls in type(layer).__mro__ if cls.__name__ in KINDS), type(layer).__name__)
    return KINDS.get(name, name.strip("_").lower())


def box(field: Fields, place: tuple[int, int], shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """What the output at ``place`` sees of an image ``(C, H, W)``: top, left, bottom, right (exclusive)."""
    (top, bottom), (left, right) = (field[i].span(place[i], shape[1 + i]) for i in (0, 1))
    return top, left, bottom, right


def anatomy(picture: np.ndarray, checkpoint: str | None = None) -> dict[str, Any]:
    """All layers of a network, each with its output for one image.

    Args:
        picture: ``(C, H, W)`` uint8, as the network knows them.
        checkpoint: path of a run's checkpoint, or None for the shipped network.

    Returns:
        ``layers``, a list in order, each with ``name``, ``kind`` (``kind_of``), ``shape``, ``params`` (their number),
        ``field`` (``[[size, jump, start], …]`` along rows and columns; see ``Field``), and its output as
        ``values`` uint16, ``(channels, h, w)`` or ``(n,)``, on a scale from ``low`` (0) to ``high`` (65535);
        ``classes`` of the network; ``softmax``: ``logits``, their ``exp``, its ``sum``, and the ``shares``.
    """
    found, classes = outputs_for(picture, checkpoint)
    model = network(checkpoint).model
    seen = fields(model, picture.shape)
    layers = [
        {
            "name": name,
            "kind": kind_of(layer),
            "shape": list(found[name].shape),
            "params": sum(p.numel() for p in layer.parameters()),
            "field": [[f.size, f.jump, f.start] for f in seen[name]],
            **compact(found[name][: MOST_MAPS if found[name].ndim == 3 else MOST_UNITS], np.uint16),
        }
        for name, layer in model.named_children()
    ]
    logits = found[layers[-1]["name"]].astype(float)
    exps = np.exp(np.minimum(logits, 700.0))
    shares = softmax(logits).astype(float)
    return {
        "layers": layers,
        "classes": classes,
        "softmax": {"logits": logits, "exp": exps, "sum": float(exps.sum()), "shares": shares},
    }


def compact(values: np.ndarray, kind: type = np.uint8) -> dict[str, Any]:
    """An array as whole numbers on its own scale: ``values`` of that kind, ``low`` is 0 and ``high`` the largest."""
    values = np.nan_to_num(values.astype(np.float32))
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    most = np.iinfo(kind).max
    scaled = (values - low) * (most / (high - low)) if high > low else np.zeros_like(values)
    return {"values": np.rint(scaled).astype(kind), "low": low, "high": high}


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
