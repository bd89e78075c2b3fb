"""Which pixels an answer hangs on: five methods, for any image network of the project. For workers.

captum computes the maps; integrated gradients are summed here, so that twice the steps cost the new ones only (tests
hold the sum to captum's).
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
LARGE = 10_000  # pixels from which few pictures go through the network together
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
    name: str, picture: np.ndarray, method: str, target: int | None = None, *, baseline: str = "black"
) -> dict[str, Any]:
    """A map of what the answer hangs on.

    Args:
        name, picture: as for ``pixels.open_with``.
        method: a key of ``METHODS``.
        target: the class asked about; None for the answer.
        baseline: what covers (occlusion) and where the way begins (integrated gradients), a key of ``BASELINES``.

    Returns:
        ``map`` (H, W) float32, in units of the score; ``target``; ``seconds``.

    Raises:
        Problem: as ``open_with``; kind ``"method"`` where the network cannot be asked so.
    """
    opened = open_with(name, picture)
    started = time.perf_counter()
    wanted = opened.target(target)
    found = map_of(opened, method, wanted, BASELINES[baseline])
    return {"map": found.numpy(), "target": wanted, "seconds": time.perf_counter() - started}


def map_of(opened: Opened, method: str, target: int, baseline: float = 0.0) -> Tensor:
    """The map ``(H, W)`` of a method for one class. Raises ``Problem`` where there are no maps for Grad-CAM."""
    if method == "gradcam":
        return gradcam(opened, target)
    if method == "integrated":
        return sum(path_gradients(opened, target, baseline, level) for level in range(4)) / 2**3  # pyright: ignore
    if method == "saliency":
        return saliency(opened, target)
    if method == "smoothgrad":
        return smoothgrad(opened, target)
    if method == "occlusion":
        return occlusion(opened, target, baseline)
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


def smoothgrad(opened: Opened, target: int, *, samples: int = SAMPLES, seed: int = 0) -> Tensor:
    """``saliency``, averaged over noisy copies (Smilkov et al. 2017), ``(H, W)``; always the same for a seed."""
    from captum.attr import NoiseTunnel, Saliency

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        found = NoiseTunnel(Saliency(opened.net)).attribute(
            opened.P.clone().requires_grad_(), target=target, nt_type="smoothgrad", nt_samples=samples,
            nt_samples_batch_size=at_once(opened.P), stdevs=NOISE,
        )  # fmt: skip
    assert isinstance(found, Tensor)
    return found[0].amax(0).detach()


def occlusion(opened: Opened, target: int, baseline: float = 0.0) -> Tensor:
    """How much of the score a patch takes away, at each pixel the mean over the patches on it; ``(H, W)``.

    (Zeiler and Fergus 2014.) The patch is about a fifth of the picture wide and moves by half of itself.
    """
    from captum.attr import Occlusion

    channels, side = opened.P.shape[1], max(2, round(min(opened.P.shape[2:]) / 5))
    step = max(1, side // 2)
    with torch.no_grad():
        found = Occlusion(opened.net).attribute(
            opened.P, target=target, sliding_window_shapes=(channels, side, side), strides=(channels, step, step),
            baselines=baseline, perturbations_per_eval=at_once(opened.P),
        )  # fmt: skip
    return found[0, 0].detach()


def edges(P: Tensor) -> Tensor:
    """How much neighbouring pixels differ, ``(C, H, W)`` → ``(H, W)``: no network is asked."""
    across, down = torch.zeros_like(P), torch.zeros_like(P)
    across[:, :, 1:] = P.diff(dim=2)
    down[:, 1:] = P.diff(dim=1)
    return torch.hypot(across, down).amax(0)


def path_parts(
    name: str, picture: np.ndarray, target: int, baseline: str, levels: Sequence[int]
) -> dict[str, Any]:  # fmt: skip
    """What each doubling of the steps adds to integrated gradients; ``methods.integrated`` makes the map of the parts.

    Args:
        levels: which doublings, see ``methods.fractions``; 0 is a single step.

    Returns:
        ``parts`` (levels, H, W) float32; ``score`` and ``empty``: the class's logit for the picture and the baseline.
    """
    opened = open_with(name, picture)
    wanted, start = opened.target(target), BASELINES[baseline]
    parts = [path_gradients(opened, wanted, start, level).numpy() for level in levels]
    with torch.no_grad():
        empty = opened.net(torch.full_like(opened.P, start))[0, wanted]
    return {"parts": np.stack(parts), "score": float(opened.logits[wanted]), "empty": float(empty)}


def path_gradients(opened: Opened, target: int, baseline: float, level: int) -> Tensor:
    """(P − P′) · Σ ∂F(P′ + α(P − P′))/∂P over the level's points α, channels added (Sundararajan et al. 2017)."""
    points, weight = fractions(level)
    way = opened.P - baseline
    total = torch.zeros_like(opened.P)
    for alphas in torch.from_numpy(points).float().split(at_once(opened.P)):
        total += gradient(opened.net, baseline + alphas[:, None, None, None] * way, target).sum(0)
    return (weight * way * total)[0].sum(0)


def at_once(P: Tensor) -> int:
    """How many pictures go through a network together: few large ones, for the memory of the worker."""
    return 4 if P.shape[2] * P.shape[3] > LARGE else 64
