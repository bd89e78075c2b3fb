"""What each block of a deep network gets and gives while it learns: the film of the depth experiment.

Looked at are a few images that are never learned from. Batch normalisation works with their own mean and variance, as
it does in training, and keeps what it has gathered; no block is dropped and no generator drawn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.block_flow import Passage
from dlcore.models.resnet import Residual
from dlcore.models.stacks import blocks_of

FLOW = ("x", "f", "y", "gx", "link", "through")
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class DepthFilm:
    """A ``look`` hook of ``dlcore.training.Task`` for one network or several.

    Args:
        models: networks by name ("plain", "residual").
        X: pixels ``(n, C, H, W)``.
        y: classes ``(n,)``.
    """

    def __init__(self, models: Mapping[str, nn.Module], X: Tensor, y: Tensor) -> None:
        self.models, self.X, self.y = models, X, y

    def __call__(self) -> dict[str, dict[str, np.ndarray]]:
        """One frame: for each name ``gradient/…``, ``weights/…``, … (1, L) each; see ``by_block``."""
        frame = {}
        for name, model in self.models.items():
            _, found = by_block(model, self.X, self.y)
            frame |= {f"{kind}/{name}": row.float().cpu().numpy()[None] for kind, row in found.items()}
        return {"frames": frame}


def by_block(model: nn.Module, X: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss () on images ``(n, C, H, W)`` of classes ``(n,)``, and for each of the L blocks, (L,) each:

    ``gradient``
        the norm of ∂loss/∂(the block's output), all images together
    ``weights``
        the norm of ∂loss/∂(the weight matrices or kernels of its branch): what the block learns from
    ``activation``
        how much the block's output differs from image to image: the variance over the images, averaged over its numbers
    ``x``, ``f``, ``y``, ``gx``, ``link``, ``through``
        what goes through the block, forward and back: see ``dlcore.block_flow``
    """
    blocks = [block for _, block in blocks_of(model)]
    passed: list[Passage] = []

    def keep(block: Any, given: Any, output: Any) -> None:
        passed.append(Passage(block, given[0], output))

    hooks = [block.register_forward_hook(keep) for block in blocks]
    was_training = model.training
    try:
        model.eval()
        for module in model.modules():
            if isinstance(module, BATCH_NORMS):
                module.train()
        with torch.enable_grad():
            kept = {name: buffer.clone() for name, buffer in model.named_buffers()}  # what the look moves are copies
            loss = F.cross_entropy(torch.func.functional_call(model, kept, (X,)), y)
            weights = [kernels(block) for block in blocks]
            flat = [weight for of_block in weights for weight in of_block]
            ends = [*(one.Y for one in passed), *(one.X for one in passed)]
            slopes = torch.autograd.grad(loss, [*ends, *flat], allow_unused=True)
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    gY, gX, rest = slopes[: len(passed)], slopes[len(passed) : len(ends)], iter(slopes[len(ends) :])
    flows = [one.told(x, y) for one, x, y in zip(passed, gX, gY, strict=True)]
    return loss.detach(), {
        "gradient": torch.stack([flow["gy"] for flow in flows]),
        "weights": torch.stack([norm([next(rest) for _ in of_block]) for of_block in weights]),
        "activation": torch.stack([one.Y.detach().var(0).mean() for one in passed]),
        **{name: torch.stack([flow[name] for flow in flows]) for name in FLOW},
    }


def kernels(block: Residual) -> list[Tensor]:
    """The weight matrices and kernels of a block's branch."""
    named = block.named_parameters()
    return [weight for name, weight in named if weight.ndim > 1 and not name.startswith("downsample")]


def norm(slopes: list[Tensor | None]) -> Tensor:
    """The norm () of all numbers together; None counts as zeros (a block that was removed)."""
    there = [slope for slope in slopes if slope is not None]
    return nn.utils.get_total_norm(there) if there else torch.tensor(0.0)
