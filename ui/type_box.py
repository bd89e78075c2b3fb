"""A text field that sends while one types, so that what stands beside it follows every letter.

The stock field sends on Enter or when it is left. This one sends 150 ms after the last letter, twice a second during
steady typing, and at once on leaving; half-composed words of an input method (pinyin) are never sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui.components import component
from ui.i18n import _
from ui.last_word import LastWord

_mount = component("type_box", height="4.5rem")


def type_box(
    label: str,
    *,
    key: str,
    value: str = "",
    placeholder: str = "",
    help: str = "",
    most: int = 500,
    lines: int = 1,
    disabled: bool = False,
    on_change: Callable[[], None] = lambda: None,
) -> str:
    """Draw the field and return its text, at most ``most`` characters (Unicode code points).

    What the user typed stays, until ``value`` becomes one that was neither given nor returned last (another sample,
    another run) or ``put_text`` sets one. Letters typed meanwhile are never lost: who types has the last word.

    Args:
        label, placeholder, help: translated texts; ``help`` stands under the field.
        key: unique on the page; the widget's identity.
        most: further letters are not taken; the field says how many there are when it is nearly full.
        lines: rows that are seen at once. With one, Enter sends and line breaks become spaces; with more, Enter is one.
        on_change: called before the rerun, as with stock widgets.
    """
    known = _Known.of(key, most, lines)
    state = st.session_state.get(key)
    value = fitted(value, most, lines)
    shown, read = known.decide(state, value)
    seq = known.seq + known.differs(state, shown)
    data = {
        "label": label, "value": shown, "placeholder": placeholder, "help": help, "most": most, "lines": lines,
        "disabled": disabled, "seq": seq, "full": _("{n} of {most} characters"),
    }  # fmt: skip
    _mount(key=key, data=data, on_value_change=on_change)  # a newer rerun may end this one here: remember afterwards
    known.drawn(seq, value, shown, read)
    return shown


def put_text(key: str, value: str) -> None:
    """Set the field ``key`` to ``value`` from now on, whatever was typed (a sample was chosen)."""
    known = st.session_state.setdefault(f"{key}:type-box", _Known())
    known.put = fitted(value, known.most, known.lines)


def fitted(text: str, most: int, lines: int = 1) -> str:
    """The text as a field may hold it: whole characters, at most ``most``, line breaks only where there are lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    if lines == 1:
        text = text.replace("\n", " ")
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half an emoji is no character
    return whole[:most]


class _Known(LastWord[str]):
    """What the server remembers of one field between reruns."""

    most = 500
    lines = 1

    @classmethod
    def of(cls, key: str, most: int, lines: int) -> _Known:
        known = st.session_state.setdefault(f"{key}:type-box", cls())
        known.most, known.lines = most, lines
        return known

    def valid(self, value: Any) -> str | None:
        return fitted(value, self.most, self.lines) if isinstance(value, str) else None
