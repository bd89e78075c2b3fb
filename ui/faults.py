"""What a page says when something in it breaks: a sentence in the reader's language, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dlcore.texts import Problem
from ui.i18n import _, tell

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
