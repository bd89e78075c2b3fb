"""Seven rules against torch.optim, step by step; and what theory says of quadratics, measured again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from dlcore import update_rules as ours
from dlcore.update_rules import RULES, best_pair, best_rate, handed_over, limit, steps_needed

STEPS = 200
SHARE = st.floats(0.0, 0.99)
KNOBS = {
    "gd": {},
    "momentum": {"beta": SHARE},
    "nesterov": {"beta": st.floats(0.01, 0.99)},  # torch refuses 0
    "adagrad": {},
    "rmsprop": {"beta2": SHARE},
    "adam": {"beta1": SHARE, "beta2": st.floats(0.0, 0.9999)},
    "adamw": {"beta1": SHARE, "beta2": st.floats(0.0, 0.9999), "weight_decay": st.floats(0.0, 0.5)},
}


def theirs(rule: str, parameters, learning_rate: float, knobs: dict) -> torch.optim.Optimizer:
    lr: dict[str, Any] = {"lr": learning_rate}
    match rule:
        case "gd":
            return torch.optim.SGD(parameters, **lr)
        case "momentum" | "nesterov":
            return torch.optim.SGD(parameters, momentum=knobs["beta"], nesterov=rule == "nesterov", **lr)
        case "adagrad":
            return torch.optim.Adagrad(parameters, **lr)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, alpha=knobs["beta2"], **lr)
        case "adam":
            return torch.optim.Adam(parameters, betas=(knobs["beta1"], knobs["beta2"]), **lr)
        case _:
            betas = (knobs["beta1"], knobs["beta2"])
            return torch.optim.AdamW(parameters, betas=betas, weight_decay=knobs["weight_decay"], **lr)


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=25)
@forall(data=st.data(), rate=st.floats(1e-4, 0.5), seed=st.integers(0, 10**6))
def test_equals_torch_over_200_steps(rule, data, rate, seed):
    """On gradients of any size that do not depend on θ, so that no instability magnifies a rounding."""
    knobs = {name: data.draw(values, label=name) for name, values in KNOBS[rule].items()}
    rng = np.random.default_rng(seed)
    theta, memory = rng.normal(size=(3, 2)), {}
    parameter = torch.nn.Parameter(torch.tensor(theta))
    optimizer = theirs(rule, [parameter], rate, knobs)
    for _ in range(STEPS):
        gradient = rng.normal(size=(3, 2)) * 10.0 ** rng.uniform(-3, 3)
        theta, memory = RULES[rule].update(theta, gradient, memory, rate, **knobs)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        expected = parameter.detach().numpy()
        np.testing.assert_allclose(theta, expected, rtol=1e-6, atol=1e-6 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("rule", RULES)
def test_equals_torch_on_a_descent(rule):
    """The gradient is that of a bowl at θ, so the two run their own ways."""
    H = np.array([[1.0, 0.3], [0.3, 0.2]])
    theta, memory = np.array([2.0, -3.0]), {}
    parameter = torch.nn.Parameter(torch.tensor(theta))
    optimizer = theirs(rule, [parameter], 0.05, dict(RULES[rule].settings))
    for _ in range(STEPS):
        theta, memory = RULES[rule].update(theta, H @ theta, memory, 0.05, **RULES[rule].settings)
        optimizer.zero_grad()
        (parameter @ torch.tensor(H) @ parameter / 2).backward()
        optimizer.step()
        np.testing.assert_allclose(theta, parameter.detach().numpy(), atol=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_is_changed_in_place_and_any_shape_will_do(rule):
    rng = np.random.default_rng(0)
    theta, gradient = rng.normal(size=(4, 5, 2)), rng.normal(size=(4, 5, 2))
    kept = theta.copy(), gradient.copy()
    one, memory = RULES[rule].update(theta, gradient, {}, 0.1, **RULES[rule].settings)
    before = {name: np.copy(value) for name, value in memory.items()}
    RULES[rule].update(one, gradient, memory, 0.1, **RULES[rule].settings)
    np.testing.assert_array_equal(theta, kept[0])
    np.testing.assert_array_equal(gradient, kept[1])
    assert all(np.array_equal(memory[name], before[name]) for name in before)
    assert set(RULES[rule].memory) <= set(memory)
    row, _memory = RULES[rule].update(theta[2, 3], gradient[2, 3], {}, 0.1, **RULES[rule].settings)
    np.testing.assert_allclose(one[2, 3], row, rtol=1e-14)


@pytest.mark.parametrize("gradient", [6e4, 1.0, 1e-4])
def test_adams_first_step_has_the_size_of_the_rate(gradient):
    theta, _memory = ours.adam(np.array([1.0, -1.0]), np.array([gradient, -gradient]), {}, 0.03)
    np.testing.assert_allclose(theta, [0.97, -0.97], rtol=4e-6)  # ε is a ten-thousandth of 1e-4


def test_a_condition_number_of_100():
    """From a start equally far off in both directions, until the distance stays below a millionth of the first one."""
    low, high = 0.01, 1.0
    assert steps_needed(low, high, best_rate(low, high), 0.0) == 691
    assert steps_needed(low, high, *best_pair(low, high)) == 93
    assert pytest.approx(0.74 * np.sqrt(100), rel=0.02) == (691 / 93)  # √κ, but for a constant


@forall(kappa=st.floats(2, 500))
@settings(max_examples=20)
def test_no_neighbour_of_the_best_pair_is_faster_in_the_long_run(kappa):
    """The slowest direction's factor per step is √β at the best pair, and larger for every other pair tried."""

    def factor(rate: float, beta: float) -> float:
        return max(max(abs(np.roots([1, -(1 + beta - rate * lam), beta]))) for lam in (1 / kappa, 1.0))

    rate, beta = best_pair(1 / kappa, 1.0)
    best = factor(rate, beta)
    assert best == pytest.approx(np.sqrt(beta), rel=1e-4)
    others = [factor(rate * r, min(beta * b, 0.999)) for r in (0.9, 1, 1.1) for b in (0.9, 1, 1.1)]
    assert min(others) >= best - 1e-5


@pytest.mark.parametrize("rule", ["gd", "momentum", "nesterov"])
@pytest.mark.parametrize("beta", [0.5, 0.9, 0.97])
@pytest.mark.parametrize("curvature", [0.3, 40.0])
def test_one_percent_below_the_limit_converges_and_one_above_diverges(rule, beta, curvature):
    knobs = {"beta": beta} if RULES[rule].settings else {}
    bound = limit(rule, curvature, **knobs)
    assert bound is not None
    ends = []
    for share in (0.99, 1.01):
        theta, memory = 1.0, {}
        for _ in range(8000):
            theta, memory = RULES[rule].update(theta, curvature * theta, memory, share * bound, **knobs)
            if abs(theta) > 1e30:
                break
        ends.append(abs(theta))
    assert ends[0] < 1e-6
    assert ends[1] > 1e6


def test_the_heavy_balls_limit_with_beta_09_in_numbers():
    """TEACHING: 1 % below converges, 1 % above diverges; here λ = 1, so the limit is 3.8."""
    assert limit("momentum", 1.0, 0.9) == pytest.approx(3.8)


@pytest.mark.parametrize("rule", ["adagrad", "rmsprop", "adam", "adamw"])
def test_no_limit_is_claimed_where_none_is_known(rule):
    assert limit(rule, 1.0, 0.9) is None


def test_memory_is_handed_over_to_a_rule_that_knows_it():
    velocity = {"velocity": np.ones(2)}
    assert handed_over(velocity, "momentum", "nesterov") is velocity
    assert handed_over(velocity, "momentum", "adam") == {}
    both = {"mean": np.ones(2), "square": np.ones(2), "count": 3}
    assert handed_over(both, "adam", "adamw") is both
    assert handed_over(both, "adam", "rmsprop") == {}
