"""Random changes to images: held to torchvision's kernels image by image, and to what they promise of any image."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from dlcore import augmentation as a
from dlcore import warps
from dlcore.augmentation_settings import Strengths
from dlcore.knobs import knobs_of

ALL = Strengths(
    probability=0.5, shift=4, rotate=90, scale=0.5, shear=20, crop=0.5, flip=0.5, upside_down=0.5, brightness=0.5,
    contrast=0.5, saturation=0.5, hue=0.3, blur=2, noise=0.3, erase=0.4,
)  # fmt: skip


def pictures(count: int = 6, channels: int = 3, side: int = 28) -> torch.Tensor:
    """Smooth pictures with black edges: resampling at a border is a matter of taste, and not what is tested."""
    torch.manual_seed(5)
    small = torch.rand(count, channels, 7, 7) * 255
    large = torch.nn.functional.interpolate(small, (side - 8, side - 8), mode="bilinear")
    return torch.nn.functional.pad(large, [4] * 4)


# geometry


def test_one_affine_map_an_image_is_v2s_affine_of_each():
    X = pictures()
    angle, shear = torch.tensor([0.0, 30, -75, 120, 5, 180]), torch.tensor([0.0, 10, -20, 5, 0, 30])
    factor = torch.tensor([1.0, 1.3, 0.7, 0.9, 1.1, 1.0])
    shift = torch.tensor([[0.0, 0], [3, -2], [-4, 1], [0, 5], [1.5, 2.5], [2, 2]])
    moves = warps.none(6)._replace(angle=angle, shear=shear, scale=factor[:, None].expand(-1, 2), shift=shift)
    ours = a.moved(X, moves)
    for k in range(6):
        move = [float(t) for t in shift[k]]
        expected = v2.functional.affine(
            X[k], angle=float(angle[k]), translate=move, scale=float(factor[k]), shear=[float(shear[k]), 0.0],
            interpolation=v2.InterpolationMode.BILINEAR,
        )  # fmt: skip
        if k != 4:
            torch.testing.assert_close(ours[k], expected, atol=0.1, rtol=1e-3)
    halves = a.moved(X, warps.none(6)._replace(shift=torch.tensor([[0.5, 0.0]]).expand(6, 2)))
    torch.testing.assert_close(halves[..., 1:], (X[..., 1:] + X[..., :-1]) / 2, atol=0.02, rtol=1e-4)


def test_a_crop_is_v2s_resized_crop_away_from_the_edge():
    X = pictures(1)
    sides, corner = torch.tensor([[0.5, 0.75]]), (6, 4)  # 14 wide and 21 high, from column 6 and row 4
    centre = torch.tensor([[corner[0] + 7 - 14.0, corner[1] + 10.5 - 14.0]])
    ours = a.moved(X, warps.none(1)._replace(zoom=sides, centre=centre))
    expected = v2.functional.resized_crop(X, corner[1], corner[0], 21, 14, [28, 28], antialias=False)
    torch.testing.assert_close(ours[..., 2:-2, 2:-2], expected[..., 2:-2, 2:-2], atol=0.05, rtol=1e-3)


def test_mirroring_twice_is_nothing_and_once_is_a_flip():
    X = pictures()
    mirrored = warps.none(6)._replace(scale=torch.tensor([[-1.0, 1.0]]).expand(6, 2))
    once = a.moved(X, mirrored)
    torch.testing.assert_close(once, X.flip(-1), atol=0.05, rtol=0)
    torch.testing.assert_close(a.moved(once, mirrored), X, atol=0.1, rtol=0)
    torch.testing.assert_close(a.augment(X, Strengths(upside_down=1)), X.flip(-2), atol=0.05, rtol=0)


def test_mirroring_falls_on_as_many_images_as_both_probabilities_say():
    torch.manual_seed(0)
    moves = warps.draw(4000, 28, 28, Strengths(probability=0.5, flip=0.6))
    assert (moves.scale[:, 0] < 0).float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert (moves.scale[:, 1] == 1).all()


def test_noise_is_the_same_however_the_images_lie_in_memory():
    """And so on every device: it is drawn on the CPU, in the order of the axes."""
    X, sigma = torch.full((5, 3, 8, 8), 128.0), torch.full((5,), 0.1)
    made = []
    for images in (X, X.to(memory_format=torch.channels_last)):
        torch.manual_seed(3)
        made.append(a.noise(images, sigma))
    assert torch.equal(*made)


def test_a_shift_by_whole_pixels_is_a_padded_crop():
    X = pictures()
    moved = a.moved(X, warps.none(6)._replace(shift=torch.tensor([[3.0, -2.0]]).expand(6, 2)))
    torch.testing.assert_close(moved[..., :-2, 3:], X[..., 2:, :-3], atol=0.05, rtol=0)
    assert moved[..., :3].abs().max() < 0.05, "black comes in"


# colour, blur, noise, holes


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_each_image_gets_its_own_factor_as_v2_would_give_it(name, channels):
    X = pictures(5, channels)
    factors = torch.tensor([0.0, 0.5, 1.0, 1.3, 2.0]) if name != "hue" else torch.tensor([-0.5, -0.2, 0.0, 0.1, 0.4])
    if channels == 1 and name in ("saturation", "hue"):
        assert torch.equal(a.augment(X, replace(Strengths(), **{name: 0.5})), X), "grey has neither"
        return
    kernel = getattr(v2.functional, f"adjust_{name}")
    ours = getattr(a, name)(X, factors)
    for k, factor in enumerate(factors.tolist()):
        torch.testing.assert_close(ours[k] / 255, kernel(X[k] / 255, factor), atol=2e-4, rtol=1e-3)


def test_blur_is_v2s_gaussian_of_each():
    X, sigma = pictures(4), torch.tensor([0.3, 0.8, 1.5, 2.0])
    ours, size = a.blur(X, sigma), 2 * int(2.5 * 2.0 + 0.5) + 1
    for k, s in enumerate(sigma.tolist()):
        torch.testing.assert_close(ours[k], v2.functional.gaussian_blur(X[k], [size, size], [s, s]))


def test_noise_has_the_deviation_that_is_asked_for():
    torch.manual_seed(0)
    X = torch.full((2, 3, 100, 100), 127.5)
    changed = a.noise(X, torch.tensor([0.02, 0.1]))
    assert changed.std((1, 2, 3)).tolist() == pytest.approx([0.02 * 255, 0.1 * 255], rel=0.03)


@settings(max_examples=40)
@given(area=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_window_has_about_the_area_asked_for(area, seed):
    torch.manual_seed(seed)
    share = a.boxes(torch.full((20,), area), 60, 60).float().mean((1, 2))
    assert (share <= area + 0.04).all()
    assert area > 1 / 3 or (share >= area - 0.04).all()  # a long window of a large area would not fit: it is cut


# mixtures


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
@given(alpha=st.floats(0.1, 4), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_mixed_targets_say_what_is_in_the_picture(mix, alpha, seed):
    torch.manual_seed(seed)
    y = torch.arange(8)
    X = y.view(8, 1, 1, 1).float().expand(8, 1, 20, 20) * 30  # image k is of the brightness 30 k
    changed, target = a.mixed(X, y, 8, Strengths(mix=mix, mix_alpha=alpha))
    torch.testing.assert_close(target.sum(1), torch.ones(8))
    assert (target >= 0).all()
    torch.testing.assert_close(changed.mean((1, 2, 3)), target @ (y * 30.0), atol=1e-2, rtol=1e-4)
    assert ((target > 0).sum(1) <= 2).all()


def test_mixing_leaves_alone_what_the_dice_spare():
    X, y = pictures(), torch.arange(6)
    for mix in ("mixup", "cutmix"):
        changed, target = a.mixed(X, y, 6, Strengths(mix=mix, probability=0))
        torch.testing.assert_close(changed, X)
        assert torch.equal(target, torch.eye(6))
    same, hot = a.mixed(X, y, 6, Strengths())
    assert same is X
    assert a.soft_hits(torch.eye(6), hot).all()
    assert a.soft_hits(torch.eye(6), y).all()


# the whole pipeline


def test_no_strength_changes_nothing_and_draws_nothing():
    X = pictures()
    before = torch.random.get_rng_state()
    assert torch.equal(a.augment(X, Strengths()), X)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(a.augment(X, replace(ALL, probability=0, flip=1, policy="auto")), X)
    torch.testing.assert_close(a.augment(X, Strengths(blur=0.004)), X)


@given(
    channels=st.sampled_from([1, 3]), side=st.integers(8, 33), count=st.integers(1, 5), seed=st.integers(0, 99),
    policy=st.sampled_from(["none", "trivial", "auto"]),
)  # fmt: skip
@settings(max_examples=25)
def test_shape_type_range_and_input_are_kept(channels, side, count, seed, policy):
    torch.manual_seed(seed)
    X = torch.rand(count, channels, side, side + 2) * 255
    kept = X.clone()
    changed = a.augment(X, replace(ALL, policy=policy))
    assert changed.shape == X.shape
    assert changed.dtype == X.dtype
    assert changed.min() >= -0.01
    assert changed.max() <= 255.01
    assert torch.equal(X, kept)


@pytest.mark.parametrize("name", ["shift", "rotate", "scale", "shear", "crop", "brightness", "noise", "erase", "blur"])
def test_each_image_of_a_batch_has_a_draw_of_its_own(name):
    """v2's own classes draw once a call: handed eight times the same image they give eight times the same."""
    torch.manual_seed(1)
    X = pictures(1).expand(8, -1, -1, -1)
    strength = {"rotate": 90, "shift": 5, "shear": 40, "blur": 3}.get(name, 0.5)
    changed = a.augment(X, replace(Strengths(), **{name: strength}))
    assert len(np.unique(changed.flatten(1).numpy(), axis=0)) == 8
    turned = v2.RandomRotation([-90.0, 90.0])(X)
    assert len(np.unique(turned.flatten(1).numpy(), axis=0)) == 1


def test_the_dice_fall_on_the_share_that_is_asked_for():
    X = pictures(1).expand(1000, -1, -1, -1)
    torch.manual_seed(0)
    changed = a.augment(X, Strengths(probability=0.3, rotate=90))
    share = (changed != X).flatten(1).any(1).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.07)


@pytest.mark.parametrize("policy", ["none", "trivial", "auto"])
def test_the_draws_come_from_torchs_generator_alone(policy):
    X, y = pictures(), torch.arange(6)
    made = []
    for _ in range(2):
        torch.manual_seed(9)
        made.append(a.mixed(a.augment(X, replace(ALL, policy=policy)), y, 6, Strengths(mix="cutmix"))[0])
    assert torch.equal(*made)


def test_every_strength_is_a_knob_that_is_explained():
    assert set(knobs_of(Strengths)) == {f.name for f in fields(Strengths)}


def test_the_shipped_networks_digits_are_changed_by_the_same_module():
    """``train_weights`` draws another hand: every digit otherwise, none lost, within the range of pixels."""
    from dlcore.data.images import load
    from dlcore.models.train_weights import augment

    torch.manual_seed(0)
    X = torch.tensor(load("digits").X_train[:64]).float()
    changed = augment(X)
    assert (changed != X).flatten(1).any(1).all()
    assert changed.min() >= 0
    assert changed.max() <= 255
    assert changed.mean().item() == pytest.approx(X.mean().item(), rel=0.25)
