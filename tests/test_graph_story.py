"""The film of a graph says what the engine computed: every number in it is checked against the engine or by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.autograd import Value, apply
from dlcore.expressions import parse
from dlcore.graph_math import SLOPES, number
from dlcore.graph_presets import MOST_CALLS, PRESETS, bounds, read_leaves, starting, write_leaves
from dlcore.graph_story import MOST_DRAWN, compute, film, most_to_blame
from dlcore.texts import Problem


def graph_of(name: str):
    expression = parse(PRESETS[name].text)
    return compute(expression, starting(expression))


@pytest.mark.parametrize("name", PRESETS)
def test_film_goes_forward_then_back_and_ends_with_the_gradients(name):
    graph = graph_of(name)
    shown = film(graph, 1)
    phases = [frame["phase"] for frame in shown["frames"]]
    operations = sum(bool(node.inputs) for node in graph.expression.nodes)
    assert phases == ["leaves"] + ["forward"] * operations + ["backward"] * (operations + 1)
    last: dict[int, float] = {}
    for frame in shown["frames"]:
        last |= frame.get("grads", {})
    for k, node in enumerate(graph.drawn):
        assert last[k] == pytest.approx(float(graph.values[node].grad), rel=1e-12)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("calls", range(1, MOST_CALLS + 1))
def test_k_calls_without_zero_grad_give_exactly_k_times(name, calls):
    graph = graph_of(name)
    once, many = film(graph, 1)["frames"], film(graph, calls)["frames"]
    gradients = [{}, {}]
    for frames, known in zip((once, many), gradients, strict=True):
        for frame in frames:
            known |= frame.get("grads", {})
    assert gradients[0].keys() == gradients[1].keys()
    for k, g in gradients[0].items():
        assert gradients[1][k] == pytest.approx(calls * g, rel=1e-14)
    # and the engine itself, called as a learner would
    values = graph.expression.every({n: Value(v) for n, v in starting(graph.expression).items()})
    for _ in range(calls):
        values[-1].backward()
    for node, value in zip(graph.expression.nodes, values, strict=True):
        if node.op == "leaf":
            assert value.grad == pytest.approx(calls * graph.gradients()[node.name], rel=1e-14)


def test_each_backward_frame_hands_on_upstream_times_local():
    graph = graph_of("two_layers")
    shown = film(graph)
    for frame in shown["frames"]:
        for k in frame.get("edges", []):
            edge = shown["edges"][k]
            assert edge["to"] == frame["node"]
            upstream = float(graph.values[graph.drawn[edge["to"]]].grad)
            assert edge["flow"] == pytest.approx(upstream * edge["local"], rel=1e-12)
    x = next(k for k, node in enumerate(shown["nodes"]) if node["name"] == "x")
    arrived = [edge["flow"] for edge in shown["edges"] if edge["from"] == x]
    assert len(arrived) == 2 == len(shown["nodes"][x]["uses"])
    assert sum(arrived) == pytest.approx(graph.gradients()["x"], rel=1e-12)


def test_sentences_hold_the_numbers():
    expression = parse("w = 0.5; x = -2; z = w*x; L = tanh(z)")
    shown = film(compute(expression, starting(expression)))
    texts = [re.sub("<[^>]*>", "", frame["text"]) for frame in shown["frames"]]
    assert texts[1] == "z = w·x = 0.5·(−2) = −1"
    assert texts[2] == "L = tanh(z) = tanh(−1) = −0.7616"
    assert "= 0.42" in texts[4]
    assert "added to" not in "".join(texts)
    again = film(compute(parse("x = 3; x*x"), {"x": 3.0}))
    assert "added to 3: 6" in re.sub("<[^>]*>", "", again["frames"][-1]["text"])


def test_printed_derivatives_are_the_engines():
    """The symbols on the page, read as Python, against the engine's local derivatives at a few places."""
    known = {"sign": np.sign, "cos": np.cos, "sin": np.sin, "log": np.log}
    for op, symbols in SLOPES.items():
        for a, b in ((0.7, 1.3), (1.9, 0.4)):
            inputs = [Value(v) for v in (a, b)][: len(symbols)]
            y = apply(op, *inputs)
            for symbol, (_parent, local) in zip(symbols, y.edges, strict=True):
                if "σ" in symbol or "Φ" in symbol:
                    continue  # named functions, not formulas
                text = symbol.format(a="A", b="B", y="Y").replace("<sup>", "**(").replace("</sup>", ")")
                for old, new in (
                    ("−", "-"),
                    ("·", "*"),
                    ("²", "**2"),
                    ("&gt;", ">"),
                    ("&lt;", "<"),
                    ("[", "("),
                    ("]", ")"),
                ):
                    text = text.replace(old, new)
                text = re.sub(r"(sign|cos|sin|log) (\w)", r"\1(\2)", text)
                value = eval(text, known, {"A": a, "B": b, "Y": float(y.data)})
                assert float(value) == pytest.approx(float(local), rel=1e-12), f"{op}: {symbol}"


def test_fault_is_told_at_its_node():
    expression = parse("x = 0; L = 1/x + 2")
    graph = compute(expression, starting(expression))
    fault = graph.fault()
    assert fault is not None
    assert "Division by zero" in str(fault)
    nodes = film(graph)["nodes"]
    assert [bool(node["fault"]) for node in nodes] == [False, True, False]
    assert [node["value"] for node in nodes] == [0, "∞", "∞"], "JSON has no infinity, and a dash would say nothing"
    assert most_to_blame(graph) == ("", 0.0)


def test_too_big_a_graph_is_refused_in_words():
    text = "+".join(f"sin({k}*x)" for k in range(MOST_DRAWN))
    with pytest.raises(Problem, match="at most"):
        compute(parse(text), {"x": 1.0})


def test_softmax_gradient_is_probability_minus_target():
    """What the preset says: p − 1 for the right class, p for the others."""
    graph = graph_of("softmax")
    z = np.array([2.0, 1.0, -1.0])
    p = np.exp(z) / np.exp(z).sum()
    assert list(graph.gradients().values()) == pytest.approx((p - [1, 0, 0]).tolist())


@settings(max_examples=100, derandomize=True)
@given(st.dictionaries(st.sampled_from(["w1", "x1", "b"]), st.floats(-1e6, 1e6), max_size=3))
def test_leaves_travel_in_a_link(given):
    expression = parse(PRESETS["neuron"].text)
    leaves = {**starting(expression), **given}
    back = {**starting(expression), **read_leaves(write_leaves(leaves, expression), expression)}
    assert back == pytest.approx(leaves, rel=1e-11)


@pytest.mark.parametrize("text", ["w1", "w1_x", "w1_nan", "w1_inf", "_3", "w1_1e99"])
def test_bad_leaves_are_refused(text):
    with pytest.raises(Problem, match="cannot be read"):
        read_leaves(text, parse("w1*x1"))


def test_sliders_reach_beyond_where_a_leaf_starts():
    for value in (0.0, 2.0, -2.9, 14.0, 1e6):
        low, high = bounds(value)
        assert low < value < high
        assert low == -high


def test_numbers_are_written_for_people():
    assert number(-0.5) == "−0.5"
    assert number(-0.5, inner=True) == "(−0.5)"
    assert number(1.5e-12, 2) == "1.5·10⁻¹²"
    assert number(float("inf")) == "∞"
    assert number(1 / 3) == "0.3333"
