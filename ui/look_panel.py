"""Ask a network: draw, upload or choose an image, see what it saw and said, and what each of its layers makes of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data.images import name_of
from dlcore.data.uploads import MOST_BYTES
from dlcore.experiments import cnn_look
from dlcore.figures import evaluation, images
from dlcore.history import History
from dlcore.texts import N_, Problem
from ui.draw_pad import draw_pad
from ui.i18n import _, tell
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import imposed, owner, page_state

SHIPPED, OWN = "shipped", "own"
NETWORKS = {SHIPPED: N_("Shipped network"), OWN: N_("My network")}
DRAW, PHOTO, SAMPLE = "draw", "photo", "sample"
SOURCES = {DRAW: N_("Draw"), PHOTO: N_("Photo"), SAMPLE: N_("Test image")}
UNSURE = 0.5  # no class has more than this: the network does not know
FILE_TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "heic"]  # the last to be told why not
HEIGHT = 320


@st.fragment
def look_panel(lesson: Lesson, history: History) -> None:
    """Draw the panel; a stroke of the pen redraws it alone."""
    st.header(_("Ask it yourself"), anchor="ask")
    try:
        checkpoint, version = _choose(lesson, history)
        dataset = name_of(history.config) if checkpoint else "digits"
        hand, eye, mouth = st.columns([1.1, 1, 1.2], gap="large")
        with hand:
            source = _source()
            picture = _picture(lesson, source, dataset)
        if jobs.status().state == "starting":  # the shell draws the page again when they are there
            eye.caption(_("The networks are being woken up; this takes a few seconds."))
            return
        answer, example = _ask(hand, source, picture, dataset, (checkpoint, version))
        if source == DRAW and not example and _counts(history, checkpoint):
            _note(lesson, answer)
        with eye:
            _tensor(answer, example=example)
        with mouth:
            _say(answer)
        _maps(answer["seen"], checkpoint, version)
    except Problem as problem:
        st.warning(tell(problem))
        st.button(_("Try again"), icon=":material/refresh:", key="look.again")  # a click draws the fragment anew


def _choose(lesson: Lesson, history: History) -> tuple[str | None, int]:
    """The network that answers: its checkpoint's path (None for the shipped one), and a number that changes with it."""
    there = history.has_checkpoint
    chosen = st.segmented_control(
        _("Who answers"), [SHIPPED, OWN] if there else [SHIPPED], format_func=lambda name: _(NETWORKS[name]),
        default=OWN if there else SHIPPED, key=f"look.network.{there}", required=True, label_visibility="collapsed",
    )  # fmt: skip
    if chosen == OWN:
        return str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner())), history.step
    return None, 0


def _source() -> str:
    return st.segmented_control(
        _("Source"), list(SOURCES), format_func=lambda name: _(SOURCES[name]), default=DRAW, key="look.source",
        required=True, label_visibility="collapsed",
    )  # fmt: skip


def _picture(lesson: Lesson, source: str, dataset: str) -> np.ndarray | None:
    """What was drawn or chosen, ``(28, 28)``, or a photograph's bytes, ``(n,)``; None where there is nothing yet."""
    if source == DRAW:
        return draw_pad(key="look.pad")
    if source == PHOTO:
        words = _("Photograph of one digit, dark on light or light on dark")
        file = st.file_uploader(words, type=FILE_TYPES, max_upload_size=MOST_BYTES // 10**6, key="look.photo")
        return None if file is None else np.frombuffer(file.getvalue(), np.uint8)
    samples = _samples(dataset)["images"]
    state, place = page_state(lesson.slug), images.mosaic(samples, 4)

    def choose(click: dict[str, Any]) -> None:
        index = place.index(click["x"], click["y"])
        state["image"] = state.get("image", 0) if index is None else index

    chosen = min(state.get("image", 0), len(samples) - 1)
    _number(state, chosen, len(samples))
    live_plot(
        images.digits(samples, 4, chosen=chosen), key="samples", height=HEIGHT - 20, on_click=choose,
        alt=_("Test images to choose from: click one."),
    )  # fmt: skip
    return samples[chosen]


def _number(state: dict[str, Any], chosen: int, count: int) -> None:
    """The chosen image by its number: the keyboard's way to what a click on the picture does."""
    bound = imposed(f"look.number.{count}", chosen + 1, lambda number: state.update(image=int(number) - 1))
    st.number_input(_("Test image 1–{n}").format(n=count), 1, count, **bound)


def _ask(
    hand: Any, source: str, picture: np.ndarray | None, dataset: str, network: tuple
) -> tuple[dict[str, Any], bool]:
    """The answer to the picture; to an example (True), where there is no picture or nothing to be read in it."""
    if picture is not None:
        try:
            return _answer(picture, *network, prepared=source == SAMPLE), False
        except Problem as problem:
            hand.warning(tell(problem))
    return _answer(_samples(dataset)["images"][0], *network, prepared=True), True


def _counts(history: History, checkpoint: str | None) -> bool:
    """Whether doubt means anything: not that of a network which has hardly begun, or knows clothes only."""
    return checkpoint is None or (history.state == "finished" and history.config["dataset"] in ("digits", "mnist"))


def _note(lesson: Lesson, answer: dict[str, Any]) -> None:
    """Remember how sure the answer was, for the challenge; the whole page looks again when it is achieved."""
    state = page_state(lesson.slug)
    state["surest"] = float(answer["probabilities"].max())
    if state["surest"] < UNSURE and "unsure" not in state.get("solved", []):
        st.rerun()


def _tensor(answer: dict[str, Any], *, example: bool) -> None:
    words = _("An example, until there is yours: 28 × 28 numbers") if example else _("What it sees: 28 × 28 numbers")
    st.caption(words)
    live_plot(
        images.tensor(answer["tensor"]), key="tensor", height=HEIGHT,
        alt=_("The image as numbers, cropped, scaled and centred as the network knows it."),
    )  # fmt: skip


def _say(answer: dict[str, Any]) -> None:
    """The probabilities as bars, and in words how sure it is."""
    classes, shares = [_(str(name)) for name in answer["classes"]], answer["probabilities"]
    best = int(shares.argmax())
    words = _("It says: **{name}**, and is {share} sure")
    st.caption(words.format(name=classes[best], share=f"{min(shares[best], 0.9999):.2%}"))
    live_plot(
        evaluation.answer(shares, classes), key="answer", height=HEIGHT,
        alt=_("The probability that the network gives to each class."),
        table={_("class"): classes, _("probability"): shares.round(4)},
    )  # fmt: skip


def _maps(seen: np.ndarray, checkpoint: str | None, version: int) -> None:
    """What each convolutional layer makes of the image, channel by channel."""
    st.subheader(_("What the layers make of it"), anchor="layers")
    layers = {n: a for n, a in _layers(seen, checkpoint, version).items() if a.ndim == 3 and n != "standardize"}
    if not layers:
        st.markdown(_("This network has no convolutions: its first layer already mixes all pixels into one list."))
        return
    names = list(layers)
    name = st.segmented_control(
        _("Layer"), names, default=names[0], key=f"look.layer.{len(names)}", required=True, label_visibility="collapsed"
    )
    maps = layers[name]
    if maps.min() < 0:  # the same question by which the figure chooses its colours
        words = _("{layer}: {n} maps of {h} × {w}. Vermilion: the filter found what it looks for; blue: the opposite.")
    else:
        words = _("{layer}: {n} maps of {h} × {w}. Bright yellow: found; dark: nothing there.")
    st.caption(words.format(layer=name, n=len(maps), h=maps.shape[1], w=maps.shape[2]))
    live_plot(
        images.feature_maps(maps, columns=8), key="maps", height=images.FOOT + 64 * -(-len(maps) // 8),
        alt=_("The outputs of one layer for the image, one small picture per channel."),
    )  # fmt: skip


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(picture: np.ndarray, checkpoint: str | None, version: int, *, prepared: bool) -> dict[str, Any]:
    return jobs.call(cnn_look.read_digit, picture, checkpoint, prepared=prepared)


@st.cache_data(max_entries=64, show_spinner=False)
def _layers(image: np.ndarray, checkpoint: str | None, version: int) -> dict[str, np.ndarray]:
    return jobs.call(cnn_look.feature_maps, image, checkpoint)


@st.cache_data(max_entries=8, show_spinner=False)
def _samples(dataset: str) -> dict[str, np.ndarray]:
    return jobs.call(cnn_look.sample_images, dataset)
