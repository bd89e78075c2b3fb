"""Taking blocks out of the network that was trained: a picture to click on, and what it answers without them."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore import surgery_story as story
from dlcore.figures import surgery as figures
from dlcore.figures.surgery import NAMES
from dlcore.history import History
from dlcore.texts import Problem
from ui import address
from ui.components import component, pack
from ui.controls import get_extra, put_extra, put_value
from ui.faults import unanswered
from ui.i18n import _, sentences
from ui.live_plot import live_plot
from ui.session import current, page_state
from ui.surgery_patient import DRAWS, Patient, answers, images, orders, patient_of

EXTRA = ("removed",)  # parameter of the address that the page must keep
HEIGHT, COLUMNS = 300, 6
TOLD = 175  # px for what is told
NORMED = {"norm": "batch", "order": "pre"}
PREPARED = {"drop_path": 0.5, "order": "pre"}
_mount = component("surgery", height="290px")


@st.fragment
def surgery_lab(config: Any, history: History) -> None:
    """Draw the panel for the run of ``history``; a click on a block draws it alone again.

    Args:
        config: what the controls say now, for the offer to train another network.
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
        _operate(patient_of(history))
        _hint(config, history)
    except Problem as problem:
        unanswered(problem, "surgery")


def _operate(patient: Patient) -> None:
    removed = story.read_removed(get_extra("removed"), len(patient.blocks))
    removed = [k for k in removed if patient.blocks[k]["removable"]]
    st.caption(
        _("Asked are the first {n} test images. Under each block: how many are right when it alone is out. Click a "
          "block to take it out; several may be out at once.").format(n=len(patient.found["labels"]))
    )  # fmt: skip
    _picture(patient, removed)
    said = answers(patient, patient.main, removed)
    _say(patient, removed, said)
    left, right = st.columns([1, 1.25], gap="large")
    with left:
        _classes(patient, said)
    with right:
        _changed(patient, said)
    _at_random(patient)


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


def _say(patient: Patient, removed: list[int], now: np.ndarray) -> None:
    """The live answer in large type, its twin's, and what the bars say; the room for it is always the same."""
    labels = patient.found["labels"]
    own, other = patient.shares(patient.main), patient.shares(patient.twin)
    assert own is not None
    now_told, all_told = st.columns(2, gap="large")
    with now_told.container(height=TOLD, border=False, key="surgery-told"):
        words, numbers = story.told(float((now == labels).mean()), float(own[0]), len(removed))
        live, parts = _(words).format(**numbers), []
        if other is not None and removed:
            share = float((answers(patient, patient.twin, removed) == labels).mean())
            parts.append(_("The plain twin without the same blocks: {share}.").format(share=f"{share:.1%}"))
        if patient.main == story.RESIDUAL:
            words, numbers = story.paths(len(patient.blocks), len(removed))
            parts.append(_(words).format(**numbers))
        st.markdown(f"**{live}**\n\n{sentences(*parts)}")
    with all_told.container(height=TOLD, border=False, key="surgery-bars-told"):
        st.markdown(sentences(*(_(words).format(**numbers) for words, numbers in _verdict(own, other))))


def _verdict(own: np.ndarray, other: np.ndarray | None) -> list[story.Words]:
    if other is None:
        return story.verdict(float(own[0]), own[1:], None, None)
    return story.verdict(float(own[0]), own[1:], float(other[0]), other[1:])


def _classes(patient: Patient, now: np.ndarray) -> None:
    labels, classes = patient.found["labels"], [_(str(name)) for name in patient.about["classes"]]
    before, after = (story.by_class(said, labels, len(classes)) for said in (patient.found[patient.main][0], now))
    st.caption(_("Right in each class: grey with all blocks in, vermilion without those that are out."))
    live_plot(
        figures.by_class(classes, before, after, label=_), key="surgery-classes", height=HEIGHT,
        alt=_("Right answers in each class, before and after."),
        table={_("class"): classes, _("all blocks"): before.round(4), _("without them"): after.round(4)},
    )  # fmt: skip


def _changed(patient: Patient, now: np.ndarray) -> None:
    whole, classes = patient.found[patient.main][0], [_(str(name)) for name in patient.about["classes"]]
    which = story.changed(whole, now, 2 * COLUMNS)
    total = int((whole != now).sum())
    if not total:
        with st.container(height=HEIGHT + 28, border=False):
            st.caption(_("Images whose answer changes appear here. So far none has."))
        return
    st.caption(_("{n} of {all} answers have changed. Blue: before; vermilion: now.").format(n=total, all=len(whole)))
    shown = images(patient.dataset, tuple(which.tolist()))
    live_plot(
        figures.changed(shown, [classes[k] for k in whole[which]], [classes[k] for k in now[which]], COLUMNS),
        key="surgery-changed", height=HEIGHT,
        alt=_("Test images whose answer has changed, each with the answer before and now."),
        table={_("image"): which, _("before"): [classes[k] for k in whole[which]],
               _("now"): [classes[k] for k in now[which]]},
    )  # fmt: skip


def _at_random(patient: Patient) -> None:
    """Many blocks out, in random orders: how far does it go? On request, since it takes a while."""
    st.subheader(_("Many at once"), anchor="many-blocks")
    drawn = page_state(current()).setdefault("surgery", {}).setdefault("drawn", {})
    st.button(
        _("Take out more and more, in {n} random orders").format(n=DRAWS), icon=":material/casino:",
        key="surgery.random", on_click=lambda: drawn.update({patient.run: True}),
    )  # fmt: skip
    lines: dict[str, np.ndarray] = {}
    if drawn.get(patient.run):
        lines = {name: orders(patient, name) for name in (patient.main, patient.twin) if name}
    live_plot(
        figures.one_after_another(lines, len(patient.blocks), label=_), key="surgery-random", height=HEIGHT,
        alt=_("Right answers against how many blocks are out, for random orders and their mean."),
        table={_(NAMES[name][0]): shares.mean(0).round(4) for name, shares in lines.items()},
    )  # fmt: skip


def _hint(config: Any, history: History) -> None:
    """What makes a network bear this: normalised branches, and training for it. Both are offered where they lack."""
    if history.config["network"] == "stack":
        _normalised(config, history)
    _prepared(config, history)


def _normalised(config: Any, history: History) -> None:
    if all(history.config[name] == value for name, value in NORMED.items()):
        st.markdown(
            _("The branches of this network are normalised, and nothing bars the links: the late blocks only correct a "
              "large sum, so most of them can go. The first ones build what all others work with.")
        )  # fmt: skip
        return
    st.markdown(
        _("How much one block matters depends on what the others are used to. **Without normalisation** each block "
          "answers in proportion to what comes in, so all behind a gap are thrown off: on the digits, with 20 dense "
          "blocks and relu after the sum, a missing block cost 4 to 8 points on average, wherever it stood. **With "
          "batch normalisation and relu before each layer** it cost 0.5 to 0.7 points; only the first two blocks cost "
          "more (up to 7). With ten out 58 to 83% were left instead of 22 to 33% (three seeds each).")
    )  # fmt: skip
    if any(getattr(config, name) != value for name, value in NORMED.items()):
        st.button(
            _("Set batch normalisation, relu before each layer"), icon=":material/tune:", key="surgery.normed",
            help=_("Sets the controls at the top of the page; then train again."),
            on_click=_set, args=(current(), NORMED),
        )  # fmt: skip


def _prepared(config: Any, history: History) -> None:
    if history.config["drop_path"]:
        words = _("This network was trained with stochastic depth: in each step some blocks were left out, at random.")
        st.markdown(words)
        return
    st.markdown(
        _("Training can prepare for this. With **stochastic depth** each step leaves some blocks out, at random, the "
          "last one most often. Measured on the digits, 20 dense blocks with relu before each layer: without it 97% "
          "were right, a missing block cost 8 to 11 points, and with ten out some 38% were left; with it (0.5) 87 to "
          "91% were right, a missing block cost less than one point, and with ten out some 70% were left.")
    )  # fmt: skip
    if not config.drop_path:
        st.button(
            _("Set stochastic depth to 0.5"), icon=":material/casino:", key="surgery.drop",
            help=_("With relu before each layer: behind a sum that is cut at zero it learns much more slowly."),
            on_click=_set, args=(current(), PREPARED),
        )  # fmt: skip


def _set(slug: str, settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        put_value(name, value, slug=slug)
