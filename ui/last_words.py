"""What a run of a page says last arrives, although the next run begins.

Streamlit 1.67 lets a fragment's request that comes just after a run has ended start a new runner, and from then on it
throws away what the old one has said and the event loop has not passed on yet: the end of a page, and that the page is
whole. In a busy class a page that was pressed and ticks twice a second met that often: its browser went on showing it
as running, its lower half as it was before. Here such a request waits, a few milliseconds, until the old runner has
been heard out. ``tests/test_last_words.py`` makes the race happen. Where an upgrade has moved the function, Streamlit
is left as it is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any

from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner_utils.script_requests import ScriptRequestType

REQUEST, HELD = "request_rerun", "_dlcore_held"
LOOK, PATIENCE = 0.002, 5.0  # seconds between two looks whether the old runner has ended; until it is not waited for

Rerun = Callable[[Any, Any], None]


def patient(rerun: Rerun) -> Rerun:
    """``AppSession.request_rerun`` that lets a runner which has ended say its last before a fragment gets a new one."""

    @wraps(rerun)
    def request(session: Any, client_state: Any) -> None:
        held: deque[Any] | None = getattr(session, HELD, None)
        if held is not None:  # in order: what is asked later knows later widgets
            held.append(client_state)
        elif client_state is not None and client_state.fragment_id and _unheard(session):
            setattr(session, HELD, deque([client_state]))
            _wait(session, rerun, time.monotonic() + PATIENCE)
        else:
            rerun(session, client_state)

    return request


def _unheard(session: Any) -> bool:
    """Whether its runner takes no more requests, while not all of its events have been handled."""
    runner = session._scriptrunner
    return runner is not None and runner._requests._state == ScriptRequestType.STOP


def _wait(session: Any, rerun: Rerun, deadline: float) -> None:
    if _unheard(session) and time.monotonic() < deadline:
        session._event_loop.call_later(LOOK, _wait, session, rerun, deadline)
        return
    held = getattr(session, HELD)
    delattr(session, HELD)
    for client_state in held:
        try:
            rerun(session, client_state)
        except Exception as error:  # as Streamlit does where a request comes straight from the browser
            session.handle_backmsg_exception(error)


def hear_out() -> None:
    """Put it in its place, once."""
    original = getattr(AppSession, REQUEST, None)
    if original is not None and not hasattr(original, "__wrapped__"):
        setattr(AppSession, REQUEST, patient(original))
