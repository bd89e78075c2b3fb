"""A network and what it was shown: its answers to questions of the panels, kept as long as its weights are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.vision import names
from ui.i18n import _, language, plain
from ui.session import page_state

WORKER = "dlcore.vision."  # modules there import torch: named, never imported here
PATIENCE = 60.0
LARGE = 64  # px: from this side on, a network takes its time


@dataclass(frozen=True)
class Asked:
    """A network and what it was shown.

    Attributes:
        name: for ``dlcore.vision.models.model``; version: changes with the weights under that name.
        picture: ``(H, W, 3)`` uint8, or ``(C, H, W)`` as the network takes it.
        said: what ``attribution.ask`` answered.
    """

    name: str
    version: int
    picture: np.ndarray
    said: Mapping[str, Any]

    @property
    def pixels(self) -> np.ndarray:
        """As the network sees it, ``(C, H, W)`` uint8."""
        return self.said["pixels"]

    @property
    def large(self) -> bool:
        """Whether one pass takes long enough to be asked for by a click."""
        return self.pixels.shape[1] > LARGE

    def call(self, function: str, *given: Any, **more: Any) -> Any:
        """``dlcore.vision.<function>`` of this network and picture, from a worker or from the cache."""
        return call(function, self.name, self.version, self.picture, *given, **more)

    def title(self, index: int) -> str:
        """A class's name, as Markdown may print it."""
        return plain(self.titles[index])

    @property
    def titles(self) -> list[str]:
        """The classes' names in the reader's language."""
        return [_(name) for name in names.names(self.said["classes"], language())]


@st.cache_data(max_entries=256, show_spinner=False)
def call(function: str, name: str, version: int, picture: np.ndarray, *given: Any, **more: Any) -> Any:
    """An answer of a function of ``dlcore.vision``, kept until the weights (``version``) change."""
    return jobs.call(WORKER + function, name, picture, *given, timeout=PATIENCE, **more)


def ask(name: str, version: int, picture: np.ndarray) -> Asked:
    """The network's answer to the picture. Raises ``Problem``."""
    return Asked(name, version, picture, call("attribution:ask", name, version, picture))


def wanted(asked: Asked, name: str, label: str, icon: str) -> bool:
    """Whether a check is to be drawn: at once for a small network, else for the picture that a click asked for it."""
    state = page_state("asked")
    mark = f"{asked.name}@{asked.version}/{hash(asked.picture.tobytes())}"
    if asked.large:
        st.button(label, icon=icon, key=f"asked.{name}", on_click=lambda: state.update({name: mark}))
    return not asked.large or state.get(name) == mark


def waiting(asked: Asked, passes: int) -> Any:
    """What stands there while so many passes go through the network, with the time that they will take."""
    seconds = ceil(asked.said["seconds"] * passes)
    return st.spinner(_("{n} passes through the network, about {s} s …").format(n=passes, s=seconds), show_time=True)


def signed(value: float) -> str:
    """A number to three digits with a proper minus."""
    return f"{value:.3g}".replace("-", "−")
