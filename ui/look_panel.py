"""Ask a network: draw, upload or choose an image, see what it saw and said, and look into it, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.cnn_story import across, growth, of_one_class
from dlcore.data.images import name_of
from dlcore.data.uploads import MOST_BYTES
from dlcore.experiments import cnn_look
from dlcore.figures import evaluation, images
from dlcore.history import History
from dlcore.texts import N_, Problem
from ui import address
from ui.anatomy import Asked, anatomy_view
from ui.asked import Subject
from ui.controls import extra_choice
from ui.draw_pad import draw_pad
from ui.faults import unanswered
from ui.i18n import _, plain, tell
from ui.inside_panel import EXTRA as WHY
from ui.inside_panel import inside_panel
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.robust_panel import EXTRA as FOOLED
from ui.robust_panel import robust_panel
from ui.session import imposed, owner, page_state

EXTRA = ("asked", *WHY, *FOOLED)
SHIPPED, OWN = "shipped", "own"
NETWORKS = {SHIPPED: N_("Shipped network"), OWN: N_("My network")}
DRAW, PHOTO, SAMPLE = "draw", "photo", "sample"
SOURCES = {DRAW: N_("Draw"), PHOTO: N_("Photo"), SAMPLE: N_("Test image")}
UNSURE = 0.5  # no class has more than this: the network does not know
FILE_TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "heic"]  # the last to be told why not
HEIGHT = 320
PAD = (1, 28, 28)  # images of this shape may be drawn by hand


@st.fragment
def look_panel(lesson: Lesson, history: History) -> None:
    """Draw the panel; a stroke of the pen redraws it alone."""
    address.follow()
    st.header(_("Ask it yourself"), anchor="ask")
    try:
        asked = _choose(lesson, history)
        hand, eye, mouth = st.columns([1.1, 1, 1.2], gap="large")
        if jobs.status().state == "starting":  # the shell draws the page again when they are there
            eye.caption(_("The networks are being woken up; this takes a few seconds."))
            return
        samples = _samples(asked.dataset)["images"]
        with hand:
            source = _source(samples)
            picture = _picture(lesson, source, samples)
        answer, example = _ask(hand, source, picture, samples, asked)
        if source == DRAW and not example and _counts(history, asked):
            _note(lesson, answer)
        with eye:
            _tensor(answer, example=example)
        with mouth:
            _say(answer)
        st.subheader(_("Look inside: layer by layer"), anchor="layers")
        _inside(lesson, answer["seen"], asked)
        _taken_apart(lesson, answer["seen"], asked)
    except Problem as problem:
        unanswered(problem, "look")


def _choose(lesson: Lesson, history: History) -> Asked:
    """The network that answers."""
    there = history.has_checkpoint
    networks = [OWN, SHIPPED] if there else [SHIPPED]
    chosen, choose = extra_choice("asked", networks, slug=lesson.slug)
    st.segmented_control(
        _("Who answers"), networks[::-1], format_func=lambda name: _(NETWORKS[name]), required=True,
        label_visibility="collapsed", **imposed(f"look.network.{there}", chosen, choose),
    )  # fmt: skip
    if chosen != OWN:
        return Asked()
    path = str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner()))
    return Asked(path, history.step, name_of(history.config), history.config["train_size"])


def _source(samples: np.ndarray) -> str:
    """Where the image comes from: a pad to draw on only where the network knows such images."""
    drawable = samples.shape[1:] == PAD
    sources = [source for source in SOURCES if source != DRAW or drawable]
    return st.segmented_control(
        _("Source"), sources, format_func=lambda name: _(SOURCES[name]), default=DRAW if drawable else SAMPLE,
        key=f"look.source.{drawable}", required=True, label_visibility="collapsed",
    )  # fmt: skip


def _picture(lesson: Lesson, source: str, samples: np.ndarray) -> np.ndarray | None:
    """What was drawn, ``(28, 28)``, or chosen, ``(C, H, W)``, or a file's bytes, ``(n,)``; None if nothing was."""
    if source == DRAW:
        return draw_pad(key="look.pad")
    if source == PHOTO:
        words = _("Photograph of one digit, dark on light or light on dark")
        if samples.shape[1:] != PAD:
            words = _("Photograph; its middle square is taken")
        file = st.file_uploader(words, type=FILE_TYPES, max_upload_size=MOST_BYTES // 10**6, key="look.photo")
        return None if file is None else np.frombuffer(file.getvalue(), np.uint8)
    state, place = page_state(lesson.slug), images.mosaic(samples, 4)

    def choose(click: dict[str, Any]) -> None:
        index = place.index(click["x"], click["y"])
        state["image"] = state.get("image", 0) if index is None else index

    chosen = min(state.get("image", 0), len(samples) - 1)
    _number(state, chosen, len(samples))
    live_plot(
        images.pictures(samples, 4, chosen=chosen), key="samples", height=HEIGHT - 20, on_click=choose,
        alt=_("Test images to choose from: click one."),
    )  # fmt: skip
    return samples[chosen]


def _number(state: dict[str, Any], chosen: int, count: int) -> None:
    """The chosen image by its number: the keyboard's way to what a click on the picture does."""
    bound = imposed(f"look.number.{count}", chosen + 1, lambda number: state.update(image=int(number) - 1))
    st.number_input(_("Test image 1–{n}").format(n=count), 1, count, **bound)


def _ask(
    hand: Any, source: str, picture: np.ndarray | None, samples: np.ndarray, asked: Asked
) -> tuple[dict[str, Any], bool]:
    """The answer to the picture; to an example (True), where there is no picture or nothing to be read in it."""
    network = asked.checkpoint, asked.version
    if picture is not None:
        try:
            return _answer(picture, *network, prepared=source == SAMPLE), False
        except Problem as problem:
            hand.warning(tell(problem))
    return _answer(samples[0], *network, prepared=True), True


def _counts(history: History, asked: Asked) -> bool:
    """Whether doubt means anything: not that of a network which has hardly begun, or knows no digits."""
    return asked.checkpoint is None or (history.state == "finished" and asked.dataset in ("digits", "mnist"))


def _note(lesson: Lesson, answer: dict[str, Any]) -> None:
    """Remember how sure the answer was, for the challenge; the whole page looks again when it is achieved."""
    state = page_state(lesson.slug)
    state["surest"] = float(answer["probabilities"].max())
    if state["surest"] < UNSURE and "unsure" not in state.get("solved", []):
        st.rerun()


def _tensor(answer: dict[str, Any], *, example: bool) -> None:
    size = " × ".join(map(str, answer["seen"].shape[answer["seen"].shape[0] == 1 :]))
    words = _("An example, until there is yours: {size} numbers") if example else _("What it sees: {size} numbers")
    st.caption(words.format(size=size))
    live_plot(
        images.tensor(answer["tensor"]), key="tensor", height=HEIGHT,
        alt=_("The image as numbers, cropped, scaled and centred as the network knows it."),
    )  # fmt: skip


def _say(answer: dict[str, Any]) -> None:
    """The probabilities as bars, and in words how sure it is."""
    classes, shares = [_(str(name)) for name in answer["classes"]], answer["probabilities"]
    best = int(shares.argmax())
    words = _("It says: **{name}**, and is {share} sure")
    st.caption(words.format(name=plain(classes[best]), share=f"{min(shares[best], 0.9999):.2%}"))
    live_plot(
        evaluation.answer(shares, classes), key="answer", height=HEIGHT,
        alt=_("The probability that the network gives to each class."),
        table={_("class"): classes, _("probability"): shares.round(4)},
    )  # fmt: skip


def _inside(lesson: Lesson, seen: np.ndarray, asked: Asked) -> None:
    """The anatomy; what an opened unit showed is noted for the challenges, and the whole page looks again at these."""
    opened, state = anatomy_view(lesson.slug, seen, asked), page_state(lesson.slug)
    if opened is None:
        return
    state["one_class"] = state.get("one_class", False) or of_one_class(opened)
    state["widths"] = sorted({*state.get("widths", []), across(opened) or 0} - {0})
    solved = state.get("solved", [])
    if (state["one_class"] and "one-class" not in solved) or (growth(state["widths"]) == 1 and "growth" not in solved):
        st.rerun()


def _taken_apart(lesson: Lesson, seen: np.ndarray, asked: Asked) -> None:
    """Why it answered so, and how easily it is fooled."""
    name = f"run:{asked.checkpoint}" if asked.checkpoint else "digits"
    subject = Subject(name, seen, asked.version, asked.dataset, asked.train_size)
    inside_panel(lesson, subject)
    robust_panel(lesson, subject)


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(picture: np.ndarray, checkpoint: str | None, version: int, *, prepared: bool) -> dict[str, Any]:
    return jobs.call(cnn_look.read_picture, picture, checkpoint, prepared=prepared)


@st.cache_data(max_entries=8, show_spinner=False)
def _samples(dataset: str) -> dict[str, np.ndarray]:
    return jobs.call(cnn_look.sample_images, dataset)
