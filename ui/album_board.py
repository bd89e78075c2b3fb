"""The board of a learner's own classes, and what stands below it: sets to try, a zip, how long pictures stay.

The album is the page's (``page_state(slug)["album"]``); the knob ``data_hash`` names what the workers have of it.
"""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data import album as albums
from dlcore.data import album_edits, album_sources, zip_folder
from dlcore.data.album import Album, Kind
from dlcore.texts import N_, Problem
from ui.class_colors import color_of
from ui.components import component
from ui.controls import put_value
from ui.i18n import _, ngettext, plain, sentences, tell
from ui.session import current, owner, page_state, set_up_by_teacher
from ui.zip_reading import Reading, show_progress

_mount = component("album", height="16rem")
KEY = "teach.album"
SHOWN = 240  # thumbnails on the board, shared among the classes
MOST_PAST = 20  # edits that can be undone
MOST_MESSAGE = 6_000_000  # letters of base64 in one edit
SETS = {album_sources.INSECTS: N_("Ants and bees"), album_sources.DRAWN: N_("Drawn shapes")}
UNREAD = N_("A picture could not be read. Choose a PNG, JPEG, WebP, GIF or BMP file.")


def album_board(config: Any) -> Album:
    """Draw the board for the album that the page has, or that the address names; returns the album."""
    state = page_state(current())
    _arrive(config, state)
    album = _album(state)
    if set_up_by_teacher() and album.ready:
        st.caption(_("The classes: {names}.").format(names=_(", ").join(plain(name) for name in album.names)))
    _mount(key=KEY, data=_payload(album, state), on_edit_change=_receive)
    for told in state.pop("told", []):
        st.caption(f":orange[:material/info:] {tell(told)}")
    _balance(album)
    _more(album, state)
    return album


def put_album(album: Album, state: dict[str, Any]) -> None:
    """Make it the page's album, with the one before kept for Undo; the workers get it by its fingerprint."""
    _set(album, state, past=[*state.get("past", []), _album(state).to_plain()][-MOST_PAST:])


def _set(album: Album, state: dict[str, Any], *, past: list[dict[str, Any]]) -> None:
    """All of it or nothing: whatever asks Streamlit may end this run (a newer one is waiting), so that comes first."""
    name = albums.keep(album, owner()) if any(kind.pictures for kind in album.kinds) else ""
    given = {key: value for key, value in state.get("given", {}).items() if key not in ("data_hash", "dataset")}
    state.update(album=album.to_plain(), album_hash=name, past=past)
    state["given"] = {**given, "data_hash": name} if name else given


def _album(state: dict[str, Any]) -> Album:
    if "album" not in state:
        first = (Kind(_("Class {n}").format(n=n)) for n in (1, 2))
        state["album"] = Album(tuple(first)).to_plain()
    return albums.from_plain(state["album"])


def _arrive(config: Any, state: dict[str, Any]) -> None:
    """Somebody came by an address: take up the album that it names, or the set to try."""
    try:
        if config.data_hash and config.data_hash != state.get("album_hash"):
            album = albums.load(config.data_hash, owner())
            state.update(album=album.to_plain(), album_hash=config.data_hash)
        elif config.dataset in SETS and jobs.status().state == "ready":
            with st.spinner(_("The pictures are being laid out …")):
                put_album(albums.from_plain(_ready(config.dataset)), state)
            st.rerun()
    except Problem as problem:
        state["told"] = [problem.to_dict()]
        put_value("data_hash", None)
        put_value("dataset", None)


@st.cache_data(max_entries=4, show_spinner=False)
def _ready(name: str) -> dict[str, Any]:
    return jobs.call(album_sources.ready, name, timeout=120.0, lane="light")


# -- what the browser says -------------------------------------------------------------------------------------------


def _receive() -> None:
    """One edit of the board: carried out once, in its order; what is wrong with it is told at the next drawing."""
    state, sent = page_state(current()), (st.session_state.get(KEY) or {}).get("edit")
    if not isinstance(sent, dict) or not isinstance(sent.get("n"), int) or sent["n"] <= state.get("taken", 0):
        return
    try:
        edit(sent, state)
    except Problem as problem:
        state["told"] = [problem.to_dict()]
    state["taken"] = sent["n"]  # last: an edit that a newer run has cut off is sent again


def edit(sent: dict[str, Any], state: dict[str, Any]) -> None:
    """Carry out what the browser asks for; what makes no sense is left alone.

    Raises:
        Problem: a worker is not there, or the disk is full.
    """
    album, what = _album(state), sent.get("do")
    place = sent.get("class", 0)
    if not isinstance(place, int) or not 0 <= place < len(album.kinds):
        return
    if what == "undo" and state.get("past"):
        _set(albums.from_plain(state["past"][-1]), state, past=state["past"][:-1])
    elif what == "pictures":
        changed, told = _taken(album, place, sent.get("pictures"))
        state["told"] = told
        if changed != album:
            put_album(changed, state)
    elif (changed := _changed(album, place, sent)) != album:
        put_album(changed, state)


def _changed(album: Album, place: int, sent: dict[str, Any]) -> Album:
    match sent.get("do"):
        case "rename":
            return album_edits.rename(album, place, str(sent.get("name", "")))
        case "remove":
            return album_edits.remove_picture(album, place, str(sent.get("picture", "")))
        case "drop":
            return album_edits.drop_class(album, place)
        case "add":
            return album_edits.add_class(album, _("Class {n}").format(n=len(album.kinds) + 1))
    return album


def _taken(album: Album, place: int, sent: Any) -> tuple[Album, list[dict[str, Any]]]:
    """The pictures in an edit, read by a worker and put into their class; and what is to be said of them."""
    blobs = decoded(sent)
    found = jobs.call(albums.take, blobs, timeout=60.0) if blobs else []
    told = [row["problem"] for row in found if "problem" in row]
    if len(blobs) < (len(sent) if isinstance(sent, list) else 1):
        told.append(Problem(UNREAD, kind="upload").to_dict())
    changed, said = album_edits.add_pictures(album, place, [row["hash"] for row in found if "hash" in row])
    return changed, [*told, *(problem.to_dict() for problem in said)]


def decoded(sent: Any) -> list[np.ndarray]:
    """What came as base64, as arrays of bytes (n,); what is none is left out."""
    blobs = []
    for text in sent if isinstance(sent, list) else []:
        if isinstance(text, str) and 0 < len(text) <= MOST_MESSAGE:
            try:
                blobs.append(np.frombuffer(base64.b64decode(text, validate=True), np.uint8))
            except (binascii.Error, ValueError):
                continue
    return blobs


# -- what the browser is told ----------------------------------------------------------------------------------------


def _payload(album: Album, state: dict[str, Any]) -> dict[str, Any]:
    most = max(12, SHOWN // len(album.kinds))
    return {
        "taken": state.get("taken", 0), "undo": bool(state.get("past")),
        "classes": [_card(kind, k, most) for k, kind in enumerate(album.kinds)],
        "most": {"classes": albums.MOST_CLASSES}, "texts": texts(),
    }  # fmt: skip


def _card(kind: Kind, place: int, most: int) -> dict[str, Any]:
    count = len(kind.pictures)
    return {
        "name": kind.name, "color": color_of(place), "count": count, "more": max(0, count - most),
        "told": ngettext("{n} picture", "{n} pictures", count).format(n=count),
        "thumbs": [[name, thumbnail(name)] for name in kind.pictures[-most:]],
    }  # fmt: skip


@lru_cache(maxsize=4000)
def thumbnail(name: str) -> str:
    """A kept picture's thumbnail as a data URL; an empty picture where it is gone."""
    try:
        return f"data:image/jpeg;base64,{base64.b64encode(albums.picture_file(name, '.thumb').read_bytes()).decode()}"
    except OSError:
        return "data:image/gif;base64,R0lGODlhAQABAAAAACw="


def texts() -> dict[str, str]:
    """The words of the board, the camera and the box for new pictures."""
    return {
        "add": _("Add a class"), "undo": _("Undo"), "name": _("Name of the class"), "drop": _("Remove “{name}”"),
        "choose": _("Choose pictures"), "camera": _("Camera"), "hint": _("or drop them here"),
        "remove": _("Take this picture out"), "reading": _("{n} on the way …"), "hold": _("Hold to record"),
        "turn": _("Other camera"), "close": _("Close"),
        "asking": _("Your browser asks whether the camera may be used."),
        "refused": _("No camera can be used here. Allow it in the browser (it needs https, or this computer itself), "
                     "or choose pictures instead."),
    }  # fmt: skip


def _balance(album: Album) -> None:
    found = album_edits.unbalanced(album)
    if found:
        large, small = found
        words = _("“{large}” has {n} pictures and “{small}” only {m}: a network that says “{large}” in doubt is often "
                  "right here. Give “{small}” more, or take some out.")  # fmt: skip
        st.caption(words.format(large=plain(large.name), small=plain(small.name), n=len(large.pictures),
                                m=len(small.pictures)))  # fmt: skip


# -- sets to try, a zip, and the end of it all -----------------------------------------------------------------------


def _more(album: Album, state: dict[str, Any]) -> None:
    reading = state.get("album_reading")
    if reading is not None:
        show_progress(reading, lambda done: _read(done, state))
    with st.container(key="teach-more", horizontal=True, gap="small"):
        with st.popover(_("Sets to try"), icon=":material/photo_library:"):
            _sets()
        with st.popover(_("Zip"), icon=":material/folder_zip:"):
            _zip(album, state)
        with st.popover(_("Where they stay"), icon=":material/lock:"):
            _privacy(album, state)


def _sets() -> None:
    st.caption(_("They take the place of what is on the board; Undo brings it back."))
    for name, title in SETS.items():
        here = name != album_sources.INSECTS or album_sources.insects() is not None
        st.button(_(title), key=f"teach.set.{name}", on_click=put_value, args=("dataset", name), disabled=not here,
                  help=None if here else _("These photographs are not on this machine."))  # fmt: skip


def _zip(album: Album, state: dict[str, Any]) -> None:
    st.caption(_("A folder for each class, named like it; with train/ and val/ above them, val/ is held out."))
    key = f"teach.zip.{state.get('zips', 0)}"  # another after each zip, so that its bytes are let go

    def receive() -> None:
        file = st.session_state.get(key)
        if file is not None:
            state["zips"] = state.get("zips", 0) + 1
            state["album_reading"] = Reading(file.getvalue(), album_sources.from_zip)

    most = zip_folder.MOST_BYTES // 10**6
    st.file_uploader(_("Pictures in folders, as a zip file"), type=["zip"], max_upload_size=most, key=key,
                     on_change=receive)  # fmt: skip
    if album.ready:
        st.download_button(
            _("Save the pictures as a zip"), data=lambda: _zipped(album), file_name="my-classes.zip",
            mime="application/zip", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


def _zipped(album: Album) -> bytes:
    return jobs.call(album_sources.zipped, album.to_plain(), timeout=60.0, lane="light").tobytes()


def _read(reading: Reading, state: dict[str, Any]) -> None:
    """A zip is read: it takes the place of the board, or joins it where the board is empty anyway."""
    state["album_reading"] = None
    if reading.problem:
        state["told"] = [reading.problem]
    elif reading.found:
        put_album(albums.from_plain(reading.found["album"]), state)
        left_out = sum(row[1] for row in reading.found["skipped"])
        if left_out:
            words = N_("{n} files of the zip are no pictures, or cannot be read; they were left out.")
            state["told"] = [Problem(words, kind="zip", n=left_out).to_dict()]


def _privacy(album: Album, state: dict[str, Any]) -> None:
    st.markdown(sentences(
        _("Your browser makes each picture small (256 pixels a side) and sends that to this server, nowhere else."),
        _("There it stays until {hours} hours after it was last used, and only this browser gets to see it.").format(
            hours=albums.KEPT_HOURS),
        _("Ask before you take pictures of people."),
    ))  # fmt: skip
    st.button(_("Delete all of it now"), icon=":material/delete:", key="teach.forget", on_click=_forget,
              args=(album, state))  # fmt: skip


def _forget(album: Album, state: dict[str, Any]) -> None:
    for old in [album, *map(albums.from_plain, state.get("past", []))]:
        albums.forget(old, owner())
    for name in ("album", "tried", "answer"):
        state.pop(name, None)
    _set(_album(state), state, past=[])
