"""The playground's networks written with PyTorch, as a reference that shares nothing with the code under test."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from dlcore.mlp import ACTIVATIONS, LOSSES, Architecture, Layer, Parameters

TORCH_ACTIVATIONS = {
    "linear": lambda u: u,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda u: F.leaky_relu(u, 0.01),
    "gelu": lambda u: F.gelu(u, approximate="tanh"),
    "sin": torch.sin,
}
TORCH_LOSSES = {
    "mse": F.mse_loss,
    "cross_entropy": lambda f, y: F.binary_cross_entropy_with_logits(f, (y + 1) / 2),
    "hinge": lambda f, y: torch.clamp(1 - y * f, min=0).mean(),
}


@st.composite
def networks(draw) -> Architecture:
    """Any network of the playground; equal neighbours are as likely as not, so that links occur."""
    widths = draw(st.lists(st.sampled_from([1, 3, 3, 5]), max_size=4))
    norm, dropout = draw(st.booleans()), draw(st.sampled_from([0.0, 0.3]))
    names = st.sampled_from(list(ACTIVATIONS))
    hidden = tuple(Layer(units, draw(names), dropout, norm) for units in widths)
    return Architecture(draw(st.integers(1, 4)), (*hidden, Layer(1)), draw(st.booleans()))


losses_of_a_network = st.sampled_from(LOSSES)


def tensors(params: list[Parameters]) -> list[dict[str, torch.Tensor]]:
    """Every array as a leaf of its own; the running statistics need no gradient."""
    return [
        {
            name: torch.tensor(a, requires_grad=name not in ("mean", "var"))
            for name, a in vars(p).items()
            if a is not None
        }
        for p in params
    ]


def torch_forward(layers, architecture: Architecture, X: np.ndarray | torch.Tensor, masks, train: bool) -> torch.Tensor:
    """The output (n,), with the given dropout masks; moves the running statistics in training."""
    a = torch.as_tensor(X)
    for i, (layer, p) in enumerate(zip(architecture.layers, layers, strict=True)):
        u = F.linear(a, p["W"].T, p["b"])
        if layer.batch_norm:
            u = F.batch_norm(u, p["mean"], p["var"], p["gamma"], p["beta"], training=train, momentum=0.1, eps=1e-5)
        h = TORCH_ACTIVATIONS[layer.activation](u)
        if masks[i] is not None:
            h = h * torch.tensor(masks[i])
        linked = architecture.residual and 0 < i < len(layers) - 1 and a.shape[1] == h.shape[1]
        a = h + a if linked else h
    return a[:, 0]


def penalty(layers, l1: float, l2: float) -> torch.Tensor:
    return sum((l1 * p["W"].abs().sum() + l2 / 2 * (p["W"] ** 2).sum() for p in layers), torch.zeros(()))
