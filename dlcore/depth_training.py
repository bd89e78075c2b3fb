"""What the depth experiment gives the loop: batches, the loss of two networks side by side, and what is measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dlcore.augmentation import augment
from dlcore.augmentation_settings import Strengths
from dlcore.data.images import ImageData, proportional_order
from dlcore.depth_film import DepthFilm, by_block
from dlcore.device import torch_format
from dlcore.image_training import infer
from dlcore.models.cnn import parameter_count
from dlcore.models.stacks import blocks_of
from dlcore.models.together import Together, is_finite, summed
from dlcore.readings import hits
from dlcore.training import Task

if TYPE_CHECKING:
    from dlcore.experiments.resnet import Config

ASKED = 2000  # training images, each class in proportion, that the training error is measured on
MOST_GROWTH = 1e3  # of two networks one whose loss has grown so much has diverged; the other goes on without it


def batch(clean: Callable[[Tensor], tuple[Tensor, Tensor]], config: Config, indices: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels ``(B, C, H, W)`` and classes ``(B,)``, moved and mirrored where the config says so (which draws)."""
    X, y = clean(indices)
    if config.flip or config.shift:
        moved = augment(X, Strengths(flip=config.flip, shift=config.shift))
        X = moved.contiguous(memory_format=torch_format(config.memory_format))
    return X, y


def loss_of(config: Config, film: DepthFilm, told: dict[str, Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The sum of the networks' losses, without those that have left all bounds. Each goes into ``told``."""
    first = torch.stack([by_block(model, film.X, film.y)[0] for model in film.models.values()])
    bounds = MOST_GROWTH * first.clamp(min=1)

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        each = [cross_entropy(one, y, label_smoothing=config.label_smoothing) for one in outputs.unbind(1)]
        losses = torch.stack(each)
        told.update(zip((f"loss/{name}" for name in film.models), losses.detach().unbind(), strict=True))
        return summed(losses, losses.detach() <= bounds)

    return loss


def evaluation(models: Together, config: Config, data: ImageData, main: str) -> Callable[[], dict[str, float]]:
    """Loss and accuracy on held-out and on training images, by network and of the one called ``main``.

    NaN of a network whose weights are no numbers any more.
    """
    seen = proportional_order(data.y_train)[:ASKED]
    arrays = {"test": (data.X_test, data.y_test), "train": (data.X_train[seen], data.y_train[seen])}
    sets = {kind: [torch.tensor(a, device=config.device) for a in pair] for kind, pair in arrays.items()}

    def evaluate() -> dict[str, float]:
        found: dict[str, float] = {}
        for kind, (X, y) in sets.items():
            for (name, model), logits in zip(models.items(), infer(models, X, config).unbind(1), strict=True):
                sound = is_finite(model)
                found[f"{kind}_loss/{name}"] = cross_entropy(logits, y).item() if sound else math.nan
                found[f"{kind}_accuracy/{name}"] = hits(logits, y).float().mean().item() if sound else math.nan
        own = {name.removesuffix(f"/{main}"): value for name, value in found.items() if name.endswith(f"/{main}")}
        return found | own

    return evaluate


def gradient_ratios(task: Task, main: str) -> dict[str, float]:
    """How much less the first block learns from than the last, by network and of the one called ``main``."""
    assert task.look is not None
    frame = task.look()["frames"]
    found = {name: frame[f"weights/{name}"][0] for name in task.parts}
    ratios = {name: float(norms[0] / norms[-1]) for name, norms in found.items()}
    return {**{f"gradient_ratio/{name}": ratio for name, ratio in ratios.items()}, "gradient_ratio": ratios[main]}


def described(task: Task) -> dict[str, Any]:
    """What ``Started.info`` says of the networks: their names, parameters by name, and the names of the blocks."""
    first: nn.Module = next(iter(task.parts.values()))
    return {
        "networks": list(task.parts),
        "params_by_network": {name: parameter_count(model) for name, model in task.parts.items()},
        "blocks": [name.removeprefix("network.") for name, _ in blocks_of(first)],
    }
