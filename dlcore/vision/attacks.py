"""Pushes that a network feels and an eye does not, beside random noise of the same size. For workers.

All sizes ε are on the scale of pixels, 0 to 1: no pixel moves further than ε, and none leaves black to white.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.data.images import load, proportional_order
from dlcore.vision.attribution import at_once
from dlcore.vision.models import model
from dlcore.vision.pixels import WHITE, Opened, as_bytes, on_pixels, open_with

PGD_STEPS = 10
STRIDE = 2.5  # PGD: the steps together may go so many times ε, so that it reaches the edge and turns along it
MANY = 200  # test images of which a share is taken


def slope(net: nn.Module, P: Tensor, targets: Tensor) -> Tensor:
    """∂ cross-entropy / ∂ pixels of each picture by itself, ``(B, C, H, W)``."""
    P = P.detach().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(F.cross_entropy(net(P), targets, reduction="sum"), P)[0]


def fgsm(net: nn.Module, P: Tensor, targets: Tensor, epsilon: float | Tensor, *, targeted: bool = False) -> Tensor:
    """One signed gradient step (Goodfellow et al. 2015), ``(B, C, H, W)`` in 0 to 1.

    Args:
        targets: ``(B,)`` the true classes, away from which it goes; or with ``targeted`` those that it goes to.
        epsilon: one for all, or ``(B, 1, 1, 1)``.
    """
    way = slope(net, P, targets).sign()
    return (P - epsilon * way if targeted else P + epsilon * way).clamp(0, 1)


def pgd(
    net: nn.Module, P: Tensor, targets: Tensor, epsilon: float | Tensor, *, targeted: bool = False,
    steps: int = PGD_STEPS, start: Tensor | None = None, now: int | None = None,
) -> Tensor:  # fmt: skip
    """Signed gradient steps, each put back to within ε of the picture (Madry et al. 2018), ``(B, C, H, W)``.

    It begins at the picture itself, so that it is the same each time. Arguments as for ``fgsm``, and

        start: how far it has come, ``(B, C, H, W)``; None: it begins.
        now: how many of the ``steps`` are made in this call; None: all.
    """
    size, Q = STRIDE * epsilon / steps, P.detach() if start is None else start
    for _ in range(steps if now is None else now):
        way = size * slope(net, Q, targets).sign()
        Q = torch.minimum(torch.maximum(Q - way if targeted else Q + way, P - epsilon), P + epsilon).clamp(0, 1)
    return Q


def random_signs(P: Tensor, epsilon: float | Tensor, *, seed: int = 0) -> Tensor:
    """Noise of the same size: every pixel moves by ε, up or down by the toss of a coin."""
    coins = torch.randint(0, 2, P.shape[1:], generator=torch.Generator().manual_seed(seed)) * 2.0 - 1
    return (P + epsilon * coins).clamp(0, 1)


ATTACKS: dict[str, Callable[..., Tensor]] = {"fgsm": fgsm, "pgd": pgd}


def attack(
    name: str, picture: np.ndarray, method: str, epsilon: float, target: int | None = None, *, steps: int = PGD_STEPS,
    now: int | None = None, start: np.ndarray | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One picture attacked, and the same picture with random noise of the same size.

    Args:
        name, picture: as for ``pixels.open_with``.
        method: "fgsm" or "pgd".
        epsilon: 0 to 1.
        target: the class to be answered; None: anything but the answer now.
        steps, now, start: of PGD, see there; ``start`` is the ``next`` of the call before.

    Returns:
        ``pictures`` (3, C, H, W) uint8: the picture, attacked, with noise; ``pushes`` (2, C, H, W) float32, what was
        added by attack and noise; ``probabilities`` (3, K) float32; ``before``, the answer without either;
        ``next`` (1, C, H, W) float32, the attacked picture to go on from.
    """
    opened = open_with(name, picture)
    more: dict[str, Any] = {} if method == "fgsm" else {"steps": steps, "now": now}
    if method == "pgd" and start is not None:
        more["start"] = torch.from_numpy(start.copy())
    attacked = attacked_with(opened, method, epsilon, target, **more)
    noisy = random_signs(opened.P, epsilon)
    three = torch.cat([opened.P, attacked, noisy])
    with torch.no_grad():
        probabilities = opened.net(three).softmax(1)
    return {
        "pictures": as_bytes(three),
        "pushes": (three[1:] - opened.P).numpy(),
        "probabilities": probabilities.numpy(),
        "before": opened.best,
        "next": attacked.numpy(),
    }


def attacked_with(
    opened: Opened, method: str, epsilon: float | Tensor, target: int | None, **more: Any
) -> Tensor:  # fmt: skip
    """The picture attacked, ``(1, C, H, W)``; several ``epsilon`` (B, 1, 1, 1): ``(B, C, H, W)``."""
    wanted = opened.best if target is None else opened.target(target)
    count = len(epsilon) if isinstance(epsilon, Tensor) else 1
    P = opened.P.expand(count, -1, -1, -1)
    targets = torch.full((count,), wanted)
    return ATTACKS[method](opened.net, P, targets, epsilon, targeted=target is not None, **more)


def sweep(
    name: str, picture: np.ndarray, method: str, epsilons: Sequence[float], target: int | None = None, *,
    steps: int = PGD_STEPS,
) -> dict[str, Any]:  # fmt: skip
    """How sure the network is of its first answer, and of the attack's wish, for each ε.

    Returns:
        ``attack`` and ``noise`` (n,) float32: the probability of the class that was answered without either;
        ``wished`` (n,): of the target under attack (``None`` without a target); ``answers`` (n,) and ``noise_answers``
        (n,): the class answered.
    """
    opened = open_with(name, picture)
    sizes = torch.tensor(list(epsilons), dtype=torch.float32)[:, None, None, None]
    attacked, noisy, more = [], [], {"steps": steps} if method == "pgd" else {}
    with torch.no_grad():
        for part in sizes.split(at_once(opened.P)):
            Q = attacked_with(opened, method, part, target, **more)
            attacked.append(opened.net(Q).softmax(1))
            noisy.append(opened.net(random_signs(opened.P, part)).softmax(1))
    pushed, tossed = torch.cat(attacked), torch.cat(noisy)
    return {
        "attack": pushed[:, opened.best].numpy(),
        "noise": tossed[:, opened.best].numpy(),
        "wished": None if target is None else pushed[:, target].numpy(),
        "answers": pushed.argmax(1).numpy(),
        "noise_answers": tossed.argmax(1).numpy(),
        "before": opened.best,
    }


def accuracies(
    net: nn.Module, P: Tensor, y: Tensor, epsilons: Sequence[float], methods: Sequence[str] = ("fgsm", "pgd", "noise")
) -> dict[str, np.ndarray]:
    """The share of pictures ``(N, C, H, W)`` answered rightly under each method, for each ε: ``(n,)`` each."""
    found: dict[str, list[float]] = {method: [] for method in methods}
    for epsilon in epsilons:
        for method in methods:
            Q = random_signs(P, epsilon) if method == "noise" else ATTACKS[method](net, P, y, epsilon)
            with torch.no_grad():
                found[method].append(float((net(Q).argmax(1) == y).float().mean()))
    return {method: np.array(shares) for method, shares in found.items()}


def accuracy_curves(
    name: str, dataset: str, epsilons: Sequence[float], methods: Sequence[str], *, count: int = MANY
) -> dict[str, np.ndarray]:
    """``accuracies`` of a network on the first test images of a dataset of its own shape, each class in proportion."""
    data, vision = load(dataset), model(name)
    few = proportional_order(data.y_test)[:count]
    P = torch.tensor(data.X_test[few], dtype=torch.float32) / WHITE
    return accuracies(on_pixels(vision), P, torch.tensor(data.y_test[few]), epsilons, methods)
