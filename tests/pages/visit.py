"""A lesson's page without a browser: opened by a link, and what it says."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from tests.waiting import patience

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
