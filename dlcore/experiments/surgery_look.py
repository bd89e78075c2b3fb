"""Asking trained residual networks what they answer without some of their blocks.

For ``dlcore.jobs.call``: builtins and arrays in, builtins and arrays out, in a worker. The networks are those of a
run's checkpoint, by name ("plain", "residual"); images are the first of the run's test images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.trained import written

if TYPE_CHECKING:
    from torch import Tensor, nn

WORK = 200e9  # multiplications for every block of a network taken out once: about ten seconds on one core
FEWEST, MOST = 200, 2000  # images
AT_A_TIME = 25e9  # multiplications in one call: others wait for the same worker
SHOWN = 12  # images whose answer has changed


@dataclass(frozen=True)
class Networks:
    """Networks of one checkpoint in eval mode on the CPU, and the names of their classes."""

    models: Mapping[str, nn.Module]
    classes: list[str]


def networks(checkpoint: str) -> Networks:
    """The networks of a checkpoint file as it was last written."""
    return _read(checkpoint, written(checkpoint))


@lru_cache(maxsize=4)
def _read(checkpoint: str, _written: int) -> Networks:
    import torch

    from dlcore.events import unpack
    from dlcore.models.stacks import rebuild

    state = unpack(Path(checkpoint).read_bytes())
    models = {name: model.to(memory_format=torch.channels_last) for name, model in rebuild(state).items()}
    return Networks(models, list(state["classes"]))


def describe(checkpoint: str, dataset: str) -> dict[str, Any]:
    """What there is to take out: ``classes``; ``count`` of images to ask, ``chunk`` of them to ask in one call; and
    ``blocks``, by network a list of dicts with ``keeps_shape`` and ``removable``.
    """
    from dlcore import surgery
    from dlcore.data.images import load

    found, images = networks(checkpoint), load(dataset).X_test
    blocks, cost = {}, 0.0  # multiplications for one image
    for name, model in found.models.items():
        parts = surgery.parts(model)
        blocks[name] = [{"keeps_shape": part.keeps_shape, "removable": surgery.removable(part)} for part in parts]
        cost += surgery.multiplications(model, _floats(images[:1])) * (1 + len(parts) / 2)
    count = int(min(len(images), max(FEWEST, min(MOST, WORK // cost // 100 * 100))))
    chunk = int(max(20, min(count, AT_A_TIME // cost)))
    return {"classes": found.classes, "count": count, "chunk": chunk, "blocks": blocks}


def lesions(checkpoint: str, dataset: str, start: int, stop: int) -> dict[str, np.ndarray]:
    """For test images ``start`` to ``stop``: ``labels`` (N,) and, by network, what ``dlcore.surgery.lesions`` finds."""
    from dlcore import surgery
    from dlcore.data.images import load

    data, models = load(dataset), networks(checkpoint).models
    X = _floats(data.X_test[start:stop])
    return {"labels": data.y_test[start:stop], **{name: surgery.lesions(model, X) for name, model in models.items()}}


def without(checkpoint: str, dataset: str, count: int, network: str, removed: Sequence[int]) -> np.ndarray:
    """Classes ``(count,)`` that a network names for the first test images without the blocks of these numbers."""
    from dlcore import surgery
    from dlcore.data.images import load

    model = networks(checkpoint).models[network]
    return surgery.answers(model, _floats(load(dataset).X_test[:count]), removed)


def images(dataset: str, which: Sequence[int]) -> np.ndarray:
    """Test images of these numbers, ``(n, C, H, W)`` uint8."""
    from dlcore.data.images import load

    return load(dataset).X_test[list(which)]


def at_random(checkpoint: str, dataset: str, count: int, network: str, draw: int) -> np.ndarray:
    """Accuracy on the first test images with 0, 1, … of all removable blocks out, in one random order: ``(n + 1,)``."""
    from dlcore import surgery
    from dlcore.data.images import load

    data, model = load(dataset), networks(checkpoint).models[network]
    order = surgery.orders(model, 1, np.random.default_rng(draw))[0]
    return surgery.one_after_another(model, _floats(data.X_test[:count]), data.y_test[:count], order)


def _floats(pictures: np.ndarray) -> Tensor:
    """Pixels 0 to 255 as the networks take them, ``(N, C, H, W)``."""
    import torch

    return torch.from_numpy(pictures.astype(np.float32)).to(memory_format=torch.channels_last)
