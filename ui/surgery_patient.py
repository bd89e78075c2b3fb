"""The networks of a finished run that blocks are taken out of: what workers answer about them, kept in a cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore import surgery_story as story
from dlcore.data.images import name_of
from dlcore.experiments import surgery_look
from dlcore.history import History
from ui.i18n import _
from ui.session import current, owner, page_state

PATIENCE = 60.0  # seconds for one answer
DRAWS = 5  # random orders


@dataclass(frozen=True)
class Patient:
    """The networks of a finished run that are operated on.

    Attributes:
        run: the run's id; checkpoint: where its networks are; dataset: whose test images are asked.
        main, twin: names of the network that is shown and of the one beside it ("" for none).
        about: what ``surgery_look.describe`` says; found: what ``surgery_look.lesions`` found on all images.
    """

    run: str
    checkpoint: str
    dataset: str
    main: str
    twin: str
    about: dict[str, Any]
    found: dict[str, np.ndarray]

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """Of the network that is shown."""
        return self.about["blocks"][self.main]

    def shares(self, name: str) -> np.ndarray | None:
        """Accuracy with all blocks, and without each alone, ``(n + 1,)``; None where there is no such network."""
        return story.accuracies(self.found[name], self.found["labels"]) if name else None


def patient_of(history: History) -> Patient:
    """The networks of the run that the page shows. Raises ``Problem`` where no worker answers."""
    run = page_state(current())["run"]
    checkpoint, dataset = str(jobs.checkpoint(run, owner=owner())), name_of(history.config)
    about = _describe(checkpoint, dataset)
    names = list(about["blocks"])
    main = story.RESIDUAL if history.config["residual"] or len(names) > 1 else story.PLAIN
    twin = next((name for name in names if name != main), "")
    return Patient(run, checkpoint, dataset, main, twin, about, _lesions(checkpoint, dataset, about))


@st.cache_data(max_entries=16, show_spinner=False)
def _describe(checkpoint: str, dataset: str) -> dict[str, Any]:
    return jobs.call(surgery_look.describe, checkpoint, dataset, timeout=PATIENCE)


def _lesions(checkpoint: str, dataset: str, about: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Every block out once, some images at a time, so that others get their answers in between."""
    count, chunk = about["count"], about["chunk"]
    starts, told = range(0, count, chunk), st.empty()
    pieces = []
    for start in starts:
        told.progress(start / count, _("Each block is taken out once: {n} of {all} images").format(n=start, all=count))
        pieces.append(_some_lesions(checkpoint, dataset, start, min(start + chunk, count)))
    told.empty()
    return story.gathered(pieces)


@st.cache_data(max_entries=256, show_spinner=False)
def _some_lesions(checkpoint: str, dataset: str, start: int, stop: int) -> dict[str, np.ndarray]:
    return jobs.call(surgery_look.lesions, checkpoint, dataset, start, stop, timeout=PATIENCE)


@st.cache_data(max_entries=256, show_spinner=False)
def _without(checkpoint: str, dataset: str, count: int, network: str, removed: tuple[int, ...]) -> np.ndarray:
    return jobs.call(surgery_look.without, checkpoint, dataset, count, network, list(removed), timeout=PATIENCE)


def answers(patient: Patient, name: str, removed: list[int]) -> np.ndarray:
    """Classes that a network names without these blocks; what is known from the bars is not asked again."""
    said, blocks = patient.found[name], patient.about["blocks"][name]
    removed = [k for k in removed if blocks[k]["removable"]]
    if len(removed) < 2:
        return said[removed[0] + 1 if removed else 0]
    count = len(patient.found["labels"])
    return _without(patient.checkpoint, patient.dataset, count, name, tuple(removed))


@st.cache_data(max_entries=64, show_spinner=False)
def images(dataset: str, which: tuple[int, ...]) -> np.ndarray:
    """Test images of these numbers, ``(n, C, H, W)`` uint8."""
    return jobs.call(surgery_look.images, dataset, list(which))


def orders(patient: Patient, name: str) -> np.ndarray:
    """Accuracies ``(DRAWS, n + 1)``, one order at a time."""
    count = min(patient.about["count"], 3 * patient.about["chunk"])
    told, rows = st.empty(), []
    for draw in range(DRAWS):
        told.progress(draw / DRAWS, _("Order {n} of {all}").format(n=draw + 1, all=DRAWS))
        rows.append(_order(patient.checkpoint, patient.dataset, count, name, draw))
    told.empty()
    return np.stack(rows)


@st.cache_data(max_entries=64, show_spinner=False)
def _order(checkpoint: str, dataset: str, count: int, network: str, draw: int) -> np.ndarray:
    return jobs.call(surgery_look.at_random, checkpoint, dataset, count, network, draw, timeout=PATIENCE)
