"""Training on pushed images, so that a network is harder to fool (Goodfellow et al. 2015; Madry et al. 2018)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WHITE = 255.0
STEP = 1.25  # of ε: one step from a random place in the ε-box, as far as Wong, Rice and Kolter found best


def pushed(model: nn.Module, X: Tensor, y: Tensor, epsilon: float, by: str) -> Tensor:
    """Images ``(B, C, H, W)``, pixels 0 to 255, each pixel moved by at most ``epsilon`` of black to white.

    Args:
        by: "noise", a random amount for each pixel; or "attack", one signed gradient step from there (Wong, Rice and
            Kolter, "Fast is better than free", 2020: without the random start, one step teaches the network to hide
            its gradient instead). Draws from torch's global generator.
    """
    most = WHITE * epsilon
    Q = (X + most * (2 * torch.rand_like(X) - 1)).clamp(0, WHITE)
    if by == "noise":
        return Q
    was_training = model.training
    model.eval()  # batch normalisation must not learn from the look
    with torch.enable_grad():
        Q.requires_grad_()
        slope = torch.autograd.grad(F.cross_entropy(model(Q).float(), y, reduction="sum"), Q)[0]
    model.train(was_training)
    Q = Q.detach() + STEP * most * slope.sign()
    return torch.minimum(torch.maximum(Q, X - most), X + most).clamp(0, WHITE)
