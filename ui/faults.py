"""What a page says when something in it breaks: a sentence in the reader's language, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st

from dlcore import jobs
from dlcore.texts import Problem
from ui.i18n import _, tell

T = TypeVar("T")
log = logging.getLogger(__name__)


@contextmanager
def told() -> Iterator[None]:
    """Tell a ``Problem`` as what it says; log anything else and say that it happened and what to do.

    With ``client.showErrorDetails=full`` (while writing a page, in tests) what is no ``Problem`` is raised as it is.
    """
    try:
        yield
    except Problem as fault:
        st.error(tell(fault), icon=":material/error:")
    except Exception:
        if st.get_option("client.showErrorDetails") == "full":
            raise
        log.exception("a page broke")
        words = _("This part of the page has broken; the server's log says why. Reload the page, or go to the start.")
        st.error(words, icon=":material/error:")


def unanswered(problem: Problem, key: str) -> None:
    """Say why no worker answered, with a way to ask once more."""
    st.warning(tell(problem))
    st.button(_("Try again"), icon=":material/refresh:", key=f"{key}.again")  # a click draws page or fragment anew


def if_ready(ask: Callable[[], dict[str, T]], key: str) -> dict[str, T]:
    """What ``ask()`` gets from a worker; nothing while none is there, or where none answers, which is said.

    The shell draws the page again when the workers are there.
    """
    if jobs.status().state != "ready":
        return {}
    try:
        return ask()
    except Problem as problem:
        unanswered(problem, key)
        return {}
