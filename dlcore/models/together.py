"""Several models that learn side by side from the same batches and share nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Together(nn.ModuleDict):
    """Models of the same task, by name, that see the same batches: ``(B, …)`` each → ``(B, models, …)``.

    No weight is shared, so the gradient of the sum of their losses is each model's own, and an optimizer that treats
    every parameter by itself trains each as if it were alone.
    """

    def forward(self, X: Any) -> Tensor:
        """The models' outputs side by side on axis 1; ``X`` is whatever each of them takes."""
        outputs = [model(X) for model in self.values()]
        for output in outputs:
            if output.requires_grad:  # else its gradient is a slice, whose sums may differ in a last bit
                output.register_hook(Tensor.contiguous)
        return torch.stack(outputs, 1)


def together(cells: Iterable[str], make: Callable[[str], nn.Module], seed: int) -> Together:
    """A model for each cell, each drawn from ``seed`` anew: alone or among others, it begins with the same weights."""
    models = {}
    for cell in cells:
        torch.manual_seed(seed)
        models[cell] = make(cell)
    return Together(models)


def summed(losses: Tensor, sound: Tensor) -> Tensor:
    """The sum of the models' losses ``(models,)``: the gradient of each is its own, as if it were alone.

    One that is not ``sound`` (models,) bool is left out, so that the others go on; the sum is NaN when none is.
    """
    if len(losses) == 1:
        return losses[0]
    return torch.where(sound, losses, 0.0).sum() + torch.where(sound.any(), 0.0, torch.nan)


def each_measured(
    measures: Mapping[str, Callable[[Tensor, Tensor], Tensor]], names: Iterable[str]
) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """The measures of each model by itself (``accuracy/lstm``), from outputs side by side ``(B, models, …)``."""

    def of_one(function: Callable[[Tensor, Tensor], Tensor], place: int) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda outputs, targets: function(outputs[:, place], targets)

    each = enumerate(names)
    return {f"{name}/{model}": of_one(f, i) for i, model in each for name, f in measures.items()}


def is_finite(model: nn.Module) -> bool:
    """Whether every weight is still a number."""
    return bool(torch.stack([p.isfinite().all() for p in model.parameters()]).all())
