"""What goes through one residual block, forward and back: the summands of its output and those of its gradient.

With S = C + F(X), where C is what the link carries (X itself, or X brought to the new shape), the chain rule gives
∂L/∂X = (∂C/∂X)ᵀ ∂L/∂S + (∂F/∂X)ᵀ ∂L/∂S: a part that came back through the link, and one through the branch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from dlcore.models.resnet import Residual

SIZES = ("x", "f", "y")  # root mean squares of X, F(X) and the block's output
SLOPES = ("gx", "gy", "link", "through")  # norms of ∂L/∂X, ∂L/∂(the output) and of the two parts of ∂L/∂X


class Passage:
    """One block's way forward, kept by a forward hook; ``told`` says its numbers once the gradients are known."""

    def __init__(self, block: Residual, X: Tensor, Y: Tensor) -> None:
        self.block, self.X, self.Y = block, X, Y
        with torch.no_grad():
            self.f = size(X.new_zeros(1) if block.removed else block.branch(X))
        self.bare, self.C = None, None
        if block.residual and block.downsample is not None:  # else the link hands on what it gets
            self.bare = X.detach().requires_grad_()
            self.C = block.carried(self.bare)

    def told(self, gX: Tensor, gY: Tensor) -> dict[str, Tensor]:
        """``SIZES`` and ``SLOPES``, () each, of the gradients at the block's input and output."""
        sizes = {"x": size(self.X), "f": self.f, "y": size(self.Y)}
        slopes = {"gx": gX.norm(), "gy": gY.norm()}
        if not self.block.residual:
            return {**sizes, **slopes, "link": gX.new_zeros(()), "through": gX.norm()}
        gS = gY if self.block.pre else gY * (self.Y > 0)
        if self.C is not None and self.bare is not None:
            gS = torch.autograd.grad(self.C, self.bare, gS)[0]
        return {**sizes, **slopes, "link": gS.norm(), "through": (gX - gS).norm()}


def size(numbers: Tensor) -> Tensor:
    """The root mean square of all numbers together, ()."""
    return numbers.detach().pow(2).mean().sqrt()
