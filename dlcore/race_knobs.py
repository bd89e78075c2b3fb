"""The knobs of a race as its page shows them: names, bounds that suit the surface, marks where theory has some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dlcore.experiments import optimizers as lesson
from dlcore.experiments.optimizers import Config
from dlcore.figures import Label
from dlcore.knobs import Knob, knobs_of
from dlcore.texts import N_, Problem
from dlcore.update_rules import RULES, best_pair, best_rate, limit


def bounds(values: Mapping[str, Any], label: Label = str) -> dict[str, Knob]:
    """The rule's knobs under its own name, rates from a thousandth to a hundred times what is good on this surface."""
    knobs, good = knobs_of(Config), lesson.courses.rates(values["surface"])
    found: dict[str, Knob] = {}
    for rule, rate in good.items():
        low, high = float(f"{rate / 300:.1g}"), float(f"{rate * 10:.1g}")
        for name in ("learning_rate", *RULES[rule].settings):
            knob = knobs[f"{rule}_{name}"]
            title = f"{label(RULES[rule].title)} · {label(knob.label)}"
            reach = {"low": low, "high": high} if name == "learning_rate" else {}
            found[knob.name] = replace(knob, label=title, **reach)
    return found


def limits(values: Mapping[str, Any]) -> dict[str, list[tuple[float, str, str]]]:
    """Marks for the sliders where theory gives them: (value, kind, name) by knob.

    On a quadratic they hold everywhere. Elsewhere the curvature at the flattest minimum says above which rate nobody
    comes to rest there.
    """
    try:
        surface = lesson.surface_of(Config(**values))
    except Problem:
        return {}
    sharp, marks = surface.sharpness, {}
    if not 0 < sharp < 1e9:
        return {}
    for rule, name in (("gd", "2/λmax"), ("momentum", "2(1+β)/λmax"), ("nesterov", "2(1+β)/(1+2β)λmax")):
        bound = limit(rule, sharp, values.get(f"{rule}_beta", 0.0))
        marks[f"{rule}_learning_rate"] = [(bound, "limit", name)]
    if surface.curvatures:
        low, high = surface.curvatures
        marks["gd_learning_rate"].append((best_rate(low, high), "best", N_("best")))
        marks["momentum_learning_rate"].append((best_rate(low, high, values["momentum_beta"]), "best", N_("best")))
        marks["momentum_beta"] = [(best_pair(low, high)[1], "best", N_("best"))]
    return marks


SURFACE_KNOBS = {"bowl": ("condition", "angle"), "noisy": ("condition", "noise"), "typed": ("expression",)}


def hidden(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The knobs that have nothing to say now, or that the page draws in another way."""
    own = SURFACE_KNOBS.get(values["surface"], ())
    others = {name for names in SURFACE_KNOBS.values() for name in names} - set(own)
    rules = [f"{rule}_{name}" for rule in RULES if rule != values["hand"]
             for name in ("learning_rate", *RULES[rule].settings)]  # fmt: skip
    seed = () if values["surface"] == "noisy" else ("seed",)
    return (*others, *rules, *seed, "hand", "optimizer", "racers", "branches")
