"""A page arrives whole although a fragment asks for its next run in the moment at which the page's script has ended."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

from tests.serving import ROOT, serve
from ui.last_words import HELD, patient

PAGE = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime import get_instance
from streamlit.runtime.scriptrunner import get_script_run_ctx
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

def asks_late():
    time.sleep(0.5)  # the loop is busy; meanwhile the script below ends
    session.request_rerun(ClientState(fragment_id=fragment, page_script_hash=context.page_script_hash))

session._event_loop.call_soon_threadsafe(asks_late)
st.text("the last line")
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "page.py"
    page.write_text(PAGE)
    with serve(str(page)) as server:
        yield server


@pytest.mark.parametrize("heard", [False, True])  # in this order: what replaces Streamlit's function stays
def test_the_last_line_of_a_page_arrives(server, heard):
    messages = server.visit("", query="heard=1" if heard else "")
    lines = [m.delta.new_element.text.body for m in messages if m.WhichOneof("type") == "delta"]
    assert "tick" in lines
    # where Streamlit sends it by itself, ui/last_words.py can go
    assert ("the last line" in lines) is heard
    assert (messages[-1].script_finished == ForwardMsg.FINISHED_SUCCESSFULLY) is heard


def ended() -> Any:
    """A session whose runner has ended and has not been heard out."""
    faults: list[BaseException] = []
    runner = SimpleNamespace(_requests=SimpleNamespace(_state=ScriptRequestType.STOP))
    return SimpleNamespace(_scriptrunner=runner, _event_loop=asyncio.get_running_loop(), faults=faults,
                           handle_backmsg_exception=faults.append)  # fmt: skip


def asked(fragment: str = "") -> ClientState:
    return ClientState(fragment_id=fragment)


def test_what_is_asked_meanwhile_keeps_its_order_and_a_fault_stops_nothing():
    told: list[str] = []

    def rerun(session: Any, state: ClientState) -> None:
        told.append(state.fragment_id)
        if state.fragment_id == "b":
            raise ValueError("b")

    async def race() -> Any:
        session, request = ended(), patient(rerun)
        for fragment in ("a", "b", "", "c"):
            request(session, asked(fragment))
        assert not told
        session._scriptrunner = None  # its last event has been handled
        await asyncio.sleep(0.05)
        request(session, asked("d"))
        return session

    session = asyncio.run(race())
    assert told == ["a", "b", "", "c", "d"]
    assert [str(fault) for fault in session.faults] == ["b"]
    assert not hasattr(session, HELD)


@pytest.mark.parametrize("state", [None, asked()])
def test_a_whole_page_does_not_wait(state):
    told: list[Any] = []

    async def race() -> None:
        patient(lambda session, asked_for: told.append(asked_for))(ended(), state)

    asyncio.run(race())
    assert told == [state]


def test_a_runner_that_does_not_end_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr("ui.last_words.PATIENCE", 0.02)
    told: list[Any] = []

    async def race() -> None:
        patient(lambda session, state: told.append(state.fragment_id))(ended(), asked("a"))
        assert not told
        await asyncio.sleep(0.2)

    asyncio.run(race())
    assert told == ["a"]
