"""The loss around a trained network, over a plane of directions in the space of its weights; and the run's path there.

Li, Xu, Taylor, Studer, Goldstein 2018, "Visualizing the loss landscape of neural nets" (arXiv 1712.09913): random
directions normalised filter by filter (section 4), and the path of a run by its principal components (section 7). All
weights of a model are handled as one vector (D,), float32, in the order of ``model.parameters()``.

Two decisions. Biases and the parameters of normalisation stay where they are in random directions, as in the paper.
And where a network has batch normalisation, its statistics are taken anew at every point from the images on which the
loss is measured (the paper's code leaves those of the trained network): far away, at the beginning of a path, kept
ones belong to another network. Nothing here changes the model that it is given.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parameters_to_vector, vector_to_parameters

BEYOND = 1e30  # stands for every loss that is larger, or no number at all
TOGETHER = 1_000  # images that go through a network at once where its statistics are not taken from them
COARSEST = 3  # at first every 2³-th line of a grid is measured


def weights_of(model: nn.Module) -> Tensor:
    """A copy of all parameters as one vector (D,), on the CPU."""
    return parameters_to_vector(model.parameters()).detach().cpu().clone()


def random_direction(model: nn.Module, generator: torch.Generator) -> Tensor:
    """A filter-normalised random direction (D,): δ_f ← δ_f ‖θ_f‖ / ‖δ_f‖ for each filter f.

    A filter is what makes one output: a row of a dense layer's matrix, one kernel over all channels of a convolution.
    Parameters with a single axis (biases, normalisation) get zeros.
    """
    parts = []
    for weight in model.parameters():
        theta = weight.detach().cpu()
        drawn = torch.randn(theta.shape, generator=generator)
        parts.append((normalised(drawn, theta) if theta.dim() > 1 else torch.zeros_like(drawn)).flatten())
    return torch.cat(parts)


def normalised(direction: Tensor, weight: Tensor) -> Tensor:
    """``direction`` (F, …) with each of its F filters as long as the same filter of ``weight`` (F, …)."""
    long, drawn = (part.flatten(1).norm(dim=1) for part in (weight, direction))
    factor = torch.where(drawn > 0, long / drawn, 0.0)
    return direction * factor.view(-1, *[1] * (direction.dim() - 1))


# --- the path ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Principal:
    """The plane that a run's path fills best.

    Attributes:
        directions: (2, D) of length 1, at right angles; the run begins on the left of its end.
        explained: (2,) the share of the path's variance that lies along each.
    """

    directions: Tensor
    explained: np.ndarray


def principal(path: Tensor) -> Principal:
    """The first two principal components of θ_i − θ_n for a path (n + 1, D), at least three points long."""
    steps = (path - path[-1]).double()
    centred = steps - steps.mean(0)
    gram = (centred @ centred.T).numpy()  # (n + 1, n + 1): far smaller than (D, D), with the same values
    values, vectors = np.linalg.eigh(gram)
    values, vectors = np.clip(values[::-1], 0, None), vectors[:, ::-1]
    directions = torch.from_numpy(vectors[:, :2].T.copy()) @ centred
    directions /= directions.norm(dim=1, keepdim=True).clamp(min=1e-30)
    start = steps[0] @ directions.T
    directions *= torch.where(start > 0, -1.0, 1.0)[:, None]
    total = values.sum()
    return Principal(directions.float(), values[:2] / total if total else np.zeros(2))


def coordinates(path: Tensor, directions: Tensor) -> np.ndarray:
    """Where the plane θ* + a δ + b η (θ* the path's end) is nearest to each point of a path: (n + 1, 2) float64.

    ``directions`` (2, D) need be neither of length 1 nor at right angles.
    """
    steps, axes = (path - path[-1]).double(), directions.double()
    return torch.linalg.solve(axes @ axes.T, axes @ steps.T).T.numpy()


# --- the grid ---------------------------------------------------------------------------------------------------------


def coarse_to_fine(points: int) -> np.ndarray:
    """The order in which a grid is measured, (points², 2) of row and column: every 8th line first, then every 4th, …

    So there is a whole picture early, which gets sharper; within each round the middle comes first.
    """
    middle, lines = points // 2, np.arange(points)
    off, end = lines - middle, (lines == 0) | (lines == points - 1)
    rounds = [end | (off % 2**COARSEST == 0), *(off % 2**k == 0 for k in range(COARSEST - 1, 0, -1))]
    level = np.select(rounds, list(range(COARSEST)), COARSEST)
    rows, columns = (part.ravel() for part in np.meshgrid(lines, lines, indexing="ij"))
    far = off[rows] ** 2 + off[columns] ** 2
    order = np.lexsort((columns, rows, far, np.maximum(level[rows], level[columns])))
    return np.stack([rows, columns], axis=1)[order]


class Ground:
    """Tells the loss of a network with any weights. Works on a copy of the model.

    Args:
        model: pixels (N, C, H, W) → logits (N, K).
        seen, held_out: images and classes on which the loss is measured; statistics of batch normalisation come from
            ``seen`` alone.
    """

    def __init__(self, model: nn.Module, seen: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]) -> None:
        self.model, self.seen, self.held_out = copy.deepcopy(model).eval(), seen, held_out
        self.device = next(self.model.parameters()).device
        self.norms = [module for module in self.model.modules() if isinstance(module, _BatchNorm)]
        for norm in self.norms:
            norm.momentum = 1.0  # what is noted for the held-out images is this point's own, and no mean

    @torch.no_grad()
    def at(self, theta: Tensor) -> tuple[float, float]:
        """Mean cross-entropy of the network with weights θ (D,), on what it has seen and on held-out images."""
        vector_to_parameters(theta.to(self.device), self.model.parameters())
        for norm in self.norms:
            norm.train()
        seen = self._loss(*self.seen, together=len(self.seen[1]) if self.norms else TOGETHER)
        for norm in self.norms:
            norm.eval()
        return seen, self._loss(*self.held_out)

    def _loss(self, X: Tensor, y: Tensor, together: int = TOGETHER) -> float:
        pieces = zip(X.split(together), y.split(together), strict=True)
        total = sum(cross_entropy(self.model(x).float(), t, reduction="sum").item() for x, t in pieces)
        return total / len(y) if total / len(y) < BEYOND else BEYOND  # NaN is not less than anything
