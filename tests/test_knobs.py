"""Knobs: every config survives the link and the command line, and what does not fit is answered with a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.experiments import NAMES, experiment
from dlcore.knobs import Knob, build, check_value, knob, knobs_of, parse, read_value, to_argv, to_texts
from dlcore.texts import Problem


@dataclass(frozen=True)
class Sample:
    """One knob of each kind, and a recipe: another network brings other defaults."""

    network: str = knob("plain", choices=("plain", "fast", "deep"))
    learning_rate: float = knob(0.1, low=1e-4, high=2.0, log=True)
    offset: float = knob(0.0, low=-1.0)
    epochs: int = knob(3, low=1, high=100)
    shuffle: bool = knob(True)
    name: str = knob("")

    @classmethod
    def recipe(cls, given: dict[str, Any]) -> dict[str, Any]:
        brings = {"fast": {"learning_rate": 0.01, "epochs": 1}, "deep": {"shuffle": False}}
        return brings.get(given.get("network", "plain"), {})


def values(k: Knob) -> st.SearchStrategy[Any]:
    """Everything that fits a knob."""
    if k.choices:
        return st.sampled_from(k.choices)
    if k.kind is bool:
        return st.booleans()
    if k.kind is int:
        return st.integers(None if k.low is None else math.ceil(k.low), None if k.high is None else math.floor(k.high))
    if k.kind is float:
        return st.floats(k.low, k.high, allow_nan=False, allow_infinity=False)
    return st.text(st.characters(codec="utf-8")).map(str.strip)


def configs(config_class: type) -> st.SearchStrategy[Any]:
    known = knobs_of(config_class)
    return st.fixed_dictionaries({}, optional={n: values(k) for n, k in known.items()}).map(
        lambda given: build(config_class, given)
    )


CLASSES = [Sample, *(experiment(name).Config for name in NAMES)]


@pytest.mark.parametrize("config_class", CLASSES, ids=lambda c: f"{c.__module__}.{c.__name__}")
@given(data=st.data())
def test_a_link_gives_the_same_config_again(config_class, data):
    config = data.draw(configs(config_class))
    texts = to_texts(config)
    assert parse(config_class, texts) == config
    assert dict(part.split("=", 1) for part in to_argv(config)[1::2]) == texts


@given(configs(Sample))
def test_a_link_says_no_more_than_it_must(config):
    texts = to_texts(config)
    for name in texts:
        fewer = {n: t for n, t in texts.items() if n != name}
        if name != "network":  # without it the recipe changes, and with it what must be said
            assert parse(Sample, fewer) != config


def test_a_recipe_is_a_default_and_what_is_set_wins():
    assert parse(Sample, {"network": "fast"}) == Sample(network="fast", learning_rate=0.01, epochs=1)
    assert parse(Sample, {"network": "fast", "epochs": "9"}).epochs == 9
    assert to_texts(Sample(network="fast", learning_rate=0.01, epochs=1)) == {"network": "fast"}
    assert to_texts(Sample(network="fast")) == {"network": "fast", "learning_rate": "0.1", "epochs": "3"}
    assert to_texts(Sample()) == {}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("learning_rate", "fast", "is not a number"),
        ("learning_rate", "nan", "out of range"),
        ("learning_rate", "inf", "out of range"),
        ("learning_rate", "2.1", "from 0.0001 to 2"),
        ("offset", "-2", "from -1 to ∞"),
        ("epochs", "2.5", "is not a whole number"),
        ("epochs", "1e3", "is not a whole number"),
        ("epochs", "0", "out of range"),
        ("epochs", "9" * 400, "out of range"),
        ("epochs", "9" * 5000, "is not a whole number"),
        ("shuffle", "maybe", "neither true nor false"),
        ("network", "huge", "one of: plain, fast, deep"),
        ("speed", "1", "The settings are: network, learning_rate"),
    ],
)
def test_what_does_not_fit_is_answered_with_a_sentence(name, text, says):
    with pytest.raises(Problem) as caught:
        parse(Sample, {name: text})
    assert says in str(caught.value)
    assert caught.value.kind == "knob"
    assert len(str(caught.value)) < 300


@given(st.sampled_from(sorted(knobs_of(Sample))), st.text(max_size=40))
def test_any_text_is_a_value_or_a_problem(name, text):
    known = knobs_of(Sample)[name]
    try:
        value = read_value(known, text)
    except Problem:
        return
    assert check_value(known, value) == value
    assert type(value) is known.kind


def test_values_take_the_type_of_their_knob():
    config = build(Sample, {"learning_rate": 1, "epochs": 4.0})
    assert (type(config.learning_rate), type(config.epochs)) == (float, int)
    for wrong in (True, 4.5, float("nan"), None, "4", [4]):
        with pytest.raises(Problem):
            build(Sample, {"epochs": wrong})


def test_a_logarithmic_knob_needs_a_positive_bound():
    with pytest.raises(ValueError, match="low > 0"):
        knob(0.1, low=0.0, log=True)


@pytest.mark.parametrize("config_class", CLASSES, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_defaults_fit_their_own_bounds(config_class):
    for k in knobs_of(config_class).values():
        assert check_value(k, k.default) == k.default
