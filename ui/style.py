"""The look of every page: one style sheet, put in by the shell. Widgets' colours are in ``.streamlit/config.toml``."""

from __future__ import annotations

import json
from functools import lru_cache

import streamlit as st

from ui.components import ASSETS
from ui.i18n import _, language


def apply() -> None:
    """Put the page-wide style sheet in, with what differs by language."""
    spoken = language()
    st.html(f"<style>{_sheet()}\n{_BY_LANGUAGE.get(spoken, '')}\n{'' if spoken == 'en' else _upload_words()}</style>")


@lru_cache
def _sheet() -> str:
    return (ASSETS / "style.css").read_text(encoding="utf-8")


# Chinese fonts first, so that quotation marks and dashes are Chinese ones; a line holds 36 characters.
_BY_LANGUAGE = {
    "zh": """.stApp {
      --dl-serif: var(--dl-cjk); --dl-sans: var(--dl-cjk); --dl-measure: 36em; --dl-leading: 1.8; --dl-heading: 1.35;
    }""",
}


def _upload_words() -> str:
    """Streamlit's own uploader speaks English alone: its words are made invisible, and ours put after them."""
    zone = '[data-testid="stFileUploaderDropzone"]'
    words = {
        f"{zone} button p": _("Choose a file"),
        f'{zone} [data-testid="stFileUploaderDropzoneInstructions"] span': _("or drop it here"),
        f"{zone} > div > span": _("Let go: it is taken"),
    }
    return "\n".join(
        f"{place} {{ font-size: 0 !important; }} "
        f"{place}::after {{ content: {json.dumps(text, ensure_ascii=False)}; font-size: 0.875rem; }}"
        for place, text in words.items()
    )
