"""Residual networks for small images (He et al. 2016, arXiv 1512.03385), and the same without their links.

Names of layers are torchvision's (``conv1``, ``bn1``, ``layer1.0.conv2``, ``fc`` …), so that weights go from one to the
other. Pre-activation blocks are those of He et al. 2016, arXiv 1603.05027; stochastic depth is Huang et al. 2016,
arXiv 1603.09382, with the survivors of training scaled, so that nothing changes at test time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.models.cnn import Norm1d, Norm2d

NORMS = ("none", "batch", "layer")
STARTS = ("default", "he")  # first weights: as torch draws them, or He et al. 2015
ORDERS = ("post", "pre")  # normalise and cut after the sum, or within the branch before each convolution
STEMS = {"small": (3, 1, 1), "large": (7, 2, 3), "patches": (4, 4, 0)}  # window, stride, padding
SHORTCUTS = ("identity", "projection")  # where a block halves the picture: the paper's options A and B


@dataclass(frozen=True)
class Design:
    """What a residual network is made of.

    Attributes:
        blocks: how many in each stage; every stage after the first halves height and width and doubles the channels.
        width: channels of the first stage.
        residual: False takes all links away and leaves the layers: the paper's plain network.
        order: one of ``ORDERS``.
        shortcut: one of ``SHORTCUTS``.
        norm: one of ``NORMS``, after (or, in ``pre``, before) each convolution.
        start: one of ``STARTS``.
        drop_path: probability with which the last block's branch is left out in a training step; the others'
            probabilities rise to it from the first block on, in a straight line. 0 to below 1.
        stem: ``small``, a 3x3 convolution; ``large``, torchvision's 7x7 in steps of 2 with a pooling behind it; or
            ``patches``, a 4x4 one in steps of 4, after which a deep stack is quick.
    """

    blocks: tuple[int, ...] = (3, 3, 3)
    width: int = 16
    residual: bool = True
    order: str = "post"
    shortcut: str = "identity"
    norm: str = "batch"
    start: str = "he"
    drop_path: float = 0.0
    stem: str = "small"


NETWORKS = {
    **{f"resnet{6 * n + 2}": Design((n,) * 3) for n in (3, 5, 7, 9, 18)},  # section 4.2 of the paper
    "resnet18": Design((2, 2, 2, 2), 64, shortcut="projection"),  # its ImageNet network, with a stem for small images
}


def normal(kind: str, width: int, *, maps: bool = True) -> nn.Module:
    """A layer that normalises maps ``(B, width, H, W)`` or lists ``(B, width)``; ``kind`` is one of ``NORMS``."""
    if kind == "batch":
        return Norm2d(width) if maps else Norm1d(width)
    return nn.GroupNorm(1, width) if kind == "layer" else nn.Identity()


class Residual(nn.Module):
    """A block of any kind: ``X + F(X)``, or only ``F(X)`` where ``residual`` is off. ``branch`` says what F is.

    ``removed`` leaves the branch out for good, as in Veit et al. 2016 (arXiv 1605.06431): only the shortcut is left. A
    block without a link then hands on what it gets; one that changes the shape cannot, and stays.
    """

    removed: bool = False
    keeps_shape: bool = True

    def __init__(self, design: Design, drop: float = 0.0) -> None:
        super().__init__()
        self.residual, self.pre, self.drop = design.residual, design.order == "pre", drop
        self.downsample: nn.Module | None = None  # brings X to the shape of F(X) where they differ

    def branch(self, X: Tensor) -> Tensor:
        """F(X), what the block adds."""
        raise NotImplementedError

    def carried(self, X: Tensor) -> Tensor:
        """What the link brings past the branch: X itself, or X brought to the new shape."""
        return X if self.downsample is None else self.downsample(X)

    def forward(self, X: Tensor) -> Tensor:
        """The block's output, cut at zero unless the order is ``pre``."""
        if self.removed and (self.residual or self.keeps_shape):
            out = self.carried(X)
        elif not self.residual:
            out = self.branch(X)
        elif self.training and self.drop:
            alive = (torch.rand((), device=X.device) >= self.drop) / (1 - self.drop)  # one coin a batch
            out = self.carried(X) + self.branch(X) * alive
        else:
            out = self.carried(X) + self.branch(X)
        return out if self.pre else F.relu(out)


class Block(Residual):
    """Two 3x3 convolutions: ``(B, C, H, W)`` → ``(B, C', H/stride, W/stride)``."""

    def __init__(self, channels: int, width: int, stride: int, design: Design, drop: float = 0.0) -> None:
        super().__init__(design, drop)
        bias, norm = design.norm == "none", partial(normal, design.norm)
        self.conv1 = nn.Conv2d(channels, width, 3, stride, 1, bias=bias)
        self.bn1 = norm(channels if self.pre else width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=bias)
        self.bn2 = norm(width)
        self.keeps_shape = stride == 1 and channels == width
        if not self.keeps_shape:
            self.downsample = (
                nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), norm(width))
                if design.shortcut == "projection"
                else Padded(width - channels, stride)
            )

    def branch(self, X: Tensor) -> Tensor:
        """``bn2(conv2(relu(bn1(conv1(X)))))``; in the order ``pre`` each convolution comes after its norm and relu."""
        if self.pre:
            X = self.conv1(F.relu(self.bn1(X)))
            return self.conv2(F.relu(self.bn2(X)))
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(X)))))


class Padded(nn.Module):
    """Option A of the paper: every ``stride``-th pixel, and channels of zeros for those that are new. No weights."""

    def __init__(self, new: int, stride: int) -> None:
        super().__init__()
        self.new, self.stride = new, stride

    def forward(self, X: Tensor) -> Tensor:
        """``(B, C, H, W)`` → ``(B, C + new, H/stride, W/stride)``."""
        X = X[:, :, :: self.stride, :: self.stride]
        return F.pad(X, (0, 0, 0, 0, self.new // 2, self.new - self.new // 2))


class Linked(nn.Module):
    """A network of residual blocks."""

    def blocks(self) -> Iterator[tuple[str, Residual]]:
        """Every block with its name (``layer2.0``), the first one first."""
        for name, module in self.named_modules():
            if isinstance(module, Residual):
                yield name, module

    def begin(self, design: Design) -> None:
        """Draw the first weights, then take the links away where the design has none.

        In this order, so that a plain network begins with the residual one's weights, number by number.
        """
        if design.start == "he":
            _initialize(self)
        if not design.residual:
            for _, block in self.blocks():
                block.downsample = None


class ResNet(Linked):
    """Stem, stages of blocks, the mean of each map, one dense layer: ``(B, C, H, W)`` floats → logits ``(B, K)``."""

    def __init__(self, design: Design, channels: int = 3, classes: int = 10) -> None:
        super().__init__()
        self.design, self.pre = design, design.order == "pre"
        width, total = design.width, sum(design.blocks)
        window, stride, pad = STEMS[design.stem]
        bias = design.norm == "none" and design.stem != "large"
        self.conv1 = nn.Conv2d(channels, width, window, stride, pad, bias=bias)
        self.bn1 = nn.Identity() if self.pre else normal(design.norm, width)
        self.maxpool = nn.MaxPool2d(3, 2, 1) if design.stem == "large" else nn.Identity()
        made, before = 0, width
        for stage, length in enumerate(design.blocks):
            after = width << stage
            blocks = []
            for k in range(length):
                made += 1
                stride = 2 if k == 0 and stage > 0 else 1
                blocks.append(Block(before, after, stride, design, design.drop_path * made / total))
                before = after
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.bn_last = normal(design.norm, before) if self.pre else nn.Identity()
        self.fc = nn.Linear(before, classes)
        self.begin(design)

    def forward(self, X: Tensor) -> Tensor:
        """See the class."""
        X = self.conv1(X)
        X = self.maxpool(X if self.pre else F.relu(self.bn1(X)))
        for stage in range(len(self.design.blocks)):
            X = getattr(self, f"layer{stage + 1}")(X)
        if self.pre:
            X = F.relu(self.bn_last(X))
        return self.fc(X.mean((2, 3)))


def _initialize(model: Linked) -> None:
    """He et al. 2015: convolutions by the numbers that a weight sends on, as the paper and torchvision do.

    Dense layers inside blocks by those that come in; the first and the last of a network stay as torch draws them.
    """
    within = {layer for _, block in model.blocks() for layer in block.modules() if isinstance(layer, nn.Linear)}
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif module in within:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # pyright: ignore[reportArgumentType]
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)  # pyright: ignore[reportArgumentType]
