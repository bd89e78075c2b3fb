"""A network on the scale of its pixels: 0 is black, 1 is white, whatever numbers enter its first layer. For workers.

Photographs enter ImageNet's networks standardised, channel by channel; this project's own networks take 0 to 255. On
one scale, a push of ε means the same everywhere, and an attacked picture can be kept between black and white.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from dlcore.texts import N_, Problem
from dlcore.vision.models import Vision, model

BLACK, WHITE = 0, 255
COLOURS = 3


class OnPixels(nn.Module):
    """``(B, C, H, W)`` pixels from 0 to 1 → logits ``(B, K)``.

    Args:
        black, white: what enters ``module`` for 0 and for 1, ``(C, 1, 1)``.
    """

    black: Tensor
    white: Tensor

    def __init__(self, module: nn.Module, black: Tensor, white: Tensor) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("black", black)
        self.register_buffer("white", white)

    def forward(self, P: Tensor) -> Tensor:
        """The logits."""
        return self.module(self.entering(P))

    def entering(self, P: Tensor) -> Tensor:
        """Pixels 0 to 1 as they enter ``module``."""
        return self.black + P * (self.white - self.black)

    def on_scale(self, X: Tensor) -> Tensor:
        """What enters ``module`` as pixels 0 to 1."""
        return (X - self.black) / (self.white - self.black)


@dataclass(frozen=True)
class Opened:
    """A network and one picture for it.

    Attributes:
        net: on the scale of pixels; its parameters want no gradients.
        P: the picture, ``(1, C, H, W)`` float32, 0 to 1.
        logits: of the picture, ``(K,)``.
    """

    vision: Vision
    net: OnPixels
    P: Tensor
    logits: Tensor

    @property
    def best(self) -> int:
        """The class that the network answers."""
        return int(self.logits.argmax())

    def target(self, wanted: int | None) -> int:
        """The class that is asked about: ``wanted``, else the answer. Raises ``Problem`` (kind ``"target"``)."""
        if wanted is None:
            return self.best
        if not 0 <= wanted < len(self.logits):
            raise Problem(NO_CLASS, kind="target", index=wanted, count=len(self.logits))
        return wanted


NO_CLASS = N_("This network has no class number {index}; it has {count} classes.")


def on_pixels(vision: Vision) -> OnPixels:
    """The network on the scale of pixels. It shares its weights with ``vision.module``."""
    ends = torch.tensor([BLACK, WHITE], dtype=torch.float32)
    if vision.shape[0] == COLOURS:  # ImageNet's, their copies with other last layers, and ours: as each is prepared
        H, W = vision.shape[1:]
        plain = [vision.prepare(np.full((H, W, 3), level, np.uint8)) for level in (BLACK, WHITE)]
        black, white = (X.mean((1, 2))[:, None, None] for X in plain)
    else:
        black, white = (end.expand(vision.shape[0])[:, None, None] for end in ends)
    return OnPixels(vision.module, black, white).eval()


def open_with(name: str, picture: np.ndarray) -> Opened:
    """A network of ``dlcore.vision.models`` and what it is shown.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB of any size, or ``(C, H, W)`` uint8 as the network takes them, unchanged.

    Raises:
        Problem: as ``model`` does, and what ``prepare`` says of a picture.
    """
    vision = model(name)
    net = on_pixels(vision)
    P = enter(vision, net, picture)[None]
    with torch.no_grad():
        return Opened(vision, net, P, net(P)[0])


def enter(vision: Vision, net: OnPixels, picture: np.ndarray) -> Tensor:
    """A picture (as for ``open_with``) as pixels ``(C, H, W)`` from 0 to 1."""
    if picture.shape == vision.shape and picture.dtype == np.uint8:
        return torch.from_numpy(np.array(picture)).float() / WHITE
    return net.on_scale(vision.prepare(picture)).clamp(0, 1)


def as_bytes(P: Tensor) -> np.ndarray:
    """Pixels 0 to 1 of any shape as uint8, to be shown."""
    return (P.detach().clamp(0, 1) * WHITE).round().to(torch.uint8).numpy()


def gradient(net: nn.Module, P: Tensor, targets: Tensor | int) -> Tensor:
    """∂ logit of the target / ∂ pixels of each picture, ``(B, C, H, W)``; the weights get no gradient.

    Args:
        targets: one class for all, or ``(B,)``.
    """
    P = P.detach().requires_grad_()
    logits = net(P)
    wanted = torch.as_tensor(targets).expand(len(P))[:, None]
    return torch.autograd.grad(logits.gather(1, wanted).sum(), P)[0]


def copied(vision: Vision, *, weights: bool) -> Vision:
    """The same network as modules of its own, for hooks that other threads must not meet.

    Args:
        weights: copy them, too, so that they may be changed; else both have the same.
    """
    kept = {} if weights else {id(t): t for t in (*vision.module.parameters(), *vision.module.buffers())}
    module = deepcopy(vision.module, kept)
    names = [name for name, layer in vision.module.named_modules() if layer is vision.last_maps]
    return replace(vision, module=module, last_maps=module.get_submodule(names[0]) if names else None)
