"""What is kept for this browser tab alone, in memory, and is gone with it: pictures somebody brought, and answers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

MOST = {"picture": 4, "answer": 64, "row": 400, "tensor": 3}  # of each kind; a picture may have 3 MB


def kept(kind: str, key: Hashable, make: Callable[[], Any]) -> Any:
    """``make()``, or what it gave for this key before, as far back as room is kept for this ``kind`` of ``MOST``.

    Nothing of it is written to disk or shared with other sessions, as Streamlit's caches are. What ``make`` raises is
    not kept.
    """
    shelf: OrderedDict[Hashable, Any] = st.session_state.setdefault(f"kept-here:{kind}", OrderedDict())
    if key not in shelf:
        shelf[key] = make()
        while len(shelf) > MOST[kind]:
            shelf.popitem(last=False)
    shelf.move_to_end(key)
    return shelf[key]
