"""Why convolution: the same pictures shuffled or moved, and two networks trained on both."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlcore.data.shapes import draw
from dlcore.data.shuffle import shuffled
from dlcore.figures import DATA, MODEL, images
from dlcore.figures.bars import shares
from dlcore.texts import N_
from dlcore.why_story import CLASSES, NAMES, QUESTIONS, contenders, told, weights
from ui.compare_runs import Contender, Shown, compare_runs
from ui.i18n import _, sentences
from ui.intro import prose
from ui.lessons import Lesson
from ui.live_plot import live_plot

COLORS = {"conv": MODEL, "dense": DATA}
TITLES = {"pixels": N_("Shuffle the pixels"), "places": N_("Move the shapes")}
HEIGHT = 250
SEED = 5  # of the pictures that are shown


def why_convolution(lesson: Lesson) -> None:
    """Draw the section: the question, the pictures, the trainings, and what they say."""
    prose(lesson.slug, "why-convolution", {name: f"{count:,}" for name, count in weights().items()})
    with st.container(key="prose-why-lab", gap="small"):
        question = st.segmented_control(
            _("What is changed"), list(QUESTIONS), default="pixels", required=True, key="why.question",
            format_func=lambda name: _(TITLES[name]),
        )  # fmt: skip
        _pictures(question)
        runs = [Contender(name, _(NAMES[name]), COLORS[name.partition("/")[0]], config)
                for name, config in contenders(question).items()]  # fmt: skip
        shown = compare_runs(
            lesson.slug, "cnn", runs, start=_("Train all four"), alt="", name=f"why-{question}",
            draw=lambda shown: _bars(runs, shown),
        )  # fmt: skip
        said = told(question, {c.name: history for c, history in shown.items()})
        st.markdown(sentences(*(_(sentence).format(**numbers) for sentence, numbers in said)) or _(
            "Guess first: which of the four bars will be short? The four trainings take some seconds each."
        ))  # fmt: skip
    prose(lesson.slug, "what-is-assumed")


def _pictures(question: str) -> None:
    """Each picture above, and what becomes of it below."""
    above, _kinds = draw(CLASSES, place="anywhere" if question == "pixels" else "centred", seed=SEED)
    if question == "pixels":
        below = shuffled(above)
        words = _(
            "Above: the pictures. Below: the same, every pixel at another place, in all pictures in the same way."
        )
    else:
        below, _kinds = draw(CLASSES, place="anywhere", seed=SEED)
        words = _("Above: what they learn from, every shape in the middle. Below: what they are asked.")
    st.caption(words)
    both = np.concatenate([above, below])  # (16, 1, 28, 28)
    live_plot(images.pictures(both, CLASSES), key="why.pictures", height=190, alt=words)


def _bars(runs: list[Contender], shown: Shown) -> None:
    """Right answers on the test images so far."""
    values = np.array([shown[c].epochs.last("test_accuracy", np.nan) if c in shown else np.nan for c in runs])
    live_plot(
        shares(
            [c.title for c in runs], values, [c.color for c in runs], faint=[n % 2 == 1 for n in range(len(runs))],
            level=1 / CLASSES, level_name=_("guessing"), x_title=_("right on test images"),
        ),
        key="why.bars", height=HEIGHT, alt=_("Share of test images that each network answers right."),
        table={_("Run"): [c.title for c in runs], _("Right on test images"): values.round(4)},
    )  # fmt: skip
