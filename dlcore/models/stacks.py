"""Networks of the depth experiment: stacks of dense or convolutional blocks and the networks of the paper, by name.

A network takes pixels as they are stored, 0 to 255; its first layer, ``standardize``, does the rest, so a checkpoint
with its ``builds`` is complete (``rebuild``). A plain network is the residual one without its links: drawn from the
same seed, both begin with the same numbers.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.checkpoints import load_model
from dlcore.models.cnn import Standardize
from dlcore.models.resnet import NETWORKS, Design, Linked, Residual, ResNet, normal
from dlcore.models.together import Together

KINDS = ("dense", "conv")  # of blocks in a stack: one dense layer, or two 3x3 convolutions


class DenseBlock(Residual):
    """One dense layer: ``(B, width)`` → the same shape."""

    def __init__(self, design: Design, drop: float = 0.0) -> None:
        super().__init__(design, drop)
        self.fc = nn.Linear(design.width, design.width)
        self.bn = normal(design.norm, design.width, maps=False)

    def branch(self, X: Tensor) -> Tensor:
        """``bn(fc(X))``, or ``fc(relu(bn(X)))`` in the order ``pre``."""
        return self.fc(F.relu(self.bn(X))) if self.pre else self.bn(self.fc(X))


class DenseStack(Linked):
    """A dense layer to the width, dense blocks, a dense layer to the classes: ``(B, …)`` floats → logits ``(B, K)``."""

    def __init__(self, design: Design, inputs: int, classes: int = 10) -> None:
        super().__init__()
        self.design, depth = design, sum(design.blocks)
        pre, norm = design.order == "pre", partial(normal, design.norm, design.width, maps=False)
        self.stem = nn.Linear(inputs, design.width)
        self.bn1 = nn.Identity() if pre else norm()
        self.stack = nn.Sequential(*(DenseBlock(design, design.drop_path * (k + 1) / depth) for k in range(depth)))
        self.bn_last = norm() if pre else nn.Identity()
        self.fc = nn.Linear(design.width, classes)
        self.begin(design)

    def forward(self, X: Tensor) -> Tensor:
        """See the class."""
        X = self.stem(X.flatten(1))
        if self.design.order == "pre":
            return self.fc(F.relu(self.bn_last(self.stack(X))))
        return self.fc(self.stack(F.relu(self.bn1(X))))


def build(
    network: str,
    shape: tuple[int, int, int],
    classes: int,
    *,
    blocks: str = "dense",
    depth: int = 20,
    width: int = 0,
    mean: float = 0.0,
    std: float = 1.0,
    **design: Any,
) -> nn.Sequential:
    """A network by name, its weights drawn from torch's global generator: pixels ``(B, *shape)`` → logits ``(B, K)``.

    Its two layers are called ``standardize`` and ``network``.

    Args:
        network: "stack", or one of ``dlcore.models.resnet.NETWORKS``.
        shape: of one image, ``(C, H, W)``.
        blocks: one of ``KINDS``, for a stack.
        depth: layers with weights in the blocks of a stack; a convolutional block has two, so an odd one is left out.
        width: units or channels of a stack.
        mean, std: of the pixels on the scale 0 to 1, for the first layer.
        design: other fields of ``Design`` (residual, norm, order, shortcut, start, drop_path).
    """
    if network != "stack":
        model: Linked = ResNet(replace(NETWORKS[network], **design), shape[0], classes)
    elif blocks == "dense":
        model = DenseStack(Design((depth,), width, **design), math.prod(shape), classes)
    else:
        model = ResNet(Design((max(1, depth // 2),), width, stem="patches", **design), shape[0], classes)
    return nn.Sequential(OrderedDict(standardize=Standardize(mean, std), network=model))


def blocks_of(model: nn.Module) -> list[tuple[str, Residual]]:
    """The residual blocks of a network with their names in it, the first one first."""
    return [(name, module) for name, module in model.named_modules() if isinstance(module, Residual)]


def rebuild(state: Mapping[str, Any]) -> dict[str, nn.Sequential]:
    """The networks of a checkpoint's ``state``, by name ("plain", "residual"), in eval mode on the CPU."""
    models = {name: build(**arguments) for name, arguments in state["builds"].items()}
    load_model(Together(models).eval(), state["model"])
    return models
