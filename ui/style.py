"""The look of every page: one style sheet, put in by the shell. Widgets' colours are in ``.streamlit/config.toml``."""

from __future__ import annotations

from functools import lru_cache

import streamlit as st

from ui.components import ASSETS
from ui.i18n import language


def apply() -> None:
    """Put the page-wide style sheet in, with what differs by language."""
    st.html(f"<style>{_sheet()}\n{_BY_LANGUAGE.get(language(), '')}</style>")


@lru_cache
def _sheet() -> str:
    return (ASSETS / "style.css").read_text(encoding="utf-8")


# Chinese fonts first, so that quotation marks and dashes are Chinese ones; a line holds 36 characters.
_BY_LANGUAGE = {
    "zh": """.stApp {
      --dl-serif: var(--dl-cjk); --dl-sans: var(--dl-cjk); --dl-measure: 36em; --dl-leading: 1.8; --dl-heading: 1.35;
    }""",
}
