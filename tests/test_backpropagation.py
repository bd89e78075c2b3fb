"""What the lesson measures: the U of the gradient check, δ in matrices, depth against theory, and the experiment."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest

from dlcore import depth as deep
from dlcore import gradient_check as gc
from dlcore import layer_story
from dlcore.events import Changed, Checkpoint, Diverged, Finished, Started, Step, pack, unpack
from dlcore.experiments import backpropagation as bp
from dlcore.expressions import parse
from dlcore.figures import backprop
from dlcore.graph_presets import PRESETS, starting
from dlcore.mlp import ACTIVATIONS
from dlcore.steering import Steering

# -- the gradient check ----------------------------------------------------------------------------------------------


def leaves_of(name: str):
    expression = parse(PRESETS[name].text)
    return expression, starting(expression)


@pytest.mark.parametrize("name", ["neuron", "two_layers", "softmax"])
def test_error_of_the_quotient_is_a_u(name):
    """Falls with ε², rises with 1/ε, and theory says where: measured on both arms and at the bottom."""
    expression, leaves = leaves_of(name)
    result = gc.check(expression, leaves, expression.names[0], 1e-2)
    big = (result.epsilon > 1e-3) & (result.epsilon < 3e-2)
    assert np.allclose(result.errors[big], result.truncation[big], rtol=0.1)
    slope = np.polyfit(np.log(result.epsilon[big]), np.log(result.errors[big]), 1)[0]
    assert slope == pytest.approx(2, abs=0.05)
    small = (result.epsilon > 1e-13) & (result.epsilon < 1e-9)
    typical = np.exp(np.mean(np.log(np.maximum(result.errors[small], 1e-300) / result.rounding[small])))
    assert 0.03 < typical < 10  # rounding is a matter of luck; its size is not
    assert 1e-6 < result.best < 1e-4
    at_best = gc.check(expression, leaves, expression.names[0], result.best)
    assert at_best.error < 1e-8
    assert at_best.error < result.error / 1e3


def test_figures_of_the_u_on_one_function():
    """exp at 1: 5e-5 at ε = 1e-2, below 1e-9 at 1e-5, and again above 1e-7 at 1e-11."""
    expression = parse("x = 1; exp(x)")
    errors = [gc.check(expression, {"x": 1.0}, "x", epsilon).error for epsilon in (1e-2, 1e-5, 1e-11)]
    assert errors[0] == pytest.approx(np.e * 1e-4 / 6, rel=1e-3)
    assert errors[1] < 1e-9
    assert errors[2] > 1e-7


def test_parabola_has_no_truncation_and_a_kink_has_no_derivative():
    assert np.isnan(gc.check(*leaves_of("zero_grad"), "w", 1e-2).best)
    kink = gc.check(parse("max(x, 3*x)"), {"x": 0.0}, "x", 1e-5)
    assert kink.errors.min() < 1e-12  # one half of each: by luck the quotient's convention too
    assert gc.check(parse("relu(x)"), {"x": 0.0}, "x", 1e-5).errors.min() == pytest.approx(0.5)


@pytest.mark.parametrize("name", PRESETS)
def test_torch_finds_the_same_gradients(name):
    expression, leaves = leaves_of(name)
    theirs = gc.torch_gradients(PRESETS[name].text, leaves)
    for leaf in expression.names:
        ours = gc.check(expression, leaves, leaf, 1e-5).ours
        assert ours == pytest.approx(theirs[leaf], rel=1e-12, abs=1e-15)


# -- layers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", layer_story.CHOICES)
@pytest.mark.parametrize("seed", range(4))
def test_deltas_of_the_matrices_are_the_formulas(activation, seed):
    shown = layer_story.layers(activation, seed).payload()["layers"]
    assert shown[-1]["delta"] == pytest.approx(2 * (shown[-1]["z"] - layer_story.y[:, None]) / 4)
    for here, after in pairwise(shown):
        assert here["delta"] == pytest.approx((after["delta"] @ after["W"].T) * here["slope"])
    for layer in shown:
        assert layer["dW"] == pytest.approx(layer["a_in"].T @ layer["delta"])
        assert layer["z"] == pytest.approx(layer["a_in"] @ layer["W"] + layer["b"])


def test_layers_equal_torch_and_the_largest_gradient_is_found():
    import torch

    made = layer_story.layers("tanh", 3)
    tensors = [torch.tensor(p.W, requires_grad=True) for p in made.cache.params]
    a = torch.tensor(layer_story.X)
    for W, p in zip(tensors[:-1], made.cache.params, strict=False):
        a = torch.tanh(a @ W + torch.tensor(p.b))
    output = a @ tensors[-1] + torch.tensor(made.cache.params[-1].b)
    loss = ((output[:, 0] - torch.tensor(layer_story.y)) ** 2).mean()
    loss.backward()
    assert made.loss == pytest.approx(loss.item(), rel=1e-12)
    for W, g in zip(tensors, made.grads.layers, strict=True):
        assert W.grad is not None
        assert pytest.approx(W.grad.numpy(), rel=1e-9, abs=1e-12) == g.W
    layer, i, j = made.largest()
    assert abs(made.grads.layers[layer].W[i, j]) == max(float(np.abs(g.W).max()) for g in made.grads.layers)


# -- depth -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "gelu"])
@pytest.mark.parametrize("init", ["small", "xavier", "he"])
def test_theory_says_the_gradient_of_a_wide_network(activation, init):
    """Geometric mean over seeds, per layer: measured and expected decay agree within 4 %."""
    depth, measured, expected = 12, [], []
    for seed in range(10):
        made = deep.profile(depth, 96, activation, init, seed)
        measured.append(np.log(made.deltas[0] / made.deltas[-1]) / (depth - 1))
        expected.append(np.log(made.theory[0] / made.theory[-1]) / (depth - 1))
    assert np.exp(np.mean(measured)) == pytest.approx(np.exp(np.mean(expected)), rel=0.04)


def test_expected_factors_by_quadrature_are_those_of_sampling():
    rng = np.random.default_rng(0)
    q = 1.7
    gains, bound = deep._expected(3, 32, "tanh", "he", np.array([q]))
    assert bound == np.sqrt(2)
    f, slope = ACTIVATIONS["tanh"]
    for (gain,) in gains:
        z = np.sqrt(q) * rng.standard_normal(400_000)
        assert gain == pytest.approx(2 * np.mean(slope(z) ** 2), rel=0.01)
        q = 2 * np.mean(f(z) ** 2)
    assert deep._expected(3, 32, "relu", "he", np.array([1.0, 5.0]))[0] == pytest.approx(1)  # He's very purpose


def test_sigmoid_loses_at_least_three_quarters_a_layer():
    """With Xavier's weights; so twenty layers leave less than 1e-10."""
    made = deep.profile(20, 48, "sigmoid", "xavier")
    assert made.ratio < 1e-10
    assert made.limit[0] / made.limit[-1] == pytest.approx(0.25**19)
    assert np.all(made.theory <= made.limit * (1 + 1e-12))


def test_what_keeps_its_gradient_through_thirty_layers_and_what_does_not():
    """The challenge can be solved, and not by everything."""
    kept = {(a, i): deep.profile(30, 32, a, i).ratio for a in ("sigmoid", "tanh", "relu", "gelu")
            for i in ("zeros", "small", "xavier", "he")}  # fmt: skip
    good = {pair for pair, ratio in kept.items() if 0.1 <= ratio <= 10}
    assert {("tanh", "xavier"), ("relu", "he")} <= good
    assert not any(activation == "sigmoid" or init in ("zeros", "small") for activation, init in good)


def test_profile_is_quick_enough_to_follow_a_slider():
    deep.profile(50, 48, "relu", "he", 1)
    times = []
    for seed in range(5):
        began = time.perf_counter()
        deep.profile(50, 32, "tanh", "xavier", seed)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.02


def test_figures_draw_what_they_are_given():
    made = deep.profile(50, 8, "relu", "he")
    for deltas in (made.deltas, np.zeros(50)):
        figure = backprop.depth_curve(deltas, made.theory, made.signals, made.limit)
        assert len(figure._data) == 4
    expression, leaves = leaves_of("neuron")
    result = gc.check(expression, leaves, "x1", 1e-4)
    figure = backprop.check_curve(
        result.epsilon, result.errors, result.truncation, result.rounding, (1e-4, result.error)
    )
    traces = [dict(trace) for trace in figure._data]
    assert list(traces[2]["x"]) == result.epsilon.tolist()
    assert traces[3]["y"][0] == pytest.approx(result.error)
    assert backprop.loss_plot(np.zeros(0), np.zeros(0), 100, 0.69).data
    empty = backprop.norm_plot(np.zeros(0), np.zeros(0), layers=21)
    assert empty.data
    assert list(empty.layout.xaxis.range) == [1.0, 21.0]


# -- the experiment --------------------------------------------------------------------------------------------------


def run(**settings):
    return list(bp.run(bp.Config(**settings)))


@pytest.mark.parametrize("seed", range(4))
def test_twenty_sigmoid_layers_do_not_learn_and_twenty_tanh_layers_do(seed):
    stuck, learned = run(activation="sigmoid", seed=seed), run(activation="tanh", seed=seed)
    assert isinstance(stuck[0], Started)
    assert isinstance(stuck[-1], Finished)
    assert isinstance(learned[-1], Finished)
    assert stuck[-1].metrics["loss"] == pytest.approx(np.log(2), abs=1e-3)
    assert stuck[-1].metrics["first_last_ratio_at_start"] < 1e-9
    late = [event.loss for event in learned if isinstance(event, Step)][-100:]
    assert max(late) < 0.05, "it has arrived and stays: where it ends is not the last bit's to decide"
    assert learned[-1].metrics["accuracy"] == 1
    assert 0.1 < learned[-1].metrics["first_last_ratio_at_start"] < 10


def test_gradients_of_a_run_are_torchs():
    """Three steps of the run, repeated by torch: losses, gradient norms and the updates in between."""
    import torch

    config = bp.Config(depth=4, activation="tanh", width=8, steps=10)
    steps = [e for e in run(depth=4, activation="tanh", width=8, steps=10) if isinstance(e, Step)]
    params = deep.beginning(4, 8, "tanh", "xavier", 0)
    weights = [torch.tensor(p.W, requires_grad=True) for p in params]
    biases = [torch.tensor(p.b, requires_grad=True) for p in params]
    X, y = (torch.tensor(v) for v in deep.batch(0))
    for event in steps[:3]:
        a = X
        for k, (W, b) in enumerate(zip(weights, biases, strict=True)):
            a = a @ W + b
            a = torch.tanh(a) if k < 4 else a
        loss = torch.nn.functional.softplus(-y * a[:, 0]).mean()
        gradients = torch.autograd.grad(loss, weights + biases)
        assert event.loss == pytest.approx(loss.item(), rel=1e-10)
        assert event.values["gradient_norms"] == pytest.approx([g.norm().item() for g in gradients[:5]], rel=1e-9)
        with torch.no_grad():
            for parameter, g in zip(weights + biases, gradients, strict=True):
                parameter -= config.learning_rate * g


@pytest.mark.parametrize("at", [1, 7, 23])
def test_resumed_run_is_bit_for_bit(at):
    settings = {"depth": 6, "activation": "relu", "init": "he", "steps": 40}
    whole, steering, state = run(**settings), Steering(), None
    for event in bp.run(bp.Config(**settings), steering=steering):
        if isinstance(event, Step) and event.step == at:
            steering.ask_checkpoint()
        if isinstance(event, Checkpoint):
            state = unpack(pack(event.state))
            break
    assert state is not None
    rest = list(bp.run(bp.Config(**settings), resume=state))
    tail = [(e.loss, e.values) for e in whole if isinstance(e, Step) and e.step > at]
    assert [(e.loss, e.values) for e in rest if isinstance(e, Step)] == tail
    assert rest[-1] == whole[-1]


def test_rate_is_steered_while_it_runs():
    record = [Changed(10, "learning_rate", 0.4)]
    settings = bp.Config(depth=3, activation="tanh", steps=20)
    first, second = (list(bp.run(settings, steering=Steering(record))) for _ in range(2))
    assert [e for e in first if isinstance(e, Changed)] == record
    losses = [[e.loss for e in events if isinstance(e, Step)] for events in (first, second, run(
        depth=3, activation="tanh", steps=20))]  # fmt: skip
    assert losses[0] == losses[1]
    assert losses[0][:11] == losses[2][:11]
    assert losses[0][11] != losses[2][11]


def test_blown_up_run_says_why():
    events = run(depth=40, activation="relu", init="he", learning_rate=10.0, steps=1000)
    if isinstance(events[-1], Finished):  # relus may die before they overflow: then nothing moves any more
        assert events[-1].metrics["loss"] > 0.5
    else:
        assert isinstance(events[-1], Diverged)
        assert "rate 10" in events[-1].reason.format(**events[-1].params)
    assert all(np.isfinite(e.loss) for e in events if isinstance(e, Step))
