"""Networks that begin with what another has learned: blocks taken over or drawn anew, frozen or trained, or given LoRA.

All networks here are lists of layers, as ``dlcore.models.cnn.build`` makes them.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.models.cnn import build
from dlcore.transfer_methods import FROZEN, NEW, TRAINED, Method

LAYOUT = torch.channels_last  # quicker for such networks than the other order
BEGINNINGS = ("conv", "dense")  # of the names of layers with weights, which begin a block


class LowRank(nn.Module):
    """A layer whose weights stay as they are and get a product of two small matrices added: W + B A.

    LoRA (Hu et al. 2022, arXiv 2106.09685). B begins at zero, so the layer does at first what it did before.

    Args:
        layer: a convolution or dense layer with outputs O and, for one output, I inputs; its weights are frozen.
        rank: of B A; B is (O, rank), A (rank, I).
    """

    def __init__(self, layer: nn.Conv2d | nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        outputs, inputs = layer.weight.flatten(1).shape
        self.A = nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))
        self.B = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, X: Tensor) -> Tensor:
        """What the layer gives with ``W + B A``; shapes as the layer's."""
        layer = self.layer
        weight = layer.weight + (self.B @ self.A).view_as(layer.weight)  # (O, …)
        if isinstance(layer, nn.Linear):
            return F.linear(X, weight, layer.bias)
        return F.conv2d(X, weight, layer.bias, layer.stride, cast(tuple[int, int], layer.padding))


@dataclass(frozen=True)
class Base:
    """A trained network to begin with: its layers, and the arguments of ``dlcore.models.cnn.build`` they came from.

    ``make`` draws one for so many classes anew where that function cannot.
    """

    model: nn.Sequential
    about: Mapping[str, Any]
    make: Callable[[int], nn.Sequential] | None = None

    def fresh(self, classes: int) -> nn.Sequential:
        """The same layers for so many classes, all drawn anew."""
        return self.make(classes) if self.make else build(**{**self.about, "classes": classes})

    def blocks(self) -> list[list[str]]:
        """The names of each block's layers, and last those of the head. What comes before the first is of the first."""
        return blocks_of([name for name, _layer in self.model.named_children()])


def blocks_of(names: list[str]) -> list[list[str]]:
    """Names of layers by block: each begins with one that has weights; the last one is the head."""
    found: list[list[str]] = [[]]
    begun = False
    for name in names:
        if name.startswith(BEGINNINGS) or name == "logits":
            if begun:
                found.append([])
            begun = True
        found[-1].append(name)
    return found


def begin(base: Base, method: Method, classes: int, seed: int) -> nn.Sequential:
    """A network of the base's layers for ``classes`` new classes, as the method begins with it.

    What is drawn anew depends on the seed alone: all methods begin with the same head.
    """
    torch.manual_seed(seed)
    model = base.fresh(classes)
    layers = dict(model.named_children())
    for letter, names in zip(method.blocks, base.blocks()[:-1], strict=True):
        for name in names:
            if letter != NEW:
                layers[name].load_state_dict(base.model.get_submodule(name).state_dict())
            if letter == FROZEN:
                layers[name].requires_grad_(False)
                if method.rank and name.startswith(BEGINNINGS):
                    layers[name] = lowered(layers[name], method.rank)
    return nn.Sequential(OrderedDict(layers))


def lowered(layer: nn.Module, rank: int) -> nn.Module:
    """The layer with a small change added to its weights; a block of layers with one added to each that mixes maps."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        return LowRank(layer, rank) if getattr(layer, "groups", 1) == 1 else layer
    for name, part in layer.named_children():
        setattr(layer, name, lowered(part, rank))
    return layer


def first_trained(base: Base, method: Method) -> int:
    """The place of the first layer that training may change; all before it can be computed once."""
    names, before = [name for name, _layer in base.model.named_children()], 0
    for letter, block in zip(method.blocks, base.blocks()[:-1], strict=True):
        if letter != FROZEN or method.rank:
            break
        before += len(block)
    return before if before < len(names) else len(names) - 1


class Seat(nn.Module):
    """A network that learns from its own examples: its layers from the first one that training may change.

    Args:
        rest: those layers.
        frozen: the names of layers that keep even their running statistics.
        settled: those that are trained on, but whose batch norms keep theirs: the few pictures of a step say too little
            of what is usual, and weights that were published with norms folded in stand on norms that change nothing.
        entered: (N, …) what enters them for each example; what comes before was computed once.
        answers: (N, K) what is to be said of each: 1 for its class, or another network's probabilities.
        temperature: that the logits are divided by before they are compared with ``answers``.
    """

    def __init__(
        self, rest: nn.Sequential, frozen: list[str], entered: Tensor, answers: Tensor, temperature: float = 1.0,
        settled: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__()
        self.rest, self.frozen, self.settled = rest, frozen, settled
        self.entered, self.answers, self.temperature = entered, answers, temperature

    def train(self, mode: bool = True) -> Seat:
        """As every module, but frozen layers stay in eval mode."""
        super().train(mode)
        for name, layer in self.rest.named_children():
            if name in self.frozen:
                layer.eval()
            for part in layer.modules() if name in self.settled else ():
                if isinstance(part, nn.BatchNorm2d):
                    part.eval()
        return self

    def forward(self, rows: Tensor) -> Tensor:
        """Logits ``(B, K)`` for examples by number ``(B,)``, counted round."""
        return self.rest(self.entered[rows % len(self.entered)])

    def loss(self, logits: Tensor, rows: Tensor) -> Tensor:
        """Cross-entropy with the answers, times the squared temperature (Hinton et al. 2015, arXiv 1503.02531).

        So the gradient of softened answers is as large as that of hard ones.
        """
        wanted = self.answers[rows % len(self.answers)]
        return self.temperature**2 * F.cross_entropy(logits / self.temperature, wanted)


def laid_out(X: Tensor) -> Tensor:
    """What enters layers, in the order of memory in which they are computed: maps (N, C, H, W) or lists (N, D)."""
    return X.contiguous(memory_format=LAYOUT) if X.ndim == 4 else X


def seat(base: Base, method: Method, X: Tensor, y: Tensor, classes: int, seed: int) -> Seat:
    """A network as the method begins with it, before its examples ``X`` (N, C, H, W) of classes ``y`` (N,)."""
    model, start = begin(base, method, classes, seed).to(memory_format=LAYOUT), first_trained(base, method)
    blocks = [*zip(method.blocks, base.blocks()[:-1], strict=True)]
    frozen = [name for letter, names in blocks if letter == FROZEN for name in names]
    settled = [name for letter, names in blocks if letter == TRAINED and base.make for name in names]
    with torch.no_grad():
        entered = laid_out(model[:start].eval()(X.float()))
    return Seat(model[start:], frozen, entered, F.one_hot(y, classes).float(), settled=settled)
