"""Showing a page to the whole class, and the board of what it has achieved."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import segno
import streamlit as st

from dlcore.room import Member, Room
from dlcore.texts import N_, Problem
from ui.components import base_path
from ui.faults import told
from ui.i18n import _, language, plain, tell
from ui.lessons import LESSONS, READY, Lesson
from ui.room_bar import settings_of
from ui.spreadsheet import harmless

LOOK = 3.0  # seconds between two looks at the board
LONGEST = 1500  # letters of a link: a QR code of more cannot be read from a wall


def show_to_all() -> None:
    """Choose a page, with settings if a link is pasted; show it on everybody's screen and as a QR code on this one."""
    st.header(_("Show a lesson to all"), anchor="show")
    room = Room()
    left, right = st.columns([1.4, 1], gap="large")
    with left:
        lesson = st.selectbox(_("Lesson"), READY, format_func=lambda one: _(one.title), key="teacher.lesson")
        pasted = st.text_input(
            _("Or paste a link with settings"), key="teacher.link",
            help=_("Set a lesson up as you want it, copy the address and paste it here."),
        )  # fmt: skip
        hide = st.toggle(_("Without the knobs"), key="teacher.hide", help=_("Pupils see the lesson as you set it up."))
        try:
            path = page_of(pasted, lesson, hide=hide)
        except Problem as problem:
            st.error(tell(problem), icon=":material/error:")
            return
        _buttons(room, path)
    with right:
        _code(f"{_base()}/{path}")


def _buttons(room: Room, path: str) -> None:
    shown = room.shown()
    with told(), st.container(horizontal=True, vertical_alignment="center"):
        if st.button(_("Show to all"), type="primary", icon=":material/co_present:", key="teacher.show"):
            room.show(path)
            st.rerun()
        if shown and st.button(_("Show it no more"), key="teacher.hush"):
            room.end_show()
            st.rerun()
    if shown:
        st.caption(_("Shown now: {path}. Open pages learn of it within 30 seconds.").format(path=plain(shown.path)))


def page_of(pasted: str, lesson: Lesson, *, hide: bool) -> str:
    """The page to show, without the server: ``"cnn?epochs=2&lang=en"``.

    Args:
        pasted: a link to a page of this project, of any server; only its page and settings count. Empty: ``lesson``.

    Raises:
        Problem: it leads to no lesson, or is too long.
    """
    slug, query = lesson.slug, ""
    if pasted.strip():
        try:
            parts = urlsplit(pasted.strip())
        except ValueError:
            raise _no_lesson() from None
        slug, query = parts.path.rstrip("/").rsplit("/", 1)[-1], parts.query
    if slug not in {one.slug for one in READY}:
        raise _no_lesson()
    said = {"lang": language(), **settings_of(query)} | ({"hide": "controls"} if hide else {})
    path = f"{slug}?{urlencode(said, safe=',:;')}"
    if len(path) > LONGEST:
        raise Problem(N_("This link is too long to be shown ({n} letters)."), kind="link", n=len(path))
    return path


def _no_lesson() -> Problem:
    return Problem(N_("This link leads to no lesson. Copy the address of a lesson's page."), kind="link")


def _base() -> str:
    """The server as this browser has reached it."""
    parts = urlsplit(st.context.url or "")
    return f"{parts.scheme}://{parts.netloc}{base_path()}"


def _code(link: str) -> None:
    picture = segno.make(link, error="m").svg_data_uri(scale=4, border=2, dark="#23211E", light="#FEFDFB")
    words = _("QR code of the link")
    st.html(f'<img class="dl-qr" alt="{words}" src="{picture}">')
    st.code(link, language=None, wrap_lines=True)
    if "localhost" in link or "127.0.0.1" in link:
        st.caption(
            _("This address works on this computer only. Open this page by the server's name or number instead.")
        )


def board() -> None:
    """The board: opened and closed here, and seen live."""
    st.header(_("The class board"), anchor="board")
    room = Room()
    if not room.is_open():
        st.caption(_("Whoever wants can join with a nickname; the board shows how many tasks each has achieved."))
        with told():
            if st.button(_("Open the board"), icon=":material/leaderboard:", key="teacher.open"):
                room.open()
                st.rerun()
        return
    st.fragment(_live_board, run_every=LOOK)()
    if st.button(_("Close the board and forget the nicknames"), key="teacher.close"):
        room.close()
        st.rerun()


def _live_board() -> None:
    with told():
        members = Room().board()
        if not members:
            st.caption(_("Nobody has joined yet. The button stands at the top of every page."))
            return
        lessons = [one for one in LESSONS if any(one.slug in member.solved for member in members)]
        st.dataframe([_row(member, lessons) for member in members], hide_index=True)


def _row(member: Member, lessons: list[Lesson]) -> dict[str, object]:
    each = {_(one.title): len(member.solved.get(one.slug, [])) for one in lessons}
    return {_("Nickname"): harmless(member.name), _("Tasks"): member.count, **each}
