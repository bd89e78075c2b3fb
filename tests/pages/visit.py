"""A lesson's page without a browser: opened by a link, and what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from dlcore import jobs
from tests.waiting import ENDED, patience, until

SHELL = Path(__file__).resolve().parents[2] / "ui" / "shell.py"


def opened(slug: str, **params: str) -> AppTest:
    """The page of a lesson, as a link with these parameters opens it."""
    at = AppTest.from_file(str(SHELL), default_timeout=patience(60))
    for name, text in params.items():
        at.query_params[name] = text
    at.switch_page(f"../pages/{slug}.py")
    return at.run()


def said(at: AppTest) -> str:
    """All sentences on the page."""
    parts = [*at.header, *at.markdown, *at.caption, *at.warning, *at.error, *at.info]
    return "\n".join(part.value for part in parts if isinstance(part.value, str))


def put(at: AppTest, state: str, **values) -> AppTest:
    """Set knobs as their widgets would, in the page's ``state`` (``"page:<slug>"``)."""
    at.session_state[state]["given"].update(values)
    return at.run()


def shows(at: AppTest, words: str | Callable[[], bool], seconds: float = 90.0) -> AppTest:
    """Look again until the page says so, or until the condition holds: what a worker makes may be late."""
    deadline = time.monotonic() + patience(seconds)
    while not (words() if callable(words) else words in said(at)):
        assert time.monotonic() < deadline, said(at)
        assert not at.exception
        time.sleep(0.5)
        at.run()
    assert not at.exception
    return at


def trained(at: AppTest, words: str | Callable[[], bool], seconds: float = 90.0) -> AppTest:
    """Press the button that begins a run, and look when it has ended: the page shall say so then."""
    slug = at.session_state["here"]
    at.button(key=f"{slug}.start.play_arrow").click().run()
    run, owner = at.session_state[f"page:{slug}"]["run"], at.session_state["owner"]
    until(lambda: jobs.info(run, owner=owner).state in ENDED, seconds)  # a look at its log; the page costs far more
    return shows(at.run(), words, seconds)
