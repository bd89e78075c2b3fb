"""Why convolution: the four trainings of each question really differ in one thing, and show what the page says."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from dlcore import why_story
from dlcore.data.images import load
from dlcore.data.shuffle import pixel_order, shuffled
from dlcore.events import Epoch, Finished, Started
from dlcore.experiments import cnn
from dlcore.history import History
from dlcore.knobs import parse, to_texts
from dlcore.models import cnn as networks

SEEDS = {"pixels": 3, "places": 4}


def finished(accuracy: float, train: float = 1.0) -> History:
    run = History()
    run.add(Started(0, {}, 10, {}))
    run.add(Epoch(10, 1, {"test_accuracy": accuracy, "test_loss": 1.0}))
    run.add(Finished(10, {"test_accuracy": accuracy, "train_accuracy": train}))
    return run


def said(question: str, *accuracies: float) -> str:
    shown = dict(zip(why_story.contenders(question), map(finished, accuracies), strict=True))
    return " ".join(text.format(**numbers) for text, numbers in why_story.told(question, shown))


# the shuffle


def test_shuffling_moves_every_pixel_of_all_pictures_alike_and_loses_nothing():
    order = pixel_order(784)
    assert sorted(order) == list(range(784))
    pictures = np.arange(2 * 784).reshape(2, 1, 28, 28)
    mixed = shuffled(pictures)
    assert (mixed[1] - mixed[0] == 784).all()
    assert (np.sort(mixed.ravel()) == pictures.ravel()).all()
    apart = np.hypot(*(a[:, 1:] - a[:, :-1] for a in np.divmod(mixed[0, 0], 28)))
    assert apart.mean() > 8, "neighbours are apart"


def test_a_shuffled_network_is_the_plain_one_on_shuffled_pictures():
    torch.manual_seed(0)
    plain = networks.build("small", classes=8, mean=0.2, std=0.3)
    torch.manual_seed(0)
    mixed = networks.build("small", classes=8, mean=0.2, std=0.3, shuffled=True)
    X = torch.randint(256, (3, 1, 28, 28))
    torch.testing.assert_close(mixed(X), plain(torch.from_numpy(shuffled(X.numpy()))))
    assert networks.parameter_count(mixed) == networks.parameter_count(plain)


def test_the_dense_network_cannot_tell_shuffled_pixels():
    """Its first weights shuffled alike give the very same answers: so it can learn the same."""
    plain, mixed = (networks.build("mlp", shuffled=s) for s in (False, True))
    state = plain.state_dict()
    state["dense1.weight"] = state["dense1.weight"][:, pixel_order(784)]
    mixed.load_state_dict(state | {"shuffle.order": mixed.state_dict()["shuffle.order"]})
    X = torch.randint(256, (3, 1, 28, 28))
    torch.testing.assert_close(mixed(X), plain(X), rtol=1e-4, atol=1e-3)


# the contenders


@pytest.mark.parametrize("question", why_story.QUESTIONS)
def test_contenders_differ_in_the_network_and_one_setting(question):
    configs = why_story.contenders(question)
    knob, _values = why_story.QUESTIONS[question]
    assert list(configs) == [name for name in why_story.NAMES if name in configs]
    pairs = [list(configs.values())[:2], list(configs.values())[2:]]
    for first, second in pairs:
        assert {n for n, v in asdict(first).items() if asdict(second)[n] != v} == {knob}
    for config in configs.values():
        assert parse(cnn.Config, to_texts(config)) == config


def test_the_dense_one_is_about_twice_as_large():
    counts = why_story.weights()
    for name, count in counts.items():
        config = why_story.contenders("pixels")[f"{name}/in_order"]
        data = load(config.dataset)
        from dlcore.image_training import model_arguments

        assert networks.parameter_count(networks.build(**model_arguments(config, data))) == count
    assert 20_000 < counts["conv"] < 25_000
    assert 2.0 < counts["dense"] / counts["conv"] < 2.5


# the sentences


def test_nothing_is_said_before_all_four_have_finished():
    shown = dict(zip(why_story.contenders("pixels"), map(finished, (1, 0.4, 0.4, 0.4)), strict=True))
    shown.popitem()
    assert why_story.told("pixels", shown) == []
    assert why_story.told("pixels", {}) == []


def test_the_sentences_say_what_was_measured_and_no_more():
    usual = said("pixels", 0.99, 0.35, 0.37, 0.38)
    for part in ("99.0% of the test images", "2.1 times as many", "falls to 35.0%", "nothing changes (38.0%)"):
        assert part in usual
    odd = said("pixels", 0.6, 0.55, 0.5, 0.8)
    assert not any(words in odd for words in ("falls", "nothing changes", "by heart"))
    assert "80.0%" in odd
    assert "keeps 86.0%" in said("places", 0.99, 0.86, 0.95, 0.15)
    assert "same filters" not in said("places", 0.9, 0.2, 0.9, 0.3)
    assert "margin" not in said("places", 0.99, 0.97, 0.95, 0.15)


# what the page teaches, measured


@pytest.mark.slow
@pytest.mark.parametrize("question", why_story.QUESTIONS)
def test_the_effect(question):
    """Seen with seed 0: pixels .99, .33 against .37, .37; places .998, .863 against .95, .153."""
    from dataclasses import replace

    right = []
    for config in why_story.contenders(question).values():
        *_, last = cnn.run(replace(config, seed=SEEDS[question]))
        assert isinstance(last, Finished)
        right.append(last.metrics["test_accuracy"])
    conv, conv_hard, dense, dense_hard = right
    if question == "pixels":
        assert conv > 0.96
        assert conv_hard < 0.55
        assert 0.28 < dense < 0.5
        assert dense_hard == pytest.approx(dense, abs=0.06)
    else:
        assert conv > 0.98
        assert dense > 0.88
        assert conv_hard > 0.7
        assert dense_hard < 0.3
