"""A recurrent cell, opened: the belt through time and one step with all its numbers, drawn by the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlcore.cell_presets import LETTERS
from dlcore.cell_story import Bench, write_edits, write_holds
from dlcore.texts import N_
from ui.components import component, pack
from ui.i18n import _

_mount = component("recurrent_cell", height="700px")
GATES = {
    "h": N_("new state"), "i": N_("input gate"), "f": N_("forget gate"), "g": N_("candidate"), "o": N_("output gate"),
    "r": N_("reset gate"), "z": N_("update gate"), "n": N_("candidate"),
}  # fmt: skip


def cell_view(
    bench: Bench, *, key: str, unit: int, at: tuple[int, int] | None, editable: bool, told: Callable[[str, str], None]
) -> None:
    """Draw the belt, the film, the chosen step's table and sums.

    Args:
        key: unique on the page.
        unit: which unit is opened at first, from 0.
        at: step and unit to open with, from 0; None plays the film from its beginning.
        editable: whether weights can be typed and gates held.
        told: called with ``"edits"``, ``"holds"`` or ``"place"`` and a text for the address, when the reader did so.
    """
    payload = {
        "cell": bench.cell, "word": bench.word, "letters": LETTERS, "base": bench.base, "identity": bench.identity,
        "edits": write_edits(bench.edits), "holds": write_holds(bench.holds), "unit": unit, "at": at, "group": key,
        "editable": editable, "alt": _alt(bench), "texts": _texts(bench.cell),
    }  # fmt: skip
    receivers = {f"on_{name}_change": _receiver(key, name, told) for name in ("edits", "holds", "place")}
    _mount(key=key, data=pack(payload), **receivers)


def _receiver(key: str, name: str, told: Callable[[str, str], None]) -> Callable[[], None]:
    def changed() -> None:
        sent = (st.session_state.get(key) or {}).get(name)
        if isinstance(sent, str):
            told(name, sent)

    return changed


def _alt(bench: Bench) -> str:
    return _(
        "The state of {cell} with {units} units over {n} steps, for the letters {word}. A table below has the numbers."
    ).format(cell=bench.cell.upper(), units=bench.hidden, n=len(bench.word), word=" ".join(bench.word))  # fmt: skip


def _texts(cell: str) -> dict[str, Any]:
    return {
        "play": _("Play"), "pause": _("Pause"), "step": _("Step"), "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"), "back": _("One step back"), "forth": _("One step"), "table": _("Table of all steps"),
        "at": _("step {n} of {all}: {letter}"), "unit": _("unit"), "input": _("letter"), "output": _("output"),
        "gradient": _("gradient of last h"), "gradient_back": _("← back in time"),
        "hint": [
            _("Drag a bar: the gate is held there from this step on. Every weight can be typed over."),
            _("Every weight can be typed over."),
        ],
        "gates": {name: _(text) for name, text in GATES.items()},
        "step_title": _("Step {n}, letter {letter}, unit {unit}: weights times what they meet"),
        "drag": _("Drag, or use the arrow keys: the gate is held there from this step on."),
        "held": _("held from step {n} on"), "free": _("Let go of gate {gate}"),
        "keys": _("Left and right arrows move through time, up and down choose the unit, space plays."),
        "through": _("along the belt + through the gates") if cell != "rnn" else _("only through the weights and tanh"),
        "kept": _(
            "Step {n} puts {put} of “{letter}” on the belt of unit {unit}. At the end {left} of it is left: {share}."
        ),
        "nothing": _(
            "Step {n} puts next to nothing on the belt of unit {unit}. Of the {put} that came with “{letter}” in step "
            "{s}, {left} is left at the end: {share}."
        ),
        "empty": _("No step puts anything on the belt of unit {unit}."),
        "rnn_story": _(
            "No belt: each step writes the state anew. After step {n} unit {unit} says {h}; of the last output’s "
            "gradient {gradient} comes back to here."
        ),
    }  # fmt: skip
