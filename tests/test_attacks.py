"""Pushes: held to their formulas, kept in their box, and stronger than chance; what helps; odd pictures."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlcore.data.images import load
from dlcore.vision import attacks, weathering
from dlcore.vision.hardening import pushed
from dlcore.vision.kinds import CORRUPTIONS
from dlcore.vision.models import model
from dlcore.vision.pixels import on_pixels, open_with
from tests.small_digits import train

SIZES = (0.0, 0.1, 0.2)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> str:
    return train(tmp_path_factory.mktemp("plain") / "checkpoint.bin", seed=5)


@pytest.fixture(scope="module")
def test_set() -> tuple[torch.Tensor, torch.Tensor]:
    data = load("digits")
    return torch.from_numpy(data.X_test.copy()).float() / 255, torch.from_numpy(data.y_test.copy())


@pytest.fixture(scope="module")
def before(plain, test_set) -> dict[str, np.ndarray]:
    P, y = test_set
    return attacks.accuracies(on_pixels(model(plain)), P, y, SIZES)


def small_network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(4 * 36, 5)).eval()


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm_is_one_signed_step_along_the_losss_gradient(targeted) -> None:
    net, P, y = small_network(0), torch.rand(6, 1, 8, 8), torch.tensor([0, 1, 2, 3, 4, 0])
    Q = P.clone().requires_grad_()
    nn.functional.cross_entropy(net(Q), y).backward()  # the mean's signs are the sum's
    assert Q.grad is not None
    expected = (P + (-0.07 if targeted else 0.07) * Q.grad.sign()).clamp(0, 1)
    torch.testing.assert_close(attacks.fgsm(net, P, y, 0.07, targeted=targeted), expected)
    assert all(p.grad is None for p in small_network(0).parameters())


@given(st.integers(0, 10**6), st.floats(0, 0.5), st.booleans(), st.sampled_from(["fgsm", "pgd"]))
@settings(max_examples=40)
def test_no_pixel_leaves_the_box_or_the_scale(seed, epsilon, targeted, method) -> None:
    net, generator = small_network(seed), torch.Generator().manual_seed(seed)
    P = torch.rand(2, 1, 8, 8, generator=generator).round(decimals=1)  # some are black or white
    Q = attacks.ATTACKS[method](net, P, torch.tensor([1, 4]), epsilon, targeted=targeted)
    assert float((Q - P).abs().max()) <= epsilon + 1e-6
    assert float(Q.min()) >= 0
    assert float(Q.max()) <= 1


def test_more_steps_find_a_larger_loss_than_one(plain, test_set) -> None:
    net, (P, y) = on_pixels(model(plain)), (test_set[0][:80], test_set[1][:80])
    with torch.no_grad():  # an attack asks for its gradient wherever it is called
        one, many = (
            nn.functional.cross_entropy(net(attack(net, P, y, 0.1)), y) for attack in (attacks.fgsm, attacks.pgd)
        )
    assert many > one


def test_an_attack_costs_far_more_than_random_signs_of_the_same_size(before) -> None:
    """Seeds 3 and 4: FGSM 0.46 and 0.50 at ε = 0.1, 0.12 and 0.14 at 0.2; random signs 0.99 and 0.98; PGD 0.3 and 0."""
    assert before["noise"][0] == before["fgsm"][0] > 0.97
    assert before["fgsm"][1] < 0.65
    assert before["fgsm"][2] < 0.25
    assert before["pgd"][1] < before["fgsm"][1]
    assert (before["noise"] > 0.94).all()


def test_curves_of_a_run_are_those_of_its_test_images(plain, before, test_set) -> None:
    found = attacks.accuracy_curves(plain, "digits", SIZES, ["pgd", "noise"], count=len(test_set[1]))
    for method, shares in found.items():
        np.testing.assert_allclose(shares, before[method], atol=0.006)  # noise tosses its coins by place


@pytest.mark.slow
def test_attacked_images_help_against_attacks_and_noise_does_not(before, tmp_path, test_set) -> None:
    """Seeds 3 and 4, PGD at ε = 0.1: 0.25 and 0.30 plain, 0.28 with noise of 0.1, 0.81 and 0.82 attacked by 0.1."""
    (P, y), found = test_set, {}
    for by in ("noise", "attack"):
        name = train(tmp_path / f"{by}.bin", seed=5, push=0.1, pushes=by)
        found[by] = attacks.accuracies(on_pixels(model(name)), P, y, (0.0, 0.1), ("pgd",))["pgd"]
    assert found["attack"][1] > before["pgd"][1] + 0.3
    assert found["noise"][1] < before["pgd"][1] + 0.2
    assert found["attack"][0] > 0.95


@pytest.mark.parametrize("by", ["attack", "noise"])
def test_pushed_images_stay_near_and_the_network_stays_as_it_was(by) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(72, 5)).train()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    X = torch.rand(4, 1, 8, 8) * 255
    Q = pushed(net, X, torch.arange(4), 0.1, by)
    assert 1 < float((Q - X).abs().max()) <= 25.5 + 1e-3
    assert float(Q.min()) >= 0
    assert float(Q.max()) <= 255
    assert net.training
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_one_picture_attacked_and_its_sweep_agree(plain) -> None:
    picture = load("digits").X_test[4]
    one = attacks.attack(plain, picture, "fgsm", 0.15)
    many = attacks.sweep(plain, picture, "fgsm", [0.0, 0.15])
    answer = one["before"]
    assert many["before"] == answer == open_with(plain, picture).best
    assert many["attack"][0] == many["noise"][0] == pytest.approx(one["probabilities"][0, answer], abs=1e-5)
    assert many["attack"][1] == pytest.approx(one["probabilities"][1, answer], abs=1e-5)
    assert many["noise"][1] == pytest.approx(one["probabilities"][2, answer], abs=1e-5)
    np.testing.assert_array_equal(one["pictures"][0], picture)
    assert np.abs(one["pushes"]).max() == pytest.approx(0.15, abs=1e-6)


def test_a_targeted_attack_raises_the_class_that_is_wished_for(plain) -> None:
    picture, wish = load("digits").X_test[4], 8
    many = attacks.sweep(plain, picture, "pgd", [0.0, 0.3], wish)
    assert many["before"] != wish
    assert many["wished"][1] > many["wished"][0] + 0.2


def test_corruptions_change_more_with_strength_and_keep_the_form() -> None:
    for picture in (load("digits").X_test[4], np.random.default_rng(0).integers(0, 256, (3, 40, 50), np.uint8)):
        for kind in CORRUPTIONS:
            shown = [weathering.corrupted(picture, kind, severity) for severity in (1, 3, 5)]
            assert all(s.shape == picture.shape and s.dtype == np.uint8 for s in shown)
            far = [float(np.abs(s.astype(float) - picture).mean()) for s in shown]
            assert 0 < far[0] < far[1] < far[2], (kind, far)
            np.testing.assert_array_equal(shown[2], weathering.corrupted(picture, kind, 5))


def test_weather_and_strangers_are_the_networks_own_answers(plain) -> None:
    picture = load("digits").X_test[4]
    found = weathering.weather(plain, picture)
    kind, severity = 2, 3
    again = open_with(plain, weathering.corrupted(picture, found["kinds"][kind], severity + 1)).logits.softmax(0)
    assert found["probabilities"][kind, severity] == pytest.approx(float(again[found["before"]]), abs=1e-4)
    odd = weathering.strangers(plain, picture)
    assert "digit" not in odd["kinds"], "a digit is no stranger to it"
    again = [open_with(plain, shown).logits.softmax(0) for shown in odd["pictures"]]
    assert odd["answers"].tolist() == [int(p.argmax()) for p in again]
    np.testing.assert_allclose(odd["sure"], [float(p.max()) for p in again], atol=0.02)  # shown as bytes
