"""What a list of layers makes of an image: every layer's output and cost, or why it does not fit. No torch in it.

So the web process can judge a network that only a worker can build (``dlcore.models.cnn.build``).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dlcore.models.layers import TO_LIST, Layer
from dlcore.texts import N_, Problem

MOST_PARAMETERS = 5_000_000  # 20 MB of weights, 80 with Adam's memories
MOST_WORK = 300_000_000  # multiply-adds per image
MOST_NUMBERS = 4_000_000  # numbers that all layers together put out for one image, and that the way back needs again

STEP_BYTES = 10  # for every number that a layer puts out: itself and what the way back makes of it; 8 to 10 measured

Shape = tuple[int, ...]  # (channels, height, width), or (length,) of a list


@dataclass(frozen=True)
class Row:
    """What is known of a layer in its place.

    Attributes:
        name: what it is called in the model: "conv1", …, "logits".
        shape: of its output, without the batch axis; () from the first fault on.
        params: how many numbers it learns.
        work: multiply-adds for one image.
        problem: why it does not fit here.
    """

    layer: Layer
    name: str
    shape: Shape = ()
    params: int = 0
    work: int = 0
    problem: Problem | None = field(default=None, compare=False)


def shapes(layers: Sequence[Layer], shape: Shape, classes: int) -> list[Row]:
    """Every layer's output and cost for images of ``shape`` (channels, height, width); the first fault is in its row.

    Where there is none, the rows' last shape is ``(classes,)``. Rows after a fault have a name only.
    """
    rows: list[Row] = []
    names, broken, last = _names(layers), False, len(layers) - 1
    for place, (layer, name) in enumerate(zip(layers, names, strict=True)):
        row = Row(layer, name)
        if not broken:
            try:
                row = _through(row, shape, classes)
                _limits([*rows, row])
                _ending(layer, place == last)
            except Problem as problem:
                row, broken = replace(row, problem=problem), True
            shape = row.shape
        rows.append(row)
    return rows


def fault(rows: Sequence[Row]) -> Problem | None:
    """Why a network cannot be built, or None."""
    if not rows:
        return Problem(N_("There is no layer yet. The shortest network is: flatten; dense."), kind="layers")
    return next((row.problem for row in rows if row.problem), None)


def total(rows: Sequence[Row]) -> int:
    """How many numbers the network learns."""
    return sum(row.params for row in rows)


def step_bytes(rows: Sequence[Row], batch_size: int) -> float:
    """About how much memory a step on so many images takes beside weights and data."""
    return STEP_BYTES * batch_size * sum(math.prod(row.shape) for row in rows if row.shape)


def _names(layers: Sequence[Layer]) -> list[str]:
    """What each layer is called: its kind and how many of it there have been; the last dense layer is "logits"."""
    seen: Counter[str] = Counter()
    names = []
    for layer in layers:
        seen[layer.kind] += 1
        count = seen[layer.kind]
        single = layer.kind in TO_LIST and count == 1
        logits = layer.kind == "dense" and not layer.size and "logits" not in names
        names.append("logits" if logits else layer.kind if single else f"{layer.kind}{count}")
    return names


def _through(row: Row, shape: Shape, classes: int) -> Row:
    """The row with what comes out when ``shape`` goes in. Raises ``Problem``."""
    layer, flat = row.layer, len(shape) == 1
    if layer.kind in ("conv", "pool", *TO_LIST) and flat:
        raise Problem(
            N_("“{layer}” needs maps, but here is a list of {length} numbers. Put it before the layer that makes the "
               "list (flatten, average or largest)."),
            kind="layers", layer=layer.kind, length=shape[0],
        )  # fmt: skip
    if layer.kind == "dense":
        if not flat:
            raise Problem(
                N_("“dense” needs a list, but here are {channels} maps of {height} × {width}. Put “flatten” or "
                   "“average” before it."),
                kind="layers", channels=shape[0], height=shape[1], width=shape[2],
            )  # fmt: skip
        length, out = shape[0], layer.size or classes
        return replace(row, shape=(out,), params=out * (length + 1), work=out * length)
    if layer.kind == "conv":
        side = _windows(layer, shape)
        weights = layer.size * shape[0] * layer.window**2
        return replace(row, shape=(layer.size, *side), params=weights + layer.size, work=weights * side[0] * side[1])
    if layer.kind == "pool":
        return replace(row, shape=(shape[0], *_windows(layer, shape)))
    if layer.kind == "norm":
        return replace(row, shape=shape, params=2 * shape[0])
    if layer.kind in TO_LIST:
        area = shape[1] * shape[2] if layer.kind == "flatten" else 1
        return replace(row, shape=(shape[0] * area,))
    return replace(row, shape=shape)


def _windows(layer: Layer, shape: Shape) -> tuple[int, int]:
    """How many places the window has, down and across."""
    height, width = ((side + 2 * layer.pad - layer.window) // layer.stride + 1 for side in shape[1:])
    if min(height, width) < 1:
        raise Problem(
            N_("“{layer} {window} × {window}” does not fit on {height} × {width}. Take a smaller window, or shrink the "
               "maps less before it: fewer pools, smaller strides, or a margin (pad) around a convolution."),
            kind="layers", layer=layer.kind, window=layer.window, height=shape[1], width=shape[2],
        )  # fmt: skip
    return height, width


def _ending(layer: Layer, last: bool) -> None:
    """The layer without a number is the last, and only it."""
    end = layer.kind == "dense" and not layer.size
    if end and not last:
        raise Problem(
            N_("“dense” without a number gives the scores of the classes: nothing may follow it. Give it a number of "
               "neurons, or move it to the end."),
            kind="layers",
        )  # fmt: skip
    if last and not end:
        raise Problem(
            N_("The last layer must be “dense” without a number: it gives one score per class. Add it at the end."),
            kind="layers",
        )  # fmt: skip


def _limits(rows: Sequence[Row]) -> None:
    """That a network so far is no larger than a shared machine can train."""
    if (params := total(rows)) > MOST_PARAMETERS:
        raise Problem(
            N_("With this layer there are {params} parameters; at most {most} are allowed. Shrink what goes into it: a "
               "pool before it, fewer maps, or “average” instead of “flatten”."),
            kind="layers", params=f"{params:,}", most=f"{MOST_PARAMETERS:,}",
        )  # fmt: skip
    work, numbers = sum(row.work for row in rows), sum(math.prod(row.shape) for row in rows)
    if work > MOST_WORK or numbers > MOST_NUMBERS:
        raise Problem(
            N_("With this layer one image costs {work} million multiplications and {numbers} million numbers to keep; "
               "at most {most_work} and {most_numbers} are allowed. Shrink the maps earlier, or take fewer of them."),
            kind="layers", work=f"{work / 1e6:,.0f}", numbers=f"{numbers / 1e6:.1f}",
            most_work=MOST_WORK // 10**6, most_numbers=MOST_NUMBERS // 10**6,
        )  # fmt: skip
