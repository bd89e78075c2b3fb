"""The three recurrent cells in plain NumPy, forward and backward through time, small enough to be read on the page.

Parameters have torch's names, and the gates torch's order in their rows, H rows each (H: hidden units, I: inputs):

=================  ==========  ==========================================================================
``weight_ih_l0``   (G·H, I)    from the input; G = 1 for the RNN, 4 for the LSTM (i, f, g, o), 3 for the
``weight_hh_l0``   (G·H, H)    GRU (r, z, n); from the hidden state of the step before
``bias_ih_l0``     (G·H,)      two biases, as in torch: their sum is what counts, but for the GRU’s n
``bias_hh_l0``     (G·H,)
=================  ==========  ==========================================================================

Elman 1990 (RNN); Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000 (LSTM); Cho et al. 2014 in
the form of ``torch.nn.GRU``, where the reset gate is applied after the product (GRU).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

GATES = {"rnn": ("a",), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}  # blocks of rows, in torch's order
Params = Mapping[str, np.ndarray]
Values = dict[str, np.ndarray]  # all that a step computes, by name; (H,) each, x: (I,)


def sigmoid(a: np.ndarray) -> np.ndarray:
    """1 / (1 + e⁻ᵃ), written with tanh, which overflows nowhere."""
    return 0.5 + 0.5 * np.tanh(0.5 * a)


# --- forward: one step ------------------------------------------------------------------------------------------------


def step(cell: str, params: Params, x: np.ndarray, h: np.ndarray, c: np.ndarray | None = None,
         held: Mapping[str, float] | None = None) -> Values:  # fmt: skip
    """One step of ``cell``: input x (I,), hidden state h (H,) and, for the LSTM, cell state c (H,).

    Args:
        held: gates that are kept at a number, whatever their weights say.

    Returns:
        Every value on the way. The new state is ``h_new`` (and ``c_new``), the old one ``h`` (and ``c``).
    """
    from_x = params["weight_ih_l0"] @ x + params["bias_ih_l0"]  # (G·H,)
    from_h = params["weight_hh_l0"] @ h + params["bias_hh_l0"]  # (G·H,)
    fixed = {gate: np.full(len(h), value) for gate, value in (held or {}).items()}
    if cell == "rnn":
        return {"x": x, "h": h, **rnn(from_x, from_h, fixed)}
    if cell == "lstm":
        c = np.zeros(len(h)) if c is None else c
        return {"x": x, "h": h, "c": c, **lstm(from_x, from_h, c, fixed)}
    return {"x": x, "h": h, **gru(from_x, from_h, h, fixed)}


def rnn(from_x: np.ndarray, from_h: np.ndarray, held: Values) -> Values:
    """h′ = tanh(W_ih x + b_ih + W_hh h + b_hh)."""
    a = from_x + from_h
    return {"a": a, "h_new": held.get("a", np.tanh(a))}


def lstm(from_x: np.ndarray, from_h: np.ndarray, c: np.ndarray, held: Values) -> Values:
    """c′ = f ⊙ c + i ⊙ g and h′ = o ⊙ tanh(c′): what is kept, what is added, what comes out."""
    a_i, a_f, a_g, a_o = np.split(from_x + from_h, 4)
    gates = {"i": sigmoid(a_i), "f": sigmoid(a_f), "g": np.tanh(a_g), "o": sigmoid(a_o)} | held
    c_new = gates["f"] * c + gates["i"] * gates["g"]
    h_new = gates["o"] * np.tanh(c_new)
    return {"a_i": a_i, "a_f": a_f, "a_g": a_g, "a_o": a_o, **gates, "c_new": c_new, "h_new": h_new}


def gru(from_x: np.ndarray, from_h: np.ndarray, h: np.ndarray, held: Values) -> Values:
    """h′ = (1 − z) ⊙ n + z ⊙ h: what is added, what is kept; r says how much of h the new n may see."""
    (x_r, x_z, x_n), (h_r, h_z, h_n) = np.split(from_x, 3), np.split(from_h, 3)
    gates = {"r": sigmoid(x_r + h_r), "z": sigmoid(x_z + h_z)} | held
    a_n = x_n + gates["r"] * h_n
    n = held.get("n", np.tanh(a_n))
    h_new = (1 - gates["z"]) * n + gates["z"] * h
    return {"a_r": x_r + h_r, "a_z": x_z + h_z, "a_n": a_n, "h_n": h_n, **gates, "n": n, "h_new": h_new}


def forward(
    cell: str, params: Params, X: np.ndarray, holds: Sequence[Mapping[str, float]] | None = None
) -> list[Values]:
    """All steps over X (T, I), from a state of zeros; ``holds[t]``: which gates are held in step t, and where."""
    h = c = np.zeros(params["weight_hh_l0"].shape[1])  # (H,)
    steps = []
    for t, x in enumerate(X):
        values = step(cell, params, x, h, c, holds[t] if holds else None)
        h, c = values["h_new"], values.get("c_new", c)
        steps.append(values)
    return steps


# --- backward: from the last step to the first ------------------------------------------------------------------------


@dataclass(frozen=True)
class Gradients:
    """∂L by everything.

    Attributes:
        params: by each parameter, under its name and in its shape.
        X: by the inputs (T, I).
        h, c: by the state *after* each step (T, H); ``c`` is empty unless the cell is an LSTM. What torch's autograd
            gives with ``retain_grad``: all ways on which the state reaches the loss.
    """

    params: dict[str, np.ndarray]
    X: np.ndarray
    h: np.ndarray
    c: np.ndarray


def backward(cell: str, params: Params, steps: Sequence[Values], dH: np.ndarray,
             holds: Sequence[Mapping[str, float]] | None = None) -> Gradients:  # fmt: skip
    """Backpropagation through time: dH (T, H) is the loss's direct gradient by each output h_t."""
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    by_X, by_h, by_c = [], [], []
    dh = dc = np.zeros(dH.shape[1])  # what comes back from the step after
    for t in reversed(range(len(steps))):
        values, held = steps[t], holds[t] if holds else {}
        dh = dh + dH[t]
        by_h.append(dh)
        if cell == "lstm":
            dc = dc + dh * values["o"] * (1 - np.tanh(values["c_new"]) ** 2)  # h′ = o ⊙ tanh(c′)
            by_c.append(dc)
        d_x, d_h, straight = BACK[cell](values, dh, dc, held)  # by from_x and from_h (G·H,), and by the state before
        grads["weight_ih_l0"] += np.outer(d_x, values["x"])
        grads["weight_hh_l0"] += np.outer(d_h, values["h"])
        grads["bias_ih_l0"] += d_x
        grads["bias_hh_l0"] += d_h
        by_X.append(params["weight_ih_l0"].T @ d_x)
        dh = params["weight_hh_l0"].T @ d_h  # through the gates
        if cell == "lstm":
            dc = straight  # along the belt
        else:
            dh = dh + straight
    return Gradients(grads, *(np.array(rows[::-1]) for rows in (by_X, by_h, by_c)))


def rnn_back(v: Values, dh: np.ndarray, _dc: np.ndarray, held: Mapping[str, float]) -> tuple[np.ndarray, ...]:
    """Through tanh, whose slope is 1 − h′²; there is no other way back."""
    d_a = _free("a", held) * dh * (1 - v["h_new"] ** 2)
    return d_a, d_a, np.zeros_like(dh)


def lstm_back(v: Values, dh: np.ndarray, dc: np.ndarray, held: Mapping[str, float]) -> tuple[np.ndarray, ...]:
    """∂c′/∂c = f along the belt; the four gates take the rest."""
    d = {
        "i": dc * v["g"] * v["i"] * (1 - v["i"]),
        "f": dc * v["c"] * v["f"] * (1 - v["f"]),
        "g": dc * v["i"] * (1 - v["g"] ** 2),
        "o": dh * np.tanh(v["c_new"]) * v["o"] * (1 - v["o"]),
    }
    d_a = np.concatenate([_free(gate, held) * d[gate] for gate in GATES["lstm"]])
    return d_a, d_a, v["f"] * dc


def gru_back(v: Values, dh: np.ndarray, _dc: np.ndarray, held: Mapping[str, float]) -> tuple[np.ndarray, ...]:
    """∂h′/∂h = z along the belt; the reset gate stands between n and what it sees of h."""
    d_n = _free("n", held) * dh * (1 - v["z"]) * (1 - v["n"] ** 2)
    d_r = _free("r", held) * d_n * v["h_n"] * v["r"] * (1 - v["r"])
    d_z = _free("z", held) * dh * (v["h"] - v["n"]) * v["z"] * (1 - v["z"])
    return np.concatenate([d_r, d_z, d_n]), np.concatenate([d_r, d_z, d_n * v["r"]]), v["z"] * dh


def _free(gate: str, held: Mapping[str, float]) -> float:
    """0 for a gate that is held: its weights have no say, so no gradient reaches them."""
    return 0.0 if gate in held else 1.0


BACK = {"rnn": rnn_back, "lstm": lstm_back, "gru": gru_back}
