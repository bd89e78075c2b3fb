"""Why convolution: the trainings that answer the question, and what they say, in the runs' own numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlcore.experiments.cnn import Config
from dlcore.history import History
from dlcore.knobs import build
from dlcore.models.layer_shapes import shapes, total
from dlcore.models.layers import PRESETS, parse
from dlcore.texts import N_

SHAPE, CLASSES = (1, 28, 28), 8
DENSE = "flatten; dense 64; relu; dense"  # about twice as many weights as the convolutional "small"
LAYOUT = {
    "precision": "float32",
    "memory_format": "channels_last",
    "device": "cpu",
    "threads": 1,
}  # small, and repeatable
NETWORKS: dict[str, dict[str, Any]] = {
    "conv": {"network": "small", "epochs": 10, **LAYOUT},
    "dense": {"network": "own", "layers": DENSE, "epochs": 30, **LAYOUT},
}
# Each question: which setting is changed, and its two values, the easy one first.
QUESTIONS: dict[str, tuple[str, tuple[str, str]]] = {
    "pixels": ("pixels", ("in_order", "shuffled")),
    "places": ("dataset", ("shapes_centred", "shapes_moved")),
}
NAMES: dict[str, str] = {
    "conv/in_order": N_("convolutional, in order"),
    "conv/shuffled": N_("convolutional, shuffled"),
    "dense/in_order": N_("dense, in order"),
    "dense/shuffled": N_("dense, shuffled"),
    "conv/shapes_centred": N_("convolutional, asked in the middle"),
    "conv/shapes_moved": N_("convolutional, asked anywhere"),
    "dense/shapes_centred": N_("dense, asked in the middle"),
    "dense/shapes_moved": N_("dense, asked anywhere"),
}
NEAR, FAR = 0.06, 0.25  # what counts as the same share of right answers, and as another


def contenders(question: str) -> dict[str, Config]:
    """The four trainings of a question, by a key of ``NAMES``."""
    knob, values = QUESTIONS[question]
    pairs = [(name, value) for name in NETWORKS for value in values]
    return {f"{n}/{v}": build(Config, {"dataset": "shapes", **NETWORKS[n], knob: v}) for n, v in pairs}


def weights() -> dict[str, int]:
    """How many weights the two networks have."""
    texts = {"conv": PRESETS["small"], "dense": DENSE}
    return {name: total(shapes(parse(text), SHAPE, CLASSES)) for name, text in texts.items()}


def told(question: str, shown: Mapping[str, History]) -> list[tuple[str, dict[str, str]]]:
    """Sentences (English template, its numbers) that the finished runs bear out; none before all four have finished."""
    names = list(contenders(question))
    if any(shown[name].state != "finished" if name in shown else True for name in names):
        return []
    right = [shown[name].metrics["test_accuracy"] for name in names]
    numbers: dict[str, str] = dict(zip(("conv", "conv_hard", "dense", "dense_hard"), map(_percent, right), strict=True))
    counts = weights()
    numbers["times"] = f"{counts['dense'] / counts['conv']:.1f}"
    numbers["learned"] = _percent(shown[names[2]].metrics["train_accuracy"])
    said = (_pixels if question == "pixels" else _places)(*right)
    return [(sentence, numbers) for sentence in said]


def _pixels(conv: float, conv_hard: float, dense: float, dense_hard: float) -> list[str]:
    said = [
        N_(
            "On pictures as they are, the convolutional network gets {conv} of the test images right. The dense one, "
            "with {times} times as many weights, gets {dense}, though in training it gets {learned}: it learned the "
            "pictures by heart, not the shapes."
        )
        if conv > dense + FAR
        else N_("On pictures as they are, the convolutional network gets {conv} right, the dense one {dense}.")
    ]
    if conv_hard < conv - FAR:
        said.append(
            N_(
                "With shuffled pixels the convolutional network falls to {conv_hard}: in its windows, nothing belongs "
                "together."
            )
        )
    else:
        said.append(N_("With shuffled pixels the convolutional network gets {conv_hard}."))
    if abs(dense_hard - dense) < NEAR:
        said.append(N_("For the dense one nothing changes ({dense_hard}): it never knew which pixels are neighbours."))
    else:
        said.append(N_("The dense one gets {dense_hard}."))
    return said


def _places(conv: float, conv_hard: float, dense: float, dense_hard: float) -> list[str]:
    said = [
        N_(
            "Asked where they learned, in the middle, the convolutional network gets {conv} right and the dense one "
            "{dense}."
        )
    ]
    if conv - conv_hard < dense - dense_hard - FAR:
        said.append(
            N_(
                "Asked anywhere, the dense network falls to {dense_hard}, near guessing: at another place, other "
                "weights look, and they have never seen a shape. The convolutional one keeps {conv_hard}: the same "
                "filters look everywhere."
            )
        )
        if conv_hard < conv - NEAR:
            said.append(N_("Not all of it: near the edge its windows see a margin that was never there in training."))
    else:
        said.append(N_("Asked anywhere: {conv_hard} and {dense_hard}."))
    return said


def _percent(share: float) -> str:
    return f"{share:.1%}"
