"""Why an answer: maps held to formulas and to captum, completeness by steps, and the checks that a map must stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, Occlusion
from torch import nn

from dlcore.data.images import load
from dlcore.texts import Problem
from dlcore.vision import attribution, neighbours, sanity
from dlcore.vision.methods import METHODS, completeness, fractions, integrated, offered
from dlcore.vision.models import Vision, model
from dlcore.vision.pixels import Opened, enter, gradient, on_pixels, open_with
from tests.small_digits import train


@pytest.fixture(scope="module")
def name(tmp_path_factory) -> str:
    """A network that has really learned the digits."""
    return train(tmp_path_factory.mktemp("small") / "checkpoint.bin", seed=3)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return load("digits").X_test[:45:3]


def tiny(seed: int = 0) -> Opened:
    """A network of one convolution, without a saturating end, and a picture for it."""
    torch.manual_seed(seed)
    maps = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU())
    module = nn.Sequential(maps, nn.Flatten(), nn.Linear(3 * 36, 4)).eval()
    vision = Vision("tiny", module, list("abcd"), (1, 8, 8), lambda picture: torch.zeros(1, 8, 8), maps)
    net, P = on_pixels(vision), torch.rand(1, 1, 8, 8)
    return Opened(vision, net, P, net(P)[0].detach())


def test_grad_cam_is_the_formula_of_the_paper() -> None:
    opened = tiny()
    maps, _flatten, dense = opened.vision.module.children()
    A = maps(255 * opened.P).detach().requires_grad_()  # (1, 3, 6, 6)
    score = dense(A.flatten(1))[0, 2]
    weights = torch.autograd.grad(score, A)[0].mean((2, 3))  # (1, 3)
    expected = torch.relu((weights[0, :, None, None] * A[0]).sum(0)).detach()
    expected = nn.functional.interpolate(expected[None, None], (8, 8), mode="bilinear")[0, 0]
    torch.testing.assert_close(attribution.gradcam(opened, 2), expected)
    assert expected.max() > 0
    with pytest.raises(Problem, match="no layer of maps"):
        attribution.gradcam(replace(opened, vision=replace(opened.vision, last_maps=None)), 2)


def test_asking_with_hooks_leaves_the_network_without_any() -> None:
    opened = tiny()
    attribution.gradcam(opened, 0)
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in opened.vision.module.modules())


def test_saliency_is_the_size_of_the_gradient() -> None:
    opened = tiny()
    expected = gradient(opened.net, opened.P, 1)[0].abs().amax(0)
    torch.testing.assert_close(attribution.saliency(opened, 1), expected)
    smooth = attribution.smoothgrad(opened, 1, samples=8)
    assert not torch.equal(smooth, expected)
    torch.testing.assert_close(smooth, attribution.smoothgrad(opened, 1, samples=8))


def test_occlusion_is_the_score_that_goes_under_the_patch() -> None:
    opened = tiny()
    found = attribution.occlusion(opened, 3, 0.5)
    covered = opened.P.clone()
    covered[..., :2, :2] = 0.5  # 8 / 5 is a patch of 2 pixels that moves by 1: the corner is under one patch only
    loss = opened.logits[3] - opened.net(covered)[0, 3]
    torch.testing.assert_close(found[0, 0], loss.detach())
    wide = replace(opened, P=torch.rand(1, 1, 13, 17))  # patches that jut out over the rim
    asked = next(wide.vision.module.children())
    wide = replace(wide, net=nn.Sequential(asked, nn.AdaptiveAvgPool2d(2), nn.Flatten()))
    wide = replace(wide, logits=wide.net(wide.P)[0].detach())
    oracle = Occlusion(wide.net).attribute(wide.P, target=3, sliding_window_shapes=(1, 3, 3), strides=(1, 1, 1))
    torch.testing.assert_close(attribution.occlusion(wide, 3), oracle[0, 0].float())


def test_the_parts_of_a_map_add_up_to_it() -> None:
    opened = tiny()
    for method in ("occlusion", "smoothgrad"):
        parts = [attribution.map_of(opened, method, 2, 0.5, (k, 3)) for k in range(3)]
        torch.testing.assert_close(torch.stack(parts).sum(0), attribution.map_of(opened, method, 2, 0.5))
        assert min(float(part.abs().max()) for part in parts) > 0


@pytest.mark.parametrize("level", [0, 1, 5])
def test_the_path_doubled_step_by_step_is_captums_sum(level) -> None:
    opened = tiny()
    parts = [attribution.path_gradients(opened, 1, 0.5, k).numpy() for k in range(level + 1)]
    oracle = IntegratedGradients(opened.net).attribute(
        opened.P, torch.full_like(opened.P, 0.5), target=1, n_steps=2**level + 1, method="riemann_trapezoid"
    )
    oracle *= (2**level + 1) / 2**level  # captum weighs its n points by 1 / n, though n - 1 steps lie between them
    torch.testing.assert_close(torch.from_numpy(integrated(parts)), oracle[0].sum(0).float(), rtol=1e-3, atol=1e-4)


def test_many_steps_are_the_integral_that_captum_finds_by_another_rule() -> None:
    opened = tiny()
    parts = [attribution.path_gradients(opened, 1, 0.5, k).numpy() for k in range(11)]
    oracle = IntegratedGradients(opened.net).attribute(
        opened.P, torch.full_like(opened.P, 0.5), target=1, n_steps=400, method="gausslegendre"
    )
    size = float(oracle.abs().max())
    torch.testing.assert_close(torch.from_numpy(integrated(parts)), oracle[0].sum(0).float(), rtol=0, atol=0.01 * size)


def test_all_levels_together_are_every_point_once() -> None:
    points = np.concatenate([fractions(level)[0] for level in range(5)])
    np.testing.assert_allclose(np.sort(points), np.linspace(0, 1, 17))


def test_completeness_error_falls_with_the_steps(name, pictures) -> None:
    """Measured with seed 3: about 7 at one step, 0.1 at 16, 0.005 at 256, of a score of 15 to 24."""
    errors = []
    for picture in pictures[:5]:
        found = attribution.path_parts(name, picture, open_with(name, picture).best, "black", range(9))
        errors.append(completeness(found["parts"], found["score"] - found["empty"]))
    mean = np.mean(errors, 0)
    assert mean[0] > 1
    assert mean[4] < mean[0] / 15
    assert mean[8] < 0.03 < mean[2]


def test_a_real_attribution_changes_with_the_weights_and_edges_do_not(name, pictures) -> None:
    """Seed 3: integrated gradients keep 0.05 on average (in size), and edges, which ask no network, all of 1."""
    found = {"integrated": [], "edges": []}
    for method, correlations in found.items():
        for picture in pictures:
            target = open_with(name, picture).best
            correlations.append(sanity.randomised(name, picture, method, target, 1.0)["correlation"])
    assert abs(np.mean(found["integrated"])) < 0.15
    assert np.mean(np.abs(found["integrated"])) < 0.3
    assert np.mean(found["edges"]) == pytest.approx(1)


def test_only_the_last_layers_are_randomised_and_the_network_itself_stays(name, pictures) -> None:
    opened = open_with(name, pictures[0])
    before = {key: value.clone() for key, value in opened.vision.module.state_dict().items()}
    half, count, total = sanity.scrambled(opened, 0.5)
    assert (count, total) == (2, 4)
    after = half.vision.module.state_dict()
    changed = {key.split(".")[0] for key in before if not torch.equal(before[key], after[key])}
    assert changed == {"dense1", "logits"}
    assert all(torch.equal(before[key], value) for key, value in opened.vision.module.state_dict().items())
    assert all(torch.equal(before[key].sort().values.flatten().sort().values, after[key].flatten().sort().values)
               for key in changed for key in [f"{key}.bias"])  # fmt: skip
    same, count, _total = sanity.scrambled(opened, 0.0)
    assert count == 0
    torch.testing.assert_close(same.logits, opened.logits)


def test_deleting_what_the_map_names_costs_more_than_chance(name, pictures) -> None:
    """Seed 3, mean probability with 9 % of the picture gone: 0.06 by integrated gradients, 0.97 at random."""
    by_map, at_random = [], []
    for picture in pictures:
        opened = open_with(name, picture)
        heat = attribution.map_of(opened, "integrated", opened.best).numpy()
        found = sanity.deletion(name, picture, heat, opened.best)
        by_map.append(found["curves"][0])
        at_random.append(found["curves"][1:].mean(0))
    near = int(np.argmin(np.abs(found["shares"] - 0.09)))
    assert np.mean(by_map, 0)[near] < 0.3
    assert np.mean(at_random, 0)[near] > 0.8
    assert np.mean(by_map, 0)[0] == pytest.approx(np.mean(at_random, 0)[0])


def test_all_of_the_picture_gone_is_the_empty_picture() -> None:
    P = torch.rand(3, 30, 40)
    order = np.arange(int(np.prod(sanity.cells_of((30, 40)))))
    assert torch.equal(sanity.without(P, order, 0, 0.5), P)
    assert bool((sanity.without(P, order, order.size, 0.5) == 0.5).all())


def test_rank_correlation_leaves_out_where_both_are_silent() -> None:
    silent = np.zeros(1000)
    one, other = np.array([1.0, 2, 3, -1]), np.array([3.0, 1, -2, 2])
    alone = sanity.rank_correlation(one, other)
    assert alone < 0
    assert sanity.rank_correlation(np.r_[one, silent], np.r_[other, silent]) == pytest.approx(alone)
    assert np.isnan(sanity.rank_correlation(silent, silent))


def test_every_method_answers_for_the_shipped_network(pictures) -> None:
    said = attribution.ask("digits", pictures[0])
    assert said["probabilities"].sum() == pytest.approx(1, abs=1e-4)
    for method in offered(said["has_maps"]):
        heat = attribution.explain("digits", pictures[0], method)["map"]
        assert heat.shape == (28, 28)
        assert np.isfinite(heat).all()
        assert np.ptp(heat) > 0
        assert METHODS[method].signed or heat.min() >= 0
    with pytest.raises(Problem, match="no method"):
        attribution.explain("digits", pictures[0], "dream")
    with pytest.raises(Problem, match="no class number 10"):
        attribution.explain("digits", pictures[0], "saliency", 10)


def test_a_picture_as_the_network_takes_it_enters_unchanged(pictures) -> None:
    vision = model("digits")
    entered = enter(vision, on_pixels(vision), pictures[0])
    np.testing.assert_allclose(entered.numpy() * 255, pictures[0])
    with torch.no_grad():
        direct = vision.module(torch.from_numpy(pictures[:1].copy()).float())
    torch.testing.assert_close(open_with("digits", pictures[0]).logits, direct[0])


def test_nearest_in_features_are_mostly_of_the_same_class(name) -> None:
    data = load("digits")
    right = []
    for picture, label in zip(data.X_test[:20], data.y_test[:20], strict=True):
        found = neighbours.nearest(name, picture, "digits", count=5)
        assert (np.diff(found["alike"]) <= 1e-6).all()
        right.append((found["labels"] == label).mean())
    assert np.mean(right) > 0.9
    own = neighbours.nearest(name, data.X_train[7], "digits", count=1)
    np.testing.assert_array_equal(own["images"][0], data.X_train[7])
    assert own["alike"][0] == pytest.approx(1, abs=1e-5)
    brighter = neighbours.nearest(name, (60 + 0.6 * data.X_train[7]).astype(np.uint8), "digits", count=1)
    assert brighter["pixel_alike"][0] > 0.999, "how bright it is does not count"
