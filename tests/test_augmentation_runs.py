"""Runs of the augmentation lesson: repeated, paused, scaled; and what augmentation is seen to do, and not to do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from dlcore import augmentation_story as story
from dlcore.data.images import load
from dlcore.events import Checkpoint, Diverged, Epoch, Finished, Step, pack, unpack
from dlcore.experiments import augmentation as lesson
from dlcore.experiments import augmentation_look as look
from dlcore.history import History
from dlcore.knobs import build, to_texts
from dlcore.models.cnn import Standardize
from dlcore.steering import Steering
from dlcore.texts import Problem

EXACT = {"precision": "float32", "memory_format": "contiguous", "threads": 1}
PLAIN = {"probability": 0.0, "shift": 0.0, "rotate": 0.0}
SHORT = {**EXACT, **PLAIN, "optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "epochs": 5, "train_size": 1000}


def config(**given) -> lesson.Config:
    return build(lesson.Config, {**EXACT, **given})


@cache
def history(seed: int, **given) -> History:
    told = History()
    for event in lesson.run(config(seed=seed, **given)):
        told.add(event)
    return told


def accuracy(seed: int, **given) -> dict[str, float]:
    told = history(seed, **given)
    assert told.state == "finished"
    return told.metrics


def final(events) -> dict[str, np.ndarray]:
    return next(e for e in events if isinstance(e, Checkpoint) and e.final).state["model"]


# runs


@pytest.mark.parametrize(("mix", "policy"), [("cutmix", "none"), ("mixup", "trivial")])
def test_pause_and_resume_bit_for_bit(mix, policy):
    """Every draw is made in the step, from the generator that a checkpoint keeps."""
    busy = {"erase": 0.3, "noise": 0.1, "blur": 1.0, "brightness": 0.3, "crop": 0.3, "flip": 0.5}
    chosen = config(mix=mix, policy=policy, train_size=60, epochs=4, batch_size=16, probability=0.7, **busy)
    whole = list(lesson.run(chosen))

    class Pausing(Steering):
        def due(self, step):
            if step == 6:
                self.ask_checkpoint()
            return super().due(step)

    run = lesson.run(chosen, steering=Pausing())
    saved = next(e for e in run if isinstance(e, Checkpoint) and e.step == 6)
    del run
    torch.manual_seed(99)
    later = list(lesson.run(chosen, resume=unpack(pack(saved.state))))
    losses = [[e.loss for e in events if isinstance(e, Step)] for events in (later, whole)]
    assert losses[0] == losses[1][6:]
    for name, weights in final(whole).items():
        np.testing.assert_array_equal(final(later)[name], weights)
    ends = [events[-1] for events in (later, whole)]
    first, second = ({k: v for k, v in e.metrics.items() if "accuracy" in k} for e in ends if isinstance(e, Finished))
    assert first == second


def test_twins_begin_alike_and_only_one_draws():
    plain, augmented = story.twins(config(train_size=60, epochs=1, batch_size=16))
    assert not plain.probability
    firsts = [next(e for e in lesson.run(c) if isinstance(e, Step)).loss for c in (plain, augmented)]
    begun = [next(e for e in lesson.run(c) if isinstance(e, Epoch)).metrics["test_loss"] for c in (plain, augmented)]
    assert begun[0] == begun[1], "the same first weights"
    assert firsts[0] != firsts[1], "other pictures"


def test_measures_of_a_finished_run():
    metrics = accuracy(0, train_size=60, epochs=1, views=2)
    assert {f"{kind}_accuracy" for kind in (*lesson.KINDS, "train", "test", "tta")} <= metrics.keys()
    assert all(0 <= metrics[f"{kind}_accuracy"] <= 1 for kind in lesson.KINDS)


def test_several_views_without_augmentation_are_the_same_view():
    metrics = accuracy(0, train_size=60, epochs=1, views=3, **PLAIN)
    assert metrics["tta_accuracy"] == pytest.approx(metrics["test_accuracy"], abs=1e-6)


def test_the_harder_images_are_always_the_same_and_leave_the_generator_alone():
    X = torch.tensor(load("digits").X_test[:20])
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first, second = lesson.kinds(X), lesson.kinds(X)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(first[kind], second[kind]) for kind in lesson.KINDS)
    assert all((first[kind] != X).flatten(1).any(1).all() for kind in lesson.KINDS)


def test_the_recipe_and_the_link():
    default = build(lesson.Config, {})
    assert (default.train_size, default.network, default.shift, default.rotate) == (300, "fast", 3.0, 15.0)
    assert to_texts(build(lesson.Config, {"shift": 4.0, "mix": "mixup"})) == {"shift": "4.0", "mix": "mixup"}
    with pytest.raises(Problem):
        build(lesson.Config, {"rotate": 200.0})


# scaling


@pytest.mark.parametrize("scaling", lesson.SCALINGS)
def test_the_first_layer_scales_as_the_picture_of_it_does(scaling):
    data = load("digits", train_size=50)
    arguments = lesson.preprocessing(config(scaling=scaling), data)
    layer = Standardize(arguments["mean"], arguments["std"], per_image=arguments["per_image"])
    expected = look.scaled(data.X_train.astype(np.float32), scaling)
    np.testing.assert_allclose(layer(torch.tensor(data.X_train)).numpy(), expected, atol=2e-3, rtol=1e-4)


def test_mean_and_deviation_after_scaling():
    found = look.pixels("digits", 300)
    assert (found["raw"]["mean"], found["raw"]["std"]) == (pytest.approx(39.4, abs=0.1), pytest.approx(75.3, abs=0.1))
    assert found["unit"]["std"] == pytest.approx(found["raw"]["std"] / 255, rel=1e-4)
    for name in ("normalised", "per_image"):
        assert (found[name]["mean"], found[name]["std"]) == (pytest.approx(0, abs=1e-4), pytest.approx(1, abs=1e-3))
    for values in found.values():
        assert values["shares"].sum() == pytest.approx(1, abs=1e-4)
        assert len(values["edges"]) == len(values["shares"]) + 1


@pytest.mark.slow
def test_one_rate_does_not_suit_all_scalings():
    def reached(scaling: str, rate: float) -> float | None:
        *_, last = lesson.run(config(**{**SHORT, "scaling": scaling, "learning_rate": rate}))
        return None if isinstance(last, Diverged) else last.metrics["test_accuracy"]  # type: ignore[union-attr]

    assert reached("raw", 0.05) is None, "thrown out of bounds"
    assert (reached("normalised", 0.05) or 0) > 0.88
    assert (reached("raw", 0.001) or 0) > 0.88
    assert (reached("unit", 0.001) or 1) < 0.3, "has hardly begun"


# what augmentation does, 300 built-in digits, seeds 0 and 1


def mean(kind: str, **given) -> float:
    return float(np.mean([accuracy(seed, **given)[f"{kind}_accuracy"] for seed in (0, 1)]))


@pytest.mark.slow
def test_what_it_was_shown_it_can_do_and_what_not_it_cannot():
    shift = {"shift": 4.0, "rotate": 0.0}
    assert mean("shifted", **PLAIN) < 0.5
    assert mean("shifted", **shift) > 0.75
    assert mean("test", **shift) > mean("test", **PLAIN) - 0.03, "at little or no cost on clean ones here"
    assert mean("blurred", **shift) < mean("blurred", **PLAIN) - 0.03, "not robust as such"
    assert mean("tta", **shift) > mean("test", **shift), "several views help a network trained on strong variants"


@pytest.mark.slow
def test_shift_and_rotation_raise_the_clean_accuracy_of_300_digits_and_lower_that_of_100():
    assert mean("test") > mean("test", **PLAIN) + 0.02
    assert mean("train", **PLAIN) == 1.0
    shift = {"shift": 4.0, "rotate": 0.0, "train_size": 100}
    assert mean("test", **shift) < mean("test", **PLAIN, train_size=100) - 0.01


@pytest.mark.slow
def test_labels_that_break_cost_points():
    turned = {"rotate": 180.0, "shift": 0.0}
    assert mean("test", **turned) < mean("test", **PLAIN) - 0.08
    runs = [history(0, **PLAIN), history(0, **turned), history(0, shift=4.0, rotate=0.0)]
    assert story.hurtful(runs) == 1
    assert story.robust(runs) == 1
    assert story.hurtful([runs[0], runs[2]]) < 1
    assert story.robust(runs[:2]) < 1
