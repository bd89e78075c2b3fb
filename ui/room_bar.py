"""What a class sees of its room, on every page: what the teacher shows, and the way onto the board."""

from __future__ import annotations

from urllib.parse import parse_qsl

import streamlit as st

from dlcore.room import LONGEST, Member, Room, Shown
from dlcore.texts import Problem
from ui.i18n import _, language, ngettext, plain, tell
from ui.lessons import READY
from ui.session import again, owner


def room_bar() -> None:
    """A line with what is shown, and the board's button, where there is any. The shell's heartbeat draws it."""
    room = Room()
    if (shown := room.shown()) and st.session_state.get("room.seen") != shown.at:
        _show(shown)
    if room.is_open():
        _board(room)


def _show(shown: Shown) -> None:
    slug, _sep, query = shown.path.partition("?")
    lesson = next((lesson for lesson in READY if lesson.slug == slug), None)
    if lesson is None:  # written by another version
        return
    with st.container(key="room-shown", horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(":blue[:material/co_present:] " + _("Your teacher opens: {title}").format(title=_(lesson.title)))
        params = {**settings_of(query), "lang": language()}
        st.page_link(lesson.page, label=_("Go there"), icon=":material/arrow_forward:", query_params=params)
        if st.button(_("Not now"), key="room.later", type="tertiary"):
            st.session_state["room.seen"] = shown.at
            again()


def settings_of(query: str) -> dict[str, str]:
    """A page's settings in a query string, less what Streamlit keeps to itself (``embed``)."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return {name: value for name, value in pairs if not name.lower().startswith("embed")}


def _board(room: Room) -> None:
    member = room.member(owner())
    label = plain(member.name) if member else _("Class board")
    with st.popover(label, icon=":material/leaderboard:", key="room-board"):
        if member:
            _on_it(room, member)
        else:
            _join(room)


def _on_it(room: Room, member: Member) -> None:
    n = member.count
    st.markdown(ngettext("{n} task achieved so far.", "{n} tasks achieved so far.", n).format(n=n))
    st.caption(_("Your teacher sees the nickname and the tasks that you achieve, nothing else."))
    if st.button(_("Leave the board"), key="room.leave"):
        room.leave(owner())
        again()


def _join(room: Room) -> None:
    st.caption(_("Join with a nickname: your teacher sees it with the tasks that you achieve, and nothing else."))
    with st.form("room-join", border=False):
        name = st.text_input(_("Nickname"), max_chars=LONGEST, placeholder=_("not your real name"))
        if st.form_submit_button(_("Join")):
            try:
                room.join(owner(), name)
            except Problem as problem:
                st.error(tell(problem))
                return
            again()
