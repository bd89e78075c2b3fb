"""What a dataset looks like: some training images of each class, with its name."""

from __future__ import annotations

import contextlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from html import escape
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlcore import jobs
from dlcore.data import gallery as pictures
from dlcore.data.images import name_of
from dlcore.texts import Problem
from ui.components import ASSETS
from ui.i18n import _, sentences, tell
from ui.session import current, page_state


def gallery(config: Any, *, folded: bool = False) -> Callable[[], None]:
    """Keep room for the strips of the dataset that the config names (it must be here); ``folded``: behind a click.

    Returns what draws them: call it at the end of the page, since a worker that has just begun takes its time, and the
    buttons need not wait for it. Strips that were drawn before are drawn at once.
    """
    name = name_of(asdict(config))
    fold = st.expander(_("The images"), icon=":material/photo_library:") if folded else contextlib.nullcontext()
    with fold, st.container(key="gallery", gap="xsmall"):
        room, words = st.empty(), st.empty()
    if page_state(current()).get("gallery") == name:  # they are in the cache
        _ask(name, room, words)
        return lambda: None
    room.html(_html(""))
    words.caption("\u00a0")
    return lambda: _ask(name, room, words)


def _ask(name: str, room: DeltaGenerator, words: DeltaGenerator) -> None:
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        return
    try:
        found = _strips(name)
    except Problem as problem:
        words.caption(tell(problem))
        return
    page_state(current())["gallery"] = name
    _fill(room, words, found)


def _fill(room: DeltaGenerator, words: DeltaGenerator, found: dict[str, Any]) -> None:
    room.html(_html("".join(_figure(found, label) for label in range(len(found["classes"])))))
    words.caption(_facts(found))


def _html(figures: str) -> str:
    return f'{_style()}<div class="dl-gallery" role="list">{figures}</div>'


@lru_cache
def _style() -> str:
    return f"<style>{(ASSETS / 'gallery.css').read_text(encoding='utf-8')}</style>"


@st.cache_data(max_entries=16, show_spinner=False)
def _strips(name: str) -> dict[str, Any]:
    return jobs.call(pictures.strips, name)


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
    return sentences(facts, _("These images are {note}.").format(note=_(found["note"])) if found["note"] else "")
