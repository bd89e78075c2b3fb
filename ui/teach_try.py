"""A new picture for the network that was just trained, or for one that was loaded: its answer in bars, at once."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import teach_look
from dlcore.history import History
from dlcore.texts import N_, Problem
from ui.album_board import decoded, texts
from ui.asked import Subject
from ui.class_colors import color_of
from ui.components import component
from ui.i18n import _, tell
from ui.inside_panel import inside_panel
from ui.lessons import Lesson
from ui.session import owner, page_state

_mount = component("try_box", height="24rem")
KEY = "teach.try"
RUN, LOADED = "run", "loaded"
WHO = {RUN: N_("The network you trained"), LOADED: N_("The network you loaded")}
SHOWN = 8  # bars
ASKED = 3  # different pictures, for the challenge


def network_path(lesson: Lesson, history: History) -> str | None:
    """Where the network lies that answers on this page: the run's, or the one that was loaded; None: there is none."""
    state = page_state(lesson.slug)
    loaded = state.get("loaded")
    if loaded and Path(loaded["path"]).exists() and (state.get("who") == LOADED or not history.has_checkpoint):
        return loaded["path"]
    if history.has_checkpoint and state.get("run"):
        return str(jobs.checkpoint(state["run"], owner=owner()))
    return None


@st.fragment
def try_panel(lesson: Lesson, history: History) -> None:
    """Draw it; a new picture draws this part alone."""
    state = page_state(lesson.slug)
    if state.get("loaded") and history.has_checkpoint:
        st.segmented_control(
            _("Who answers"), list(WHO), format_func=lambda name: _(WHO[name]), default=state.get("who", RUN),
            key="teach.who", required=True, label_visibility="collapsed",
            on_change=lambda: state.update(who=st.session_state["teach.who"]),
        )  # fmt: skip
    try:
        path = network_path(lesson, history)
        answer = _answer(state, path) if path and state.get("tried") else None
    except Problem as problem:
        path, answer = None, None
        st.caption(f":orange[:material/info:] {tell(problem)}")
    _mount(key=KEY, data=_payload(state, path, answer), on_picture_change=lambda: _receive(state))
    if answer is not None and (_note(state, answer) or state.pop("chosen", False)):
        st.rerun()  # the challenges look again, and a chosen picture is taken apart below


def _receive(state: dict[str, Any]) -> None:
    sent = (st.session_state.get(KEY) or {}).get("picture")
    if isinstance(sent, dict) and isinstance(sent.get("n"), int) and sent["n"] > state.get("tries", 0):
        state["tries"] = sent["n"]
        found = decoded([sent.get("picture")])
        if found:
            state["tried"], state["chosen"] = found[0].tobytes(), not sent.get("live")
            state["live"] = bool(sent.get("live"))


def _answer(state: dict[str, Any], path: str) -> dict[str, Any]:
    """What the network says of the picture; the same question is asked once."""
    key = (path, Path(path).stat().st_mtime_ns, hash(state["tried"]))
    if state.get("answered") != key:
        state.pop("answer", None)
        state["answer"] = jobs.call(teach_look.ask, np.frombuffer(state["tried"], np.uint8), path)
        state["answered"] = key
    return state["answer"]


def _payload(state: dict[str, Any], path: str | None, answer: dict[str, Any] | None) -> dict[str, Any]:
    hint = (
        _("Drop a new picture here, one that it has not learned from.")
        if path
        else _("When something is trained, drop a new picture here.")
    )
    words = {**texts(), "hint": hint, "choose": _("Choose a picture"), "picture": _("The picture that is asked about")}
    tried = state.get("tried") if answer is not None else None
    return {
        "taken": state.get("tries", 0), "texts": words, "says": says(answer), "answer": bars(answer),
        "picture": f"data:image/jpeg;base64,{base64.b64encode(tried).decode()}" if tried else "",
    }  # fmt: skip


def why_panel(lesson: Lesson, path: str | None, album: str) -> None:
    """What the answer to the picture that was tried hangs on."""
    state = page_state(lesson.slug)
    answered = state.get("answered")  # path, version, picture
    dataset = f"album:{album}" if album else ""
    subject = None
    if answered and answered[0] == path and "answer" in state:
        subject = Subject(f"run:{path}", state["answer"]["picture"], answered[1], dataset)
    inside_panel(lesson, subject)


def says(answer: dict[str, Any] | None) -> str:
    """The answer in a sentence; empty without one."""
    if answer is None:
        return ""
    best = int(answer["probabilities"].argmax())
    share = min(float(answer["probabilities"][best]), 0.999)
    words = _("“{name}”, {share} sure, after {ms} ms")
    return words.format(name=_(answer["classes"][best]), share=f"{share:.1%}", ms=f"{1000 * answer['seconds']:.0f}")


def bars(answer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The likeliest classes, in their own order: a bar that stays in its place can be seen to grow."""
    if answer is None:
        return []
    shares = answer["probabilities"]
    shown = sorted(np.argsort(-shares, kind="stable")[:SHOWN].tolist())
    return [{"name": _(answer["classes"][k]), "share": float(shares[k]), "color": color_of(k)} for k in shown]


def _note(state: dict[str, Any], answer: dict[str, Any]) -> bool:
    """Remember for the challenges which pictures were asked about, and how unsure it was; whether that is new.

    Of the camera's passing frames, which are nearly the same picture, none counts as one that was asked about.
    """
    surest, asked = float(answer["probabilities"].max()), state.setdefault("asked", [])
    before = len(asked), state.get("doubt", 1.0) < 0.6
    picture = hash(state["tried"])
    if not state.get("live") and picture not in asked and len(asked) < ASKED:
        asked.append(picture)
    state["doubt"] = min(state.get("doubt", 1.0), surest)
    return (len(asked) > before[0] and len(asked) == ASKED) or (state["doubt"] < 0.6 and not before[1])
