"""Trained image networks as the pages ask for them, and what each of their layers says. For workers.

A network is named by its checkpoint file; ``None`` means the one that is shipped with the lessons.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

SHIPPED_SHAPE = (1, 28, 28)


@dataclass(frozen=True)
class Trained:
    """A network in eval mode on the CPU, its classes' names, and the shape ``(C, H, W)`` of its images."""

    model: nn.Sequential
    classes: list[str]
    shape: tuple[int, int, int]


def network(checkpoint: str | None) -> Trained:
    """The network of a checkpoint file as it was last written, or the shipped one."""
    return _from_checkpoint(checkpoint, written(checkpoint)) if checkpoint else _shipped()


def written(checkpoint: str | None) -> int:
    """When the file was written, in ns: in a cache's key it names one state of a run that goes on. 0 if shipped."""
    return Path(checkpoint).stat().st_mtime_ns if checkpoint else 0


def outputs(model: nn.Sequential, X: Tensor) -> dict[str, Tensor]:
    """Every layer's output for images ``(B, C, H, W)``, pixels 0 to 255, in order, by the layer's name."""
    found = {}
    for name, layer in model.named_children():
        X = layer(X)
        found[name] = X
    return found


def outputs_for(picture: np.ndarray, checkpoint: str | None) -> tuple[dict[str, np.ndarray], list[str]]:
    """Every layer's output for one image ``(C, H, W)`` uint8, float32 without the batch axis; and the classes."""
    import torch

    trained = network(checkpoint)
    with torch.inference_mode():
        found = outputs(trained.model, torch.from_numpy(np.array(picture))[None])
    return {name: output[0].numpy() for name, output in found.items()}, trained.classes


def softmax(logits: np.ndarray) -> np.ndarray:
    """Logits ``(K,)`` as probabilities: the network itself ends with logits, as cross-entropy wants them."""
    shares = np.exp(logits - logits.max())
    return (shares / shares.sum()).astype(np.float32)


@lru_cache(maxsize=4)
def _from_checkpoint(path: str, _written: int) -> Trained:
    from dlcore.checkpoints import load_model
    from dlcore.events import unpack
    from dlcore.models.cnn import build
    from dlcore.models.stacks import rebuild

    state = unpack(Path(path).read_bytes())
    classes = list(state["classes"])
    if "builds" in state:  # of the depth lesson, which may have trained two
        main = state["main"]
        return Trained(rebuild(state)[main], classes, tuple(state["builds"][main]["shape"]))
    model = build(**state["build"])
    load_model(model, state["model"])
    return Trained(model.eval(), classes, tuple(state["build"].get("shape", SHIPPED_SHAPE)))


@lru_cache(maxsize=1)
def _shipped() -> Trained:
    import torch

    from dlcore.models.weights import load_shipped

    with torch.inference_mode(False):  # who asks first may be in it; who comes later may want gradients
        model, classes = load_shipped()
    return Trained(model, classes, SHIPPED_SHAPE)
