"""The panels that examine an answer, for the picture on the table as the chosen network sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data.images import name_of
from dlcore.texts import Problem
from dlcore.vision.samples import TITLES
from ui import network_choice as networks
from ui import picture_source as sources
from ui.asked import Asked, Subject, wanted
from ui.classify_lab import PATIENCE, Scene
from ui.i18n import _, tell
from ui.inside_checks import two_rows
from ui.kept_here import kept, known
from ui.network_choice import RUN
from ui.picture_source import LOOK, SLUG, settings
from ui.session import owner

LEARNED = {"digits": "digits", "backbone": "cifar10"}  # what our own networks learned from
NEAREST = 6  # pictures in a row
MOST = 12  # that are compared: a large network looks at each of them anew


def examinee(scene: Scene | None) -> Subject | None:
    """The first network and what it sees of the picture, with all that is done to it; None where it says nothing."""
    if scene is None or "problem" in scene.answers[0]:
        return None
    name, asked = scene.names[0], settings(scene.config)
    try:
        worker = networks.worker_name(name)
        file = None if scene.touched else scene.picture.file
        arguments = scene.picture.pixels, worker, asked, scene.config.seed, file
        key = ("seen", scene.picture.key, worker, *asked.values(), scene.config.seed)
        seen = kept("answer", key, lambda: jobs.call(f"{LOOK}:seen", *arguments, timeout=PATIENCE))
        return Subject(worker, seen, _version(worker), *_learned(name))
    except Problem as problem:
        st.warning(tell(problem))
        return None


def _version(worker: str) -> int:
    """When the weights of a run were written; 0 for networks that stay as they are."""
    return Path(worker.removeprefix(RUN)).stat().st_mtime_ns if worker.startswith(RUN) else 0


def _learned(name: str) -> tuple[str, int]:
    """The images that a network learned from, and how many (0: all); "" for ImageNet's, which nobody has here."""
    if name.startswith(RUN):
        config = jobs.history(name.removeprefix(RUN), owner=owner()).config
        return name_of(config), config.get("train_size", 0)
    return LEARNED.get(name, ""), 0


# --- the nearest of one's own pictures ------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Other:
    """A picture that may be near: ``key`` in this session, its name, and what a worker takes (None: an example)."""

    key: str
    name: str
    file: Any = None


def alike(scene: Scene, asked: Asked) -> None:
    """The nearest of the reader's uploads and of the examples, by features and by pixels."""
    st.subheader(_("The nearest of your pictures"), anchor="near")
    every = [other for other in _others() if other.key != scene.picture.key]
    others = every[:MOST]
    st.caption(
        _("Your pictures and the examples, those nearest to this one first. Upper row: by features, the numbers that "
          "enter the last layer. Lower row, for comparison: by pixels, less their mean. The number is the cosine of "
          "the angle between two pictures' numbers. 1: the same direction; 0: none in common; below 0: opposite.")
    )  # fmt: skip
    if len(others) < len(every):
        st.caption(_("Of {total} pictures the {n} newest are compared.").format(total=len(every), n=len(others)))
    label = _("Compare with {n} pictures").format(n=len(others))
    if not wanted(asked, "alike", label, ":material/compare:"):
        return
    mine = asked.call("neighbours:described")
    found = [(other, said) for other in others if (said := _described(asked, other, len(others))) is not None]
    if len(found) < len(others):
        st.caption(_("{n} of them say nothing to this network.").format(n=len(others) - len(found)))
    if found:
        _rows(mine, found)


def _others() -> list[Other]:
    """The reader's pictures, the newest first; then the examples."""
    files = [Other(f"file:{file.file_id}", file.name, file) for file in st.session_state.get(f"{SLUG}.files") or []]
    return [*files[: sources.MOST_FILES][::-1], *(Other(f"sample:{name}", _(title)) for name, title in TITLES.items())]


def _described(asked: Asked, other: Other, count: int) -> dict[str, Any] | None:
    """What the network makes of it, kept in this session; None where it can make nothing of it."""
    subject = asked.subject
    key = (other.key, subject.name, subject.version)

    def ask() -> dict[str, Any] | None:
        name = other.key.removeprefix("sample:")
        picture = sources.content(other.file) if other.file else sources.example(name)
        try:
            return jobs.call("dlcore.vision.neighbours:described", subject.name, picture, timeout=PATIENCE)
        except Problem as problem:
            if problem.kind in ("upload", "blank"):
                return None
            raise

    if known("described", key):
        return kept("described", key, ask)
    with st.spinner(_("Looking at {name}, one of {n} …").format(name=other.name, n=count)):
        return kept("described", key, ask)


def _rows(mine: dict[str, Any], found: list[tuple[Other, dict[str, Any]]]) -> None:
    shown, labels, values = [], [], []
    for measure in ("features", "pixels"):
        cosines = np.array([float(said[measure] @ mine[measure]) for _other, said in found])
        for k in np.argsort(-cosines, kind="stable")[:NEAREST]:
            shown.append(found[k][1]["thumb"])
            labels.append(_short(found[k][0].name))
            values.append(cosines[k])
    two_rows(np.stack(shown), labels, np.array(values), _("picture"), key="inside.near")


def _short(name: str, most: int = 12) -> str:
    """A name that leaves room for the number beside it; of an example, without what is said of it in brackets."""
    name = re.split(r" ?[(（]", name)[0] or name
    return name if len(name) <= most else f"{name[: most - 1]}…"
