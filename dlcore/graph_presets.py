"""The graphs to begin with, each with the one thing to see in it; and how a graph travels in a link."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from dlcore.expressions import Expression
from dlcore.texts import N_, Problem

MOST_CALLS = 5
UNREADABLE = N_("The link’s leaf values “{text}” cannot be read. They have the form w_0.5~b_-1.")
STARTS = (0.5, -1.0, 2.0, 1.5, -0.5)  # for leaves that a typed formula gives no value
REACH = 3.0  # a leaf's slider goes at least this far to either side


@dataclass(frozen=True)
class Preset:
    """A formula by name; ``calls`` of backward without zero_grad; ``look`` says what to see. Texts are marked."""

    title: str
    text: str
    look: str
    calls: int = 1


PRESETS = {
    "neuron": Preset(
        N_("A neuron"),
        "x1 = 2; x2 = -1; w1 = 0.5; w2 = 1.5; b = 0.2; y = 1\nz = w1*x1 + w2*x2 + b\na = tanh(z)\nL = (a - y)**2",
        N_(
            "Each weight’s gradient has its own input as a factor: w1 gets x1, w2 gets x2. An input of 0 blames nobody."
        ),
    ),
    "two_layers": Preset(
        N_("A two-layer net"),
        "x = 1.5; y = 1; w1 = 0.8; b1 = -0.3; w2 = -1.2; b2 = 0.5; v1 = 1.1; v2 = 0.7\n"
        "h1 = tanh(w1*x + b1)\nh2 = tanh(w2*x + b2)\nL = (v1*h1 + v2*h2 - y)**2",
        N_("x is used twice, so two gradients arrive at it and are added up."),
    ),
    "softmax": Preset(
        N_("Softmax and cross-entropy"),
        "z1 = 2; z2 = 1; z3 = -1\ne1 = exp(z1)\ns = e1 + exp(z2) + exp(z3)\np1 = e1/s\nL = -log(p1)",
        N_("All these nodes, and in the end the gradient by z is the probability, minus 1 for the right class."),
    ),
    "zero_grad": Preset(
        N_("A forgotten zero_grad"),
        "w = 0.8; x = 1.5; y = 2\nL = (w*x - y)**2",
        N_("Every call of backward() adds to what is there. After k calls at unchanged weights: k times the gradient."),
        3,
    ),
    "saturated": Preset(
        N_("A saturated unit"),
        "x = 3; w = 2; b = 1; y = 0\na = sigmoid(w*x + b)\nL = (a - y)**2",
        N_("The error is nearly 1, and yet hardly any gradient comes through: the sigmoid is flat out there."),
    ),
}


def starting(expression: Expression) -> dict[str, float]:
    """A value for every leaf: the text's own, else one of ``STARTS`` in turn."""
    return {name: expression.defaults.get(name, STARTS[k % len(STARTS)]) for k, name in enumerate(expression.names)}


def bounds(value: float) -> tuple[float, float]:
    """Ends of a leaf's slider: 3, 30, 300, … to either side, so that its start lies well within."""
    reach = REACH
    while 1.4 * abs(value) > reach and reach < 1e30:
        reach *= 10
    return -reach, reach


def read_leaves(text: str, expression: Expression) -> dict[str, float]:
    """Leaf values from a link, ``w_0.5~b_-1``; names that the formula lacks are passed over.

    Raises:
        Problem: it has another form, or a value is not finite.
    """
    found = {}
    for part in filter(None, text.split("~")):
        name, _, number = part.rpartition("_")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name or not math.isfinite(value) or abs(value) > 1e30:
            raise Problem(UNREADABLE, kind="link", text=text[:40])
        if name in expression.names:
            found[name] = value
    return found


def write_leaves(leaves: Mapping[str, float], expression: Expression) -> str:
    """The inverse: only what differs from where the formula starts."""
    start = starting(expression)
    return "~".join(f"{name}_{value:.12g}" for name, value in leaves.items() if value != start.get(name))
