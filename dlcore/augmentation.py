"""Random changes to a batch of images that leave (or should leave) what they show: each image gets draws of its own.

What is whose: all geometry is one resampling a batch by ``dlcore.warps``; brightness, contrast, saturation, hue, blur,
erasing, noise, MixUp and CutMix are written for batches here, with one strength an image. They follow the kernels of
``torchvision.transforms.v2.functional``, to which tests hold them; v2's own classes draw **once a call**, so that a
batch would be turned, dimmed or mixed as one. The two policies (TrivialAugment, AutoAugment) are v2's own classes,
called on a few images at a time.

Pixels are floats from 0 to 255, ``(B, C, H, W)``, and stay so. Every draw comes from torch's global generator, inside
the call, so that a run that is paused goes on with the same numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from dlcore import warps
from dlcore.augmentation_settings import Strengths
from dlcore.warps import chosen, uniform

WHITE = 255.0
GREY = (0.2989, 0.587, 0.114)  # how bright red, green and blue are to the eye (ITU-R BT.601), as v2 has them
GROUP = 4  # images that share one draw of a policy: one at a time is about six times slower
MOVING = ("crop", "scale", "flip", "upside_down", "shear", "rotate", "shift")


def augment(X: Tensor, settings: Strengths, *, group: int = GROUP) -> Tensor:
    """Images ``(B, C, H, W)`` float 0 to 255 as they might have been: same shape and range; the input is left alone.

    Args:
        settings: the most that each operation may do; the lesson's ``Config`` is one.
        group: images that share one draw of a policy.
    """
    if not settings.probability:
        return X
    count, height, width = len(X), *X.shape[-2:]
    if any(getattr(settings, name) for name in MOVING):
        X = moved(X, warps.draw(count, height, width, settings))
    if settings.policy != "none":
        X = _on_some(X, _by_policy(X, settings.policy, group), settings.probability)
    for name, change in FACTORS.items():
        strength = getattr(settings, name)
        if strength and (len(X[0]) == 3 or name in ("brightness", "contrast")):
            low = max(0.0, 1 - strength)
            X = _on_some(X, change(X, uniform(low, 1 + strength, count)), settings.probability)
    if settings.hue and X.shape[1] == 3:
        X = _on_some(X, hue(X, uniform(-settings.hue, settings.hue, count)), settings.probability)
    if settings.blur:
        X = _on_some(X, blur(X, uniform(0, settings.blur, count)), settings.probability)
    if settings.erase:
        X = _on_some(X, erase(X, boxes(uniform(0, settings.erase, count), height, width)), settings.probability)
    if settings.noise:
        X = _on_some(X, noise(X, uniform(0, settings.noise, count)), settings.probability)
    return X


def moved(X: Tensor, moves: warps.Moves) -> Tensor:
    """The images under their moves. Those that do not move stay exactly as they are: resampling would round them."""
    wanted = warps.maps(moves)
    still = (wanted == warps.maps(warps.none(1))).flatten(1).all(1)
    return torch.where(still.to(X.device).view(-1, 1, 1, 1), X, warps.warp(X, wanted))


def mirrored(X: Tensor, share: float) -> Tensor:
    """Images ``(B, C, H, W)``, each with left and right exchanged or not: ``share`` is how likely. Any number type.

    What ``augment`` does for ``flip`` alone, without resampling: quicker, and exact.
    """
    on = chosen(len(X), share).to(X.device)
    return torch.where(on.view(-1, 1, 1, 1), X.flip(3), X)


def _on_some(X: Tensor, changed: Tensor, probability: float) -> Tensor:
    """``changed`` for the images on which the dice fall, ``X`` for the others."""
    on = chosen(len(X), probability).to(X.device)
    return torch.where(on.view(-1, 1, 1, 1), changed, X)


# --- one factor an image ----------------------------------------------------------------------------------------------


def _column(values: Tensor, X: Tensor) -> Tensor:
    """``(B,)`` to ``(B, 1, 1, 1)`` on the images' device."""
    return values.to(X.device, X.dtype).view(-1, 1, 1, 1)


def grey(X: Tensor) -> Tensor:
    """``(B, 3, H, W)`` to its brightness ``(B, 1, H, W)``; grey images as they are."""
    return X if X.shape[1] == 1 else (X * X.new_tensor(GREY).view(3, 1, 1)).sum(1, keepdim=True)


def _blend(X: Tensor, other: Tensor, factors: Tensor) -> Tensor:
    return other.lerp(X, _column(factors, X)).clamp(0, WHITE)  # beyond 1 it goes on past X


def brightness(X: Tensor, factors: Tensor) -> Tensor:
    """Each image's pixels times its factor, ``(B,)``."""
    return (X * _column(factors, X)).clamp(0, WHITE)


def contrast(X: Tensor, factors: Tensor) -> Tensor:
    """Each image's distance from its mean brightness times its factor, ``(B,)``."""
    return _blend(X, grey(X).mean((1, 2, 3), keepdim=True).expand_as(X), factors)


def saturation(X: Tensor, factors: Tensor) -> Tensor:
    """Each colour image's distance from grey times its factor, ``(B,)``."""
    return _blend(X, grey(X).expand_as(X), factors)


FACTORS = {"brightness": brightness, "contrast": contrast, "saturation": saturation}


def hue(X: Tensor, turns: Tensor) -> Tensor:
    """The colours of images ``(B, 3, H, W)`` turned round the circle by a share ``(B,)`` of it (HSV and back)."""
    value, largest = X.max(1)  # (B, H, W) each
    chroma = value - X.amin(1)
    red, green, blue = X.unbind(1)
    others = torch.stack([green - blue, blue - red, red - green], 1)  # for each channel, if it is the largest
    sixths = others.gather(1, largest[:, None])[:, 0] / chroma.clamp(min=1e-9) + 2 * largest
    sixths = sixths + 6 * turns.to(X.device, X.dtype).view(-1, 1, 1)
    places = (X.new_tensor([5.0, 3.0, 1.0]).view(3, 1, 1) + sixths[:, None]) % 6  # (B, 3, H, W)
    return value[:, None] - chroma[:, None] * torch.minimum(places, 4 - places).clamp(0, 1)


# --- blur, noise, holes -----------------------------------------------------------------------------------------------


def blur(X: Tensor, sigma: Tensor) -> Tensor:
    """Each image blurred by a Gaussian of its own standard deviation ``(B,)`` in pixels, its edge mirrored."""
    sigma = sigma.clamp(min=0.01)  # so narrow that nothing changes
    count, channels, height, width = X.shape
    reach = min(max(1, int(2.5 * float(sigma.max()) + 0.5)), min(height, width) - 1)
    place = torch.arange(-reach, reach + 1, dtype=X.dtype)
    weights = torch.exp(-0.5 * (place / sigma[:, None]) ** 2)
    weights = (weights / weights.sum(1, keepdim=True)).to(X.device, X.dtype).repeat_interleave(channels, 0)
    flat = F.pad(X.reshape(1, -1, height, width), [reach] * 4, mode="reflect")  # every channel is a group by itself
    flat = F.conv2d(flat, weights[:, None, None, :], groups=count * channels)
    return F.conv2d(flat, weights[:, None, :, None], groups=count * channels).view_as(X)


def noise(X: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian noise on every pixel; ``sigma`` ``(B,)`` is its standard deviation as a share of white."""
    drawn = torch.randn(X.shape, dtype=X.dtype).to(X.device)  # as all draws: on the CPU, the same on every device
    return (X + drawn * _column(sigma, X) * WHITE).clamp(0, WHITE)


def boxes(areas: Tensor, height: int, width: int) -> Tensor:
    """A window somewhere in each image, ``(B, H, W)`` bool: its share of the area, and sides of 1:3 to 3:1."""
    count = len(areas)
    ratio = uniform(-1.0986, 1.0986, count).exp()  # ln 3
    tall = (areas / ratio).sqrt().clamp(max=1) * height
    wide = (areas * ratio).sqrt().clamp(max=1) * width
    top, left = uniform(0, 1, count) * (height - tall), uniform(0, 1, count) * (width - wide)
    rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    in_rows = (rows > top[:, None]) & (rows < (top + tall)[:, None])  # (B, H)
    in_columns = (columns > left[:, None]) & (columns < (left + wide)[:, None])
    return in_rows[:, :, None] & in_columns[:, None, :]


def erase(X: Tensor, holes: Tensor) -> Tensor:
    """Black where ``holes`` ``(B, H, W)`` says so (random erasing, Zhong and others 2017)."""
    return X.masked_fill(holes[:, None].to(X.device), 0.0)


# --- policies, and two images in one ----------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _policy(name: str) -> Any:
    from torchvision.transforms import v2

    return {"trivial": v2.TrivialAugmentWide, "auto": v2.AutoAugment}[name]()


def _by_policy(X: Tensor, name: str, group: int) -> Tensor:
    """Every ``group`` images changed as v2's policy draws for them."""
    parts = X.round().to(torch.uint8).split(group)
    return torch.cat([_policy(name)(part) for part in parts]).to(X.dtype)


def mixed(X: Tensor, y: Tensor, classes: int, settings: Strengths) -> tuple[Tensor, Tensor]:
    """Each image with another of the batch in it, and the target that goes with it.

    MixUp (Zhang and others 2018): ``x = λ x + (1 - λ) x'``. CutMix (Yun and others 2019): a window of ``x'``, and λ is
    the share of ``x`` that is left. Both: ``y = λ y + (1 - λ) y'``, λ ~ Beta(α, α), a λ for each image.

    Args:
        y: ``(B,)`` classes, or ``(B, classes)`` shares.

    Returns:
        Images, and targets ``(B, classes)`` float whose rows sum to one.
    """
    y = (y[:, None] == torch.arange(classes, device=y.device) if y.ndim == 1 else y).to(X.dtype)  # one-hot, unchecked
    if settings.mix == "none":
        return X, y
    count, height, width = len(X), *X.shape[-2:]
    other = torch.randperm(count).to(X.device)
    alphas = torch.full((count, 2), float(settings.mix_alpha))  # λ and 1 - λ; the checks of arguments read numbers
    share = torch.distributions.Dirichlet(alphas, validate_args=False).sample()[:, 0]
    share = torch.where(chosen(count, settings.probability), share, torch.ones(count))
    if settings.mix == "mixup":
        X = X[other].lerp(X, _column(share, X))
    else:
        window = boxes(1 - share, height, width)
        share = 1 - window.float().mean((1, 2))
        X = torch.where(window[:, None].to(X.device), X[other], X)
    return X, y[other].lerp(y, share.to(y.device, y.dtype)[:, None])


def soft_hits(outputs: Tensor, targets: Tensor) -> Tensor:
    """``dlcore.readings.hits`` where targets may be shares: the class with the largest counts as the truth."""
    return outputs.argmax(1) == (targets if targets.ndim == 1 else targets.argmax(1))
