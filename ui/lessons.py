"""The one place where a lesson is registered: a line in ``LESSONS``.

A lesson with ``ready=True`` has an experiment (``dlcore/experiments/<slug>.py``), a page (``pages/<slug>.py``) and
prose (``assets/lessons/<slug>.<lang>.md``); ``tests/test_lessons.py`` names what is missing. The others are on the map
of the home page as lessons to come, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dlcore.experiments import experiment
from dlcore.texts import N_


@dataclass(frozen=True)
class Lesson:
    """One lesson. ``title``, ``question`` and ``section`` are English marked with ``N_``; the slug is its URL path."""

    slug: str
    title: str
    question: str
    section: str
    icon: str  # a Material symbol, served by Streamlit itself
    minutes: int
    prerequisites: tuple[str, ...] = ()  # slugs
    ready: bool = False

    @property
    def config(self) -> Any:
        """The experiment's ``Config`` class."""
        return experiment(self.slug).Config

    @property
    def page(self) -> str:
        """The page's file, as ``st.Page`` and ``st.page_link`` want it: relative to the shell's folder."""
        return f"../pages/{self.slug}.py"


BASICS, NETWORKS, IMAGES = N_("Foundations"), N_("Networks"), N_("Seeing")
SEQUENCES, PRACTICE = N_("Sequences"), N_("In practice")

LESSONS = (
    Lesson("linear_regression", N_("Linear regression"), N_("How big may a step be?"), BASICS,
           ":material/show_chart:", 25, ready=True),
    Lesson("optimizers", N_("Optimizers"), N_("Why does a rolling ball arrive first?"), BASICS,
           ":material/south_east:", 30, ("linear_regression",), ready=True),
    Lesson("backpropagation", N_("Backpropagation"), N_("Which weight is to blame?"), BASICS,
           ":material/undo:", 30, ("linear_regression",), ready=True),
    Lesson("neural_network", N_("Neural network"), N_("What can seven neurons learn?"), NETWORKS,
           ":material/hub:", 30, ("backpropagation", "optimizers"), ready=True),
    Lesson("convolution", N_("Convolution"), N_("What does one filter see?"), IMAGES,
           ":material/filter_center_focus:", 30, ("linear_regression",), ready=True),
    Lesson("cnn", N_("Convolutional network"), N_("How does a network read your handwriting?"), IMAGES,
           ":material/grid_on:", 40, ("neural_network", "convolution"), ready=True),
    Lesson("augmentation", N_("Data augmentation"), N_("Is a six turned round still a six?"), IMAGES,
           ":material/crop_rotate:", 40, ("cnn",), ready=True),
    Lesson("speed", N_("Speed"), N_("Why is training slow?"), IMAGES,
           ":material/speed:", 30, ("cnn",), ready=True),
    Lesson("resnet", N_("Residual network"), N_("Why can a deeper network do worse?"), IMAGES,
           ":material/stacks:", 40, ("cnn",), ready=True),
    Lesson("landscape", N_("Loss landscape"), N_("What does a network see from where it stands?"), IMAGES,
           ":material/landscape:", 40, ("resnet", "optimizers"), ready=True),
    Lesson("transfer", N_("Transfer learning"), N_("What can two pictures teach?"), IMAGES,
           ":material/swap_horiz:", 40, ("cnn",), ready=True),
    Lesson("teach", N_("Your own classes"), N_("Can it learn your things from ten pictures?"), IMAGES,
           ":material/model_training:", 40, ("cnn",), ready=True),
    Lesson("classify", N_("Classify your own picture"), N_("Is a sure answer a right one?"), IMAGES,
           ":material/photo_camera:", 40, ("cnn",), ready=True),
    Lesson("sequences", N_("RNN and LSTM"), N_("How long does a network remember?"), SEQUENCES,
           ":material/timeline:", 45, ("neural_network",), ready=True),
    Lesson("text", N_("Text, letter by letter"), N_("Can a network learn to write?"), SEQUENCES,
           ":material/edit_note:", 35, ("sequences",), ready=True),
    Lesson("reading", N_("Names and opinions"), N_("Which word turned the sentence?"), SEQUENCES,
           ":material/sentiment_satisfied:", 35, ("sequences",), ready=True),
    Lesson("series", N_("Time series"), N_("Does it beat “as yesterday”?"), SEQUENCES,
           ":material/monitoring:", 35, ("sequences",), ready=True),
    Lesson("attention", N_("Encoder, decoder, attention"), N_("Where does it look while it writes?"), SEQUENCES,
           ":material/visibility:", 35, ("sequences",), ready=True),
    Lesson("evaluation", N_("Evaluation"), N_("When is 99% accuracy worthless?"), PRACTICE,
           ":material/rule:", 45, ("neural_network",), ready=True),
    Lesson("search", N_("Hyperparameter search"), N_("Who chooses the learning rate?"), PRACTICE,
           ":material/search:", 25, ("neural_network",)),
    Lesson("deployment", N_("Deployment"), N_("How small may a network become?"), PRACTICE,
           ":material/rocket_launch:", 30, ("cnn",)),
)  # fmt: skip

READY = tuple(lesson for lesson in LESSONS if lesson.ready)


def lesson_for(slug: str) -> Lesson:
    """The lesson of that slug. Raises ``KeyError`` where there is none."""
    found = next((lesson for lesson in LESSONS if lesson.slug == slug), None)
    if found is None:
        raise KeyError(f"no lesson {slug!r} in LESSONS")
    return found


def neighbours(lesson: Lesson) -> tuple[Lesson | None, Lesson | None]:
    """The ready lessons before and after this one."""
    place = READY.index(lesson)
    before = READY[place - 1] if place > 0 else None
    return before, READY[place + 1] if place + 1 < len(READY) else None
