"""Questions that take a network long: asked one after the other, with a bar, the time that is left, and a stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any

import streamlit as st

from dlcore.texts import Problem
from ui.asked import Asked, waiting
from ui.faults import told
from ui.i18n import _, tell
from ui.session import in_fragment, page_state

QUICK = 1.2  # seconds for which a bar and a button would only flicker
PIECE = 0.4  # seconds that a piece should take: a stop is heard after it, and other questions get in between
TICK = 0.15  # seconds between two pieces


@dataclass(frozen=True)
class Question:
    """A call of ``Asked.call`` that takes about so many passes through the network.

    ``start``: it goes on from the ``next`` of the answer before it, which it is given under this name.
    """

    function: str
    given: Sequence[Any] = ()
    passes: float = 1.0
    more: Mapping[str, Any] = field(default_factory=dict)
    start: str = ""


def pieces_for(asked: Asked, passes: float, most: int) -> int:
    """In how many pieces so many passes are asked for, 1 to ``most``."""
    return max(1, min(most, ceil(asked.seconds(passes) / PIECE))) if asked.large else 1


def in_pieces(asked: Asked, name: str, questions: Sequence[Question]) -> list[Any] | None:
    """The answers, as soon as all are there; before, draw how far it is and return None.

    What was answered is kept, so that a stop loses nothing. The page is drawn again when the last one has come.

    Args:
        name: of this work, unique on the page.

    Raises:
        Problem: a worker could not answer.
    """
    found = _answers(asked, questions)
    passes = sum(question.passes for question in questions)
    if len(found) < len(questions) and asked.seconds(passes) <= QUICK:
        with waiting(asked, round(passes)):
            while len(found) < len(questions):
                found.append(_ask(asked, questions[len(found)], found))
    if len(found) == len(questions):
        return found
    stopped = _state(name).get("stopped") == _work(asked, questions)
    st.fragment(_tick, run_every=None if stopped else TICK)(asked, name, questions)
    return None


def _work(asked: Asked, questions: Sequence[Question]) -> tuple[str, str]:
    """Tells this work from every other: another question that follows a stopped one is not stopped."""
    return asked.mark, repr(questions[0])


def _state(name: str) -> dict[str, Any]:
    return page_state("in_pieces").setdefault(name, {})


def _with_start(question: Question, found: Sequence[Any]) -> dict[str, Any]:
    return {**question.more, **({question.start: found[-1]["next"]} if question.start else {})}


def _answers(asked: Asked, questions: Sequence[Question]) -> list[Any]:
    """Those that are there, from the first on."""
    found: list[Any] = []
    for question in questions:
        if not asked.answered(question.function, *question.given, **_with_start(question, found)):
            break
        found.append(_ask(asked, question, found))
    return found


def _ask(asked: Asked, question: Question, found: Sequence[Any]) -> Any:
    return asked.call(question.function, *question.given, **_with_start(question, found))


def _tick(asked: Asked, name: str, questions: Sequence[Question]) -> None:
    """One piece; nothing but the bar when the page as a whole is drawn, which need not wait for it."""
    with told():
        state, found = _state(name), _answers(asked, questions)
        _bar(asked, name, questions, len(found))
        if not in_fragment() or state.get("stopped") == _work(asked, questions):
            return
        if len(found) < len(questions):
            try:
                found.append(_ask(asked, questions[len(found)], found))
            except Problem as problem:
                state.update(stopped=_work(asked, questions), problem=tell(problem))
                st.rerun()
        if len(found) == len(questions):
            st.rerun()


def _bar(asked: Asked, name: str, questions: Sequence[Question], done: int) -> None:
    passes = [question.passes for question in questions]
    ready, total, state = sum(passes[:done]), sum(passes), _state(name)
    work = _work(asked, questions)
    stopped = state.get("stopped") == work
    words = _("Stopped: {n} of {total} passes through the network are done.") if stopped else _(
        "{n} of {total} passes through the network; about {s} s to go …"
    )  # fmt: skip
    told_now = words.format(n=round(ready), total=round(total), s=ceil(asked.seconds(total - ready)))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(ready / total, told_now)
        if stopped:
            _button(_("Go on"), ":material/play_arrow:", f"{name}.go", lambda: state.update(stopped="", problem=""))
        else:
            _button(_("Stop"), ":material/stop:", f"{name}.stop", lambda: state.update(stopped=work, problem=""))
    if stopped and state.get("problem"):
        st.warning(state["problem"])


def _button(label: str, icon: str, key: str, then: Any) -> None:
    """A click that starts or ends the ticking, which only the page as a whole can."""
    if st.button(label, icon=icon, key=f"pieces.{key}", on_click=then):
        st.rerun()
