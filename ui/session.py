"""What one browser tab has in hand: whose it is, each page's own state, and whether it came by a link just now."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def page_state(slug: str) -> dict[str, Any]:
    """A dict that belongs to one page of this session and survives page switches. Keep it small: builtins."""
    return st.session_state.setdefault(f"page:{slug}", {})


def owner() -> str:
    """The browser's id, to which its runs belong.

    It comes from the signed cookie of ``ui.browsers``; without a valid one (cookies refused, a test) this session
    is an owner of its own, and its runs are found again until the tab is closed.
    """
    from ui.browsers import owner_of

    known = owner_of(dict(st.context.cookies))
    return known or st.session_state.setdefault("owner", secrets.token_urlsafe(16))


def asker() -> str:
    """The owner for whom this thread draws a page; "" where it draws none."""
    return owner() if get_script_run_ctx(suppress_warning=True) else ""


def enter(slug: str) -> None:
    """Note which page this run is for. The shell calls it before the page."""
    before = st.session_state.get("here")
    context = get_script_run_ctx()
    back = bool(context and context.is_history_navigation)  # Back and Forward: the address is the newer truth
    by_link = before != slug and any(name != "lang" for name in st.query_params)
    st.session_state["arrived"] = before is None or back or by_link
    if st.session_state["arrived"]:
        for name in ("extra", "extra_faults", "extra_settled"):
            page_state(slug).pop(name, None)  # what stands beside the knobs is read anew (``ui.controls.get_extra``)
    st.session_state["here"] = slug


def set_up_by_teacher() -> bool:
    """Whether the link said ``hide=controls``: the page is shown as somebody prepared it, without the knobs."""
    state = page_state(current())
    if "hide" not in state or arrived():
        state["hide"] = st.query_params.get("hide", "")
    return state["hide"] == "controls"


def current() -> str:
    """The slug of the page that is being run."""
    return st.session_state.get("here", "home")


def arrived() -> bool:
    """Whether the address decides in this run: a link, a reload, Back or Forward. Else the session's state does."""
    return not in_fragment() and st.session_state.get("arrived", True)


def in_fragment() -> bool:
    """Whether only a part of the page is being run."""
    context = get_script_run_ctx()
    return bool(context and context.fragment_ids_this_run)


def again() -> NoReturn:
    """Draw anew: the part of the page that is being run alone, or all of it."""
    st.rerun(scope="fragment" if in_fragment() else "app")
    raise AssertionError("st.rerun does not come back")


def imposed(key: str, value: Any, choose: Callable[[Any], None]) -> dict[str, Any]:
    """The arguments ``key`` and ``on_change`` of a stock widget whose value the page keeps: it shows ``value`` now.

    Where the page itself has changed the value (a click on a picture, a preset), the widget becomes another one. What
    the browser last knew of the old one still comes along with the next message, sent by a timer before the new value
    was drawn, and would be taken for a choice of the user's: the click undone. The old widget's word counts no more.

    Args:
        choose: called with what the user has chosen, before the rerun.
    """
    serials = st.session_state.setdefault("imposed", {})
    serial = serials.setdefault(key, 0)
    if _plain(st.session_state.get(_numbered(key, serial), value)) != _plain(value):
        serials[key] = serial = serial + 1
    name = _numbered(key, serial)
    st.session_state[name] = value  # in every run: the next may overtake this one

    def changed() -> None:
        if st.session_state["imposed"].get(key) == serial and name in st.session_state:
            choose(st.session_state[name])

    return {"key": name, "on_change": changed}


def _numbered(key: str, serial: int) -> str:
    return f"{key}.{serial}" if serial else key


def _plain(value: Any) -> Any:
    """What makes two values of a widget the same: several choices in any order, a text with spaces around it."""
    return sorted(value) if isinstance(value, list) else value.strip() if isinstance(value, str) else value
