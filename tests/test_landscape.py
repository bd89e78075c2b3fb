"""Slices through the loss of a network: against closed forms, scikit-learn, and the networks they must leave alone."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from dlcore import landscape
from dlcore import landscape_story as story
from dlcore.landscape import Ground, coarse_to_fine, coordinates, principal, random_direction, weights_of
from dlcore.landscape_numbers import HELD, PATH, RANDOM, Landscape, Slice


def network(norm: bool = False) -> Any:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4) if norm else nn.Identity(), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)
    )


def images(n: int = 40, seed: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(n, 1, 8, 8, generator=draw), torch.randint(0, 3, (n,), generator=draw)


def split(model: nn.Module, vector: torch.Tensor) -> list[torch.Tensor]:
    sizes = [p.numel() for p in model.parameters()]
    return [part.view(p.shape) for part, p in zip(vector.split(sizes), model.parameters(), strict=True)]


def test_every_filter_of_a_direction_is_as_long_as_the_networks():
    model = network(norm=True)
    with torch.no_grad():
        model[0].weight[2] = 0  # a filter without length gets a direction without length
    direction = random_direction(model, torch.Generator().manual_seed(3))
    for theta, delta in zip(model.parameters(), split(model, direction), strict=True):
        if theta.dim() == 1:
            assert not delta.any()
        else:
            torch.testing.assert_close(delta.flatten(1).norm(dim=1), theta.detach().flatten(1).norm(dim=1))


def test_directions_come_from_their_seed():
    model = network()
    one, same, other = (random_direction(model, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert abs(torch.cosine_similarity(one, other, dim=0)) < 0.2


def test_a_scaled_network_is_seen_the_same():
    """Filter normalisation makes the map blind to a scale that the network's function is blind to, too."""
    model, scaled, X = network(norm=True), network(norm=True), images()
    with torch.no_grad():
        scaled[0].weight *= 10  # undone by the normalisation behind it
        scaled[0].bias *= 10
    losses = []
    for one in (model, scaled):
        direction = random_direction(one, torch.Generator().manual_seed(3))
        losses.append([Ground(one, X, X).at(weights_of(one) + a * direction)[0] for a in (-0.7, 0.0, 0.4)])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-3)
    assert max(losses[0]) > 1.05 * min(losses[0])


def test_ground_is_the_closed_form_of_a_linear_network():
    """Logits (θ, 0): the loss at θ* + a δ is that of softmax in closed form at every a."""
    model: Any = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.5], [0.0]]))
    X, y = torch.ones(4, 1, 1, 1), torch.tensor([0, 0, 0, 1])
    direction = torch.tensor([1.0, 0.0])
    ground = Ground(model, (X, y), (X[:3], y[:3]))
    for a in np.linspace(-2, 2, 9):
        z = 1.5 + a
        seen, held_out = ground.at(weights_of(model) + float(a) * direction)
        assert seen == pytest.approx(0.75 * np.log1p(np.exp(-z)) + 0.25 * np.log1p(np.exp(z)), rel=1e-5)
        assert held_out == pytest.approx(np.log1p(np.exp(-z)), rel=1e-5)


def test_measuring_changes_nothing():
    model, X = network(norm=True).train(), images()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    ground = Ground(model, X, images(20, seed=2))
    first = ground.at(weights_of(model))
    ground.at(weights_of(model) + random_direction(model, torch.Generator().manual_seed(0)))
    assert ground.at(weights_of(model)) == first  # nor does one point change the next
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_statistics_are_those_of_the_measured_images():
    model, X, held_out = network(norm=True), images(), images(20, seed=2)
    with torch.no_grad():
        model[1].running_mean += 5  # what the network had noted says nothing here
    seen, held = Ground(model, X, held_out).at(weights_of(model))
    model.train()
    model[1].momentum = 1.0
    with torch.no_grad():
        assert seen == pytest.approx(nn.functional.cross_entropy(model(X[0]), X[1]).item(), rel=1e-6)
        model.eval()
        assert held == pytest.approx(nn.functional.cross_entropy(model(held_out[0]), held_out[1]).item(), rel=1e-6)


def test_a_loss_that_is_no_number_is_beyond():
    model, X = network(), images()
    assert Ground(model, X, X).at(weights_of(model) * float("nan")) == (landscape.BEYOND, landscape.BEYOND)


# --- the path ---------------------------------------------------------------------------------------------------------


def walk(n: int = 12, size: int = 300) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(n, size, generator=draw).cumsum(0)


def test_principal_components_are_scikit_learns():
    path = walk()
    found, oracle = principal(path), PCA(2).fit((path - path[-1]).numpy())
    np.testing.assert_allclose(found.explained, oracle.explained_variance_ratio_, rtol=1e-4)
    overlap = found.directions.numpy() @ np.asarray(oracle.components_).T
    np.testing.assert_allclose(np.abs(overlap), np.eye(2), atol=1e-4)


def test_the_path_ends_in_the_middle_and_begins_on_the_left():
    path = walk()
    places = coordinates(path, principal(path).directions)
    np.testing.assert_array_equal(places[-1], 0)
    assert places[0, 0] < 0


def test_a_shadow_is_the_nearest_point_of_any_plane():
    path = walk()
    axes = torch.randn(2, path.shape[1], generator=torch.Generator().manual_seed(5))
    axes[1] += axes[0]  # neither of length 1 nor at right angles
    steps = (path - path[-1]).double().numpy()
    oracle = np.linalg.lstsq(axes.double().numpy().T, steps.T, rcond=None)[0].T
    np.testing.assert_allclose(coordinates(path, axes), oracle, rtol=1e-6, atol=1e-9)


# --- the grid ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("points", [9, 11, 25, 51])
def test_the_order_visits_every_place_once_and_has_a_picture_early(points):
    order = coarse_to_fine(points)
    assert len({tuple(place) for place in order.tolist()}) == points**2 == len(order)
    assert order[0].tolist() == [points // 2] * 2
    corners = [(r, c) for r in (0, points - 1) for c in (0, points - 1)]
    first = order[: (points // 8 + 3) ** 2].tolist()
    assert all(list(corner) in first for corner in corners)


def bowl(points: int = 41, steep: float = 1.0) -> Slice:
    x = np.linspace(-1, 1, points)
    return Slice(x, x, steep * (x[None, :] ** 2 + x[:, None] ** 2))


def test_reach_is_the_radius_of_a_round_bowl():
    assert bowl().reach(0.25) == pytest.approx(0.5, abs=0.01)
    assert bowl(steep=4).reach(0.25) == pytest.approx(0.25, abs=0.01)
    assert bowl().reach(5.0) == pytest.approx(1.0)
    assert bowl().reach(-1.0) == 0


def test_share_below_is_the_area():
    assert bowl(201).share_below(0.25) == pytest.approx(np.pi * 0.25 / 4, abs=0.01)


def test_bowls_bend_nowhere_down_and_waves_half_of_the_way():
    assert bowl().bent_down() == 0
    x = np.linspace(-np.pi, np.pi, 201)
    assert Slice(x, x, 2 + np.sin(x)[None, :] + 0 * x[:, None]).bent_down() == pytest.approx(0.5, abs=0.02)
    assert Slice(x, x, np.full((201, 201), 2.3)).bent_down() == 0


def test_the_gap_is_where_loss_and_shadow_differ_most():
    arrays = {
        PATH: {"step": np.arange(4), "true/plain": np.array([[2.3, 0], [1, 0], [0.5, 0], [0.1, 0]]),
               "projected/plain": np.array([[2.0, 0], [0.25, 0], [0.5, 0], [np.nan, 0]])},
        RANDOM: {},
    }  # fmt: skip
    assert Landscape(arrays).gap("plain") == (1, 1.0, 0.25)


def test_the_sentence_speaks_of_the_images_that_are_drawn():
    """Losses of the images learned from are in the first column, those of test images in the second."""
    rows = {"true/plain": np.array([[2.0, 2.0], [1.0, 1.0]]), "projected/plain": np.array([[1.0, 2.0], [1.0, 4.0]])}
    found: Any = SimpleNamespace(snapshots={PATH: SimpleNamespace(arrays={"step": np.arange(2), **rows})})
    assert story.worst_gap(found) == ("plain", 0, 2.0, 1.0)
    assert story.worst_gap(found, HELD) == ("plain", 1, 1.0, 4.0)


def test_losses_of_many_images_are_those_of_all_at_once(monkeypatch):
    """Where no statistics are taken from the batch the images go through in pieces."""
    torch.manual_seed(0)
    X, y = torch.randn(25, 4), torch.randint(0, 3, (25,))
    plain = nn.Linear(4, 3)
    whole = Ground(plain, (X, y), (X, y)).at(weights_of(plain))
    monkeypatch.setattr(landscape, "TOGETHER", 10)
    assert Ground(plain, (X, y), (X, y)).at(weights_of(plain)) == pytest.approx(whole, rel=1e-6)
    normed = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    seen, held_out = Ground(normed, (X, y), (X, y)).at(weights_of(normed))
    assert seen == pytest.approx(held_out, rel=0.1), "the statistics are those of all 25, not of some of them"


def test_the_place_between_is_bilinear():
    x = np.linspace(0, 1, 3)
    around = Slice(x, x, x[None, :] + 10 * x[:, None])
    found = around.at(np.array([0.1, 0.6]), np.array([0.7, 0.2]))
    np.testing.assert_allclose(found, [7.1, 2.6])
    assert all(a < b for a, b in pairwise(around.at(x, x)))
