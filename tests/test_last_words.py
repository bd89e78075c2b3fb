"""A page arrives whole although a fragment asks for its next run in the moment at which the page's script has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession, AppSessionState

from tests.serving import ROOT, serve
from tests.waiting import on_a_loop
from ui import last_words
from ui.last_words import CREATE, HELD, patient

PAGE = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType
from ui.last_words import hear_out

if st.query_params.get("heard"):
    hear_out()

@st.fragment
def tick():
    st.text("tick")

tick()
context = get_script_run_ctx()
session = get_instance()._session_mgr.get_session_info(context.session_id).session
fragment = next(iter(context.fragment_storage._fragments))

def asks_late():  # the loop is busy with it; meanwhile the script below says its last and ends
    deadline = time.monotonic() + 30
    while session._scriptrunner._requests._state != ScriptRequestType.STOP and time.monotonic() < deadline:
        time.sleep(0.01)
    session.request_rerun(ClientState(fragment_id=fragment, page_script_hash=context.page_script_hash))

session._event_loop.call_soon_threadsafe(asks_late)
st.text("the last line")
"""


def test_the_last_line_of_a_page_arrives(tmp_path):
    page = tmp_path / "page.py"
    page.write_text(PAGE)
    with serve(str(page)) as server:
        for heard in (False, True):  # in this order: what replaces Streamlit's function stays
            messages = server.visit("", query="heard=1" if heard else "")
            lines = [m.delta.new_element.text.body for m in messages if m.WhichOneof("type") == "delta"]
            assert heard or "tick" in lines
            # where Streamlit sends it by itself, ui/last_words.py can go
            assert ("the last line" in lines) is heard
            assert (messages[-1].script_finished == ForwardMsg.FINISHED_SUCCESSFULLY) is heard


class Runner:
    """Takes requests while it runs; ``ended`` is Streamlit's STOP."""

    def __init__(self, ended: bool = True) -> None:
        self.ended = ended
        self.took: list[str] = []

    def request_rerun(self, data: Any) -> bool:
        if not self.ended:
            self.took.append(data.fragment_id)
        return not self.ended


class Session:
    """What of an ``AppSession`` is looked at: its runner has ended, and has not been heard out."""

    def __init__(self) -> None:
        self._scriptrunner: Runner | None = Runner()
        self._event_loop = asyncio.get_running_loop()
        self._state = AppSessionState.APP_IS_RUNNING
        self.faults: list[BaseException] = []
        self.gone: set[str] = set()
        self.began: list[str] = []
        self.ends_at_once = False

    def has_fragment(self, fragment: str) -> bool:
        return fragment not in self.gone

    def handle_backmsg_exception(self, error: BaseException) -> None:
        self.faults.append(error)

    def create(self, data: Any) -> None:
        self.began.append(data.fragment_id or "page")
        if data.fragment_id == "fault":
            raise ValueError("fault")
        self._scriptrunner = Runner(ended=self.ends_at_once)

    def heard_out(self) -> None:
        self._scriptrunner = None


def played(play: Callable[[Session, Callable[[str | None], None]], Any]) -> Session:
    """Let ``play(session, ask)`` happen on a loop."""

    async def scene() -> Session:
        session = Session()
        create = patient(lambda session, data: session.create(data))
        await play(session, lambda fragment: create(session, SimpleNamespace(fragment_id=fragment)))
        return session

    return on_a_loop(scene())


async def a_while() -> None:
    await asyncio.sleep(0.05)


def test_what_is_asked_meanwhile_waits_and_keeps_its_order():
    async def play(session, ask):
        for fragment in "abc":
            ask(fragment)
        await a_while()
        assert session.began == []
        session.heard_out()
        ask("d")  # before it was looked again
        await a_while()
        assert session._scriptrunner.took == ["b", "c", "d"], "one runner takes all: none is thrown away"

    assert played(play).began == ["a"]


def test_one_that_ends_at_once_is_heard_out_too():
    async def play(session, ask):
        session.ends_at_once = True
        ask("a")
        ask("b")
        for wanted in (["a"], ["a", "b"]):
            session.heard_out()
            await a_while()
            assert session.began == wanted

    played(play)


def test_a_whole_page_takes_the_place_of_what_waits():
    async def play(session, ask):
        ask("a")
        session.heard_out()  # Streamlit puts the old one away
        ask(None)
        assert session.began == ["page"], "at once"
        await a_while()

    session = played(play)
    assert session.began == ["page"]
    assert session._scriptrunner is not None
    assert session._scriptrunner.took == []


def test_without_a_runner_nothing_waits():
    async def play(session, ask):
        session.heard_out()
        ask("a")
        assert session.began == ["a"]

    played(play)


def test_who_does_not_end_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(last_words, "PATIENCE", 0.02)

    async def play(session, ask):
        ask("a")
        assert session.began == []
        await asyncio.sleep(0.2)

    assert played(play).began == ["a"]


@pytest.mark.parametrize("why", ["closed", "undrawn"])
def test_what_is_no_longer_wanted_does_not_begin(why):
    async def play(session, ask):
        ask("a")
        if why == "closed":
            session._state = AppSessionState.SHUTDOWN_REQUESTED
        else:
            session.gone.add("a")
        session.heard_out()
        await a_while()

    assert played(play).began == []


def test_a_fault_is_logged_and_stops_nothing(caplog):
    async def play(session, ask):
        ask("fault")
        ask("b")
        session.heard_out()
        await a_while()

    session = played(play)
    assert session.began == ["fault", "b"]
    assert [str(fault) for fault in session.faults] == ["fault"]
    assert "ValueError: fault" in caplog.text
    assert not getattr(session, HELD)


def test_it_is_put_in_place_once(monkeypatch):
    original = AppSession.__dict__[CREATE]
    monkeypatch.setattr(AppSession, CREATE, original)  # restores it
    last_words.hear_out()
    once = AppSession.__dict__[CREATE]
    last_words.hear_out()
    assert AppSession.__dict__[CREATE] is once
    assert once.__wrapped__ is getattr(original, "__wrapped__", original)
