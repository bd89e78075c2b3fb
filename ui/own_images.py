"""Pictures that a learner brings: a zip with a folder for each class; what was taken of it, what was left out and why.

The page's config has the knobs ``dataset``, ``data_hash`` and ``own_form``.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlcore.data import own_images, zip_folder
from dlcore.texts import N_, Problem
from ui.controls import put_value
from ui.i18n import _, ngettext, plain, sentences, tell
from ui.session import current, imposed, owner, page_state
from ui.zip_reading import Reading, show_progress

FORMS = {
    "colour32": N_("32 × 32, colour"),
    "colour64": N_("64 × 64, colour"),
    "grey28": N_("28 × 28, grey"),
}


def own_images_box(config: Any) -> bool:
    """Draw nothing where the dataset is another; else the upload, or what is here. Returns whether a run can begin."""
    state = page_state(current())
    if config.dataset != "own":
        _put_aside(config, state)
        return True
    _take_up(config, state)
    reading = state.get("own_reading")
    if reading is not None:
        show_progress(reading, lambda ended: _ended(ended, state))
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
        state["own_reading"] = Reading(file.getvalue(), own_images.keep_zip)
    state["own_images_zips"] = state.get("own_images_zips", 0) + 1


def _ended(reading: Reading, state: dict[str, Any]) -> None:
    state["own_reading"], state["own_images_problem"] = None, reading.problem
    if reading.found is not None:
        own_images.claim(reading.found["hash"], owner())
        state["own_images"] = reading.found["hash"]
        put_value("data_hash", reading.found["hash"])


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
