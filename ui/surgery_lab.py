"""Taking blocks out of the network that was trained: a picture to click on, and what it answers without them."""

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
from dlcore.figures import surgery as figures
from dlcore.history import History
from dlcore.texts import Problem
from ui import address
from ui.components import component, pack
from ui.controls import get_extra, put_extra
from ui.i18n import _, sentences, tell
from ui.live_plot import live_plot
from ui.session import current, owner, page_state

EXTRA = ("removed",)  # parameter of the address that the page must keep
HEIGHT, DRAWS, COLUMNS = 300, 5, 6
PATIENCE = 60.0  # seconds for one answer
_mount = component("surgery", height="290px")


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


@st.fragment
def surgery_lab(config: Any, history: History) -> None:
    """Draw the panel for the run of ``history``; a click on a block draws it alone again.

    Args:
        config: what the controls say now; that the run was made with other settings is told.
    """
    address.follow()
    st.header(_("Take a block out"), anchor="surgery")
    if history.state != "finished" or not history.has_checkpoint:
        st.markdown(
            _("When a network has finished training, it stands here as a row of blocks. Take one out, and see what it "
              "still knows.")
        )  # fmt: skip
        return
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        st.caption(_("The workers are being woken up; this takes a few seconds."))
        return
    try:
        _operate(_patient(history), config)
    except Problem as problem:
        st.warning(tell(problem))
        st.button(_("Try again"), icon=":material/refresh:", key="surgery.again")  # a click draws the fragment anew


def _patient(history: History) -> Patient:
    run = page_state(current())["run"]
    checkpoint, dataset = str(jobs.checkpoint(run, owner=owner())), name_of(history.config)
    about = _describe(checkpoint, dataset, run)
    names = list(about["blocks"])
    main = story.RESIDUAL if history.config["residual"] or len(names) > 1 else story.PLAIN
    twin = next((name for name in names if name != main), "")
    return Patient(run, checkpoint, dataset, main, twin, about, _lesions(checkpoint, dataset, run, about))


@st.cache_data(max_entries=16, show_spinner=False)
def _describe(checkpoint: str, dataset: str, _run: str) -> dict[str, Any]:
    return jobs.call(surgery_look.describe, checkpoint, dataset, timeout=PATIENCE)


def _lesions(checkpoint: str, dataset: str, run: str, about: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Every block out once, some images at a time, so that others get their answers in between."""
    count, chunk = about["count"], about["chunk"]
    starts, told = range(0, count, chunk), st.empty()
    pieces = []
    for start in starts:
        told.progress(start / count, _("Each block is taken out once: {n} of {all} images").format(n=start, all=count))
        pieces.append(_some_lesions(checkpoint, dataset, start, min(start + chunk, count), run))
    told.empty()
    return story.gathered(pieces)


@st.cache_data(max_entries=256, show_spinner=False)
def _some_lesions(checkpoint: str, dataset: str, start: int, stop: int, _run: str) -> dict[str, np.ndarray]:
    return jobs.call(surgery_look.lesions, checkpoint, dataset, start, stop, timeout=PATIENCE)


@st.cache_data(max_entries=256, show_spinner=False)
def _without(
    checkpoint: str, dataset: str, count: int, network: str, removed: tuple[int, ...], _run: str
) -> np.ndarray:
    return jobs.call(surgery_look.without, checkpoint, dataset, count, network, list(removed), timeout=PATIENCE)


def _operate(patient: Patient, config: Any) -> None:
    removed = story.read_removed(get_extra("removed"), len(patient.blocks))
    removed = [k for k in removed if patient.blocks[k]["removable"]]
    st.caption(
        _("Asked are the first {n} test images. Under each block: how many are right when it alone is out. Click a block "
          "to take it out; several may be out at once.").format(n=len(patient.found["labels"]))
    )  # fmt: skip
    _picture(patient, removed)
    answers = _answers(patient, patient.main, removed)
    _say(patient, removed, answers)
    left, right = st.columns([1, 1.25], gap="large")
    with left:
        _classes(patient, answers)
    with right:
        _changed(patient, answers)
    _at_random(patient)


def _answers(patient: Patient, name: str, removed: list[int]) -> np.ndarray:
    """What a network says without these blocks; what is known from the bars is not asked again."""
    said = patient.found[name]
    if len(removed) < 2:
        return said[removed[0] + 1 if removed else 0]
    count = len(patient.found["labels"])
    return _without(patient.checkpoint, patient.dataset, count, name, tuple(removed), patient.run)


def _picture(patient: Patient, removed: list[int]) -> None:
    state, slug = page_state(current()).setdefault("surgery", {}), current()

    def sent() -> None:
        found = (st.session_state.get("surgery-row") or {}).get("removed")
        if isinstance(found, dict):
            state["n"] = int(found["n"])
            put_extra("removed", story.write_removed(int(k) for k in found["removed"]), slug=slug)

    own, other = patient.shares(patient.main), patient.shares(patient.twin)
    assert own is not None
    rows = [
        {
            "able": block["removable"], "halves": not block["keeps_shape"], "share": float(own[k + 1]),
            "other": None if other is None else float(other[k + 1]),
        }
        for k, block in enumerate(patient.blocks)
    ]  # fmt: skip
    payload = {
        "network": f"{patient.run}/{patient.main}", "blocks": rows, "whole": float(own[0]), "removed": removed,
        "residual": patient.main == story.RESIDUAL, "twin": bool(patient.twin), "n": state.get("n", 0),
        "texts": _texts(patient),
    }  # fmt: skip
    _mount(key="surgery-row", data=pack(payload), on_removed_change=sent)


def _texts(patient: Patient) -> dict[str, str]:
    linked = patient.main == story.RESIDUAL
    return {
        "undo": _("Undo"), "back": _("Put all back"), "out": _("{k} of {n} blocks are out"),
        "alt": _("The network as a row of blocks, each with what is right without it."),
        "keys": _("Arrow keys move from block to block, space takes one out or puts it back."),
        "block": _("Block {n}: without it alone {share} are right."),
        "stays": _("Block {n} changes the size of the picture and has no link: it cannot be taken out."),
        "other": _("The other network without its block: {share}."),
        "own": _("right without this block") if linked else _("plain: right without this block"),
        "twin": _("the same in the plain twin") if linked else _("the same in the residual twin"),
        "whole": _("with all blocks in"),
    }  # fmt: skip


def _say(patient: Patient, removed: list[int], answers: np.ndarray) -> None:
    """The live answer in large type, its twin's, and what the bars say; the room for it is always the same."""
    labels = patient.found["labels"]
    own, other = patient.shares(patient.main), patient.shares(patient.twin)
    assert own is not None
    with st.container(height=150, border=False, key="surgery-told"):
        words, numbers = story.told(float((answers == labels).mean()), float(own[0]), len(removed))
        parts = [f"**{_(words).format(**numbers)}**"]
        if other is not None and removed:
            share = float((_answers(patient, patient.twin, removed) == labels).mean())
            parts.append(_("The plain twin without the same blocks: {share}.").format(share=f"{share:.1%}"))
        if patient.main == story.RESIDUAL:
            words, numbers = story.paths(len(patient.blocks), len(removed))
            parts.append(_(words).format(**numbers))
        told = [_(words).format(**numbers) for words, numbers in _verdict(own, other)]
        st.markdown(sentences(*parts) + "\n\n" + sentences(*told))


def _verdict(own: np.ndarray, other: np.ndarray | None) -> list[story.Words]:
    if other is None:
        return story.verdict(float(own[0]), own[1:], None, None)
    return story.verdict(float(own[0]), own[1:], float(other[0]), other[1:])


def _classes(patient: Patient, answers: np.ndarray) -> None:
    labels, classes = patient.found["labels"], [_(str(name)) for name in patient.about["classes"]]
    before, after = (story.by_class(said, labels, len(classes)) for said in (patient.found[patient.main][0], answers))
    st.caption(_("Right in each class: grey with all blocks in, vermilion without those that are out."))
    live_plot(
        figures.by_class(classes, before, after, label=_), key="surgery-classes", height=HEIGHT,
        alt=_("Right answers in each class, before and after."),
        table={_("class"): classes, _("all blocks"): before.round(4), _("without"): after.round(4)},
    )  # fmt: skip


def _changed(patient: Patient, answers: np.ndarray) -> None:
    whole, classes = patient.found[patient.main][0], [_(str(name)) for name in patient.about["classes"]]
    which = story.changed(whole, answers, 2 * COLUMNS)
    total = int((whole != answers).sum())
    if not total:
        with st.container(height=HEIGHT + 28, border=False):
            st.caption(_("Images whose answer changes appear here. So far none has."))
        return
    st.caption(_("{n} of {all} answers have changed. Blue: before; vermilion: now.").format(n=total, all=len(whole)))
    shown = _images(patient.dataset, tuple(which.tolist()))
    live_plot(
        figures.changed(shown, [classes[k] for k in whole[which]], [classes[k] for k in answers[which]], COLUMNS),
        key="surgery-changed", height=HEIGHT,
        alt=_("Test images whose answer has changed, each with the answer before and now."),
        table={_("image"): which, _("before"): [classes[k] for k in whole[which]],
               _("now"): [classes[k] for k in answers[which]]},
    )  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def _images(dataset: str, which: tuple[int, ...]) -> np.ndarray:
    return jobs.call(surgery_look.images, dataset, list(which))


def _at_random(patient: Patient) -> None:
    """Many blocks out, in random orders: how far does it go? On request, since it takes a while."""
    st.subheader(_("Many at once"), anchor="many-blocks")
    drawn = page_state(current()).setdefault("surgery", {}).setdefault("drawn", {})
    st.button(
        _("Take out more and more, in {n} random orders").format(n=DRAWS), icon=":material/casino:",
        key="surgery.random", on_click=lambda: drawn.update({patient.run: True}),
    )  # fmt: skip
    lines = {}
    if drawn.get(patient.run):
        lines = {name: _orders(patient, name) for name in (patient.main, patient.twin) if name}
    live_plot(
        figures.one_after_another(lines, len(patient.blocks), label=_), key="surgery-random", height=HEIGHT,
        alt=_("Right answers against how many blocks are out, for random orders and their mean."),
    )  # fmt: skip


def _orders(patient: Patient, name: str) -> np.ndarray:
    """Accuracies ``(DRAWS, n + 1)``, one order at a time."""
    count = min(patient.about["count"], 3 * patient.about["chunk"])
    told, rows = st.empty(), []
    for draw in range(DRAWS):
        told.progress(draw / DRAWS, _("Order {n} of {all}").format(n=draw + 1, all=DRAWS))
        rows.append(_order(patient.checkpoint, patient.dataset, count, name, draw, patient.run))
    told.empty()
    return np.stack(rows)


@st.cache_data(max_entries=64, show_spinner=False)
def _order(checkpoint: str, dataset: str, count: int, network: str, draw: int, _run: str) -> np.ndarray:
    return jobs.call(surgery_look.at_random, checkpoint, dataset, count, network, draw, timeout=PATIENCE)
