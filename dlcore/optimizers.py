"""Optimizers by name, and what each is usually given. Imports torch only when one is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from dlcore.experiments.settings import Descent

USUAL: dict[str, dict[str, Any]] = {
    "adam": {"learning_rate": 1e-3, "momentum": 0.9, "beta2": 0.999},
    "sgd": {"learning_rate": 0.05, "momentum": 0.9},
    "rmsprop": {"learning_rate": 1e-3, "momentum": 0.0, "beta2": 0.99},
    "nesterov": {"learning_rate": 0.05, "momentum": 0.9},
    "adagrad": {"learning_rate": 0.01},
    "adamw": {"learning_rate": 1e-3, "momentum": 0.9, "beta2": 0.999, "weight_decay": 0.01},
}


def chosen(config: Descent, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The optimizer that the config says, of ``USUAL``."""
    return make_optimizer(
        config.optimizer, parameters, learning_rate=config.learning_rate, momentum=config.momentum, beta2=config.beta2,
        weight_decay=config.weight_decay,
    )  # fmt: skip


def make_optimizer(
    name: str,
    parameters: Iterable[torch.nn.Parameter],
    *,
    learning_rate: float,
    momentum: float = 0.9,
    beta2: float = 0.999,
    weight_decay: float = 0.0,
) -> torch.optim.Optimizer:
    """An optimizer from ``USUAL``, with torch's fused kernels where there are any.

    Args:
        momentum: share of the last step kept in the next; Adam's beta 1.
        beta2: memory of squared gradients (Adam's beta 2, RMSProp's alpha); SGD, Nesterov and AdaGrad have none.
        weight_decay: added to the gradient as ``weight_decay * weight``; AdamW takes it from the weights instead.
    """
    from torch import optim

    common: dict[str, Any] = {"lr": learning_rate, "weight_decay": weight_decay}
    if name == "sgd":
        return optim.SGD(parameters, momentum=momentum, fused=True, **common)
    if name == "rmsprop":
        return optim.RMSprop(parameters, momentum=momentum, alpha=beta2, **common)
    if name == "nesterov":
        return optim.SGD(parameters, momentum=momentum, nesterov=momentum > 0, fused=True, **common)
    if name == "adagrad":
        return optim.Adagrad(parameters, **common)
    if name == "adamw":
        return optim.AdamW(parameters, betas=(momentum, beta2), fused=True, **common)
    return optim.Adam(parameters, betas=(momentum, beta2), fused=True, **common)
