"""The compiled engine against the readable one, step by step, and the readable one against torch's training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore import mlp_fast, mlp_training
from dlcore.events import Finished
from dlcore.mlp import Architecture, Layer, unflatten
from dlcore.mlp_training import BLOCK, OPTIMIZERS, Rates, Setup
from tests.torch_mlp import TORCH_LOSSES, losses_of_a_network, networks, penalty, tensors, torch_forward

ROOT = Path(__file__).resolve().parent.parent
optimizers = st.sampled_from(list(OPTIMIZERS))


def prepared(architecture, loss="mse", optimizer="sgd", batch_size=4, dtype="f8", seed=0, n=13):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(0, 1.5, (n, architecture.num_inputs)), rng.choice([-1.0, 1.0], n)
    return Setup(architecture, X.astype(dtype), y.astype(dtype), loss, optimizer, batch_size, seed)


def anywhere(setup, seed):
    """A state in the midst of a run, with some memory and some parameters held."""
    rng = np.random.default_rng((9, seed))
    state = mlp_training.start(setup, "he")
    state.flat += rng.normal(0, 0.3, state.flat.shape).astype(state.flat.dtype) * setup.learned
    state.step = int(rng.integers(0, 200))
    state.memory[:] = np.abs(rng.normal(0, 0.1, state.memory.shape)) * setup.learned
    state.frozen[:] = rng.random(len(state.frozen)) < 0.1
    return state


@settings(max_examples=60)
@given(
    networks(), losses_of_a_network, optimizers, st.integers(1, 14), st.integers(0, 10**6),
    st.sampled_from([("f8", 1e-9), ("f4", 2e-3)]),
)  # fmt: skip
def test_a_fast_step_is_a_readable_step(architecture, loss, optimizer, batch_size, seed, precision):
    dtype, tolerance = precision
    setup = prepared(architecture, loss, optimizer, batch_size, dtype, seed)
    fast, rates = anywhere(setup, seed), Rates(0.01, 0.001, 0.002)
    readable = fast.copy()
    before = fast.flat.copy()
    assert mlp_fast.advance(setup, fast, rates, 1)
    assert mlp_training.advance(setup, readable, rates, 1)
    assert fast.step == readable.step
    largest = max(np.abs(readable.flat - before).max(), 1e-6)
    np.testing.assert_allclose(fast.flat, readable.flat, rtol=1e-6, atol=tolerance * largest)
    np.testing.assert_allclose(fast.memory, readable.memory, rtol=tolerance, atol=tolerance * 0.1)
    assert (fast.flat[fast.frozen & setup.learned] == before[fast.frozen & setup.learned]).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_hundreds_of_steps_stay_together(optimizer):
    architecture = Architecture(2, (Layer(4, "tanh", 0.2, True), Layer(4, "gelu", 0.2, True), Layer(1)), residual=True)
    setup = prepared(architecture, "cross_entropy", optimizer)
    fast = mlp_training.start(setup, "xavier")
    readable = fast.copy()
    assert mlp_fast.advance(setup, fast, Rates(0.003, 1e-4, 1e-3), 300)
    assert mlp_training.advance(setup, readable, Rates(0.003, 1e-4, 1e-3), 300)
    np.testing.assert_allclose(fast.flat, readable.flat, rtol=1e-6, atol=1e-8)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=8), st.sampled_from([mlp_fast, mlp_training]))
def test_how_the_steps_are_portioned_changes_no_bit(portions, engine):
    architecture = Architecture(2, (Layer(3, "tanh", 0.3, True), Layer(3, "relu", 0.3, True), Layer(1)))
    setup = prepared(architecture, optimizer="adam", dtype="f4")
    whole, parts = mlp_training.start(setup, "xavier"), mlp_training.start(setup, "xavier")
    engine.advance(setup, whole, Rates(0.01), sum(portions))
    for steps in portions:
        engine.advance(setup, parts, Rates(0.01), steps)
    assert parts.step == whole.step
    np.testing.assert_array_equal(parts.flat, whole.flat)
    np.testing.assert_array_equal(parts.memory, whole.memory)


@pytest.mark.parametrize("loss", ["mse", "cross_entropy", "hinge"])
def test_both_engines_stop_at_the_same_step_where_numbers_end(loss):
    setup = prepared(Architecture(2, (Layer(4, "relu"), Layer(4, "relu"), Layer(1))), loss)
    steps = []
    for engine in (mlp_fast, mlp_training):
        state = mlp_training.start(setup, "he")
        with np.errstate(all="ignore"):
            assert not engine.advance(setup, state, Rates(1e200), 200)
        steps.append(state.step)
    assert steps[0] == steps[1] < 200


TORCH_OPTIMIZERS = {
    "sgd": lambda p, lr, wd: torch.optim.SGD(p, lr),
    "momentum": lambda p, lr, wd: torch.optim.SGD(p, lr, momentum=0.9),
    "nesterov": lambda p, lr, wd: torch.optim.SGD(p, lr, momentum=0.9, nesterov=True),
    "adagrad": lambda p, lr, wd: torch.optim.Adagrad(p, lr),
    "rmsprop": lambda p, lr, wd: torch.optim.RMSprop(p, lr),
    "adam": lambda p, lr, wd: torch.optim.Adam(p, lr),
    "adamw": lambda p, lr, wd: torch.optim.AdamW(p, lr, weight_decay=wd),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_is_torchs(optimizer):
    """60 steps of a whole run: batches, penalties, update and all."""
    architecture = Architecture(2, (Layer(4, "tanh"), Layer(4, "sin"), Layer(1)), residual=True)
    setup, l1, l2, rate = prepared(architecture, "cross_entropy", optimizer), 1e-3, 0.01, 0.01
    state = mlp_training.start(setup, "xavier")
    layers = tensors(unflatten(state.flat.copy(), architecture))
    weights, biases = [p["W"] for p in layers], [p["b"] for p in layers]
    groups = [{"params": weights}, {"params": biases, "weight_decay": 0.0}]  # no decay on biases
    theirs = TORCH_OPTIMIZERS[optimizer](groups, rate, l2)
    for step in range(60):
        rows = setup.rows(step)
        theirs.zero_grad()
        output = torch_forward(layers, architecture, setup.X[rows], [None] * 3, True)
        loss = TORCH_LOSSES["cross_entropy"](output, torch.tensor(setup.y[rows]))
        (loss + penalty(layers, l1, 0.0 if optimizer == "adamw" else l2)).backward()
        theirs.step()
    assert mlp_fast.advance(setup, state, Rates(rate, l1, l2), 60)
    for ours, p in zip(unflatten(state.flat, architecture), layers, strict=True):
        for name, tensor in p.items():
            np.testing.assert_allclose(getattr(ours, name), tensor.detach().numpy(), rtol=1e-6, atol=1e-9)


def test_every_epoch_visits_every_row_once():
    setup = prepared(Architecture(2, (Layer(1),)))
    seen = []
    for epoch in range(BLOCK + 2):
        rows = [setup.rows(epoch * setup.steps_per_epoch + part) for part in range(setup.steps_per_epoch)]
        assert [len(r) for r in rows] == [4, 4, 4, 1]
        seen.append(tuple(np.concatenate(rows)))
        assert sorted(seen[-1]) == list(range(13))
    assert len(set(seen)) == len(seen)


def test_normalized_biases_rest():
    """Their gradient is nothing but rounding, which Adam would turn into full steps."""
    setup = prepared(Architecture(2, (Layer(3, "tanh", batch_norm=True), Layer(1))), optimizer="adam", dtype="f4")
    state = mlp_training.start(setup, "xavier")
    mlp_fast.advance(setup, state, Rates(0.1), 50)
    hidden, output = unflatten(state.flat, setup.architecture)
    assert not hidden.b.any()
    assert output.b.any()
    assert hidden.mean.any()


WITHOUT = """
import sys
sys.modules["numba"] = None
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "numba" else find(name, *rest)
from dlcore.experiments import neural_network as nn
from dlcore.knobs import build
*_, last = nn.run(build(nn.Config, {"epochs": 20, "epochs_per_second": 0.0}))
assert nn.resolve(nn.Config()).engine == "numpy"
try:
    nn.resolve(build(nn.Config, {"engine": "numba"}))
except nn.Problem as problem:
    print(problem)
print(last.metrics["train_loss"])
"""


def test_it_runs_without_numba_and_comes_to_the_same():
    from dlcore.experiments import neural_network as nn
    from dlcore.knobs import build

    done = subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, capture_output=True, text=True, check=True)
    told, loss = done.stdout.splitlines()
    assert "not installed" in told
    *_, last = nn.run(build(nn.Config, {"epochs": 20, "epochs_per_second": 0.0, "engine": "numba"}))
    assert isinstance(last, Finished)
    assert float(loss) == pytest.approx(last.metrics["train_loss"], rel=1e-3)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write")
def test_a_folder_that_cannot_be_written_costs_only_the_cache():
    """Compiled code is not kept, but runs."""
    code = "from dlcore import mlp_fast; mlp_fast.warm(); print(mlp_fast.CACHED)"
    env = {**os.environ, "DLCORE_STATE": "/proc/no/such/folder", "NUMBA_CACHE_DIR": ""}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert mlp_fast.CACHED
