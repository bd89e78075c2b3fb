"""Whether a map is more than decoration: deletion and random weights; and which images the network takes for alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore.figures import DATA, GREY, images
from dlcore.figures import attribution as figures
from dlcore.texts import Problem
from dlcore.vision.kinds import DRAWS
from dlcore.vision.methods import METHODS
from ui.asked import Asked, signed, wanted
from ui.challenge import achieved
from ui.i18n import _, tell
from ui.in_pieces import Question, in_pieces
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import page_state

LOW = 280  # px
GAIN = 0.05  # of the area, by which a map must beat chance for the challenge
TOO_LONG = 15.0  # seconds for one map of a shuffled network
STAGES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the layers, randomised


def deleted(lesson: Lesson, asked: Asked, method: str, target: int, baseline: str, heat: np.ndarray) -> None:
    """The answer while the picture goes, by the map and at random."""
    st.markdown(
        _("**Take away what it calls important.** If the map is right, the answer falls sooner than when places are "
          "taken away at random.")
    )  # fmt: skip
    if not wanted(asked, "deletion", _("Take it away"), ":material/ink_eraser:"):
        return
    answers = in_pieces(asked, "deletion", [
        Question("sanity:deletion", (heat, target), 11, {"baseline": baseline, "which": (k,)}) for k in range(1 + DRAWS)
    ])  # fmt: skip
    if answers is None:
        return
    shares, curves = answers[0]["shares"], np.concatenate([answer["curves"] for answer in answers])
    by_map, at_random = curves[0], curves[1:]
    chance = at_random.mean(0)
    live_plot(
        figures.deletion(shares, by_map, at_random, label=_), key="inside.deletion",
        height=LOW, alt=_("The probability of the answer while the picture is deleted, by the map and at random."),
        table={_("share gone"): shares.round(3), _("by the map"): by_map.round(4),
               _("at random"): chance.round(4)},
    )  # fmt: skip
    areas = [float(np.trapezoid(curve, shares)) for curve in (by_map, chance)]
    words = (
        _("Area under the curve: {map} by the map, {chance} at random. It falls sooner: the map points at something.")
        if areas[0] < areas[1]
        else _("Area under the curve: {map} by the map, {chance} at random. This map does no better than chance.")
    )
    st.markdown(words.format(map=f"{areas[0]:.2f}", chance=f"{areas[1]:.2f}"))
    if target == int(asked.said["probabilities"].argmax()):  # maps of another class answer another question
        _note_gain(page_state(lesson.slug), f"{asked.mark}/{baseline}", method, areas[1] - areas[0])


def _note_gain(state: dict[str, Any], of: str, method: str, gain: float) -> None:
    """Remember for the challenges by how much each method's map of the same picture beats chance."""
    if state.get("gains_of") != of:
        state.update(gains_of=of, gains={})
    state["gains"][method] = gain
    achieved(state, "told_apart", max(state["gains"].values()) >= GAIN and min(state["gains"].values()) <= 0)


def randomised(
    lesson: Lesson, asked: Asked, method: str, target: int, baseline: str, heat: np.ndarray
) -> None:  # fmt: skip
    """The map while the weights lose what they learned."""
    st.markdown(
        _("**Destroy what it has learned.** The weights of more and more layers change places, from the answer back. "
          "A map that stays the same has nothing to do with what was learned.")
    )  # fmt: skip
    label = _("Shuffle the weights")
    state, mark = page_state(lesson.slug), [asked.mark if asked.large else asked.subject.name, method]
    if asked.seconds(METHODS[method].passes) > TOO_LONG:
        st.caption(_("With this network and this method it would take minutes. Grad-CAM and saliency are quick."))
        return
    st.button(label, icon=":material/shuffle:", key="inside.shuffle", on_click=lambda: state.update(shuffled=mark))
    if state.get("shuffled") != mark:
        return
    found = in_pieces(asked, "shuffled", shuffles(method, target, baseline, heat))
    if found is None:
        return
    correlations = np.array([stage["correlation"] for stage in found])
    picture, curve = st.columns([1, 1.5])
    with picture:
        live_plot(
            figures.overlay(asked.pixels, found[-1]["map"]), key="inside.shuffled", height=LOW - 60, aspect=1.0,
            alt=_("The same map of a network all of whose weights have changed places."),
        )  # fmt: skip
    with curve:
        live_plot(
            figures.randomising(np.array(STAGES), correlations, label=_), key="inside.sanity", height=LOW - 40,
            alt=_("How alike the map stays while more and more layers are randomised."),
            table={_("share randomised"): np.array(STAGES), _("rank correlation"): correlations.round(3)},
        )  # fmt: skip
    st.markdown(_verdict(float(correlations[-1]), found[-1]["of"]))
    if np.isnan(correlations[:-1]).any() and np.isfinite(correlations[-1]):
        st.caption(_("Where the line has a gap, the map was the same everywhere (mostly empty): there was nothing to "
                     "compare."))  # fmt: skip


def shuffles(method: str, target: int, baseline: str, heat: np.ndarray) -> list[Question]:
    """The questions of "Shuffle the weights", one for each of ``STAGES``.

    Integrated gradients are made anew of the real network, too: the reader's map has the steps that the slider says.
    """
    more, passes = {"baseline": baseline, "heat": heat}, METHODS[method].passes
    if method == "integrated":
        del more["heat"]
        passes *= 2
    return [Question("sanity:randomised", (method, target, share), passes, more) for share in STAGES]


def _verdict(correlation: float, layers: int) -> str:
    if not np.isfinite(correlation):
        return _("With random weights the map says nothing at all: it was made of what had been learned.")
    if correlation < 0.3:
        words = _("All {n} layers random: rank correlation {r}. The map has become another one: it depends on what was "
                  "learned.")  # fmt: skip
    elif correlation < 0.9:
        words = _("All {n} layers random: rank correlation {r}. Part of the map is there whatever the weights are: it "
                  "comes from the picture, not from the network.")  # fmt: skip
    else:
        words = _("All {n} layers random: rank correlation {r}. The map does not care what the network has learned. It "
                  "explains the picture, not the answer.")  # fmt: skip
    return words.format(n=layers, r=signed(correlation))


def neighbours(asked: Asked) -> None:
    """The nearest images of a dataset, by features and by pixels."""
    st.subheader(_("What it takes for alike"), anchor="alike")
    try:
        found = asked.call("neighbours:nearest", asked.subject.dataset, train_size=asked.subject.train_size)
    except Problem as problem:  # the images are not here; what stands below needs none
        st.caption(tell(problem))
        return
    st.caption(
        _("Of {n} images, those whose features are nearest: the numbers that enter the last layer. Below them, for "
          "comparison, the nearest by pixels, less their mean. Cosine 1: the same direction; 0: none in "
          "common; below 0: opposite.").format(n=f"{found['of']:,}")
    )  # fmt: skip
    classes = [_(name) for name in found["classes"]]
    labels = [classes[k] for k in (*found["labels"], *found["pixel_labels"])]
    two_rows(
        np.concatenate([found["images"], found["pixel_images"]]), labels,
        np.concatenate([found["alike"], found["pixel_alike"]]), _("class"),
    )  # fmt: skip


def two_rows(shown: np.ndarray, labels: list[str], alike: np.ndarray, title: str, key: str = "inside.alike") -> None:
    """The nearest pictures ``(2n, C, h, w)`` by features and, below them, by pixels, with their cosines.

    Args:
        title: what ``labels`` are, translated.
        key: of the plot.
    """
    live_plot(
        images.captioned(shown, labels, [_cosine(a) for a in alike], (DATA, GREY), len(shown) // 2),
        key=key, height=LOW, alt=_("The nearest images by features (upper row) and by pixels (lower row)."),
        table={title: labels, _("cosine"): np.round(alike, 4)},
    )  # fmt: skip


def _cosine(value: float) -> str:
    return f"{round(float(value), 2) + 0.0:.2f}".replace("-", "−")
