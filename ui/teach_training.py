"""The living picture of a last layer that learns: first how many pictures are looked at, then two curves."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dlcore.history import History
from dlcore.knobs import Knob, knobs_of
from dlcore.vision.networks import available
from ui.i18n import _, ngettext, sentences
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.training_view import accuracy_figure, loss_figure

HEIGHT = 180
FEW = 20  # held-out pictures below which one more or less moves the figure by 5 points


def eyes_here(lesson: Lesson) -> dict[str, Knob]:
    """The choice of the network with those alone that this machine has: the others' weights would be missing."""
    knob = knobs_of(lesson.config)["backbone"]
    there = ("auto", *available())
    return {"backbone": replace(knob, choices=tuple(name for name in knob.choices if name in there))}


def say_what_is_missing() -> None:
    """Where ImageNet's weights are not here: what the network that comes along reaches, and how to get better eyes."""
    if "mobilenet_v2" not in available():
        st.caption(_(
            "ImageNet’s networks are not on this machine, so our own small one looks at your pictures, at 32 × 32 "
            "pixels. Of new photographs of ants and bees it gets about 68% right, MobileNetV2 94%. To get that: "
            "`python -m dlcore download mobilenet_v2`."
        ))  # fmt: skip


def teach_view(history: History) -> None:
    """Draw it; quick enough for every tick."""
    with st.container(key="teach-story"):
        st.markdown(_story(history))
    live_plot(
        accuracy_figure(history, line_height=0.16), key="accuracy", height=HEIGHT,
        alt=_("Share of right answers against steps, for the pictures it learns from and for those held out."),
    )  # fmt: skip
    live_plot(
        loss_figure(history), key="loss", height=HEIGHT,
        alt=_("Loss against steps, for the pictures it learns from and for those held out."),
    )  # fmt: skip


def _story(history: History) -> str:
    """What goes on, or what has come of it, made of the run's own numbers."""
    looked = history.snapshots.get("looking")
    if history.state == "finished":
        return sentences(_result(history), _few(history))
    if history.state == "running" and not len(history.steps) and looked is not None:
        words = _("First it looks at every picture once: {done} of {total}.")
        return words.format(done=int(looked.arrays["done"]), total=int(looked.arrays["total"]))
    if history.state == "running":
        return _("Now the last layer learns; it goes over what was seen again and again.")
    return _("It looks at each picture once, with trained eyes; then a new last layer learns your classes in seconds.")


def _result(history: History) -> str:
    seconds = f"{history.metrics['look_seconds']:.2g}", f"{history.metrics['seconds']:.2g}"
    if not history.info["test_size"]:
        words = _("Looked for {look} s, learned for {learn} s. Nothing was held out, so nobody knows how good it is.")
        return words.format(look=seconds[0], learn=seconds[1])
    words = ngettext(
        "Looked for {look} s, learned for {learn} s: **{share}** of {n} held-out picture answered rightly.",
        "Looked for {look} s, learned for {learn} s: **{share}** of {n} held-out pictures answered rightly.",
        history.info["test_size"],
    )
    share = f"{history.metrics['test_accuracy']:.1%}"
    return words.format(look=seconds[0], learn=seconds[1], share=share, n=history.info["test_size"])


def _few(history: History) -> str:
    size = history.info["test_size"]
    if not 0 < size < FEW:
        return ""
    words = _("So few tell little: one picture more or less moves that by {points} points.")
    return words.format(points=f"{100 / size:.0f}")
