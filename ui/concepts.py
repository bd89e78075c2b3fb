"""The concepts of the course as they build on each other: what the map on the home page shows.

A concept belongs to the lesson that teaches it; it is a link as soon as that lesson is ready.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcore.texts import N_
from ui.concept_map import Edge, Node
from ui.i18n import _, language
from ui.lessons import lesson_for


@dataclass(frozen=True)
class Concept:
    """One concept; ``x`` and ``y`` from 0 to 1, left to right in the order of learning."""

    id: str
    title: str
    lesson: str  # slug of the lesson that teaches it
    x: float
    y: float
    note: str


CONCEPTS = (
    Concept("linear_regression", N_("Linear regression"), "linear_regression", 0.00, 0.46,
            N_("A line through points: the smallest model that learns.")),
    Concept("gradient_descent", N_("Gradient descent"), "linear_regression", 0.20, 0.24,
            N_("Step by step downhill, and how big a step may be.")),
    Concept("optimizers", N_("Optimizers"), "optimizers", 0.40, 0.00,
            N_("Momentum and schedules: the same hill in fewer steps.")),
    Concept("adam", N_("Adam and RMSProp"), "optimizers", 0.60, 0.00,
            N_("A step size of its own for every weight.")),
    Concept("backpropagation", N_("Backpropagation"), "backpropagation", 0.20, 0.68,
            N_("The chain rule finds out what each weight did.")),
    Concept("neural_network", N_("Neural network"), "neural_network", 0.40, 0.46,
            N_("Simple units in layers draw any boundary.")),
    Concept("convolution", N_("Convolution"), "convolution", 0.40, 0.22,
            N_("A small window that slides over a picture.")),
    Concept("cnn", N_("Convolutional network"), "cnn", 0.60, 0.34,
            N_("One small filter, used everywhere in the picture.")),
    Concept("augmentation", N_("Data augmentation"), "augmentation", 0.80, 0.10,
            N_("More pictures out of the same pictures.")),
    Concept("resnet", N_("Residual network"), "resnet", 0.80, 0.28,
            N_("A shortcut that lets depth work.")),
    Concept("landscape", N_("Loss landscape"), "landscape", 1.00, 0.16,
            N_("How the loss looks around a network.")),
    Concept("transfer", N_("Transfer learning"), "transfer", 0.80, 0.46,
            N_("What was learned there helps here.")),
    Concept("classify", N_("Your own pictures"), "classify", 1.00, 0.34,
            N_("Ask a network, and ask how sure it is.")),
    Concept("rnn", N_("Recurrent network"), "sequences", 0.60, 0.66,
            N_("Reading one step after the other.")),
    Concept("lstm", N_("LSTM and GRU"), "sequences", 0.80, 0.66,
            N_("Gates that decide what to remember.")),
    Concept("text", N_("Writing letters"), "text", 1.00, 0.53,
            N_("One letter after the other, learned from a book.")),
    Concept("reading", N_("Names and opinions"), "reading", 1.00, 0.69,
            N_("One answer to a whole name or sentence.")),
    Concept("series", N_("Time series"), "series", 1.00, 0.85,
            N_("What comes next, and is it better than a guess?")),
    Concept("attention", N_("Attention"), "attention", 0.80, 0.84,
            N_("Looking back at the right place while it writes.")),
    Concept("evaluation", N_("Evaluation"), "evaluation", 0.40, 1.00,
            N_("Which number tells the truth?")),
    Concept("search", N_("Hyperparameter search"), "search", 0.60, 1.00,
            N_("Let the machine turn the knobs.")),
    Concept("deployment", N_("Deployment"), "deployment", 1.00, 1.00,
            N_("Smaller, faster, out of the laboratory.")),
)  # fmt: skip

EDGES = tuple(
    Edge(*pair.split(" → "))
    for pair in (
        "linear_regression → gradient_descent", "linear_regression → backpropagation", "gradient_descent → optimizers",
        "optimizers → adam", "gradient_descent → neural_network", "backpropagation → neural_network",
        "neural_network → cnn", "gradient_descent → convolution", "convolution → cnn", "neural_network → rnn",
        "neural_network → evaluation", "cnn → augmentation",
        "cnn → resnet", "resnet → landscape", "cnn → transfer",
        "resnet → classify", "transfer → classify", "rnn → lstm",
        "lstm → text", "lstm → reading", "lstm → series", "lstm → attention",
        "evaluation → search", "search → deployment",
    )
)  # fmt: skip


def nodes() -> list[Node]:
    """The concepts for ``concept_map``, in the session's language."""
    return [_node(concept) for concept in CONCEPTS]


def _node(concept: Concept) -> Node:
    ready = lesson_for(concept.lesson).ready
    return Node(
        id=concept.id,
        title=_(concept.title),
        x=concept.x,
        y=concept.y,
        href=f"{concept.lesson}?lang={language()}" if ready else None,
        state="ready" if ready else "coming",
        note=_(concept.note) if ready else "",
    )


def lesson_of(concept_id: str) -> str:
    """The page of the lesson that teaches a concept, as ``st.switch_page`` wants it."""
    return lesson_for(next(c.lesson for c in CONCEPTS if c.id == concept_id)).page
