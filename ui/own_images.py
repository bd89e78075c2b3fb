"""Pictures that a learner brings: a zip with a folder for each class; what was taken of it, what was left out and why.

The page's config has the knobs ``dataset``, ``data_hash`` and ``own_form``.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data import own_images, zip_folder
from dlcore.texts import N_, Problem
from ui.controls import put_value
from ui.i18n import _, ngettext, plain, sentences, tell
from ui.session import current, imposed, page_state

TICK = 0.5  # seconds
PATIENCE = own_images.MOST_SECONDS + 60  # seconds for a worker's answer
FORMS = {
    "colour32": N_("32 × 32, colour"),
    "colour64": N_("64 × 64, colour"),
    "grey28": N_("28 × 28, grey"),
}


class Reading:
    """One zip on its way through a worker, in a thread of its own. Its end is in ``found`` or ``problem``."""

    def __init__(self, blob: bytes) -> None:
        self.note = hashlib.sha256(blob).hexdigest()[:32]
        self.found: dict[str, Any] | None = None
        self.problem: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._work, args=(blob,), name="own-images", daemon=True)
        self._thread.start()

    def _work(self, blob: bytes) -> None:
        try:
            self.found = jobs.call(
                own_images.keep_zip, np.frombuffer(blob, np.uint8), self.note, timeout=PATIENCE, lane="light"
            )
        except Problem as problem:
            self.problem = problem.to_dict()
        finally:
            own_images.forget(self.note)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()


def own_images_box(config: Any) -> bool:
    """Draw nothing where the dataset is another; else the upload, or what is here. Returns whether a run can begin."""
    state = page_state(current())
    if config.dataset != "own":
        _put_aside(config, state)
        return True
    _take_up(config, state)
    reading = state.get("own_reading")
    if reading is not None:
        st.fragment(_progress, run_every=TICK)(state)
        return False
    if problem := state.get("own_images_problem"):
        st.warning(tell(problem), icon=":material/info:")
    try:
        _what_is_here(own_images.summary(config.data_hash))
    except Problem as missing:
        if config.data_hash and not problem:
            st.info(tell(missing), icon=":material/link_off:")
        _invitation(state)
        return False
    return True


def _put_aside(config: Any, state: dict[str, Any]) -> None:
    """Another dataset was chosen: the pictures' fingerprint is not its own."""
    if config.data_hash and config.data_hash == state.get("own_images"):
        put_value("data_hash", None)
        st.rerun()


def _take_up(config: Any, state: dict[str, Any]) -> None:
    """Own pictures were chosen again: those that were here last. A link's come first."""
    if config.data_hash:
        state["own_images"] = config.data_hash
    elif state.get("own_images"):
        put_value("data_hash", state["own_images"])
        st.rerun()


def _invitation(state: dict[str, Any]) -> None:
    with st.container(border=True, key="own-images"):
        st.markdown(_("**Teach it something of yours.** Put pictures into folders, one folder for each class, and zip "
                      "the folders. Twenty pictures of each are enough to begin with."))  # fmt: skip
        st.code("cats/a.jpg\ncats/b.jpg\ndogs/c.jpg\ndogs/d.jpg", language=None)
        _upload(_("Your pictures, as a zip file"), state)


def _upload(label: str, state: dict[str, Any]) -> None:
    st.file_uploader(
        label,
        type=["zip"],
        max_upload_size=zip_folder.MOST_BYTES // 10**6,
        key=_key(state),
        on_change=_receive,
        help=_("A folder of each class, or train/ and test/ with such folders. Nothing leaves this server."),
    )


def _key(state: dict[str, Any]) -> str:
    return f"own-images.{state.get('own_images_zips', 0)}"  # another after each zip, so that its bytes are let go


def _receive() -> None:
    """Hand what was uploaded to a worker; a fault is told at the next drawing."""
    state = page_state(current())
    file = st.session_state.get(_key(state))
    state["own_images_problem"] = None
    if file is None:
        return
    if file.size > zip_folder.MOST_BYTES:
        state["own_images_problem"] = zip_folder.too_large(file.size).to_dict()
    else:
        state["own_reading"] = Reading(file.getvalue())
    state["own_images_zips"] = state.get("own_images_zips", 0) + 1


def _progress(state: dict[str, Any]) -> None:
    reading = state.get("own_reading")
    if reading is not None and reading.running:
        done, total = own_images.progress(reading.note)
        words = _("Reading picture {n:,} of {total:,} …") if total else _("Reading the zip …")
        st.progress(done / total if total else 0.0, words.format(n=done, total=total))
        return
    if reading is not None:
        state["own_reading"], state["own_images_problem"] = None, reading.problem
        if reading.found is not None:
            state["own_images"] = reading.found["hash"]
            put_value("data_hash", reading.found["hash"])
    st.rerun()


def _what_is_here(found: dict[str, Any]) -> None:
    """What was taken, the choice of its form, and the way to another zip."""
    form, another = st.columns([3, 1], vertical_alignment="bottom")
    with form:
        chosen = page_state(current()).get("given", {}).get("own_form", "colour32")
        st.segmented_control(
            _("Your pictures become"), list(FORMS), format_func=lambda name: _(FORMS[name]), required=True,
            help=_("The size that all your pictures are brought to. Smaller ones are learned faster, larger ones "
                   "show more."),
            **imposed(f"{current()}.own_form", chosen, lambda name: put_value("own_form", name)),
        )  # fmt: skip
    with another, st.popover(_("Other zip"), icon=":material/upload_file:"):
        _upload(_("Another zip file"), page_state(current()))
    st.caption(sentences(*what_was_taken(found)))
    if found["skipped"]:
        n = sum(count for _reason, count, _names in found["skipped"])
        with st.expander(ngettext("{n} file was left out", "{n} files were left out", n).format(n=n)):
            st.markdown("\n".join(_left_out(*row) for row in found["skipped"]))


def what_was_taken(found: dict[str, Any]) -> list[str]:
    """In sentences: how the pictures were divided, and which classes have too few."""
    said = [
        _("The zip says which pictures are for the test.")
        if found["given"]
        else _("A fifth of each class is kept for the test, drawn over the whole folder.")
    ]
    for name in found.get("lost", ()):  # sets that were kept before have no such list
        words = _("“{name}” is no class here: none of its pictures can be read.")
        said.append(words.format(name=plain(name)))
    for name, train, test in zip(found["classes"], found["train"], found["test"], strict=True):
        if test == 0:
            words = ngettext(
                "“{name}” has one picture only: it is learned from, and never tested.",
                "“{name}” has no picture for the test: all {n} are learned from.",
                train,
            )
            said.append(words.format(name=plain(name), n=train))
    return said


def _left_out(reason: str, count: int, names: list[str]) -> str:
    shown = _(", ").join(plain(name) for name in names) + (" …" if count > len(names) else "")
    return f"- **{count}** {_(reason)}{_(': ')}{shown}"
