"""Ask a network: draw or upload a digit, see what it saw and said, and look at what each layer makes of an image."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import cnn_look
from dlcore.figures import evaluation, images
from dlcore.history import History
from dlcore.texts import N_, Problem
from ui.draw_pad import draw_pad
from ui.i18n import _, tell
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import owner, page_state

SHIPPED, OWN = "shipped", "own"
NETWORKS = {SHIPPED: N_("Shipped network"), OWN: N_("My network")}
DRAW, PHOTO = "draw", "photo"
SOURCES = {DRAW: N_("Draw"), PHOTO: N_("Photo")}
UNSURE = 0.5  # no class has more than this: the network does not know
FILE_TYPES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "heic"]  # the last to be told why not


@st.fragment
def look_panel(lesson: Lesson, history: History) -> None:
    """Draw the panel; a stroke of the pen redraws it alone."""
    st.header(_("Ask it yourself"), anchor="ask")
    place = _choose(lesson, history)
    if place is None:
        return
    checkpoint, version = place
    answer = _ask(checkpoint, version)
    _note(lesson, answer)
    _maps(lesson, history, checkpoint, version, None if answer is None else answer["seen"])


def _choose(lesson: Lesson, history: History) -> tuple[str | None, int] | None:
    """The network that answers: its checkpoint's path (None for the shipped one), and a number that changes with it."""
    there = history.has_checkpoint
    chosen = st.segmented_control(
        _("Who answers"), [SHIPPED, OWN] if there else [SHIPPED], format_func=lambda name: _(NETWORKS[name]),
        default=OWN if there else SHIPPED, key=f"look.network.{there}", required=True, label_visibility="collapsed",
        help=_("The shipped network was trained by this project on MNIST. Yours is the one of the last run."),
    )  # fmt: skip
    if chosen != OWN:
        return None, 0
    try:
        return str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner())), history.step
    except Problem as problem:
        st.warning(tell(problem))
        return None


def _ask(checkpoint: str | None, version: int) -> dict[str, Any] | None:
    """Drawing or photo on the left, the tensor in the middle, the answer on the right."""
    hand, eye, mouth = st.columns([1.15, 1, 1.25], gap="large")
    with hand:
        picture = _picture()
    answer = None
    if picture is not None:
        try:
            answer = _answer(picture, checkpoint, version)
        except Problem as problem:
            hand.warning(tell(problem))
    with eye:
        st.caption(_("What it sees: 28 × 28 numbers"))
        seen = np.zeros((28, 28), np.float32) if answer is None else answer["tensor"]
        live_plot(
            images.tensor(seen), key="tensor", height=300,
            alt=_("The image as numbers, cropped, scaled and centred as the network knows it."),
        )  # fmt: skip
    with mouth:
        _say(answer)
    return answer


def _note(lesson: Lesson, answer: dict[str, Any] | None) -> None:
    """Remember how sure the answer was, for the challenge; the whole page looks again when it is achieved."""
    state = page_state(lesson.slug)
    surest = 1.0 if answer is None else float(answer["probabilities"].max())
    state["surest"] = surest
    if surest < UNSURE and "unsure" not in state.get("solved", []):
        st.rerun()


def _picture() -> np.ndarray | None:
    """What was drawn, ``(28, 28)``, or the bytes of the photograph, ``(n,)``; None where there is neither."""
    source = st.segmented_control(
        _("Source"), list(SOURCES), format_func=lambda name: _(SOURCES[name]), default=DRAW, key="look.source",
        required=True, label_visibility="collapsed",
    )  # fmt: skip
    if source == DRAW:
        return draw_pad(key="look.pad")
    file = st.file_uploader(
        _("Photograph of one digit, dark on light paper or light on dark"), type=FILE_TYPES, key="look.photo"
    )
    return None if file is None else np.frombuffer(file.getvalue(), np.uint8)


def _say(answer: dict[str, Any] | None) -> None:
    """The probabilities as bars, and in words how sure it is."""
    classes = [str(k) for k in range(10)] if answer is None else [str(name) for name in answer["classes"]]
    shares = np.zeros(len(classes), np.float32) if answer is None else answer["probabilities"]
    best = int(shares.argmax())
    words = _("It says: …") if answer is None else _("It says: **{name}**, {share} sure").format(
        name=_(classes[best]), share=f"{shares[best]:.1%}"
    )  # fmt: skip
    st.caption(words)
    live_plot(
        evaluation.answer(shares, classes, label=_), key="answer", height=300,
        alt=_("The probability that the network gives to each class."),
        table={_("class"): [_(name) for name in classes], _("probability"): shares.round(4)},
    )  # fmt: skip


def _maps(lesson: Lesson, history: History, checkpoint: str | None, version: int, drawn: np.ndarray | None) -> None:
    """Every layer's output for an image of choice: one of the test set, or what was just drawn."""
    st.subheader(_("What the layers make of it"), anchor="layers")
    try:
        samples = _samples(history.config.get("dataset", "digits"))
        image = _choose_image(lesson, samples["images"], drawn)
        layers = {n: a for n, a in _layers(image, checkpoint, version).items() if a.ndim == 3 and n != "standardize"}
    except Problem as problem:
        st.warning(tell(problem))
        return
    if not layers:
        st.markdown(_("This network has no convolutions: its first layer already mixes all pixels into one list."))
        return
    names = list(layers)
    name = st.segmented_control(_("Layer"), names, default=names[0], key=f"look.layer.{len(names)}", required=True)
    maps = layers[name or names[0]]
    words = _("{layer}: {n} maps of {h} × {w}. Bright: the filter found what it looks for.")
    st.caption(words.format(layer=name, n=len(maps), h=maps.shape[1], w=maps.shape[2]))
    live_plot(
        images.feature_maps(maps, columns=16), key="maps", height=max(150, 76 * -(-len(maps) // 16)),
        alt=_("The outputs of one layer for the chosen image, one small picture per channel."),
    )  # fmt: skip


def _choose_image(lesson: Lesson, samples: np.ndarray, drawn: np.ndarray | None) -> np.ndarray:
    """A strip of images to click; a new drawing comes first and is chosen at once. Returns ``(28, 28)`` uint8."""
    state = page_state(lesson.slug)
    sketch = b"" if drawn is None else drawn.tobytes()
    if state.get("sketch", b"") != sketch:
        state["sketch"], state["image"] = sketch, 0
    strip = samples if drawn is None else np.concatenate([drawn[None], samples])
    place = images.mosaic(strip, len(strip))

    def choose(click: dict[str, Any]) -> None:
        index = place.index(click["x"], click["y"])
        state["image"] = state.get("image", 0) if index is None else index

    chosen = min(state.get("image", 0), len(strip) - 1)
    live_plot(
        images.digits(strip, len(strip), chosen=chosen), key="strip", height=64, on_click=choose,
        alt=_("Images to choose from: click one."),
    )  # fmt: skip
    return strip[chosen]


@st.cache_data(max_entries=256, show_spinner=False)
def _answer(picture: np.ndarray, checkpoint: str | None, version: int) -> dict[str, Any]:
    return jobs.call(cnn_look.read_digit, picture, checkpoint)


@st.cache_data(max_entries=64, show_spinner=False)
def _layers(image: np.ndarray, checkpoint: str | None, version: int) -> dict[str, np.ndarray]:
    return jobs.call(cnn_look.feature_maps, image, checkpoint)


@st.cache_data(max_entries=8, show_spinner=False)
def _samples(dataset: str) -> dict[str, np.ndarray]:
    return jobs.call(cnn_look.sample_images, dataset)
