"""The laboratory of one recurrent cell: which cell, whose weights, what it reads; the belt is ``ui.cell_view``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dlcore.cell_presets import LETTERS, PRESETS
from dlcore.cell_story import (
    KEEPING,
    LONGEST,
    Bench,
    Settings,
    read_edits,
    read_holds,
    read_word,
    write_edits,
    write_holds,
)  # fmt: skip
from dlcore.knobs import check_value, knobs_of, to_text
from dlcore.texts import Problem
from ui.cell_view import cell_view
from ui.challenge import Task
from ui.controls import get_extra, put_extra, read_extra
from ui.i18n import _, tell
from ui.session import imposed, set_up_by_teacher
from ui.slider import slider

SLUG = "sequences"
KNOBS = knobs_of(Settings)
EXTRA = (*KNOBS, "word", "edits", "holds", "place")  # of the address
CHANGED = ("edits", "holds", "keep")  # what the reader did to a preset
WIPED = 4  # the step of the challenge
LOOK = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def draw() -> Bench:
    """Draw controls and picture; returns what is on the bench."""
    with st.container(key="lab-cell"):
        panel, picture = st.columns([1, 2.7], gap="large")
    shown = not set_up_by_teacher()
    with panel:
        bench = _bench()
        if shown:
            bench = _controls(bench)
    with picture:
        cell_view(bench, key="cell", unit=_first_unit(bench), at=_place(), editable=shown, told=_told)
    return bench


def tasks(bench: Bench) -> list[Task]:
    """The challenges of this part, checked against what is on the bench."""
    return [
        Task(
            "mend",
            _("In the opened cell: mend the LSTM’s latch with a leak by changing one bias, so that the first of six or "
              "more letters is still there at the end."),
            bench.mended,
            hint=_("Which gate decides what is kept? It stands at σ(bias), and 0.5 is far too little."),
            praise=_("One number, and the same cell remembers. Training has to find that number first."),
        ),
        Task(
            "wipe",
            _("Take a latch that remembers, and hold a gate so that all is forgotten at step {n}.").format(n=WIPED),
            lambda: bench.wiped_at(WIPED),
            hint=_("Click step 4. Which of the bars says how much of the belt goes on? Drag it all the way."),
            praise=_("What a gate has shut out once does not come back: the belt knows only what lies on it."),
        ),
    ]  # fmt: skip


def _bench() -> Bench:
    """The bench as the address has it; what it says wrongly is told once."""
    given = {name: read_extra(knob, slug=SLUG) for name, knob in KNOBS.items()}
    cell, preset = given["opened"] or KNOBS["opened"].default, given["preset"] or KNOBS["preset"].default
    return Bench(
        cell, preset, given["units"] or PRESETS[preset].hidden, given["drawing"] or 0, _word(preset),
        given["keep"] if cell in KEEPING else None,
        read_edits(get_extra("edits", slug=SLUG)), read_holds(get_extra("holds", slug=SLUG), cell),
    )  # fmt: skip


def _word(preset: str) -> str:
    text = get_extra("word", slug=SLUG)
    try:
        return read_word(text) if text else PRESETS[preset].word
    except Problem as problem:
        st.warning(tell(problem), icon=":material/info:")
        put_extra("word", "", slug=SLUG)
        return PRESETS[preset].word


def _controls(bench: Bench) -> Bench:
    st.segmented_control(
        _(KNOBS["opened"].label), list(LOOK), format_func=LOOK.__getitem__, required=True, help=_(KNOBS["opened"].help),
        **imposed("cell.opened", bench.cell, lambda name: _begin("opened", name)),
    )  # fmt: skip
    st.selectbox(
        _(KNOBS["preset"].label), list(PRESETS), format_func=lambda name: _(PRESETS[name].title),
        help=_(KNOBS["preset"].help), **imposed("cell.preset", bench.preset, lambda name: _begin("preset", name)),
    )  # fmt: skip
    st.text_input(
        _("Letters that come in"), max_chars=2 * LONGEST, help=_("a, b, c and d, 2 to 12 of them."),
        **imposed("cell.word", bench.word, _typed),
    )  # fmt: skip
    if bench.cell in KEEPING:
        bench = replace(bench, keep=_keep(bench))
    units = int(_slide("units", bench.hidden, step=1))
    if units != bench.hidden:
        _begin("units", units)
        bench = _bench()
    _buttons(bench)
    st.markdown(f":blue[:material/visibility:] {_(PRESETS[bench.preset].look[bench.cell])}")
    return bench


def _keep(bench: Bench) -> float | None:
    """The keeping gate's bias: what the slider says, or None while it says what the preset has."""
    gate = KEEPING[bench.cell]
    stands = replace(bench, keep=None).bias(gate)
    value = stands if bench.keep is None else bench.keep
    label = _("Bias of the forget gate f") if gate == "f" else _("Bias of the update gate z")
    chosen = round(_slide("keep", value, step=0.1, label=label), 1)
    keep = bench.keep if chosen == round(value, 1) else None if chosen == round(stands, 1) else chosen
    put("keep", keep)
    return keep


def _slide(name: str, value: float, *, step: float, label: str = "") -> float:
    knob = KNOBS[name]
    return slider(
        label or _(knob.label), key=f"cell.{name}", low=float(knob.low or 0), high=float(knob.high or 1), value=value,
        step=step, help=_(knob.help), controlled=True,
    )  # fmt: skip


def _buttons(bench: Bench) -> None:
    with st.container(horizontal=True):
        if bench.preset == "drawn":
            st.button(_("Draw others"), key="cell.draw", icon=":material/casino:",
                      on_click=lambda: _begin("drawing", bench.seed % 99 + 1))  # fmt: skip
        if any(get_extra(name, slug=SLUG) for name in CHANGED):
            st.button(_("Undo my changes"), key="cell.undo", icon=":material/undo:", on_click=_undo,
                      help=_("The weights as they were, and no gate held."))  # fmt: skip


def put(name: str, value: Any) -> None:
    """Set one of the settings in the address; None need not stand there, nor a default that every preset has."""
    knob = KNOBS[name]
    empty = value is None or (value == knob.default and name not in ("keep", "units"))
    put_extra(name, "" if empty else to_text(check_value(knob, value)), slug=SLUG)


def _begin(name: str, value: Any) -> None:
    """Another cell, other weights: what was done to the old ones goes."""
    put(name, value)
    if name == "preset":
        put("units", None)
    _undo()
    put_extra("place", "", slug=SLUG)


def _undo() -> None:
    for name in CHANGED:
        put_extra(name, "", slug=SLUG)


def _typed(text: str) -> None:
    put_extra("word", text.strip()[: 2 * LONGEST], slug=SLUG)


def _told(name: str, text: str) -> None:
    """Take what the browser says, as far as it can be read."""
    cell = _bench().cell
    kept = {
        "edits": lambda: write_edits(read_edits(text)), "holds": lambda: write_holds(read_holds(text, cell)),
        "place": lambda: text[:7],
    }  # fmt: skip
    put_extra(name, kept[name](), slug=SLUG)


def _place() -> tuple[int, int] | None:
    parts = get_extra("place", slug=SLUG).split("_")
    small = all(part.isascii() and part.isdecimal() and len(part) < 3 for part in parts)
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and small else None


def _first_unit(bench: Bench) -> int:
    """A latch is opened at the unit that stores the first letter."""
    return min(LETTERS.index(bench.word[0]), bench.hidden - 1) if bench.preset in ("latch", "leaky") else 0
