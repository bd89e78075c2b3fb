"""Our engine against torch, and what the lesson says of it: k× without zero_grad, faults with their reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlcore.autograd import OPERATIONS, Value, apply, in_order

SAFE = {"log", "sqrt", "/", "**", "exp"}  # are given inputs on which they are finite
BINARY = ("+", "-", "*", "/", "**", "max", "min")
leaf = st.floats(-3, 3, allow_subnormal=False).map(lambda x: round(x, 6))
instruction = st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 30), st.integers(0, 30))


def torch_operations():
    import torch
    from torch.nn import functional as F

    return {
        "+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "**": torch.pow, "neg": torch.neg,
        "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "sin": torch.sin, "cos": torch.cos, "tanh": torch.tanh,
        "sigmoid": torch.sigmoid, "relu": torch.relu, "softplus": lambda x: F.softplus(x, threshold=60),
        "gelu": F.gelu, "abs": torch.abs, "max": torch.maximum, "min": torch.minimum,
    }  # fmt: skip


def build(leaves, instructions, do):
    """The same graph in either engine: ``do(op, *inputs)``. Nodes use any earlier one, so graphs branch and join."""
    nodes = list(leaves)
    for op, i, j in instructions:
        a, b = nodes[-1 - i % len(nodes)], nodes[-1 - j % len(nodes)]
        if op in SAFE:
            a = do("tanh", a) if op == "exp" else a if op == "/" else do("+", do("abs", a), do("exp", do("tanh", a)))
            b = do("+", do("abs", b), do("exp", do("tanh", b))) if op == "/" else do("tanh", b)
        nodes.append(do(op, a, b) if op in BINARY else do(op, a))
    return nodes[-1]


@settings(max_examples=600, derandomize=True)
@given(
    st.lists(leaf, min_size=1, max_size=4),
    st.lists(leaf, min_size=3, max_size=3),
    st.lists(instruction, min_size=1, max_size=14),
)
def test_equals_torch_on_random_graphs(scalars, array, instructions):
    """Scalars and an array of three, every operation: values and gradients to 1e-9 in float64."""
    import torch

    oracle = torch_operations()
    ours = [Value(x) for x in scalars] + [Value(np.array(array))]
    theirs = [torch.tensor(np.asarray(v.data), requires_grad=True) for v in ours]
    result = build(ours, instructions, apply)
    expected = build(theirs, instructions, lambda op, *inputs: oracle[op](*inputs))
    assume(all(np.all(np.abs(v.data) < 1e4) for v in in_order(result)))
    result.backward()
    expected.sum().backward()
    np.testing.assert_allclose(result.data, expected.detach().numpy(), rtol=1e-9, atol=1e-9)
    below = in_order(result)
    for mine, its in zip(ours, theirs, strict=True):
        if mine in below:
            assert its.grad is not None
            scale = max(1.0, float(its.grad.abs().max()))
            np.testing.assert_allclose(mine.grad, its.grad.numpy(), rtol=1e-9, atol=1e-9 * scale)
            assert np.shape(mine.grad) == np.shape(mine.data)
        else:
            assert its.grad is None


@pytest.mark.parametrize("op", sorted(OPERATIONS))
def test_each_operation_at_its_corners_is_torchs(op):
    """Ties, kinks and far ends: the very derivative that torch chooses there."""
    import torch

    corners = [-700.0, -30.0, -1.0, 0.0, 1.0, 30.0, 700.0] if op not in ("log", "sqrt") else [1e-300, 1.0, 1e300]
    pairs = [(a, b) for a in corners for b in (corners if op in BINARY else [math.nan])]
    for a, b in pairs:
        if op == "/" and b == 0:
            continue
        if op == "**" and (abs(a) > 30 or abs(b) > 30 or (a <= 0 and b != 2)):
            continue
        inputs = [Value(x) for x in (a, b)[: 1 + (op in BINARY)]]
        tensors = [torch.tensor(v.data, dtype=torch.float64, requires_grad=True) for v in inputs]
        apply(op, *inputs).backward()
        torch_operations()[op](*tensors).backward()
        for mine, its in zip(inputs, tensors, strict=True):
            assert its.grad is not None
            np.testing.assert_allclose(mine.grad, its.grad.item(), rtol=1e-9, atol=1e-12, err_msg=f"{op}{a, b}")


def test_python_operators_build_the_graph():
    x, w = Value(3.0), Value(-2.0)
    y = (2 * x - w / 4 + 1) ** 2 - (1 - x) * -w + np.float64(3) * x + 2**w + 1 / x
    y.backward()
    assert y.data == pytest.approx((6 + 0.5 + 1) ** 2 - (1 - 3) * 2 + 9 + 0.25 + 1 / 3)
    assert x.grad == pytest.approx(2 * 7.5 * 2 + 2 + 3 - 1 / 9)
    assert w.grad == pytest.approx(2 * 7.5 * -0.25 - 2 + 0.25 * np.log(2))
    array = np.array([1.0, 2.0]) * x
    assert isinstance(array, Value)
    array.backward()
    assert array.data.tolist() == [3.0, 6.0]


def test_forgotten_zero_grad_is_exactly_k_times():
    """Also in the middle of a graph, where engines that push a stored ``grad`` on count earlier calls twice."""
    x = Value(0.7)
    hidden = apply("tanh", x * 1.3)
    loss = (hidden - 1.0) ** 2
    loss.backward()
    once = {node: node.grad for node in in_order(loss)}
    for k in (2, 3, 4, 5):
        loss.backward()
        for node, gradient in once.items():
            assert node.grad == pytest.approx(k * gradient, rel=1e-15)
    loss.zero_grad()
    assert not any(node.grad for node in once)


def test_edges_hold_local_derivatives_and_a_shared_input_gets_the_sum():
    x = Value(3.0)
    y = x * x
    assert [(parent is x, float(local)) for parent, local in y.edges] == [(True, 3.0), (True, 3.0)]
    y.backward()
    assert x.grad == 6


def test_broadcast_gradients_come_back_in_the_shape_of_the_data():
    row, column, scalar = Value(np.arange(3.0)), Value(np.arange(2.0)[:, None]), Value(2.0)
    y = row * column + scalar  # (2, 3)
    y.backward()
    assert row.grad.tolist() == [1, 1, 1]
    assert column.grad.tolist() == [[3], [3]]
    assert scalar.grad == 6


def test_deep_graph_needs_no_recursion():
    x = y = Value(1.0)
    for _ in range(20_000):
        y = y + 1e-4
    y.backward()
    assert x.grad == 1


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda x: 1 / (x - x), "Division by zero"),
        (lambda x: apply("log", -x), "gets -2"),
        (lambda x: apply("log", x - 2), "gets 0"),
        (lambda x: apply("sqrt", -x), "from 0 on"),
        (lambda x: (-x) ** 0.5, "-2 ** 0.5"),
        (lambda x: (x - x) ** -1, "0 ** -1"),
        (lambda x: apply("exp", x * 1000), "1.8"),
        (lambda x: x * 1e300 * 1e300, "1.8"),
    ],
)
def test_not_finite_has_its_reason_where_it_arose(compute, words):
    bad = compute(Value(2.0))
    assert words in str(bad.fault)
    after = bad + 1.0
    assert after.fault is None  # told once, at its origin
    after.backward()  # and nothing raises


def test_infinitely_steep_place_is_told():
    y = apply("sqrt", Value(0.0))
    assert y.data == 0
    assert "steep" in str(y.fault)
    assert ((-Value(2.0)) ** 2).fault is None  # the exponent is a constant: its derivative is nobody's
