"""The surfaces of the optimizer race by name: which settings they take, how long a race is, which rates suit whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from dlcore import surfaces
from dlcore.surfaces import Surface
from dlcore.update_rules import RULES

DEFAULT = "bowl"
NAMES = ("bowl", "ravine", "rosenbrock", "beale", "himmelblau", "saddle", "plateau", "noisy", "network", "typed")
QUADRATIC = ("bowl", "noisy")
EXPRESSION = "x**2/10 + y**2/2 + sin(2*x)*sin(y)"
STEPS = {"bowl": 250, "ravine": 250, "rosenbrock": 1000, "beale": 250, "himmelblau": 120, "saddle": 120, "plateau": 250,
         "noisy": 250, "network": 200, "typed": 200}  # fmt: skip

# A rate that is good for each rule from the usual start: none of 1, 2, 5 × 10ⁿ brings it to 1 % of the way in a third
# of the steps (tests/test_race.py). AdamW gets Adam's.
RATES: dict[str, dict[str, float]] = {
    "bowl": {"gd": 1.8, "momentum": 0.5, "nesterov": 1.0, "adagrad": 5.0, "rmsprop": 0.2, "adam": 1.0},
    "ravine": {"gd": 0.05, "momentum": 0.05, "nesterov": 0.05, "adagrad": 1.0, "rmsprop": 0.1, "adam": 1.0},
    "rosenbrock": {"gd": 0.002, "momentum": 0.002, "nesterov": 0.001, "adagrad": 1.0, "rmsprop": 0.02, "adam": 0.5},
    "beale": {"gd": 0.02, "momentum": 0.02, "nesterov": 0.02, "adagrad": 1.0, "rmsprop": 0.1, "adam": 0.2},
    "himmelblau": {"gd": 0.01, "momentum": 0.005, "nesterov": 0.005, "adagrad": 1.0, "rmsprop": 0.02, "adam": 0.2},
    "saddle": {"gd": 0.5, "momentum": 0.1, "nesterov": 0.5, "adagrad": 1.0, "rmsprop": 0.1, "adam": 0.1},
    "plateau": {"gd": 2.0, "momentum": 1.0, "nesterov": 1.0, "adagrad": 1.0, "rmsprop": 0.02, "adam": 0.5},
    "noisy": {"gd": 0.2, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.1},
    "network": {"gd": 20.0, "momentum": 5.0, "nesterov": 5.0, "adagrad": 5.0, "rmsprop": 0.2, "adam": 1.0},
    "typed": {"gd": 0.05, "momentum": 0.02, "nesterov": 0.02, "adagrad": 0.5, "rmsprop": 0.05, "adam": 0.1},
}


def _network() -> Surface:
    from dlcore.small_network import network

    return network()


def _typed(expression: str = EXPRESSION) -> Surface:
    from dlcore.typed_surface import typed

    return typed(expression)


TAKES: dict[str, tuple[str, ...]] = {
    "bowl": ("condition", "angle"), "noisy": ("condition", "noise", "seed"), "typed": ("expression",),
}  # fmt: skip
MAKERS: dict[str, Callable[..., Surface]] = {
    "bowl": surfaces.bowl, "ravine": surfaces.ravine, "rosenbrock": surfaces.rosenbrock, "beale": surfaces.beale,
    "himmelblau": surfaces.himmelblau, "saddle": surfaces.saddle, "plateau": surfaces.plateau,
    "noisy": surfaces.noisy, "network": _network, "typed": _typed,
}  # fmt: skip


@lru_cache(maxsize=64)
def _made(name: str, settings: tuple[tuple[str, Any], ...]) -> Surface:
    return MAKERS[name](**dict(settings))


def make(name: str, settings: Mapping[str, Any]) -> Surface:
    """The surface of that name; it takes from ``settings`` what concerns it. Raises ``Problem`` for a bad formula."""
    return _made(name, tuple((k, settings[k]) for k in TAKES.get(name, ()) if k in settings))


def rates(name: str) -> dict[str, float]:
    """A good learning rate for each rule on this surface."""
    return {rule: RATES[name].get(rule, RATES[name]["adam"]) for rule in RULES}
