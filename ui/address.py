"""The browser's address line, kept equal to what is on the page, so that it can be shared, bookmarked and reloaded.

The address is read when somebody arrives by it (``ui.session.arrived``) and written by a tiny component that replaces
the current entry of the browser's history. ``st.query_params`` would add an entry for every value that a slider passes,
and a bound widget drops malformed values without a word (both tried with Streamlit 1.67).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from ui.components import base_path, component
from ui.i18n import language
from ui.session import current, in_fragment, page_state

_replace = component("address")


def put(texts: Mapping[str, str], *, slug: str | None = None) -> None:
    """Set what a page wants in its address beside the language: the shortest texts of its settings."""
    page_state(slug or current())["address"] = dict(texts)


def query(slug: str | None = None) -> str:
    """The query string of a page as it is now, without the question mark."""
    return _query(page_state(slug or current()).get("address", {}))


def _query(texts: Mapping[str, str]) -> str:
    return urlencode({"lang": language(), **texts}, safe=",:;")


def here(**more: str) -> str:
    """The whole link to this page as it stands now, with ``more`` parameters."""
    return link(current(), {**page_state(current()).get("address", {}), **more})


def link(slug: str, texts: Mapping[str, str]) -> str:
    """The whole link that shows a lesson's page with these settings to somebody else, in the same language."""
    base = (st.context.url or "").split("?")[0].rstrip("/")
    return f"{base.removesuffix(f'/{slug}')}/{slug}?{_query(texts)}"


def change(slug: str, name: str, text: str) -> None:
    """One parameter beside the knobs has changed: ``show`` comes after this, or a part of the page calls ``follow``."""
    state = page_state(slug)
    state["address_stale"] = True
    if name in state.get("extra_names", ()):  # those that the page has said it keeps
        known = state["address"]
        state["address"] = {n: t for n, t in {**known, name: text}.items() if t}


def follow() -> None:
    """For a part of the page that is drawn alone: have the whole page drawn where the address must be written anew."""
    if page_state(current()).pop("address_stale", False) and in_fragment():
        st.rerun()


def show() -> None:
    """Bring the browser's address line up to date. The shell calls it after the page."""
    slug = current()
    page_state(slug).pop("address_stale", None)
    path = f"{base_path()}/{'' if slug == 'home' else slug}"
    with st.container(key="address"):
        _replace(key="address-line", data={"path": path, "query": query()})
