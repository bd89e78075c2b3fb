"""What a block of the depth lesson is made of, for a picture of it: layers in order, the link, shapes and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlcore.texts import N_


@dataclass(frozen=True)
class Part:
    """A layer as a box.

    Attributes:
        name: what it is called, marked with ``N_`` where it is a word.
        detail: a second line; "" for none.
        params: how many weights it has.
        kind: ``weight``, ``norm`` or ``act``.
    """

    name: str
    detail: str = ""
    params: int = 0
    kind: str = "act"


@dataclass(frozen=True)
class Kind:
    """One sort of block: the branch's layers in order, the link, what comes after the sum, and the shapes."""

    layers: tuple[Part, ...]
    link: Part
    after: tuple[Part, ...]
    shape_in: str
    shape_out: str

    @property
    def params(self) -> int:
        """All weights of the block."""
        return sum(part.params for part in (*self.layers, self.link, *self.after))


@dataclass(frozen=True)
class Chain:
    """A network's blocks: which kinds there are, and the kind of each block."""

    kinds: tuple[Kind, ...]
    kind_of: tuple[int, ...]


RELU = Part("ReLU")
SIDES = {"cifar10": 32}  # pixels; all other pictures of the lesson have 28
STAGES = {
    **{f"resnet{6 * n + 2}": (16, (n,) * 3) for n in (3, 5, 7, 9, 18)},
    "resnet18": (64, (2, 2, 2, 2)),
}  # channels of the first stage, blocks of each: as in dlcore.models.resnet, which imports torch


def chain(config: Any) -> Chain:
    """The blocks of the networks that a config of the depth lesson names; the plain one's have no link."""
    if config.network == "stack" and config.blocks == "dense":
        return Chain((_dense(config),), (0,) * config.depth)
    side = SIDES.get(config.dataset, 28)
    width, stages = STAGES.get(config.network, (config.width, (max(1, config.depth // 2),)))
    side = side // 4 if config.network == "stack" else side
    kinds: list[Kind] = []
    kind_of: list[int] = []
    for stage, length in enumerate(stages):
        if stage:
            kinds.append(_conv(config, width, 2 * width, side, -(-side // 2)))
            kind_of.append(len(kinds) - 1)
            width, side, length = 2 * width, -(-side // 2), length - 1
        if length:
            kinds.append(_conv(config, width, width, side, side))
            kind_of += [len(kinds) - 1] * length
    return Chain(tuple(kinds), tuple(kind_of))


def _dense(config: Any) -> Kind:
    n = config.width
    layer = Part(N_("Dense"), f"{n} → {n}", n * n + n, "weight")
    norm = _norm(config.norm, n)
    layers = (*norm, RELU, layer) if config.order == "pre" else (layer, *norm)
    return Kind(layers, Part("X"), () if config.order == "pre" else (RELU,), f"{n}", f"{n}")


def _conv(config: Any, before: int, after: int, side: int, left: int) -> Kind:
    bias = config.norm == "none"
    first, second = (
        Part(N_("Conv 3×3"), f"{a} → {after}", 9 * a * after + bias * after, "weight") for a in (before, after)
    )
    if config.order == "pre":
        layers = (*_norm(config.norm, before), RELU, first, *_norm(config.norm, after), RELU, second)
    else:
        layers = (first, *_norm(config.norm, after), RELU, second, *_norm(config.norm, after))
    link = Part("X")
    if before != after and config.shortcut == "projection":
        link = Part(N_("Conv 1×1"), f"{before} → {after}", before * after + _weights(config.norm, after), "weight")
    elif before != after:
        link = Part(N_("every 2nd pixel"), f"{before} → {after}", 0, "norm")
    after_sum = () if config.order == "pre" else (RELU,)
    return Kind(layers, link, after_sum, f"{before} × {side} × {side}", f"{after} × {left} × {left}")


def _norm(kind: str, width: int) -> tuple[Part, ...]:
    names = {"batch": N_("Batch norm"), "layer": N_("Layer norm")}
    return (Part(names[kind], "", _weights(kind, width), "norm"),) if kind in names else ()


def _weights(norm: str, width: int) -> int:
    """Scale and shift of each channel."""
    return 0 if norm == "none" else 2 * width
