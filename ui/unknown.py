"""The page for an address that does not exist: says so in the reader's language, and shows what there is."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import streamlit as st

from ui import teacher_gate
from ui.components import base_path
from ui.i18n import _, plain
from ui.intro import home_link, lesson_link
from ui.lessons import LESSONS, READY

TEACHER = "teacher"  # the address of the teacher's page, where there is one


def asked() -> str:
    """The name in the address if no page has it, as this session came by it; else empty."""
    if "unknown" not in st.session_state:
        path = urlsplit(st.context.url or "").path.removeprefix(base_path())
        name = unquote(path).strip("/")
        pages = {"", *([TEACHER] if teacher_gate.enabled() else []), *(lesson.slug for lesson in READY)}
        known = "/" in name or name in pages
        st.session_state["unknown"] = "" if known else name
    return st.session_state["unknown"]


def page() -> None:
    """Draw it."""
    name = asked()
    coming = next((lesson for lesson in LESSONS if lesson.slug == name), None)
    if coming:
        st.title(_(coming.question), anchor=False)
        st.markdown(_("The lesson “{title}” is in preparation. These are ready:").format(title=_(coming.title)))
    else:
        st.title(_("There is nothing here"), anchor=False)
        st.markdown(_("No page has the address “{name}”. These are the lessons:").format(name=plain(name[:60])))
    for lesson in READY:
        lesson_link(lesson, _(lesson.question))
    home_link()
