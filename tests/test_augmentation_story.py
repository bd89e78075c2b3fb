"""What the augmentation lesson shows and says: variants, questions, doubts, pairs of runs, figures."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

import numpy as np
import pytest

from dlcore import augmentation_story as story
from dlcore.augmentation_settings import Strengths
from dlcore.experiments import augmentation_look as look
from dlcore.experiments.augmentation import Config
from dlcore.figures import augmentation as figures
from dlcore.history import History
from dlcore.knobs import build, knobs_of


def test_variants_are_a_pure_function_of_settings_and_seed():
    settings = asdict(Strengths(shift=4, rotate=30, mix="mixup"))
    first, again, other = (look.variants("digits", settings, seed, rows=3, draws=4) for seed in (1, 1, 2))
    assert first["images"].shape == (3, 5, 1, 28, 28)
    assert first["images"].dtype == np.uint8
    assert first["shares"].shape == (3, 4, 10)
    np.testing.assert_allclose(first["shares"].sum(2), 1, atol=1e-5)
    np.testing.assert_array_equal(first["images"], again["images"])
    np.testing.assert_array_equal(first["images"][:, 0], other["images"][:, 0])
    assert (first["images"][:, 1:] != other["images"][:, 1:]).any()
    assert len(np.unique(first["images"][0].reshape(5, -1), axis=0)) == 5, "each draw its own"


def test_the_map_that_is_told_is_the_map_that_was_used():
    """A turn by some angle: the told matrix is a rotation, and applying it to the original gives the variant."""
    import torch

    from dlcore import warps

    made = look.variants("digits", asdict(Strengths(rotate=90)), 5, rows=2, draws=3)
    linear = made["maps"][..., :2]
    np.testing.assert_allclose(linear @ linear.swapaxes(-1, -2), np.broadcast_to(np.eye(2), linear.shape), atol=1e-5)
    original = torch.tensor(made["images"][1, :1]).float()
    turned = warps.warp(original, torch.tensor(made["maps"][1, 2:3]))
    np.testing.assert_allclose(turned.numpy()[0], made["images"][1, 3], atol=0.51)


def test_the_shipped_network_reads_what_is_upright():
    asked = look.questions("digits", asdict(story.NONE), 0)
    assert (asked["probabilities"].argmax(1) == asked["labels"]).mean() >= 0.9
    np.testing.assert_array_equal(asked["images"], asked["originals"])
    wild = look.questions("digits", asdict(story.WILD), 0, count=60)
    wrong = (wild["probabilities"].argmax(1) != wild["labels"]).mean()
    assert 0.25 < wrong < 0.6, "something to decide, and something to keep"
    other = look.questions("digits", asdict(story.NONE), 0, skip=12)
    assert not any((image == asked["images"]).all((1, 2, 3)).any() for image in other["images"]), "other pictures"


def test_agreement_counts_both_kinds_of_verdict():
    labels, probabilities = np.array([0, 1, 2]), np.eye(3)[[0, 2, 2]]
    assert story.agreement([1], labels, probabilities) == (3, [1])
    assert story.agreement([0], labels, probabilities) == (1, [1])


@pytest.mark.parametrize("dataset", ["digits", "mnist", "fashion_mnist", "shapes", "cifar10"])
def test_doubts_speak_of_what_is_done(dataset):
    assert story.doubts(dataset, story.NONE) == []
    assert story.doubts(dataset, Strengths(rotate=180, probability=0)) == []
    everything = story.doubts(dataset, Strengths(rotate=180, flip=0.5, crop=0.8, erase=0.5, mix="mixup"))
    assert 1 <= len(everything) <= 3
    assert ("9" in story.doubts(dataset, Strengths(rotate=180))[0]) == (dataset in story.DIGITS)


def test_every_strength_is_in_one_group_and_every_preset_shows_its_group():
    grouped = [knob for _title, knobs in story.GROUPS.values() for knob in knobs]
    assert sorted([*grouped, "probability"]) == sorted(f.name for f in fields(Strengths))
    for name, (_title, strengths) in story.PRESETS.items():
        build(Config, asdict(strengths))
        assert name == "nothing" or any(
            getattr(strengths, knob) != getattr(story.NONE, knob) for knob in story.GROUPS[story.group_of(strengths)][1]
        )
    hidden = story.hidden({"dataset": "digits", "mix": "none"}, "light")
    assert {"hue", "saturation", "shift"} <= set(hidden) <= {*knobs_of(Strengths), "pixels", "layers"}
    assert "probability" not in hidden


def run(scores: float, **given) -> History:
    config = build(Config, given)
    metrics = {f"{kind}_accuracy": scores for kind in story.KINDS}
    return History(state="finished", config=asdict(config), metrics=metrics)


def test_a_pair_differs_in_its_augmentation_alone():
    plain, augmented = (asdict(c) for c in story.twins(build(Config, {})))
    layout = {"precision": "bfloat16", "memory_format": "channels_last"}  # each run chooses its own
    runs = [run(0.9, **augmented), run(0.8, **{**plain, **layout}), run(0.7, **{**plain, "seed": 1})]
    (pair,) = story.pairs(runs)
    assert pair.gain("test") == pytest.approx(0.1)
    assert story.pairs(runs[:1]) == []
    assert story.pairs([run(0.9, **{**augmented, "seed": 2}), *runs[1:]]) == []
    text, words = story.verdict(pair)
    assert "+10.0" in text.format(**words)
    assert story.robust(runs) == 1
    assert story.hurtful(runs) <= 0
    worse = [run(0.7, **augmented), *runs[1:]]
    assert story.hurtful(worse) == 1
    assert story.robust(worse) == 0, "shifted digits at too high a price do not count"


def test_numbers_are_letters_until_something_was_drawn():
    config = replace(build(Config, {}), mix="mixup")
    assert story.numbers(config, None)["share"] == r"\lambda"
    made = look.variants("digits", story.strengths(config), 3)
    told = story.numbers(config, made)
    assert float(told["share"]) + float(told["rest"]) == pytest.approx(1)
    assert float(told["a"]) == pytest.approx(made["maps"][0, 0, 0, 0], abs=0.01)


@pytest.mark.parametrize("channels", [1, 3])
def test_tiles_are_valid_figures(channels):
    import plotly.graph_objects as go

    images = np.random.default_rng(0).integers(0, 255, (5, channels, 8, 8), dtype=np.uint8)
    notes = [figures.Note(2, "seven"), figures.Note(2, "9 80%", right=True)]
    figure = figures.tiles(images, 3, foot=4, notes=notes, framed=[1, 4])
    shown = np.asarray(figure._data[0]["z"])
    place = figures.arrangement(images, 3, 4)
    top, left = place.corner(4)
    tile = shown[top : top + 8, left : left + 8]
    pixels = tile[None] if channels == 1 else tile[..., :3].transpose(2, 0, 1)
    np.testing.assert_array_equal(pixels, images[4])
    assert place.index(left + 3, top + 3) == 4
    assert len(figure._layout["shapes"]) == 2
    go.Figure(figure.to_dict())  # plotly's own validators


def test_bars_and_spread_are_valid_figures():
    import plotly.graph_objects as go

    bars = figures.kinds(["clean", "shifted"], [0.9, float("nan")], [0.8, 0.7])
    go.Figure(bars.to_dict())
    assert list(bars._data[0]["text"]) == ["90.0%", ""]
    spread = figures.spread(np.linspace(0, 255, 5), np.array([0.5, 0.25, 0.25, 0]), 60.0, 70.0)
    go.Figure(spread.to_dict())
    np.testing.assert_allclose(np.asarray(spread._data[0]["y"]) ** 2, [0.5, 0.25, 0.25, 0])
