"""A network of one's own taken home as a zip, and read back in."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.own_model_files import MOST_BYTES
from dlcore.texts import Problem
from ui.i18n import _, plain, tell
from ui.lessons import Lesson
from ui.session import page_state

PATIENCE = 60.0  # seconds for a worker to pack or read a network


def take_home(lesson: Lesson, path: str | None) -> None:
    """Draw both ways; ``path`` of the network that answers on this page, if there is one."""
    state = page_state(lesson.slug)
    out, back = st.columns(2, gap="large")
    with out:
        st.subheader(_("Take it with you"), anchor=False)
        st.markdown(
            _(
                "A zip with the weights (safetensors: numbers, no code), the names of your classes, and a "
                "short script that answers for any image file, without this page and without a network."
            )
        )
        st.download_button(
            _(
                "Download your network"
            ), data=lambda: _packed(path), file_name="my-network.zip", mime="application/zip",
            icon=":material/download:", disabled=path is None, key="teach.download",
            on_click=lambda: state.update(took=True),
        )  # fmt: skip
        st.code("unzip my-network.zip\npython classify.py photo.jpg", language="bash")
    with back:
        st.subheader(_("Bring it back"), anchor=False)
        key = f"teach.load.{state.get('loads', 0)}"
        st.file_uploader(
            _("The zip, or its model.safetensors"), type=["zip", "safetensors", "pt", "pth", "pkl", "bin"], key=key,
            max_upload_size=MOST_BYTES // 10**6, on_change=lambda: _load(state, key),
        )  # fmt: skip
        if problem := state.get("load_problem"):
            st.warning(tell(problem), icon=":material/info:")
        elif loaded := state.get("loaded"):
            names = _(", ").join(plain(name) for name in loaded["classes"])
            st.success(_("Loaded: it knows {names}. Try it above.").format(names=names), icon=":material/check:")


def _packed(path: str | None) -> bytes:
    return jobs.call("dlcore.own_model:packed", path, timeout=PATIENCE).tobytes() if path else b""


def _load(state: dict[str, Any], key: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    state["loads"] = state.get("loads", 0) + 1  # another field, so that the file's bytes are let go
    state["load_problem"] = None
    try:
        blob = np.frombuffer(file.getvalue(), np.uint8)
        state["loaded"] = jobs.call("dlcore.own_model:keep", blob, timeout=PATIENCE)
        state["who"] = "loaded"
    except Problem as problem:
        state["load_problem"] = problem.to_dict()
