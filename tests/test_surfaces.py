"""Every surface: its slope against finite differences, its minima, its curvatures; the network against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from dlcore import courses, small_network, surfaces
from dlcore.surfaces import hessian, lowest
from dlcore.texts import Problem
from dlcore.typed_surface import typed

SETTINGS = {"condition": 37.0, "angle": 25.0, "noise": 0.0, "seed": 0}
SHARE = st.floats(0.02, 0.98)


def made(name: str):
    return courses.make(name, {**SETTINGS, "expression": courses.EXPRESSION})


@pytest.mark.parametrize("name", courses.NAMES)
@settings(max_examples=40)
@forall(share=st.tuples(SHARE, SHARE))
def test_slope_is_that_of_the_value(name, share):
    surface, h = made(name), 1e-5
    place = np.array([low + s * (high - low) for s, (low, high) in zip(share, surface.domain, strict=True)])
    ends = place + h * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    values = surface.value(ends)
    difference = np.array([values[0] - values[1], values[2] - values[3]]) / (2 * h)
    slope = surface.gradient(place)
    np.testing.assert_allclose(slope, difference, rtol=1e-5, atol=1e-6 * max(1.0, np.abs(values).max()))


@pytest.mark.parametrize("name", courses.NAMES)
def test_many_places_at_once_are_the_same_places_one_by_one(name):
    surface = made(name)
    rng = np.random.default_rng(0)
    low, high = (np.array([span[i] for span in surface.domain]) for i in (0, 1))
    places = rng.uniform(low, high, size=(4, 3, 2))
    values, slopes = surface.value(places), surface.slope(places)
    assert values.shape == (4, 3)
    assert slopes.shape == (4, 3, 2)
    for i in np.ndindex(4, 3):
        np.testing.assert_allclose(values[i], surface.value(places[i]), rtol=1e-12)
        np.testing.assert_allclose(slopes[i], surface.slope(places[i]), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", courses.NAMES)
def test_minima_are_minima(name):
    surface = made(name)
    for minimum in surface.minima:
        assert np.abs(surface.slope(minimum)).max() < 1e-6
        assert np.linalg.eigvalsh(hessian(surface, minimum))[0] > 0
        assert all(low <= v <= high for v, (low, high) in zip(minimum, surface.domain, strict=True))
    np.testing.assert_allclose(surface.distance(surface.minima), 0, atol=1e-12)
    assert surface.value(np.array(surface.start)) > surface.floor


@pytest.mark.parametrize("name", [n for n in courses.NAMES if n not in ("network", "typed")])
def test_no_lower_point_is_in_the_window(name):
    surface = made(name)
    found = lowest(surface.value, surface.domain)
    assert surface.value(found) >= surface.floor - 1e-9
    assert surface.distance(found) < 1e-4


def test_known_values():
    at = np.array
    assert surfaces.rosenbrock().value(at([-1.2, 1.0])) == pytest.approx(24.2)
    assert surfaces.beale().value(at([0.0, 0.0])) == pytest.approx(14.203125)
    assert surfaces.himmelblau().value(at([0.0, 0.0])) == pytest.approx(170.0)
    assert surfaces.saddle().value(at([0.0, 1.0])) == pytest.approx(-0.25)
    np.testing.assert_array_equal(surfaces.saddle().slope(at([0.0, 0.0])), 0)


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0])
def test_a_bowl_has_its_curvatures_whatever_its_angle(angle):
    bowl = surfaces.bowl(250.0, angle)
    np.testing.assert_allclose(np.linalg.eigvalsh(hessian(bowl, np.array([1.0, 2.0]))), [1 / 250, 1], atol=1e-8)
    assert bowl.curvatures == (1 / 250, 1.0)
    assert bowl.sharpness == 1.0


def test_sharpness_is_that_of_the_flattest_minimum():
    assert surfaces.rosenbrock().sharpness == pytest.approx(1001.6, rel=1e-4)  # 501 ± √(250601)
    four = [np.linalg.eigvalsh(hessian(surfaces.himmelblau(), m))[-1] for m in np.array(surfaces.HIMMELBLAU)]
    assert surfaces.himmelblau().sharpness == pytest.approx(min(four))


def test_noise_is_the_same_for_all_and_another_for_another_seed():
    one, again, other = (surfaces.noisy(10.0, 0.5, seed) for seed in (0, 0, 1))
    place = np.array([[1.0, 1.0], [2.0, 1.0]])
    np.testing.assert_array_equal(one.gradient(place, 7), again.gradient(place, 7))
    assert not np.allclose(one.gradient(place, 7), other.gradient(place, 7))
    errors = np.array([one.gradient(place, k) - one.slope(place) for k in range(surfaces.MOST_STEPS)])
    np.testing.assert_allclose(errors[:, 0], errors[:, 1], atol=1e-12)
    assert np.abs(errors.mean((0, 1))).max() < 0.05
    np.testing.assert_allclose(errors[:, 0].std(0), 0.5, rtol=0.05)


# the network


def test_the_networks_loss_and_gradient_are_torchs():
    X, y = small_network.moons()
    weights = np.random.default_rng(3).normal(size=(2, small_network.ENDS[-1]))
    losses, gradients = small_network.network_loss(weights, X, y)
    for row, loss, gradient in zip(weights, losses, gradients, strict=True):
        leaf = torch.tensor(row, requires_grad=True)
        parts = torch.split(leaf, [int(np.prod(size)) for size in small_network.SIZES])
        W, b, w, c = (part.reshape(size) for part, size in zip(parts, small_network.SIZES, strict=True))
        logit = torch.tanh(torch.tensor(X) @ W + b) @ w + c
        expected = torch.nn.functional.binary_cross_entropy_with_logits(logit, torch.tensor(y))
        expected = expected + small_network.DECAY / 2 * (leaf**2).sum()
        expected.backward()
        assert leaf.grad is not None
        assert loss == pytest.approx(expected.item(), rel=1e-12)
        np.testing.assert_allclose(gradient, leaf.grad.numpy(), atol=1e-13)


def test_three_trained_networks_with_mountains_between_them():
    surface = small_network.network()
    assert len(surface.minima) == 3
    heights = surface.value(surface.minima)
    assert heights.max() < 0.15, "each of them has learned"
    for i, j in ((0, 1), (1, 2), (0, 2)):
        way = surface.minima[i] + np.linspace(0, 1, 50)[:, None] * (surface.minima[j] - surface.minima[i])
        assert surface.value(way).max() > 2 * heights.max()


# typed


@pytest.mark.parametrize(
    ("text", "minimum"),
    [("x**2 + (y - 1)**2", (0, 1)), ("(x - 1)**4 + (y + 2)**2 - x/2", (1.5, -2)), ("(x+2)**2", (-2, None))],
)
def test_the_lowest_point_of_a_formula_is_found(text, minimum):
    surface = typed(text)
    for found, wanted in zip(surface.minima[0], minimum, strict=True):
        if wanted is not None:
            assert found == pytest.approx(wanted, abs=1e-4)
    assert surface.value(surface.minima).min() == surface.floor


def test_typed_rosenbrock_is_rosenbrock():
    ours, theirs = typed("(1 - x)**2 + 100*(y - x**2)**2"), surfaces.rosenbrock()
    places = np.random.default_rng(0).uniform(-2, 2, size=(50, 2))
    np.testing.assert_allclose(ours.value(places), theirs.value(places), rtol=1e-12)
    np.testing.assert_allclose(ours.slope(places), theirs.slope(places), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("text", ["__import__('os')", "x.real", "10**10**10", "z + 1", "", "log(0*x - 1)"])
def test_what_is_no_surface_is_answered(text):
    with pytest.raises(Problem):
        typed(text)
