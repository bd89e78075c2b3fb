"""What a run of a page says last arrives although a fragment's tick asks for the next run.

A fragment's request that comes when a runner takes no more, and has not been heard out, makes Streamlit 1.67 put a new
runner in its place and throw away what the old one has said and the event loop has not passed on yet: the end of a
page, and that the page is whole. Of five rushes of thirty students three met it: pages stayed half drawn until their
run ended (benchmarks/RESULTS.md). Here such a request waits, some milliseconds, until the old runner's last event has
been handled; behind a script that was told to stop and does not, ``PATIENCE`` at most. A request for the whole page
does not wait, and takes the place of those that do: it draws their fragments, too.

``tests/test_last_words.py`` makes the race happen, with and without. Where an upgrade has renamed what is replaced,
Streamlit is left as it is.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any

from streamlit.runtime.app_session import AppSession, AppSessionState

log = logging.getLogger(__name__)

CREATE, HELD = "_create_scriptrunner", "_dlcore_held"
LOOK, PATIENCE = 0.002, 5.0  # seconds between two looks whether the old runner has ended; until it is not waited for

Create = Callable[[Any, Any], None]


def patient(create: Create) -> Create:
    """``AppSession._create_scriptrunner`` that waits, for a fragment, while there is a runner: it has just refused it.

    For a whole page Streamlit has put the old runner away before it asks for a new one.
    """

    @wraps(create)
    def created(session: Any, data: Any) -> None:
        held: deque[Any] | None = getattr(session, HELD, None)
        if held and data.fragment_id:
            held.append(data)  # in order: what is asked later knows later widgets
        elif data.fragment_id and session._scriptrunner is not None:
            setattr(session, HELD, deque([data]))
            _wait(session, create, time.monotonic() + PATIENCE)
        else:
            if held:
                held.clear()
            create(session, data)

    return created


def _wait(session: Any, create: Create, deadline: float) -> None:
    """Hand over what is held, in order, as soon as the old runner has been heard out; look again until then."""
    held: deque[Any] = getattr(session, HELD)
    while held:
        runner = session._scriptrunner
        if runner is not None and runner.request_rerun(held[0]):
            held.popleft()
        elif runner is not None and time.monotonic() < deadline:
            session._event_loop.call_later(LOOK, _wait, session, create, deadline)
            return
        else:
            _begin(session, create, held.popleft())


def _begin(session: Any, create: Create, data: Any) -> None:
    """Begin a run that has waited, if it is still wanted: Streamlit has asked both before it came here."""
    if session._state == AppSessionState.SHUTDOWN_REQUESTED or not session.has_fragment(data.fragment_id):
        return
    try:
        create(session, data)
    except Exception as error:  # as Streamlit does where a request comes straight from the browser
        log.exception("A run that had waited could not begin")
        session.handle_backmsg_exception(error)


def hear_out() -> None:
    """Put it in its place, once."""
    original = getattr(AppSession, CREATE, None)
    if original is not None and not hasattr(original, "__wrapped__"):
        setattr(AppSession, CREATE, patient(original))
