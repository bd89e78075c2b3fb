"""The layout of graphs: nothing overlaps, inputs stand left, trees have no crossings, and it is quick."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.expressions import parse
from dlcore.graph_layout import columns, crossings, layout, spread


@st.composite
def graphs(draw):
    inputs = [()]
    for i in range(1, draw(st.integers(1, 30))):
        inputs.append(tuple(draw(st.lists(st.integers(0, i - 1), max_size=3))))
    return inputs


@settings(max_examples=150, derandomize=True)
@given(graphs())
def test_no_two_nodes_overlap_and_inputs_stand_left(inputs):
    laid = layout(inputs)
    for i, before in enumerate(inputs):
        assert all(laid.places[j, 0] < laid.places[i, 0] for j in before)
        for j, route in zip(before, laid.routes[i], strict=True):
            assert np.diff([laid.places[j, 0], *route[:, 0], laid.places[i, 0]]).tolist() == [1] * (len(route) + 1)
    for c in set(laid.places[:, 0]):
        rows = np.sort(laid.places[laid.places[:, 0] == c, 1])
        assert np.all(np.diff(rows) > 1 - 1e-9)
    assert laid.places.min() == pytest.approx(0, abs=1e-9)
    again = layout(inputs)
    assert (laid.places == again.places).all()


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=25))
def test_trees_have_no_crossings(choices):
    """A tree is built from its leaves: each operation takes one or two nodes that nobody has used yet."""
    inputs: list[tuple[int, ...]] = [(), ()]
    free = [0, 1]
    for choice in choices:
        if choice % 3 == 0:
            inputs.append(())
        else:
            taken = [free.pop(choice % len(free)) for _ in range(min(len(free), 1 + choice % 2))]
            inputs.append(tuple(taken))
        free.append(len(inputs) - 1)
    while len(free) > 1:
        inputs.append((free.pop(), free.pop()))
        free.append(len(inputs) - 1)
    assert layout(inputs).crossings == 0


def test_leaves_stand_beside_their_first_use():
    expression = parse("L = (tanh(tanh(w*x)) - y)**2")
    column = columns([node.inputs for node in expression.nodes])
    y = next(i for i, node in enumerate(expression.nodes) if node.name == "y")
    use = next(i for i, node in enumerate(expression.nodes) if node.op == "-")
    assert column[y] == column[use] - 1 > column[0]


def test_crossings_are_counted():
    assert crossings([[0, 1], [2, 3]], [[3], [2], [], []]) == 1
    assert crossings([[0, 1], [2, 3]], [[2], [3], [], []]) == 0
    assert crossings([[0, 1], [2, 3]], [[2, 3], [2, 3], [], []]) == 1


def test_spread_is_the_least_squares_answer():
    assert spread(np.array([0.0, 0.0, 0.0]), np.ones(3)).tolist() == [-1, 0, 1]
    assert spread(np.array([0.0, 5.0]), np.ones(2)).tolist() == [0, 5]
    rng = np.random.default_rng(0)
    wish, size = rng.normal(size=5), np.ones(5)
    best = spread(wish, size)
    for _ in range(2000):
        other = best + rng.normal(scale=0.3, size=5)
        if np.all(np.diff(other) >= 1):
            assert ((other - wish) ** 2).sum() >= ((best - wish) ** 2).sum() - 1e-9


def test_input_that_comes_later_is_refused():
    with pytest.raises(ValueError, match="earlier"):
        layout([(1,), ()])


def test_large_graph_is_laid_out_at_once():
    rng = np.random.default_rng(1)
    inputs = [tuple(rng.integers(max(0, i - 12), i, 2)) if i > 8 else () for i in range(120)]
    began = time.perf_counter()
    layout(inputs)
    assert time.perf_counter() - began < 1.5
