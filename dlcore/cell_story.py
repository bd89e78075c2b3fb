"""The opened cell's bench: weights, a word, gates that are held; what is kept of each letter, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from dlcore.cell_presets import LETTERS, PRESETS
from dlcore.cells import GATES, Params, Values, backward, forward
from dlcore.graph_math import number
from dlcore.knobs import knob
from dlcore.texts import N_, Problem

SHORTEST, LONGEST = 2, 12  # letters of a word
HOLDABLE = {"rnn": (), "lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
KEEPING = {"lstm": "f", "gru": "z"}  # the gate that says how much of the belt goes on
LARGEST = 100.0  # a weight that is typed
NAMES = {"wi": "weight_ih_l0", "wh": "weight_hh_l0", "bi": "bias_ih_l0", "bh": "bias_hh_l0"}
Place = tuple[str, int, int]  # short name, row, column (0 for a bias)


@dataclass(frozen=True)
class Settings:
    """What the address says of the bench, beside word, edits and holds; no ``units`` and no ``keep``: the preset's."""

    opened: str = knob("lstm", choices=tuple(GATES), label=N_("Cell"), help=N_("Which of the three cells is opened."))
    preset: str = knob(
        "latch", choices=tuple(PRESETS), label=N_("Weights"),
        help=N_("Set by hand so that they mean something, or drawn at random. You can change each of them."),
    )  # fmt: skip
    units: int = knob(
        4, low=2, high=4, label=N_("Hidden units"),
        help=N_("How many numbers the cell remembers. Unit 1 of a latch looks for a, unit 2 for b, and so on."),
    )  # fmt: skip
    drawing: int = knob(0, low=0, high=99, label=N_("Drawing"), help=N_("Which random weights."))
    keep: float = knob(
        0.0, low=-8.0, high=8.0, label=N_("Bias of the keeping gate"),
        help=N_("Without other inputs the gate stands at σ(bias): 0.5 at 0, 0.73 at 1, 0.95 at 3. For all units."),
    )  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """What is opened.

    Attributes:
        word: the letters that come in, a to d.
        keep: the bias of the keeping gate's units, all of them; None leaves the preset's.
        edits: weights that were typed, by place.
        holds: gate → (first step from 0, value): held there until the end.
    """

    cell: str = "lstm"
    preset: str = "latch"
    hidden: int = 4
    seed: int = 0
    word: str = "cabdbacd"
    keep: float | None = None
    edits: Mapping[Place, float] = field(default_factory=dict)
    holds: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    @cached_property
    def base(self) -> dict[str, np.ndarray]:
        """The weights before anything was typed."""
        params = PRESETS[self.preset].make(self.cell, self.hidden, self.seed)
        if self.keep is not None and self.cell in KEEPING:
            rows = self.rows(KEEPING[self.cell])
            params["bias_ih_l0"][rows], params["bias_hh_l0"][rows] = 0.0, self.keep
        return params

    @cached_property
    def params(self) -> Params:
        """The weights as they count, in torch's names."""
        params = {name: value.copy() for name, value in self.base.items()}
        for (short, row, column), value in self.edits.items():
            array = params[NAMES[short]]
            if row < array.shape[0] and (array.ndim == 1 or column < array.shape[1]):
                array[(row, column)[: array.ndim]] = value
        return params

    @property
    def identity(self) -> str:
        """Changes with what the weights stand for; the browser's own edits end with it."""
        return f"{self.cell}.{self.preset}.{self.hidden}.{self.seed}"

    def bias(self, gate: str) -> float:
        """The mean over the units of what a gate's two biases add up to."""
        return float((self.base["bias_ih_l0"] + self.base["bias_hh_l0"])[self.rows(gate)].mean())

    def rows(self, gate: str) -> slice:
        """Where a gate's rows stand."""
        first = GATES[self.cell].index(gate) * self.hidden
        return slice(first, first + self.hidden)

    @property
    def X(self) -> np.ndarray:
        """The word as one-hot rows ``(T, 4)``."""
        return np.eye(len(LETTERS))[[LETTERS.index(letter) for letter in self.word]]

    @property
    def held(self) -> list[dict[str, float]]:
        """Step by step, the gates that are held."""
        return [
            {gate: value for gate, (first, value) in self.holds.items() if first <= t} for t in range(len(self.word))
        ]

    @cached_property
    def steps(self) -> list[Values]:
        """Everything that is computed, step by step."""
        return forward(self.cell, self.params, self.X, self.held)

    def belt(self) -> np.ndarray:
        """What lies on the belt after each step, ``(T, H)``: c of an LSTM, h of the others."""
        name = "c_new" if self.cell == "lstm" else "h_new"
        return np.array([values[name] for values in self.steps])

    def shares(self) -> np.ndarray:
        """What step s put on the belt and is still there after step t, ``(T, T, H)``; over s they add up to the belt.

        Exact, since the belt only scales and adds: c_t = Σ_s (f_{s+1} ⊙ … ⊙ f_t) ⊙ (i_s ⊙ g_s), and the same with z and
        (1 − z) ⊙ n. The RNN has no belt: all of its state is the last step's.
        """
        found = np.zeros((len(self.steps), len(self.steps), self.hidden))
        for t, values in enumerate(self.steps):
            keep, added = kept_and_added(self.cell, values)
            if t:
                found[t] = keep * found[t - 1]
            found[t, t] = added
        return found

    def gradients(self, unit: int) -> np.ndarray:
        """∂h_T[unit] by the belt after each step, ``(T, H)``."""
        dH = np.zeros((len(self.steps), self.hidden))
        dH[-1, unit] = 1.0
        found = backward(self.cell, self.params, self.steps, dH, self.held)
        return found.c if self.cell == "lstm" else found.h

    def first_kept(self) -> bool:
        """Whether the unit of the first letter, and no other, still holds nearly all of it after the last step."""
        unit, belt = LETTERS.index(self.word[0]), self.belt()
        if unit >= self.hidden:
            return False
        others = np.delete(belt[-1], unit)
        return bool(belt[-1, unit] >= 0.8 and (others < 0.4).all())

    def wiped_at(self, step: int) -> bool:
        """Whether a held gate empties the belt at ``step`` (from 1), on which the first letter still lay before."""
        if self.cell not in KEEPING or not 2 <= step <= len(self.word) or not self.holds:
            return False
        shares, free = self.shares(), replace(self, holds={}).shares()
        before = np.abs(shares[step - 2, 0]).max()
        after = np.abs(shares[step - 1, : step - 1]).max()
        unheld = np.abs(free[step - 1, 0]).max()  # what would have been left, had no hand held a gate
        return bool(before >= 0.5 and after <= 0.02 and unheld > 0.1)

    def mended(self) -> bool:
        """Whether one changed bias makes the LSTM's leaky latch keep the first of at least six letters."""
        leaks = self.cell == "lstm" and self.preset == "leaky" and not self.holds
        slider = self.keep is not None and not self.edits
        typed = self.keep is None and [name[0] for name, _row, _column in self.edits] == ["b"]
        return leaks and (slider or typed) and len(self.word) >= 6 and self.first_kept()


def numbers(bench: Bench) -> dict[str, str]:
    """What the formulas' ``{{placeholders}}`` stand for; an RNN keeps 0 of its state as it is."""
    gates = [kept_and_added(bench.cell, values)[0] for values in bench.steps[1:]]
    keep, steps = float(np.mean(gates)), len(gates)
    weights = sum(value.size for value in bench.params.values())
    return {"weights": str(weights), "keep": f"{keep:.3g}", "steps": str(steps), "power": number(keep**steps, 2)}


def kept_and_added(cell: str, values: Values) -> tuple[np.ndarray, np.ndarray]:
    """The share of the belt that a step keeps, and what it adds, ``(H,)`` each."""
    if cell == "lstm":
        return values["f"], values["i"] * values["g"]
    if cell == "gru":
        return values["z"], (1 - values["z"]) * values["n"]
    return np.zeros_like(values["h_new"]), values["h_new"]


# --- what stands in the address ---------------------------------------------------------------------------------------

BAD_WORD = N_("A word has {low} to {high} letters, each of them a, b, c or d. “{text}” is none.")


def read_word(text: str) -> str:
    """A word of the letters a to d, in small letters and without spaces. Raises ``Problem``."""
    word = "".join(text.lower().split())
    if not SHORTEST <= len(word) <= LONGEST or set(word) - set(LETTERS):
        raise Problem(BAD_WORD, kind="word", low=SHORTEST, high=LONGEST, text=text[:20])
    return word


def read_edits(text: str) -> dict[Place, float]:
    """``"wi.0.2_1.5~bh.5.0_3"``: short name, row, column, value. What cannot be read is left out."""
    found = {}
    for part in text.split("~")[:400]:
        place, _, value = part.partition("_")
        pieces, number = place.split("."), _number(value, LARGEST)
        if len(pieces) == 3 and pieces[0] in NAMES and number is not None and all(_small(p) for p in pieces[1:]):
            found[(pieces[0], int(pieces[1]), int(pieces[2]))] = number
    return found


def read_holds(text: str, cell: str) -> dict[str, tuple[int, float]]:
    """``"f.3_0.2"``: gate, first step from 0, value; several with ``~``. What cannot be read is left out."""
    found = {}
    for part in text.split("~")[:8]:
        place, _, value = part.partition("_")
        gate, _, first = place.partition(".")
        number = _number(value, 1.0)
        if gate in HOLDABLE[cell] and _small(first) and number is not None and (gate in "gn" or number >= 0):
            found[gate] = (int(first), number)
    return found


def write_edits(edits: Mapping[Place, float]) -> str:
    """What ``read_edits`` reads."""
    return "~".join(f"{name}.{row}.{column}_{value:.6g}" for (name, row, column), value in edits.items())


def write_holds(holds: Mapping[str, tuple[int, float]]) -> str:
    """What ``read_holds`` reads."""
    return "~".join(f"{gate}.{first}_{value:.6g}" for gate, (first, value) in holds.items())


def _small(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 3


def _number(text: str, most: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= most else None  # NaN is no size
