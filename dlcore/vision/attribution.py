"""Which pixels an answer hangs on: five methods, for any image network of the project. For workers.

What takes many passes is a sum of parts, which can be asked for one by one: integrated gradients (twice the steps cost
the new ones only), SmoothGrad, occlusion. Tests hold them to captum's; it computes the others.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dlcore.texts import N_, Problem
from dlcore.vision.methods import BASELINES, METHODS, fractions
from dlcore.vision.pixels import Opened, as_bytes, copied, gradient, on_pixels, open_with

NOISE, SAMPLES = 0.15, 16  # SmoothGrad: standard deviation on the scale of pixels, copies
LARGE = 10_000  # pixels from which pictures go through the network one by one
NO_MAPS = N_("This network has no layer of maps, which Grad-CAM needs. Choose another method.")


def ask(name: str, picture: np.ndarray) -> dict[str, Any]:
    """What a network answers, and which methods it can be asked with.

    Returns:
        ``probabilities`` (K,) float32; ``classes``; ``pixels`` (C, H, W) uint8, as it sees the picture; ``has_maps``;
        ``seconds`` of one pass.
    """
    opened = open_with(name, picture)
    started = time.perf_counter()  # of a second pass: the first may have loaded the weights
    with torch.no_grad():
        opened.net(opened.P)
    seconds = time.perf_counter() - started
    return {
        "probabilities": opened.logits.softmax(0).numpy(),
        "classes": list(opened.vision.classes),
        "pixels": as_bytes(opened.P[0]),
        "has_maps": opened.vision.last_maps is not None,
        "seconds": seconds,
    }


def explain(
    name: str, picture: np.ndarray, method: str, target: int | None = None, *, baseline: str = "black",
    part: tuple[int, int] = (0, 1),
) -> dict[str, Any]:  # fmt: skip
    """A map of what the answer hangs on, or a part of it.

    Args:
        name, picture: as for ``pixels.open_with``.
        method: a key of ``METHODS``.
        target: the class asked about; None for the answer.
        baseline: what covers (occlusion) and where the way begins (integrated gradients), a key of ``BASELINES``.
        part: which of how many; the parts' maps add up to the map. Only methods of many passes have more than one.

    Returns:
        ``map`` (H, W) float32, in units of the score; ``target``; ``seconds``.

    Raises:
        Problem: as ``open_with``; kind ``"method"`` where the network cannot be asked so.
    """
    opened = open_with(name, picture)
    started = time.perf_counter()
    wanted = opened.target(target)
    found = map_of(opened, method, wanted, BASELINES[baseline], part)
    return {"map": found.numpy(), "target": wanted, "seconds": time.perf_counter() - started}


def map_of(opened: Opened, method: str, target: int, baseline: float = 0.0, part: tuple[int, int] = (0, 1)) -> Tensor:
    """The map ``(H, W)`` of a method for one class. Raises ``Problem`` where there are no maps for Grad-CAM."""
    if method == "gradcam":
        return gradcam(opened, target)
    if method == "integrated":
        return sum(path_gradients(opened, target, baseline, level) for level in range(4)) / 2**3  # pyright: ignore
    if method == "saliency":
        return saliency(opened, target)
    if method == "smoothgrad":
        return smoothgrad(opened, target, part=part)
    if method == "occlusion":
        return occlusion(opened, target, baseline, part)
    if method == "edges":
        return edges(opened.P[0])
    raise Problem(
        N_("There is no method “{name}”. There are: {names}."),
        kind="method", name=method, names=", ".join(METHODS),
    )  # fmt: skip


def gradcam(opened: Opened, target: int) -> Tensor:
    """Grad-CAM (Selvaraju et al. 2017): maps weighed by their mean gradients, summed, cut off at 0; ``(H, W)``.

    It is enlarged to the picture, evenly between the places.
    """
    from captum.attr import LayerGradCam

    if opened.vision.last_maps is None:
        raise Problem(NO_MAPS, kind="method")
    vision = copied(opened.vision, weights=False)
    assert vision.last_maps is not None
    asked = LayerGradCam(on_pixels(vision), vision.last_maps)
    found = asked.attribute(opened.P, target=target, relu_attributions=True)  # (1, 1, h, w)
    assert isinstance(found, Tensor)
    return F.interpolate(found.detach(), opened.P.shape[2:], mode="bilinear", align_corners=False)[0, 0]


def saliency(opened: Opened, target: int) -> Tensor:
    """The largest |gradient| of the channels at each pixel (Simonyan et al. 2014), ``(H, W)``."""
    from captum.attr import Saliency

    return Saliency(opened.net).attribute(opened.P.clone().requires_grad_(), target=target)[0].amax(0).detach()


def smoothgrad(
    opened: Opened, target: int, *, samples: int = SAMPLES, seed: int = 0, part: tuple[int, int] = (0, 1)
) -> Tensor:
    """``saliency``, averaged over noisy copies (Smilkov et al. 2017), ``(H, W)``; always the same for a seed."""
    total = torch.zeros(opened.P.shape[2:])
    for copies in _mine(torch.arange(samples), part).split(at_once(opened.P)):
        noise = [_noise(opened.P, seed + k) for k in copies.tolist()]
        total += gradient(opened.net, opened.P + NOISE * torch.cat(noise), target).abs().amax(1).sum(0)
    return total / samples


def _noise(P: Tensor, seed: int) -> Tensor:
    return torch.randn(P.shape, generator=torch.Generator().manual_seed(seed))


def occlusion(opened: Opened, target: int, baseline: float = 0.0, part: tuple[int, int] = (0, 1)) -> Tensor:
    """How much of the score a patch takes away, at each pixel the mean over the patches on it; ``(H, W)``.

    (Zeiler and Fergus 2014.) The patch is about a fifth of the picture wide and moves by half of itself.
    """
    places, side = patches(opened.P.shape[2], opened.P.shape[3])
    total, laid = torch.zeros(opened.P.shape[2:]), torch.zeros(opened.P.shape[2:])
    for top, left in places:
        laid[top : top + side, left : left + side] += 1
    for some in _mine(torch.tensor(places), part).split(at_once(opened.P)):
        covered = opened.P.repeat(len(some), 1, 1, 1)
        for one, (top, left) in zip(covered, some.tolist(), strict=True):
            one[:, top : top + side, left : left + side] = baseline
        with torch.no_grad():
            lost = opened.logits[target] - opened.net(covered)[:, target]
        for loss, (top, left) in zip(lost, some.tolist(), strict=True):
            total[top : top + side, left : left + side] += loss
    return total / laid


def patches(height: int, width: int) -> tuple[list[tuple[int, int]], int]:
    """Upper left corners of the patches that occlusion lays on a picture, and their side; those at the rim jut out."""
    side = max(2, round(min(height, width) / 5))
    step = max(1, side // 2)
    rows, columns = (range(0, step * (1 - (side - length) // step), step) for length in (height, width))
    return [(top, left) for top in rows for left in columns], side


def _mine(things: Tensor, part: tuple[int, int]) -> Tensor:
    """The ``part[0]``-th of ``part[1]`` equal shares."""
    return things.tensor_split(part[1])[part[0]]


def edges(P: Tensor) -> Tensor:
    """How much neighbouring pixels differ, ``(C, H, W)`` → ``(H, W)``: no network is asked."""
    across, down = torch.zeros_like(P), torch.zeros_like(P)
    across[:, :, 1:] = P.diff(dim=2)
    down[:, 1:] = P.diff(dim=1)
    return torch.hypot(across, down).amax(0)


def path_parts(
    name: str, picture: np.ndarray, target: int, baseline: str, levels: Sequence[int], *, part: tuple[int, int] = (0, 1)
) -> dict[str, Any]:
    """What each doubling of the steps adds to integrated gradients; ``methods.integrated`` makes the map of the parts.

    Args:
        levels: which doublings, see ``methods.fractions``; 0 is a single step.
        part: which of how many shares of each level's points; the shares' ``parts`` add up.

    Returns:
        ``parts`` (levels, H, W) float32; ``score`` and ``empty``: the class's logit for the picture and the baseline.
    """
    opened = open_with(name, picture)
    wanted, start = opened.target(target), BASELINES[baseline]
    parts = [path_gradients(opened, wanted, start, level, part).numpy() for level in levels]
    with torch.no_grad():
        empty = opened.net(torch.full_like(opened.P, start))[0, wanted]
    return {"parts": np.stack(parts), "score": float(opened.logits[wanted]), "empty": float(empty)}


def path_gradients(
    opened: Opened, target: int, baseline: float, level: int, part: tuple[int, int] = (0, 1)
) -> Tensor:  # fmt: skip
    """(P − P′) · Σ ∂F(P′ + α(P − P′))/∂P over the level's points α, channels added (Sundararajan et al. 2017)."""
    points, weight = fractions(level)
    way = opened.P - baseline
    total = torch.zeros_like(opened.P)
    for alphas in _mine(torch.from_numpy(points).float(), part).split(at_once(opened.P)):
        total += gradient(opened.net, baseline + alphas[:, None, None, None] * way, target).sum(0)
    return (weight * way * total)[0].sum(0)


def at_once(P: Tensor) -> int:
    """How many pictures go through a network together: large ones alone, for the memory of the worker."""
    return 1 if P.shape[2] * P.shape[3] > LARGE else 64
