"""How much of an error reaches each step of a sequence: the gradient by the hidden state, back through time.

``nn.RNN`` and its kin compute all steps in one call and keep the states between to themselves, so the pass is done
again here, one step after the other with the same weights, and a hook on each state notes the gradient that comes by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def lstm_step(x: Tensor, state: tuple[Tensor, Tensor], *weights: Tensor) -> tuple[Tensor, Tensor]:
    """One step of an LSTM, in the open: ``torch.lstm_cell`` may hide that h comes from c, and with it ∂L/∂c."""
    W_ih, W_hh, b_ih, b_hh = weights
    h, c = state
    i, f, g, o = (F.linear(x, W_ih, b_ih) + F.linear(h, W_hh, b_hh)).chunk(4, 1)  # (B, H) each
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


STEPS: dict[str, Callable[..., Any]] = {"RNN": torch.rnn_tanh_cell, "LSTM": lstm_step, "GRU": torch.gru_cell}


def unrolled(layer: nn.RNNBase, X: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The states of a one-layer, batch-first recurrent layer, step by step: T hidden (B, H), and T cell states (LSTM).

    The weights are taken as constants: only the states carry gradients. X is (B, T, inputs).
    """
    step = STEPS[type(layer).__name__]
    weights = [getattr(layer, f"{name}_l0").detach() for name in WEIGHTS]
    h = X.new_zeros(len(X), layer.hidden_size, requires_grad=True)
    c = X.new_zeros(len(X), layer.hidden_size, requires_grad=True)
    hidden, cells = [], []
    for x in X.unbind(1):
        if isinstance(layer, nn.LSTM):
            h, c = step(x, (h, c), *weights)
            cells.append(c)
        else:
            h = step(x, h, *weights)
        hidden.append(h)
    return hidden, cells


def by_time(layer: nn.RNNBase, X: Tensor, loss: Callable[[list[Tensor]], Tensor]) -> dict[str, Tensor]:
    """The norm of ∂L/∂h_t for t = 1 … T, ``{"h": (T,)}``, and of ∂L/∂c_t for an LSTM, ``"c"``.

    ∂L/∂h_t counts every way from h_t to the loss (back-propagation through time, Werbos 1990), over the whole batch.

    Args:
        loss: T hidden states (B, H) → L, a scalar.
    """
    caught: dict[str, dict[int, Tensor]] = {"h": {}, "c": {}}

    def note(kind: str, t: int) -> Callable[[Tensor], None]:
        return lambda gradient: caught[kind].__setitem__(t, gradient)

    with torch.enable_grad():
        states = dict(zip("hc", unrolled(layer, X), strict=True))
        for kind, of_kind in states.items():
            for t, state in enumerate(of_kind):
                state.register_hook(note(kind, t))
        loss(states["h"]).backward()
    zero = X.new_zeros(())
    return {
        kind: torch.stack([caught[kind][t].norm() if t in caught[kind] else zero for t in range(len(of_kind))])
        for kind, of_kind in states.items()
        if of_kind
    }
