"""Which small picture lies on the workshop's bench: an example, a drawing, a photograph of one's own."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlcore import jobs, small_pictures
from dlcore.small_pictures import DRAWN_SIDE, REAL, SAMPLES, TITLES
from dlcore.texts import N_, Problem
from ui.controls import get_extra, put_extra
from ui.draw_pad import draw_pad
from ui.i18n import _, tell
from ui.look_panel import FILE_TYPES
from ui.session import current, imposed, page_state, set_up_by_teacher

EXTRA = ("picture", "pixels")
FIRST, DRAWN, PHOTO = "house", "drawn", "photo"
SOURCES = {**TITLES, DRAWN: N_("Draw one"), PHOTO: N_("Photo of your own")}


def picture() -> np.ndarray:
    """Draw the choice; returns the picture as ``(C, H, W)``, values 0 to 1."""
    name = get_extra("picture") if get_extra("picture") in SOURCES else FIRST
    if not set_up_by_teacher():
        st.selectbox(
            _("Picture"), list(SOURCES), format_func=lambda name: _(SOURCES[name]),
            help=_("What the window slides over: small enough to see every pixel."),
            **imposed("convolution.picture", name, _take),
        )  # fmt: skip
        if name == DRAWN:
            _draw()
        elif name == PHOTO:
            _upload()
    try:
        return _found(name)
    except Problem as problem:
        st.warning(tell(problem), icon=":material/info:")
        return small_pictures.sample(FIRST)


def _take(name: str) -> None:
    put_extra("picture", "" if name == FIRST else name)
    put_extra("pixels", "")


def _found(name: str) -> np.ndarray:
    if name in SAMPLES:
        return small_pictures.sample(name)
    if name in REAL:
        if jobs.status().state == "starting":  # the shell draws the page again when they are there
            st.caption(_("The workers are being woken up; this picture comes in a few seconds."))
            return small_pictures.sample(FIRST)
        return _real(name)
    text = get_extra("pixels")
    return small_pictures.read_pixels(text) if text else small_pictures.sample(FIRST)


@st.cache_data(max_entries=8, show_spinner=False)
def _real(name: str) -> np.ndarray:
    return jobs.call(small_pictures.real, name)


def _draw() -> None:
    drawing = draw_pad(key="convolution.pad", size=DRAWN_SIDE)
    if drawing is not None:
        put_extra("pixels", small_pictures.write_pixels(small_pictures.rounded(drawing / 255)[None]))


def _upload() -> None:
    state = page_state(current())
    if state.get("photo_problem"):
        st.warning(tell(state["photo_problem"]), icon=":material/info:")
    words = _("Any picture; it is made small, and travels in the link")
    st.file_uploader(words, type=FILE_TYPES, key="convolution.photo", on_change=_receive)
    st.toggle(
        _("In shades of grey"), key="convolution.grey", value=False, on_change=_receive,
        help=_("One channel instead of three: red, green and blue."),
    )  # fmt: skip


def _receive() -> None:
    """Read what was uploaded; a fault is told at the next drawing."""
    file, state = st.session_state.get("convolution.photo"), page_state(current())
    state["photo_problem"] = None
    if file is None:
        return
    try:
        blob = np.frombuffer(file.getvalue(), np.uint8)
        small = jobs.call(small_pictures.from_upload, blob, bool(st.session_state.get("convolution.grey")))
        put_extra("pixels", small_pictures.write_pixels(small))
    except Problem as problem:
        state["photo_problem"] = problem.to_dict()
