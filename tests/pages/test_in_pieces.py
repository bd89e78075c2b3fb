"""Long answers in pieces: a bar, a stop that loses nothing, and going on; the worker is a counter."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlcore import jobs
from dlcore.texts import Problem
from tests.pages.visit import said
from tests.waiting import patience


def page() -> None:
    import numpy as np
    import streamlit as st

    from ui.asked import Asked, Subject
    from ui.in_pieces import Question, in_pieces

    st.session_state["language"] = "en"
    subject = Subject("slow", np.zeros((3, 224, 224), np.uint8))
    given = (st.session_state.get("given", "a"),)
    asked = Asked(subject, {"seconds": 1.0, "pixels": subject.picture})
    found = in_pieces(asked, "work", [Question("counter:step", given, 2, {}, "start" if k else "") for k in range(3)])
    st.markdown("not yet" if found is None else f"found {[one['n'] for one in found]}")


@pytest.fixture
def worker(monkeypatch) -> SimpleNamespace:
    """Each call counts; the pages are run as if by the clock."""
    state = SimpleNamespace(calls=[], broken=False)

    def call(function, name, picture, *given, timeout=0.0, start=None):
        if state.broken:
            raise Problem("It is gone.", kind="worker_died")
        state.calls.append(start)
        n = 0 if start is None else int(start[0]) + 1
        return {"n": n, "next": np.array([n])}

    monkeypatch.setattr(jobs, "call", call)
    return state


def test_the_whole_page_asks_nothing_and_the_clock_piece_by_piece(worker, monkeypatch) -> None:
    at = AppTest.from_function(page, default_timeout=patience(30)).run()
    assert worker.calls == [], "a page that is drawn waits for nothing"
    assert "not yet" in said(at)
    monkeypatch.setattr("ui.in_pieces.in_fragment", lambda: True)
    at.run()
    assert worker.calls == [None]
    at.button(key="pieces.work.stop").click().run()
    bars: list[Any] = list(at.get("progress"))
    assert "Stopped" in bars[0].proto.text
    at.run()
    assert len(worker.calls) == 1, "it is stopped"
    at.button(key="pieces.work.go").click().run()
    at.run()
    at.run()
    assert "found [0, 1, 2]" in said(at)
    assert worker.calls == [None, 0, 1], "each goes on from the one before, and none is asked twice"


def test_a_worker_that_dies_is_told_and_may_be_asked_again(worker, monkeypatch) -> None:
    monkeypatch.setattr("ui.in_pieces.in_fragment", lambda: True)
    worker.broken = True
    at = AppTest.from_function(page, default_timeout=patience(30)).run()
    assert not at.exception
    assert "It is gone." in said(at)
    worker.broken = False
    at.button(key="pieces.work.go").click().run()
    at.run()
    at.run()
    assert "found [0, 1, 2]" in said(at)


def test_another_question_is_not_stopped_and_a_stop_forgets_what_went_wrong(worker, monkeypatch) -> None:
    monkeypatch.setattr("ui.in_pieces.in_fragment", lambda: True)
    worker.broken = True
    at = AppTest.from_function(page, default_timeout=patience(30)).run()
    assert "It is gone." in said(at)
    worker.broken = False
    at.session_state["given"] = "b"
    at.run()
    assert worker.calls == [None], "it is asked at once"
    at.button(key="pieces.work.stop").click().run()
    assert "It is gone." not in said(at)
    assert len(worker.calls) == 1
