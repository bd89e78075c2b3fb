"""The readable network against torch, for every combination of options that hypothesis tries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.mlp import (
    INITIALIZATIONS,
    Architecture,
    Layer,
    backward,
    flatten,
    forward,
    initialize,
    losses,
    track,
    unflatten,
)
from tests.torch_mlp import TORCH_LOSSES, losses_of_a_network, networks, penalty, tensors, torch_forward


def case(architecture: Architecture, seed: int, n: int = 7):
    """Parameters without zeros (so that no kink is met), inputs and labels."""
    rng = np.random.default_rng(seed)
    flat = rng.normal(0, 0.7, architecture.size)
    params = unflatten(flat, architecture)
    for p in params:
        if p.var is not None:
            p.var[...] = np.abs(p.var) + 0.1
    return params, rng.normal(0, 2, (n, architecture.num_inputs)), rng.choice([-1.0, 1.0], n)


@settings(max_examples=300)
@given(
    networks(), losses_of_a_network, st.booleans(), st.sampled_from([0.0, 0.01]), st.sampled_from([0.0, 0.1]),
    st.integers(0, 10**6),
)  # fmt: skip
def test_gradients_and_outputs_are_torchs(architecture, loss, train, l1, l2, seed):
    params, X, y = case(architecture, seed)
    reference = tensors(params)
    cache = forward(params, architecture, X, train=train, rng=np.random.default_rng(seed))
    output = torch_forward(reference, architecture, X, cache.mask, train)
    np.testing.assert_allclose(cache.output, output.detach().numpy(), rtol=1e-9, atol=1e-10)
    value = TORCH_LOSSES[loss](output, torch.tensor(y))
    assert losses(cache.output, y, loss).mean() == pytest.approx(value.item(), rel=1e-10, abs=1e-12)
    (value + penalty(reference, l1, l2)).backward()
    found = backward(cache, y, loss, l1, l2)
    for ours, theirs in zip(found.layers, reference, strict=True):
        for name, tensor in theirs.items():
            expected = 0 if tensor.grad is None else tensor.grad.numpy()
            np.testing.assert_allclose(getattr(ours, name), expected, rtol=1e-8, atol=1e-9, err_msg=name)
    if train:
        track(cache)
        for ours, theirs in zip(params, reference, strict=True):
            if ours.var is not None:
                np.testing.assert_allclose(ours.mean, theirs["mean"].numpy(), rtol=1e-12, atol=1e-12)
                np.testing.assert_allclose(ours.var, theirs["var"].numpy(), rtol=1e-12)


@settings(max_examples=30)
@given(networks(), losses_of_a_network, st.integers(0, 10**6))
def test_deltas_are_the_derivatives_by_the_weighted_sums(architecture, loss, seed):
    """A bias is added to z in every row, so its gradient is the sum of the rows' deltas; inputs go the same way."""
    params, X, y = case(architecture, seed)
    cache = forward(params, architecture, X)
    found = backward(cache, y, loss)
    for delta, g, z in zip(found.deltas, found.layers, cache.z, strict=True):
        assert delta.shape == z.shape
        np.testing.assert_allclose(delta.sum(0), g.b, rtol=1e-10, atol=1e-12)
    inputs = torch.tensor(X, requires_grad=True)
    reference = tensors(params)
    output = torch_forward(reference, architecture, inputs, [None] * len(reference), False)
    TORCH_LOSSES[loss](output, torch.tensor(y)).backward()
    assert inputs.grad is not None
    np.testing.assert_allclose(found.inputs, inputs.grad.numpy(), rtol=1e-8, atol=1e-9)


def test_flat_order_and_views():
    architecture = Architecture(2, (Layer(3, "tanh", batch_norm=True), Layer(1)))
    flat = np.arange(architecture.size, dtype=float)
    assert architecture.size == 6 + 3 + 4 * 3 + 3 + 1
    first, output = unflatten(flat, architecture)
    np.testing.assert_array_equal(first.W, [[0, 1, 2], [3, 4, 5]])
    for i, name in enumerate(("b", "gamma", "beta", "mean", "var")):
        np.testing.assert_array_equal(getattr(first, name), 6 + 3 * i + np.arange(3))
    np.testing.assert_array_equal(output.W[:, 0], [21, 22, 23])
    assert output.gamma is None
    np.testing.assert_array_equal(flatten([first, output]), flat)
    first.W[1, 2] = -1
    assert flat[5] == -1


@pytest.mark.parametrize(("init", "variance"), [("xavier", 2 / 500), ("he", 2 / 300), ("small", 1e-4), ("zeros", 0)])
def test_initializations_have_their_variance(init, variance):
    assert init in INITIALIZATIONS
    layer = initialize(Architecture(300, (Layer(200, "relu", batch_norm=True),)), np.random.default_rng(0), init)[0]
    assert layer.W.var() == pytest.approx(variance, rel=0.03)
    assert not layer.b.any()
    assert (layer.gamma == 1).all()
    assert not layer.mean.any()


def test_links_only_between_neighbours_of_equal_width():
    architecture = Architecture(4, (Layer(4), Layer(4), Layer(3), Layer(3), Layer(1)), residual=True)
    assert [architecture.is_linked(i) for i in range(5)] == [False, True, False, True, False]


def test_dropout_keeps_the_mean_and_rests_outside_training():
    architecture = Architecture(1, (Layer(1000, "linear", dropout=0.3), Layer(1)))
    params = initialize(architecture, np.random.default_rng(0))
    params[0].W[...] = 1
    X = np.ones((20, 1))
    trained = forward(params, architecture, X, train=True, rng=np.random.default_rng(0))
    assert (trained.a[1] == 0).mean() == pytest.approx(0.3, abs=0.02)
    assert trained.a[1].mean() == pytest.approx(1, abs=0.02)
    assert (forward(params, architecture, X).a[1] == 1).all()


def test_saturated_outputs_have_finite_losses_and_slopes():
    architecture = Architecture(1, (Layer(1),))
    params = unflatten(np.array([1e4, 0.0]), architecture)
    cache = forward(params, architecture, np.array([[1.0], [-1.0]]))
    y = np.array([-1.0, -1.0])
    assert losses(cache.output, y, "cross_entropy").tolist() == [1e4, 0.0]
    assert backward(cache, y, "cross_entropy").layers[0].W[0, 0] == pytest.approx(0.5)
