"""The frame round every page, run by Streamlit on each rerun: language, style, navigation, state of the workers."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

sys.path[:0] = [root for root in [str(Path(__file__).resolve().parent.parent)] if root not in sys.path]

from dlcore import jobs  # noqa: E402
from ui import address, style, teacher_gate, unknown  # noqa: E402
from ui.faults import told  # noqa: E402
from ui.i18n import ASSETS, LANGUAGES, _, language, language_for, set_language, tell  # noqa: E402
from ui.lessons import READY  # noqa: E402
from ui.room_bar import room_bar  # noqa: E402
from ui.session import enter, imposed, owner  # noqa: E402

BEAT = 45.0  # seconds between heartbeats; a run's lease is at least 120 s; 200 browsers then take 4 % of a core


def main() -> None:
    """One rerun of the whole app."""
    if "language" not in st.session_state:
        set_language(language_for(st.query_params.get("lang"), st.context.locale))
    # The icon before the pages are named: else the browser asks a CDN for theirs.
    st.set_page_config(page_icon=str(ASSETS / "icon.svg"), layout="wide")
    style.apply()
    page = st.navigation(_pages(), position="top")
    playground = _("Deep learning playground")
    st.set_page_config(page_title=f"{page.title} · {playground}")
    enter(page.url_path or "home")
    with st.container(key="topbar", horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        _badge()
        _language_switch()
    with told():
        page.run()
    address.show()


def _pages() -> dict[str, list[st.Page]]:
    """The pages by section, titles in the session's language; only lessons that are built."""
    home = st.Page("../pages/home.py", title=_("Start"), icon=":material/home:", default=True)
    pages: dict[str, list[st.Page]] = {"": [home]}
    for lesson in READY:
        entry = st.Page(lesson.page, title=_(lesson.title), icon=lesson.icon, url_path=lesson.slug)
        pages.setdefault(_(lesson.section), []).append(entry)
    if teacher_gate.enabled():  # by its address only: nothing to try for those who do not know of it
        page, title = "../pages/teacher.py", _("The classroom")
        pages[""].append(st.Page(page, title=title, url_path=unknown.TEACHER, visibility="hidden"))
    if name := unknown.asked():
        pages[""].append(st.Page(unknown.page, title=_("Not found"), url_path=name, visibility="hidden"))
    return pages


def _language_switch() -> None:
    """English or Chinese; the page, its settings and its run stay."""
    st.segmented_control(
        "Language · 语言",
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        required=True,
        label_visibility="collapsed",
        **imposed("language-switch", language(), set_language),
    )


def _badge() -> None:
    """What the workers are doing, small; also the heartbeat that keeps this browser's runs alive on every page."""
    starting = jobs.status().state == "starting"
    st.fragment(_beat, run_every=1.0 if starting else BEAT, key="heartbeat")(starting)


def _beat(was_starting: bool) -> None:
    status = jobs.status()
    jobs.beat(owner())
    help_text = tell(status.problem) if status.problem else status.device or None
    with st.container(key="pulse", horizontal=True, vertical_alignment="center", gap="small"):
        if status.state == "starting":
            st.badge(_("Workers are starting"), icon=":material/hourglass_top:", color="gray", help=help_text)
        elif status.state == "ready":
            st.badge(_("Ready"), icon=":material/check:", color="green", help=help_text)
        else:
            st.badge(_("Workers are down"), icon=":material/error:", color="red", help=help_text)
        with told():
            room_bar()
    if was_starting and status.state != "starting":
        st.rerun()  # once: the pages learn of it, and the beat becomes slow


main()
