"""A pad to draw on with mouse, finger or pen; what arrives is what a network sees: a small grey image."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from ui.components import component
from ui.i18n import _

_mount = component("draw_pad", height="22rem")


def draw_pad(
    *, key: str, size: int = 28, live: bool = False, labels: Mapping[str, str] | None = None
) -> np.ndarray | None:
    """Draw the pad and return its picture: ``(size, size)`` uint8, white strokes (255) on black (0); None while empty.

    It is sent after each stroke, averaged over areas as a scanner would; with ``live`` also during a stroke, at most
    five times a second.

    Args:
        labels: translated texts that differ from the usual ones: ``"hint"`` (on the empty pad), ``"undo"``,
            ``"clear"``, ``"width"`` and ``"name"`` (what a screen reader says).
    """
    texts = {
        "name": _("Drawing pad: draw with the mouse, a finger or a pen, or with the arrow keys and Space"),
        "hint": _("Draw here"),
        "undo": _("Undo the last stroke"),
        "clear": _("Clear"),
        "width": _("Width of the brush"),
    }
    image = _image(st.session_state.get(key), size)
    _mount(
        key=key,
        data={"size": size, "live": live, "texts": {**texts, **(labels or {})}},
        on_image_change=lambda: None,
    )
    return image


def _image(state: Any, size: int) -> np.ndarray | None:
    """The picture in what the browser sent, if there is one of the right size."""
    sent = (state or {}).get("image")
    if not isinstance(sent, str):
        return None
    try:
        pixels = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        return None
    return np.frombuffer(pixels, np.uint8).reshape(size, size).copy() if len(pixels) == size * size else None
