"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381) by blocks, with what each layer costs. Imports no torch."""

from __future__ import annotations

from functools import lru_cache

from dlcore.models.layer_shapes import Row
from dlcore.models.layers import Layer

# Seven blocks of torchvision's nineteen (``features[first:last]``), each as far as the maps keep their size, nearly.
SPANS = ((0, 2), (2, 4), (4, 7), (7, 11), (11, 14), (14, 17), (17, 19))
FIRST, LAST = 32, 1280
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
# of the paper's table 2: how many times more maps between, maps out, how often, first stride

Shape = tuple[int, ...]


@lru_cache(maxsize=8)
def rows(shape: tuple[int, int, int], classes: int) -> list[list[Row]]:
    """The layers with weights of each of seven blocks, and last the head: names, shapes, parameters, multiply-adds."""
    parts: list[list[Row]] = [_layer("conv", shape, FIRST, 3, 2)]
    for expand, channels, count, stride in STAGES:
        for place in range(count):
            parts.append(_bottleneck(parts[-1][-1].shape, expand, channels, stride if place == 0 else 1))
    parts.append(_layer("conv", parts[-1][-1].shape, LAST, 1, 1))
    blocks = [[row for part in parts[first:last] for row in part] for first, last in SPANS]
    head = Row(Layer("dense"), "logits", (classes,), classes * (LAST + 1), classes * LAST)
    return [*blocks, [head]]


def _bottleneck(shape: Shape, expand: int, channels: int, stride: int) -> list[Row]:
    """Widen, look around in each map by itself, narrow."""
    wide = _layer("conv", shape, expand * shape[0], 1, 1) if expand > 1 else []
    seen = _layer("depthwise", wide[-1].shape if wide else shape, expand * shape[0], 3, stride)
    return [*wide, *seen, *_layer("conv", seen[-1].shape, channels, 1, 1)]


def _layer(kind: str, shape: Shape, channels: int, window: int, stride: int) -> list[Row]:
    """A convolution without bias and its batch norm."""
    side = [(edge - 1) // stride + 1 for edge in shape[1:]]
    weights = channels * window**2 * (1 if kind == "depthwise" else shape[0])
    out = (channels, *side)
    made = Layer(kind, size=channels, window=window, stride=stride)
    return [Row(made, kind, out, weights, weights * side[0] * side[1]), Row(Layer("norm"), "norm", out, 2 * channels)]
