"""A picture with a box on it that covers a part: dragged, resized at its corners, or moved by keys."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from ui.components import component, pack
from ui.i18n import _
from ui.last_word import LastWord
from ui.slider import HELD

_mount = component("picture_box", height="23.25rem")
Box = tuple[float, float, float, float]  # left, top, width, height, as shares of the picture; width 0: none


def picture_box(
    jpeg: bytes,
    size: tuple[int, int],
    *,
    key: str,
    box: Box,
    on_move: Callable[[Box], None],
    alt: str,
    window: float = 0.0,
    editable: bool = True,
) -> None:
    """Draw the picture. The page keeps the box; what the user makes of it comes by ``on_move``, before the rerun.

    While it is dragged at most ten boxes a second come; as with our slider, ``ui.slider.is_held`` tells those.

    Args:
        jpeg, size: the picture's file, and its height and width.
        window: side of the middle square that a network is shown, as a share of the shorter side; what lies outside of
            it is dimmed. 0 for none.
        editable: whether there may be a box at all.
    """
    known, state = _Known.of(key), st.session_state.get(key)

    def moved() -> None:
        sent = st.session_state.get(key)
        st.session_state[HELD] = bool(((sent or {}).get("value") or {}).get("held"))
        mine, _number = known.sent(sent)
        if mine is not None:
            on_move(mine)

    seq = known.seq + known.differs(state, box)
    data = {
        "jpeg": np.frombuffer(jpeg, np.uint8), "size": list(size), "box": list(box), "window": window,
        "editable": editable, "alt": alt, "seq": seq, "texts": _texts(),
    }  # fmt: skip
    _mount(key=key, data=pack(data), on_value_change=moved)
    known.drawn(seq, box, box, known.sent(state)[1])


def _texts() -> dict[str, str]:
    return {
        "cover": _("Cover a part"),
        "remove": _("Take the cover away"),
        "hint": _("or drag a box on the picture"),
        "keys": _("Cover: arrow keys move it, with Shift they change its size, Delete takes it away"),
        "window": _("Only what lies within this square enters the network."),
    }


class _Known(LastWord[Box]):
    """What the server remembers of one such picture between reruns."""

    @classmethod
    def of(cls, key: str) -> _Known:
        return st.session_state.setdefault(f"{key}:box", cls())

    def valid(self, value: Any) -> Box | None:
        whole = isinstance(value, (list, tuple)) and len(value) == 4
        if not whole or not all(type(v) in (int, float) and math.isfinite(v) and 0 <= v <= 1 for v in value):
            return None
        left, top, width, height = map(float, value)
        return left, top, min(width, round(1 - left, 3)), min(height, round(1 - top, 3))
