"""A network and what it was shown: the frame of the panels that examine an answer, and what they have asked so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.texts import Problem
from dlcore.vision import names
from ui import address
from ui.i18n import _, language, plain, tell
from ui.kept_here import kept, known
from ui.session import page_state

WORKER = "dlcore.vision."  # modules there import torch: named, never imported here
PATIENCE = 60.0
LARGE = 64  # px: from this side on, a network takes its time
AT_ONCE = 6.0  # seconds that a reader who has chosen a method is let wait without another click


@dataclass(frozen=True, eq=False)
class Subject:
    """What is examined.

    Attributes:
        name: of the network, as ``dlcore.vision.models.model`` takes it.
        picture: ``(H, W, 3)`` uint8 RGB, or ``(C, H, W)`` uint8 as the network takes it.
        version: another number whenever the weights under that name are others.
        dataset, train_size: what the network learned from, as ``units.asked_images`` takes it; "" for none.
    """

    name: str
    picture: np.ndarray
    version: int = 0
    dataset: str = ""
    train_size: int = 0


@dataclass(frozen=True, eq=False)
class Asked:
    """A network, what it was shown, and what ``attribution.ask`` said of it (``said``)."""

    subject: Subject
    said: Mapping[str, Any]

    @property
    def pixels(self) -> np.ndarray:
        """As the network sees it, ``(C, H, W)`` uint8."""
        return self.said["pixels"]

    @property
    def large(self) -> bool:
        """Whether one pass takes long enough to be asked for by a click."""
        return self.pixels.shape[1] > LARGE

    @cached_property
    def mark(self) -> str:
        """Tells this network and picture from every other."""
        return mark(self.subject)

    def call(self, function: str, *given: Any, **more: Any) -> Any:
        """``dlcore.vision.<function>`` of this network and picture, from a worker or as it was answered before."""
        return _call(self.subject, function, *given, **more)

    def answered(self, function: str, *given: Any, **more: Any) -> bool:
        """Whether ``call`` would have the answer at once."""
        return known("asked", _key(self.subject, function, *given, **more))

    def seconds(self, passes: float) -> float:
        """About how long so many passes through the network take."""
        return self.said["seconds"] * passes

    def title(self, index: int) -> str:
        """A class's name, as Markdown may print it."""
        return plain(self.titles[index])

    @cached_property
    def titles(self) -> list[str]:
        """The classes' names in the reader's language."""
        return [_(name) for name in names.names(self.said["classes"], language())]


def mark(subject: Subject) -> str:
    """Tells a network and picture from every other."""
    return f"{subject.name}@{subject.version}/{hash(subject.picture.tobytes())}"


def _key(subject: Subject, function: str, *given: Any, **more: Any) -> tuple[Any, ...]:
    values = (*given, *more.items())
    return (mark(subject), function, *(hash(v.tobytes()) if isinstance(v, np.ndarray) else repr(v) for v in values))


def _call(subject: Subject, function: str, *given: Any, **more: Any) -> Any:
    def answer() -> Any:
        return jobs.call(WORKER + function, subject.name, subject.picture, *given, timeout=PATIENCE, **more)

    return kept("asked", _key(subject, function, *given, **more), answer)


def examined(
    title: str, anchor: str, empty: str, subject: Subject | None, draw: Callable[[Asked], None]
) -> None:  # fmt: skip
    """The frame of a panel: its heading, what stands there before there is an answer, and what went wrong.

    Args:
        title, empty: translated.
        draw: draws the rest, for the network and the picture.
    """
    address.follow()
    st.header(title, anchor=anchor)
    if subject is None or jobs.status().state == "starting":
        st.markdown(empty)
        return
    try:
        draw(Asked(subject, _call(subject, "attribution:ask")))
    except Problem as problem:
        st.warning(tell(problem))
        st.button(_("Try again"), icon=":material/refresh:", key=f"{anchor}.again")


def wanted(asked: Asked, name: str, label: str, icon: str, *, passes: float | None = None) -> bool:
    """Whether a check is to be drawn: at once for a small network, else for the picture that a click asked for it.

    Args:
        passes: of a question that even a large network is asked at once, if it takes no longer than ``AT_ONCE``.
    """
    state = page_state("asked")
    slow = asked.large if passes is None else asked.seconds(passes) > AT_ONCE
    if slow and not (passes is not None and state.get(name) == asked.mark):
        st.button(label, icon=icon, key=f"asked.{name}", on_click=lambda: state.update({name: asked.mark}))
    return not slow or state.get(name) == asked.mark


def waiting(asked: Asked, passes: float) -> Any:
    """What stands there while so many passes go through the network, with the time that they will take."""
    seconds = ceil(asked.seconds(passes))
    return st.spinner(_("{n} passes through the network, about {s} s …").format(n=passes, s=seconds), show_time=True)


def signed(value: float) -> str:
    """A number to three digits with a proper minus."""
    return f"{value:.3g}".replace("-", "−")
