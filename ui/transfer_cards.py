"""Experiments to begin with, one press each, and the way to the lesson in which one teaches classes of one's own."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from dlcore.data.few_shot import insects_folder
from dlcore.experiments.transfer import Config
from dlcore.texts import N_
from dlcore.transfer_methods import IMAGENET, SHIPPED
from dlcore.vision.networks import available
from ui.controls import put_value
from ui.i18n import _
from ui.intro import lesson_link
from ui.lessons import READY
from ui.session import page_state, set_up_by_teacher

SLUG = "transfer"
CARDS: dict[str, dict[str, Any]] = {
    N_("Which way to learn?"): {"question": "methods", "dataset": "shapes", "source_classes": 8},
    N_("Which blocks?"): {"question": "layers", "dataset": "shapes"},
    N_("Into a small network"): {"question": "distil", "dataset": "shapes", "images": 5},
    N_("Two classes known before"): {"question": "methods", "dataset": "shapes", "source_classes": 2},
    N_("Ants and bees"): {"question": "methods", "dataset": "insects", "base": SHIPPED},
    N_("Ants and bees, with ImageNet’s eyes"): {"question": "methods", "dataset": "insects", "base": IMAGENET},
    N_("Classes of your own"): {"question": "methods", "dataset": "album"},
}


def cards(config: Config) -> None:
    """Draw the presets; one that is pressed sets the controls above, and everything else goes back to its default."""
    with st.container(key="prose-cards"):
        if not set_up_by_teacher():
            with st.container(horizontal=True, gap="small"):
                for title, settings in CARDS.items():
                    if _possible(settings):
                        _card(config, title, settings)
        for lesson in READY:
            if lesson.slug == "teach":
                lesson_link(lesson, _("Teach a network classes of your own"))


def _possible(settings: dict[str, Any]) -> bool:
    """Whether this machine has the pictures and the weights for it."""
    if settings["dataset"] == "insects" and not insects_folder():
        return False
    return settings.get("base", SHIPPED) in (SHIPPED, *available())


def _card(config: Config, title: str, settings: dict[str, Any]) -> None:
    here = all(getattr(config, name) == value for name, value in settings.items())
    st.button(_(title), key=f"card.{title}", type="primary" if here else "secondary", on_click=partial(_set, settings))


def _set(settings: dict[str, Any]) -> None:
    for name in list(page_state(SLUG).get("given", {})):
        put_value(name, None, slug=SLUG)
    for name, value in settings.items():
        put_value(name, value, slug=SLUG)
