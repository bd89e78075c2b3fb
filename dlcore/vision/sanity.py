"""Is a map more than decoration? Two checks that a map of a real explanation must stand. For workers.

Random weights: a map that stays the same when all that was learned is destroyed has nothing to do with it (Adebayo et
al., "Sanity checks for saliency maps", 2018). Deletion: take away what the map calls important, and the answer must
fall sooner than with pixels taken at random (Petsiuk et al., "RISE", 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from dlcore.vision.attribution import at_once, map_of
from dlcore.vision.kinds import DRAWS
from dlcore.vision.methods import BASELINES
from dlcore.vision.pixels import Opened, copied, on_pixels, open_with

SMALL, LARGE_CELLS, SMALL_CELLS = 64, 7, 14  # cells a side in which a picture is deleted, by its side in pixels
SHARES = 10  # how many points a deletion curve has, after the whole picture


def randomised(
    name: str, picture: np.ndarray, method: str, target: int, share: float, *, baseline: str = "black", seed: int = 0,
    heat: np.ndarray | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The map of the network after the last of its layers have been randomised, beside the map of the real one.

    Args:
        share: of the layers with weights, counted from the answer backwards, 0 to 1.
        heat: the map of the real network, ``(H, W)``; None: it is made here, as that of the changed one is.

    Returns:
        ``map`` (H, W) float32 of the randomised network; ``correlation`` of the two maps' ranks (``rank_correlation``);
        ``layers`` randomised, ``of`` how many.
    """
    opened = open_with(name, picture)
    if heat is None:
        heat = map_of(opened, method, opened.target(target), BASELINES[baseline]).numpy()
    changed, count, total = scrambled(opened, share, seed=seed)
    after = map_of(changed, method, target, BASELINES[baseline])
    return {
        "map": after.numpy(),
        "correlation": rank_correlation(heat, after.numpy()),
        "layers": count,
        "of": total,
    }


def scrambled(opened: Opened, share: float, *, seed: int = 0) -> tuple[Opened, int, int]:
    """A copy of the network in which the last layers know nothing any more; how many layers, and of how many.

    The numbers of each weight change places at random. So each layer keeps the spread that training gave it, and the
    signal neither dies nor explodes, which fresh weights would do in a deep network with learned normalisation.
    """
    vision = copied(opened.vision, weights=True)
    layers = [layer for layer in vision.module.modules() if any(True for _ in layer.parameters(recurse=False))]
    last = layers[len(layers) - round(share * len(layers)) :]
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in (w for layer in last for w in layer.parameters(recurse=False)):
            order = torch.randperm(weight.numel(), generator=generator)
            weight.copy_(weight.flatten()[order].view_as(weight))
    net = on_pixels(vision)
    with torch.no_grad():
        return Opened(vision, net, opened.P, net(opened.P)[0]), len(last), len(layers)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two maps, −1 to 1, where at least one of them says something; NaN if it cannot be.

    Places where both are exactly 0 are left out: integrated gradients give 0 to every pixel that is as in the empty
    picture, whatever the weights are. On a digit that is most of the paper, and would be counted as agreement.
    """
    said = (one != 0) | (other != 0)
    a, b = one[said], other[said]
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(spearmanr(a, b)[0])  # pyright: ignore[reportArgumentType]


def deletion(
    name: str, picture: np.ndarray, heat: np.ndarray, target: int, *, baseline: str = "black", seed: int = 0,
    which: Sequence[int] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The probability of a class while the picture is deleted, the places that the map calls important first.

    Args:
        heat: the map, ``(H, W)``. Places where it is negative go last.
        which: of the curves: 0 is by the map, 1 to ``DRAWS`` at random; None: all.

    Returns:
        ``shares`` (n,) of the picture that are gone, from 0 to 1; ``curves`` (asked, n), the probabilities.
    """
    opened = open_with(name, picture)
    orders = [order_of(heat), *random_orders(heat.shape, DRAWS, seed=seed)]
    counts = np.unique(np.round(orders[0].size * np.linspace(0, 1, SHARES + 1) ** 2).astype(int))
    asked = [order for k, order in enumerate(orders) if which is None or k in which]
    curves = [_falling(opened, opened.target(target), order, counts, BASELINES[baseline]) for order in asked]
    return {"shares": counts / orders[0].size, "curves": np.stack(curves)}


def cells_of(shape: tuple[int, int]) -> tuple[int, int]:
    """How many cells a picture ``(H, W)`` is deleted in.

    Photographs lose large ones: many small holes are a picture of their own, which a network has never seen, and it
    falls for them sooner than for the loss of what it looked at (measured with MobileNetV2: Grad-CAM fell behind chance
    at 28 × 28 cells).
    """
    most = SMALL_CELLS if min(shape) <= SMALL else LARGE_CELLS
    return min(most, shape[0]), min(most, shape[1])


def order_of(heat: np.ndarray) -> np.ndarray:
    """The cells of a map, the most important first, as numbers ``(rows · columns,)``."""
    rows, columns = cells_of((heat.shape[0], heat.shape[1]))
    pooled = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(heat.astype(np.float32))[None], (rows, columns))
    return np.argsort(-pooled.numpy().ravel(), kind="stable")


def random_orders(shape: tuple[int, ...], count: int, *, seed: int) -> list[np.ndarray]:
    """So many orders of the cells of a picture ``(H, W)``."""
    rng, (rows, columns) = np.random.default_rng(seed), cells_of((shape[0], shape[1]))
    return [rng.permutation(rows * columns) for _ in range(count)]


def without(P: Tensor, order: np.ndarray, count: int, baseline: float) -> Tensor:
    """The picture ``(C, H, W)`` with the first ``count`` cells of the order gone."""
    rows, columns = cells_of((P.shape[1], P.shape[2]))
    gone = np.zeros(rows * columns, np.float32)
    gone[order[:count]] = 1
    mask = torch.nn.functional.interpolate(torch.from_numpy(gone.reshape(1, 1, rows, columns)), P.shape[1:])[0, 0]
    return torch.where(mask > 0, baseline, P)


def _falling(opened: Opened, target: int, order: np.ndarray, counts: np.ndarray, baseline: float) -> np.ndarray:
    """The class's probability with so many cells gone, ``(n,)``."""
    pictures = torch.stack([without(opened.P[0], order, int(count), baseline) for count in counts])
    with torch.no_grad():
        found = [opened.net(part).softmax(1)[:, target] for part in pictures.split(2 * at_once(opened.P))]
    return torch.cat(found).numpy()
