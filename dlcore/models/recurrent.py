"""Recurrent layers as torch has them, with the first weights that a lesson asks for.

The gates stand in torch's order in the rows of ``weight_ih_l0``, ``weight_hh_l0`` and the biases: LSTM input, forget,
cell, output (i, f, g, o); GRU reset, update, new (r, z, n).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

KINDS: dict[str, Any] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
KEEPING = {"lstm": 1, "gru": 1}  # which block of rows is the gate that keeps: f, and z (h' = (1 - z) n + z h)


def recurrent(
    cell: str,
    input_size: int,
    hidden: int,
    *,
    layers: int = 1,
    dropout: float = 0.0,
    bidirectional: bool = False,
    forget_bias: float = 0.0,
    start: str = "usual",
    radius: float = 0.0,
) -> nn.RNNBase:
    """A recurrent layer over ``(B, T, input_size)``, batch first. Draws its weights from torch's generator.

    Args:
        cell: "rnn" (tanh), "lstm" or "gru".
        forget_bias: what the keeping gate's two biases add up to at first (LSTM: Gers et al. 2000, Jozefowicz et al.
            2015); 0 leaves them as torch draws them. An RNN has no gate and is left alone.
        start: "usual", or "orthogonal": each gate's recurrent matrix a random rotation (Saxe et al. 2014).
        radius: the spectral radius that each gate's recurrent matrix is scaled to; 0 leaves it.
    """
    extra = {"dropout": dropout if layers > 1 else 0.0, "bidirectional": bidirectional}
    layer: nn.RNNBase = KINDS[cell](input_size, hidden, num_layers=layers, batch_first=True, **extra)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.startswith("weight_hh"):
                for block in parameter.split(hidden):
                    _begin(block, start, radius)
            elif name.startswith("bias") and cell in KEEPING and forget_bias:
                block = parameter.split(hidden)[KEEPING[cell]]
                block.fill_(forget_bias if name.startswith("bias_hh") else 0.0)
    return layer


def _begin(W: Tensor, start: str, radius: float) -> None:
    """Give one gate's recurrent matrix ``(H, H)`` its first values, in place."""
    if start == "orthogonal":
        nn.init.orthogonal_(W)
    if radius:
        W.mul_(radius / spectral_radius(W))


def spectral_radius(W: Tensor) -> float:
    """The largest size of an eigenvalue of a square matrix."""
    return max(torch.linalg.eigvals(W.double()).abs().max().item(), 1e-12)
