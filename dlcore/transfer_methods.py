"""Ways to use what a network has learned elsewhere: which blocks are taken over, and which of them may still change.

No torch in it, so that the page can draw a network and count what is trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dlcore.models import mobilenet_rows
from dlcore.models.layer_shapes import Row, shapes
from dlcore.models.layers import BACKBONE, parse

if TYPE_CHECKING:
    from dlcore.experiments.transfer import Config

FROZEN, TRAINED, NEW = STATES = ("f", "t", "n")  # taken over and left as it is; taken over and trained on; drawn anew
DRAWN, SHIPPED, IMAGENET = "shapes", "backbone", "mobilenet_v2"  # networks to begin with
BATCH = {DRAWN: 32, SHIPPED: 32, IMAGENET: 8}  # pictures a step, at most: what all networks put out is in memory
WITH_WEIGHTS = ("conv", "dense")
BASE_LAYERS = (  # small, since a run trains some hundred of them
    "conv 16 5 stride 2 pad 2; relu; conv 24 3 pad 1; pool 2; relu; conv 32 3 pad 1; relu; conv 48 3 pad 1; relu; "
    "largest; dense"
)
LAYERS = {DRAWN: BASE_LAYERS, SHIPPED: BACKBONE}  # of those that are lists of layers
SHAPES = {DRAWN: (1, 28, 28), SHIPPED: (3, 32, 32), IMAGENET: (3, 96, 96)}  # of the pictures that each takes
PUPIL_LAYERS = "conv 8 3 stride 2 pad 1; relu; conv 16 3 stride 2 pad 1; relu; largest; dense"
PUPILS = ("alone", "hard", "soft")


@dataclass(frozen=True)
class Method:
    """One way to learn the new classes. The head, the last dense layer, is always drawn anew and trained.

    Attributes:
        name: in metrics and links.
        blocks: a letter of ``STATES`` for each block, the first one first.
        rank: of what is added to the weights of frozen blocks (LoRA, Hu et al. 2022, arXiv 2106.09685); 0 adds nothing.
        slower: each block learns at this share of the rate of the block above it (Howard and Ruder 2018, arXiv
            1801.06146).
    """

    name: str
    blocks: str
    rank: int = 0
    slower: float = 1.0


def methods_of(config: Config) -> list[Method]:
    """What a run compares."""
    count = block_count(base_name(config))
    if config.question == "layers":
        copied = range(1, count + 1)
        frozen = [Method(f"frozen{k}", FROZEN * k + NEW * (count - k)) for k in copied]
        return [Method("scratch", NEW * count), *frozen,
                *(Method(f"tuned{k}", TRAINED * k + NEW * (count - k)) for k in copied)]  # fmt: skip
    if config.question == "distil":
        return [Method("teacher", TRAINED * count)]
    return [
        Method("scratch", NEW * count),
        Method("frozen", FROZEN * count),
        Method("finetuned", TRAINED * count),
        Method("last", FROZEN * (count - 1) + TRAINED),
        Method("slower", TRAINED * count, slower=config.slower),
        Method("lora", FROZEN * count, rank=config.rank),
        Method("own", letters(config.own, count)),
    ]


def letters(text: str, count: int) -> str:
    """What a link says of ``count`` blocks, made whole: letters that are none freeze, missing ones repeat the last."""
    known = "".join(letter if letter in STATES else FROZEN for letter in text.strip().lower()[:count]) or FROZEN
    return known + known[-1] * (count - len(known))


def base_name(config: Config) -> str:
    """The network that a run begins with: shapes have one of their own, which the run trains first."""
    return DRAWN if config.dataset == DRAWN else config.base


def batch_size(config: Config) -> int:
    """How many pictures a step learns from at most."""
    return BATCH[base_name(config)]


def block_count(base: str) -> int:
    """How many blocks a network to begin with has, without the head."""
    return len(blocks_for(base, 2)) - 1


def blocks_for(base: str, classes: int) -> list[list[Row]]:
    """Its layers by block, and last those of the head for so many classes."""
    if base == IMAGENET:
        return mobilenet_rows.rows(SHAPES[base], classes)
    return blocks_of(LAYERS[base], SHAPES[base], classes)


@lru_cache(maxsize=16)
def blocks_of(layers: str, shape: tuple[int, int, int], classes: int) -> list[list[Row]]:
    """The layers of each block and, as the last, of the head: a block begins with each layer that has weights."""
    found: list[list[Row]] = []
    for row in shapes(parse(layers), shape, classes):
        if row.layer.kind in WITH_WEIGHTS or not found:
            found.append([])
        found[-1].append(row)
    return found


def trained_parameters(method: Method, blocks: Sequence[Sequence[Row]]) -> int:
    """How many numbers a method changes; ``blocks`` with the head, as ``blocks_of`` gives them."""
    total = sum(row.params for row in blocks[-1])
    for letter, rows in zip(method.blocks, blocks[:-1], strict=True):
        added = sum(low_rank_parameters(row, method.rank) for row in rows if row.layer.kind in WITH_WEIGHTS)
        total += added if letter == FROZEN else sum(row.params for row in rows)
    return total


def low_rank_parameters(row: Row, rank: int) -> int:
    """Numbers in B (outputs × rank) and A (rank × inputs of one output)."""
    return rank * (row.shape[0] + row.work // math.prod(row.shape))
