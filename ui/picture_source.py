"""Where a picture comes from: those that come along, files (several at once), or the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from io import BytesIO
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data.uploads import MOST_BYTES
from dlcore.experiments.classify import Config
from dlcore.texts import N_, Problem
from dlcore.vision.changes import Changes
from dlcore.vision.samples import TITLES
from ui.controls import extra_choice, put_value
from ui.i18n import _, plain, tell
from ui.kept_here import kept
from ui.look_panel import FILE_TYPES
from ui.session import imposed, page_state, set_up_by_teacher

SLUG = "classify"
LOOK = "dlcore.experiments.classify_look"  # imports torch: asked by name
SAMPLE, FILES, CAMERA = "sample", "files", "camera"
SOURCES = {SAMPLE: N_("Examples"), FILES: N_("Your pictures"), CAMERA: N_("Camera")}
MOST_FILES = 50


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on the table.

    Attributes:
        key: tells it from every other one; of a file of one's own, its number in this session.
        name: ready to print.
        pixels: ``(H, W, 3)`` uint8, at most 1024 a side.
        file: the bytes it was read from, ``(n,)`` uint8; None for one that comes along.
    """

    key: str
    name: str
    pixels: np.ndarray
    file: np.ndarray | None = None


def source() -> str:
    """Draw the choice of where pictures come from; returns it."""
    chosen, take = extra_choice("source", list(SOURCES), slug=SLUG)
    if not set_up_by_teacher():
        st.segmented_control(
            _("Where the picture comes from"), list(SOURCES), format_func=lambda name: _(SOURCES[name]), required=True,
            label_visibility="collapsed", **imposed(f"{SLUG}.source", chosen, take),
        )  # fmt: skip
    return chosen


def choose(where: str, sample: str) -> Picture | None:
    """Draw what picks the picture; returns it, or None where there is none yet (which is then said).

    Raises:
        Problem: no worker answered.
    """
    if where != SAMPLE and (picture := _own(where)) is not None:
        return picture
    if where == SAMPLE and not set_up_by_teacher():
        st.selectbox(
            _("Picture"), list(TITLES), format_func=lambda name: _(TITLES[name]),
            help=_("Photographs that come along, and drawings of ours; the last three show nothing at all."),
            **imposed(f"{SLUG}.image", sample, lambda name: put_value("image", name, slug=SLUG)),
        )  # fmt: skip
    return Picture(f"sample:{sample}", _(TITLES[sample]), example(sample)) if where == SAMPLE else None


@st.cache_resource(max_entries=len(TITLES), show_spinner=False)
def example(name: str) -> np.ndarray:
    """A picture of ``TITLES``, ``(H, W, 3)`` uint8."""
    return jobs.call(f"{LOOK}:sample", name, timeout=60)


def _own(where: str) -> Picture | None:
    """The chosen one of the files that were brought; what cannot be read is told."""
    files = _brought(where)
    if not files:
        return None
    state = page_state(SLUG)
    if len(files) > 1:
        at = min(state.get("which", 0), len(files) - 1)
        st.selectbox(
            _("Which of the {n} pictures").format(n=len(files)), range(len(files)),
            format_func=lambda k: files[k].name,
            **imposed(f"{SLUG}.which", at, lambda k: state.update(which=int(k))),
        )  # fmt: skip
    else:
        at = 0
    return _opened(files[at])


def _brought(where: str) -> Sequence[Any]:
    """The upload or the camera's picture, as Streamlit holds it: in memory, for this session."""
    if where == CAMERA:
        words = _("It stays in this server’s memory, and is gone with this tab.")
        shot = st.camera_input(_("Take a photograph"), key=f"{SLUG}.camera", help=words)
        return [shot] if shot else []
    files = st.file_uploader(
        _("Drop pictures here, one or many"), type=FILE_TYPES, accept_multiple_files=True, key=f"{SLUG}.files",
        max_upload_size=MOST_BYTES // 10**6,
        help=_("They stay in this server’s memory, are never written to disk, and are gone with this tab."),
    )  # fmt: skip
    if len(files) > MOST_FILES:
        st.caption(_("The first {n} are looked at.").format(n=MOST_FILES))
    return files[:MOST_FILES]


def uploads() -> list[Any]:
    """The files that were brought together, where there are at least two."""
    files = st.session_state.get(f"{SLUG}.files") or []
    return files[:MOST_FILES] if len(files) > 1 else []


def content(file: BytesIO) -> np.ndarray:
    """A file's bytes ``(n,)`` uint8."""
    return np.frombuffer(file.getvalue(), np.uint8)


def _opened(file: Any) -> Picture | None:
    try:
        pixels = kept("picture", file.file_id, lambda: jobs.call(f"{LOOK}:read", content(file))["picture"])
    except Problem as problem:
        st.warning(_("{name}: {problem}").format(name=plain(file.name), problem=tell(problem)), icon=":material/info:")
        return None
    return Picture(f"file:{file.file_id}", plain(file.name), pixels, content(file))


def settings(config: Config) -> dict[str, Any]:
    """What is done to the picture, as workers take it."""
    return {f.name: getattr(config, f.name) for f in fields(Changes)}
