"""The lesson's page as a reader drives it, short of the browser: formulas, leaves, links, challenges."""

from __future__ import annotations

import re
from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from dlcore.depth import profile
from dlcore.graph_presets import PRESETS
from dlcore.layer_story import layers
from tests.pages import visit
from tests.pages.visit import said

STATE = "page:backpropagation"


opened = partial(visit.opened, "backpropagation")


def typed(at: AppTest, text: str) -> AppTest:
    at.text_area(key="backpropagation.formula").set_value(text)
    return at.run()


def test_opens_on_a_neuron_and_says_who_is_to_blame():
    at = opened()
    assert not at.exception
    assert "L depends most on **w1**" in said(at)
    assert "−4.727" in said(at)
    assert "It vanishes: the first layer gets" in said(at)
    assert at.session_state[STATE].get("solved") == []


@pytest.mark.parametrize("preset", PRESETS)
def test_every_graph_opens_by_link(preset):
    at = opened(graph=preset)
    assert not at.exception
    assert at.selectbox(key="backpropagation.preset").value == preset
    assert re.search(r"depends most on \*\*\w+\*\*", said(at))


def test_choosing_another_graph_takes_its_formula():
    at = opened(formula="x**2", leaves="x_3", leaf="x")
    assert "depends most on **x**" in said(at)
    assert at.selectbox(key="backpropagation.preset").value == "own"
    at.selectbox(key="backpropagation.preset").set_value("zero_grad")
    at.run()
    assert at.text_area[0].value == PRESETS["zero_grad"].text
    assert "After 3 calls every gradient in the picture is 3 × the right one" in said(at)


def test_typed_formula_is_differentiated():
    at = typed(opened(), "a = 3; b = -4\nL = a*a + b")
    assert not at.exception
    assert "L depends most on **a**" in said(at)
    assert "gradient is 6" in said(at)
    assert at.session_state[STATE]["extra"]["formula"].startswith("a = 3")


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [
        ("__import__('os').system('ls')", "not allowed in a formula"),
        ("x^2", "two stars"),
        ("foo(x)", "no function “foo”"),
        ("10**10**10", "larger than a computer"),
        ("x" + "+x" * 700, "more than"),
        ("+".join(f"sin(a{k})" for k in range(95)), "at most 90 can be drawn"),
    ],
)
def test_mad_formula_is_answered_and_the_rest_of_the_page_stands(formula, sentence):
    at = opened(formula=formula)
    assert not at.exception
    assert sentence in said(at)
    assert "It vanishes" in said(at)
    assert not at.error


@pytest.mark.parametrize(
    ("formula", "sentence"),
    [("x = 0; 1/x", "Division by zero"), ("x = -1; log(x)", "positive numbers"), ("x = 900; exp(x)", "1.8·10³⁰⁸")],
)
def test_values_that_are_no_numbers_are_explained(formula, sentence):
    at = opened(formula=formula)
    assert not at.exception
    assert sentence in said(at)
    assert "no finite gradient to check" in said(at)


@pytest.mark.parametrize(
    "params",
    [
        {"graph": "moon"}, {"leaves": "w1_nan"}, {"leaves": "<script>"}, {"calls": "99"}, {"leaf": "zzz"},
        {"epsilon": "0"}, {"epsilon": "abc"}, {"units": "cosine"}, {"draw": "-1"}, {"draw": "²"}, {"depth": "1000"},
    ],
    ids=str,
)  # fmt: skip
def test_bad_links_are_answered(params):
    at = opened(**params)
    assert not at.exception
    assert "depends most on" in said(at)
    if "leaves" in params:
        assert "cannot be read" in said(at)
    if "epsilon" in params:
        assert "Step ε" in said(at), "told by the name that stands on the page"


def test_leaves_of_the_link_are_used_and_kept():
    at = opened(leaves="w1_0~x1_0", leaf="w2")
    assert "L depends most on **y**" in said(at)  # 2(y − a) with a = tanh(−1.3)
    assert "gradient is 3.72" in said(at)
    assert at.session_state[STATE]["extra"]["leaves"] == "x1_0~w1_0"


def test_teacher_can_hide_the_controls():
    at = opened(hide="controls", graph="softmax")
    assert not at.exception
    assert not at.text_area
    assert "L depends most on" in said(at)


def test_epsilon_challenge():
    solved = opened(epsilon="1e-5").session_state[STATE]["solved"]
    assert solved == ["epsilon"]
    assert opened(epsilon="1e-12").session_state[STATE]["solved"] == []
    assert opened(graph="zero_grad").session_state[STATE]["solved"] == [], "a parabola has no truncation: no merit"


def test_depth_challenge():
    assert 0.1 <= profile(30, 32, "tanh", "xavier").ratio <= 10
    assert opened(depth="30", activation="tanh").session_state[STATE]["solved"] == ["deep"]
    assert opened(depth="29", activation="tanh").session_state[STATE]["solved"] == []
    assert opened(depth="30", init="zeros").session_state[STATE]["solved"] == []


def test_blame_challenge():
    at = opened()
    largest = list(layers("tanh", 0).largest())
    at.session_state[STATE]["weight"] = [0, 0, 0] if largest != [0, 0, 0] else [1, 0, 0]
    at.run()
    assert at.session_state[STATE]["solved"] == []
    at.session_state[STATE]["weight"] = largest
    at.run()
    assert at.session_state[STATE]["solved"] == ["blame"]


def test_words_about_depth():
    assert "With weights of zero nothing passes" in said(opened(init="zeros", activation="tanh"))
    assert "It arrives" in said(opened(depth="30", activation="relu", init="he"))
    assert "It explodes" in said(opened(depth="50", activation="tanh", init="he", width="48"))
    assert profile(5, 8, "tanh", "zeros").ratio == 0


def test_engine_is_shown_whole():
    at = opened()
    code = "\n".join(block.value for block in at.code)
    engine = (visit.SHELL.parents[1] / "dlcore" / "autograd.py").read_text()
    assert engine in code or engine.strip() in code
