"""Ask it yourself: a sequence is read by the trained cells, and after every step they are asked what they would say."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs, trained
from dlcore.data.memory_tasks import HELD_OUT, TASKS, held_out, one_hot
from dlcore.experiments import sequences_look
from dlcore.figures import memory
from dlcore.figures.cells import NAMES
from dlcore.history import History
from dlcore.memory_story import known_at, sure, written
from dlcore.texts import Problem
from ui.i18n import _, sentences, tell
from ui.live_plot import live_plot
from ui.session import owner, page_state

SLUG = "sequences"
TYPED = {"first_symbol": "ABCD", "parentheses": "()"}  # tasks whose sequences can be typed, and of what
LONGEST = 200


@st.fragment
def ask(history: History) -> None:
    """Draw the panel for the run that is shown; another sequence redraws it alone."""
    st.header(_("Ask it yourself"), anchor="ask")
    if not history.has_checkpoint or "length" not in history.config:
        st.caption(
            _("Train first: then the cells read a sequence of yours here, and say after each step what they remember.")
        )
        return
    task, length = history.config["task"], int(history.config["length"])
    panel, picture = st.columns([1, 2.7], gap="large")
    with panel:
        X, y = _sequence(task, length)
    with picture:
        if X is None:
            return
        try:
            path = str(jobs.checkpoint(page_state(SLUG)["run"], owner=owner()))
            found = _answers(path, trained.written(path), X)
        except Problem as problem:
            st.caption(tell(problem))
            return
        truth = known_at(task, X, y)
        live_plot(
            memory.answers(sure(task, found, truth), truth if task == "adding" else None, label=_), key="memory-ask",
            height=260, alt=_("What each cell would answer after each step of the sequence."),
        )  # fmt: skip
        st.caption(_verdict(task, found, truth, len(X) == length))


def _sequence(task: str, length: int) -> tuple[np.ndarray | None, Any]:
    """A held-out sequence by its number, or one that was typed; (T, inputs) and the answer at its end."""
    number = st.number_input(_("Held-out sequence 1–{n}").format(n=HELD_OUT), 1, HELD_OUT, 1, key="memory.number")
    batch, place = held_out(task, length), int(number) - 1
    X, y = batch.X[place, : batch.lengths[place]], batch.y[place]
    if task not in TYPED:
        st.caption(written(task, length, place)[0])
        return X, y
    allowed = TYPED[task]
    letters = "".join(TASKS[task].letters[i] for i in X.argmax(1))
    typed = st.text_area(_("or one of your own, of {letters}").format(letters=" ".join(allowed)), letters,
                         key=f"memory.typed.{task}.{length}.{place}", max_chars=LONGEST, height=90)  # fmt: skip
    kept = "".join(typed.upper().split())
    if not kept or set(kept) - set(allowed):
        st.warning(
            _("It can read {letters} and nothing else.").format(letters=" ".join(allowed)), icon=":material/info:"
        )
        return None, None
    return one_hot(np.array([[allowed.index(letter) for letter in kept]]), len(allowed))[0], None


def _verdict(task: str, found: dict[str, np.ndarray], truth: np.ndarray, usual: bool) -> str:
    """What each cell says at the end, and whether it is right."""
    parts = []
    for cell, row in found.items():
        if task == "adding":
            parts.append(_("{cell} says {answer:.2f}").format(cell=NAMES[cell], answer=row[-1, 0]))
        else:
            letters = TASKS[task].letters if task != "parentheses" else list(map(str, range(row.shape[1])))
            says = letters[int(row[-1].argmax())]
            mark = "✓" if row[-1].argmax() == truth[-1] else "✗"
            parts.append(_("{cell} says {answer} {mark}").format(cell=NAMES[cell], answer=says, mark=mark))
    words = [_("At the end: {answers}.").format(answers=_(", ").join(parts))]
    words.append(_("They were trained to answer at the end alone; what they say before is a look inside."))
    if not usual:
        words.append(_("Of this length they have learned nothing: expect less."))
    return sentences(*words)


@st.cache_data(max_entries=64, show_spinner=False)
def _answers(checkpoint: str, version: int, X: np.ndarray) -> dict[str, np.ndarray]:
    return jobs.call(sequences_look.answers, checkpoint, version, X)
