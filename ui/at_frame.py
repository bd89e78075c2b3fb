"""A button that tells at which step of a film it was pressed: the playhead lives in the browser (``ui.live_plot``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.components import component

_mount = component("at_frame", height="36px")


def at_frame(
    label: str, on_press: Callable[[int], None], *, group: str, key: str, first: int, last: int, idle: str,
    help: str = "", disabled: bool = False,
) -> None:  # fmt: skip
    """Draw the button; ``on_press(frame)`` is called before the rerun, as with stock widgets.

    Args:
        label: translated, with ``{step}`` where the frame's number stands, which follows the playhead.
        group: of the film (``live_plot``'s ``frames["group"]``).
        first, last: the frames at which it may be pressed.
        idle: what it says, greyed out, at any other.
    """
    before = _pressed(st.session_state.get(key))

    def pressed() -> None:
        now = _pressed(st.session_state.get(key))
        if now and first <= now["frame"] <= last:
            on_press(now["frame"])

    data = {"label": label, "idle": idle, "help": help, "group": group, "first": first, "last": last,
            "disabled": disabled, "presses": before["n"] if before else 0}  # fmt: skip
    _mount(key=key, data=data, on_pressed_change=pressed)


def _pressed(state: Any) -> dict[str, int] | None:
    """What the browser sent, if it has the form of a press."""
    sent = (state or {}).get("pressed")
    if not isinstance(sent, dict) or not all(type(sent.get(name)) is int for name in ("frame", "n")):
        return None
    return {"frame": sent["frame"], "n": sent["n"]}
