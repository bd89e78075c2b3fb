"""What a dataset looks like: some training images of each class, with its name."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import asdict
from functools import lru_cache
from html import escape
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.data import gallery as pictures
from dlcore.texts import Problem
from ui.components import ASSETS
from ui.i18n import _, tell

KEYS = ("dataset", "data_hash", "own_form")  # of a config; what else it says does not change the images


def gallery(config: Any) -> None:
    """Draw the strips of the dataset that the config names; call it where the dataset is here."""
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        _draw("")
        return
    own = config.dataset == "own"
    named = {name: value for name, value in asdict(config).items() if name == "dataset" or (own and name in KEYS)}
    try:
        found = _strips(tuple(named.items()))
    except Problem as problem:
        st.caption(tell(problem))
        return
    figures = "".join(_figure(found, label) for label in range(len(found["classes"])))
    _draw(figures)
    st.caption(_facts(found))


def _draw(figures: str) -> None:
    st.html(f'{_style()}<div class="dl-gallery" role="list">{figures}</div>')


@lru_cache
def _style() -> str:
    return f"<style>{(ASSETS / 'gallery.css').read_text(encoding='utf-8')}</style>"


@st.cache_data(max_entries=16, show_spinner=False)
def _strips(named: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    return jobs.call(pictures.strips, dict(named))


def _figure(found: dict[str, Any], label: int) -> str:
    name, count = _(found["classes"][label]), found["counts"][label]
    alt = _("{n} of the training images of “{name}”").format(n=found["shown"][label], name=name)
    source = b64encode(found["strips"][label]).decode()
    return (
        f'<figure role="listitem"><img alt="{escape(alt)}" src="data:image/png;base64,{source}">'
        f"<figcaption>{escape(name)} <small>{count:,}</small></figcaption></figure>"
    )


def _facts(found: dict[str, Any]) -> str:
    channels, height, width = found["shape"]
    colour = _("in colour") if channels == 3 else _("in grey")
    words = _("{train:,} images to learn from, {test:,} for the test; {height} × {width} pixels {colour}.")
    facts = words.format(train=found["train"], test=found["test"], height=height, width=width, colour=colour)
    return f"{facts} " + _("These images are {note}.").format(note=_(found["note"])) if found["note"] else facts
