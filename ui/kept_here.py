"""What is kept for this browser tab alone, in memory, and is gone with it: pictures somebody brought, and answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

MOST = {  # of each kind; a picture may have 3 MB
    "picture": 4, "answer": 64, "row": 400, "tensor": 3, "asked": 120, "described": 120,
}  # fmt: skip


def kept(kind: str, key: Hashable, make: Callable[[], Any]) -> Any:
    """``make()``, or what it gave for this key before, as far back as room is kept for this ``kind`` of ``MOST``.

    Nothing of it is written to disk or shared with other sessions, as Streamlit's caches are. What ``make`` raises is
    not kept.
    """
    shelf = _shelf(kind)
    if key not in shelf:
        shelf[key] = make()
        while len(shelf) > MOST[kind]:
            shelf.popitem(last=False)
    shelf.move_to_end(key)
    return shelf[key]


def known(kind: str, key: Hashable) -> bool:
    """Whether ``kept`` would have it at once."""
    return key in _shelf(kind)


def _shelf(kind: str) -> OrderedDict[Hashable, Any]:
    return st.session_state.setdefault(f"kept-here:{kind}", OrderedDict())
