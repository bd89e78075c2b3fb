"""MobileNetV2 as seven blocks and a head, so that blocks can be taken over, frozen and drawn anew. Workers."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models import mobilenet_v2

from dlcore.models.mobilenet_rows import SPANS

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision's transform has them


class Standardize(nn.Module):
    """Pixels 0 to 255, ``(B, 3, H, W)``, as the network saw them in its training."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, 255 * torch.tensor(values).view(3, 1, 1))

    def forward(self, X: Tensor) -> Tensor:
        """The same shape, about between -2 and 3."""
        return (X - self.mean) / self.std


def build(classes: int) -> nn.Sequential:
    """For so many classes, its weights drawn from torch's global generator: pixels ``(B, 3, H, W)`` → ``(B, K)``."""
    return in_blocks(mobilenet_v2(weights=None, num_classes=classes))


def in_blocks(network: Any) -> nn.Sequential:
    """torchvision's network, its layers named as blocks; the dropout before the head is left out."""
    blocks = {f"conv{k}": network.features[first:last] for k, (first, last) in enumerate(SPANS, 1)}
    average = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    named = {"standardize": Standardize(), **blocks, "average": average, "logits": network.classifier[-1]}
    return nn.Sequential(OrderedDict(named))


def trained() -> nn.Sequential:
    """With ImageNet's weights, in eval mode. Raises ``Problem`` (kind "weights_missing") where they are not here."""
    from dlcore.vision.models import model

    return in_blocks(copy.deepcopy(model("mobilenet_v2").module)).eval()
