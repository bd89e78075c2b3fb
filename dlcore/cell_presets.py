"""Weights for the opened cell that mean something: drawn as torch draws them, a latch, a latch that leaks, a counter.

Everything is set by hand, so that each number can be understood; ``tests/test_cell_story.py`` holds them to what is
said of them. Inputs are letters, one-hot: unit k of a latch looks at letter k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlcore.cells import GATES
from dlcore.texts import N_

LETTERS = "abcd"
OPEN, SHUT = 6.0, -16.0  # σ(6) = 0.9975; σ(6 − 16·0.76) = 0.002, where 0.76 = tanh(1) is what a full unit says


@dataclass(frozen=True)
class Preset:
    """Weights with a meaning.

    Attributes:
        title, look: marked texts; what to see, by cell or for all of them (``""``).
        word: the sequence that shows it.
        hidden: units that it is best seen with.
        make: (cell, hidden, seed) → the blocks of weights, see ``params``.
    """

    title: str
    look: dict[str, str]
    word: str
    hidden: int
    make: Callable[[str, int, int], dict[str, np.ndarray]]


class Blocks(dict):
    """Weights as blocks ``"W_i"`` (H, I), ``"U_i"`` (H, H) and ``"b_i"`` (H,) for each gate; zeros at first."""

    def __init__(self, cell: str, hidden: int) -> None:
        super().__init__()
        for gate in GATES[cell]:
            self[f"W_{gate}"] = np.zeros((hidden, len(LETTERS)))
            self[f"U_{gate}"] = np.zeros((hidden, hidden))
            self[f"b_{gate}"] = np.zeros(hidden)

    def params(self, cell: str) -> dict[str, np.ndarray]:
        """The same under torch's names; all of a bias stands in ``bias_hh_l0``."""
        joined = {kind: np.concatenate([self[f"{kind}_{gate}"] for gate in GATES[cell]]) for kind in "WUb"}
        bias = joined["b"]
        if cell == "gru":  # r ⊙ (…) must not touch the bias of n
            given, bias = bias.copy(), bias.copy()
            given[: -len(self["b_n"])], bias[-len(self["b_n"]) :] = 0.0, 0.0
        else:
            given = np.zeros_like(bias)
        return {"weight_ih_l0": joined["W"], "weight_hh_l0": joined["U"], "bias_ih_l0": given, "bias_hh_l0": bias}


def drawn(cell: str, hidden: int, seed: int) -> dict[str, np.ndarray]:
    """All numbers between ±1/√H, as ``torch.nn`` draws them, rounded to two decimals to be read."""
    rows, reach = len(GATES[cell]) * hidden, hidden**-0.5
    shapes = {
        "weight_ih_l0": (rows, len(LETTERS)),
        "weight_hh_l0": (rows, hidden),
        "bias_ih_l0": rows,
        "bias_hh_l0": rows,
    }
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(-reach, reach, shape).round(2) for name, shape in shapes.items()}


def latch(cell: str, hidden: int, _seed: int = 0, *, leaks: bool = False) -> dict[str, np.ndarray]:
    """Unit k is set by letter k if nothing is stored yet, and keeps it; with ``leaks`` half of it goes at each step."""
    b, own = Blocks(cell, hidden), np.eye(hidden, len(LETTERS))
    if cell == "lstm":
        b["W_g"] += 4 * own
        b["b_i"] += OPEN
        b["U_i"] += SHUT  # whoever is on shuts the gate of all
        b["b_f"] += 0.0 if leaks else OPEN
        b["b_o"] += OPEN
    elif cell == "gru":
        b["W_n"] += 4 * own
        b["b_r"] += OPEN
        b["b_z"] -= OPEN  # nothing stored: take the new
        b["U_z"] += OPEN if leaks else 16.0
    else:
        b["W_a"] += (2.0 if leaks else 6.0) * own
        b["U_a"] += 0.6 * np.eye(hidden) if leaks else 9 * np.eye(hidden) - 1  # each for itself, all against all
        b["b_a"] -= 0.0 if leaks else 3.0
    return b.params(cell)


def counter(cell: str, hidden: int, _seed: int = 0) -> dict[str, np.ndarray]:
    """Unit 1 counts a; unit 2 goes up with a and down with b; unit 3 counts c until a d; unit 4 counts steps."""
    b, counted = Blocks(cell, hidden), np.array([[1, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])[:hidden]
    always = (np.arange(hidden) == 3).astype(float)
    if cell == "lstm":
        b["W_g"] += 6 * counted
        b["b_g"] += 6 * always
        for gate in "ifo":
            b[f"b_{gate}"] += 8.0
        b["W_f"][2:3, 3] = -16.0  # d wipes unit 3
    elif cell == "gru":  # h can only be a mean of itself and n, so equal steps are beyond it
        b["W_n"] += 6 * counted
        b["b_n"] += 6 * always
        b["b_z"] += 8.0
        b["W_z"] -= 6.6 * np.abs(counted)
        b["b_z"] -= 6.6 * always
        b["W_z"][2:3, 3] = -16.0
    else:  # tanh is straight only near 0: small steps
        b["W_a"] += 0.1 * counted
        b["b_a"] += 0.1 * always
        b["U_a"] += np.eye(hidden)
    return b.params(cell)


PRESETS = {
    "latch": Preset(
        N_("Latch: remembers the first letter"),
        {
            "lstm": N_(
                "The first letter finds the input gate open. As soon as something is stored, h shuts that gate, and "
                "the forget gate at 0.9975 keeps what is there."
            ),
            "gru": N_(
                "While nothing is stored, z is near 0 and the new letter is taken. Then h pushes z to 1, and the old "
                "value passes untouched."
            ),
            "rnn": N_(
                "At each step the memory is written anew. It lasts because a unit near 1 makes itself near 1 again, on "
                "the flat part of tanh. But where tanh is flat hardly any gradient passes: the latch works, and "
                "training could hardly have found it."
            ),
        },
        "cabdbacd", 4, latch,
    ),
    "leaky": Preset(
        N_("Latch with a leak"),
        {
            "lstm": N_(
                "The same latch with a forget bias of 0: σ(0) = 0.5, so half of the belt is lost at each step. Soon h "
                "is too small to hold the input gate shut, and later letters are put on top."
            ),
            "gru": N_("The same latch with weaker weights on z: it keeps half, and the next letter walks in."),
            "rnn": N_("Each unit feeds itself with 0.6 instead of 8: every step keeps less than 0.6 of the state."),
        },
        "cabdbacd", 4, lambda cell, hidden, seed: latch(cell, hidden, seed, leaks=True),
    ),
    "counter": Preset(
        N_("Counter: how many a?"),
        {
            "lstm": N_(
                "Unit 1 counts a, unit 2 goes up with a and down with b, unit 3 counts c until a d wipes it. The belt "
                "c goes 1, 2, 3 …; the output h = tanh(c) tells high counts hardly apart."
            ),
            "gru": N_(
                "The GRU’s state is a mean of old and new, so it can never pass 1: its steps shrink, and it cannot "
                "count far."
            ),
            "rnn": N_("An RNN can only count in small steps near 0, where tanh is almost straight."),
        },
        "aabacada", 3, counter,
    ),
    "drawn": Preset(
        N_("Drawn at random, as PyTorch begins"),
        {
            "lstm": N_(
                "Before any training the forget gate stands near 0.5: of each letter half is gone a step later. Raise "
                "the bias of the forget gate and watch the bands reach the end."
            ),
            "gru": N_(
                "Before any training z stands near 0.5: of each letter half is gone a step later. Raise the bias of z."
            ),
            "rnn": N_("Before any training: each step mixes all of the state anew."),
        },
        "abcdabcd", 3, drawn,
    ),
}  # fmt: skip
