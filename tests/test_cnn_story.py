"""The lesson's words hold: its table of layers is the network's, its numbers are the run's."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch

from dlcore import cnn_story, why_story
from dlcore.events import Epoch, Finished, Started
from dlcore.history import History
from dlcore.models import cnn as networks

PROSE = Path(__file__).resolve().parent.parent / "assets" / "lessons"


def history(network="article", params=93322, accuracy=0.9, dataset="digits", data_hash="d", finished=True, images=300):
    run = History()
    config = {"network": network, "dataset": dataset, "data_hash": data_hash, "batch_size": 64}
    run.add(Started(0, config, 10, {"params": params, "classes": list("01"), "train_size": images}))
    run.add(Epoch(0, 0, {"test_loss": math.log(10), "test_accuracy": 0.1}))
    run.add(Epoch(10, 1, {"test_loss": 0.105, "test_accuracy": accuracy}))
    if finished:
        run.add(Finished(10, {"test_accuracy": accuracy}))
    return run


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_table_of_layers_is_the_network_s(code):
    """Each sum in the table is computed and held to torch; each output shape to a forward pass."""
    model = networks.build("article")
    rows = re.findall(r"^\| [^|]+ \| ([\d× ]+) \| ([\d,·+()= ]+) \|$", (PROSE / f"cnn.{code}.md").read_text(), re.M)
    layers = [m for m in model if isinstance(m, (torch.nn.Conv2d, torch.nn.MaxPool2d, torch.nn.Linear))]
    assert len(rows) == len(layers)
    shapes, X = [], torch.zeros(1, 1, 28, 28)
    for layer in model:
        X = layer(X)
        if layer in layers:
            shapes.append(" × ".join(map(str, X.shape[1:])))
    for (shape, sum_), layer, wanted in zip(rows, layers, shapes, strict=True):
        formula, _, total = sum_.replace("·", "*").replace(",", "").rpartition("=")
        assert shape.strip() == wanted
        assert int(total) == networks.parameter_count(layer)
        assert not formula or eval(formula) == int(total)
    total = sum(map(networks.parameter_count, layers))
    assert f"**{total:,}**" in (PROSE / f"cnn.{code}.md").read_text()


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_counts_in_the_prose_are_the_networks(code):
    text = (PROSE / f"cnn.{code}.md").read_text()
    assert f"{networks.parameter_count(networks.build('mlp').get_submodule('dense1')):,}" in text
    assert f" {networks.parameter_count(networks.build('article').get_submodule('conv1'))} " in text


@pytest.mark.parametrize("code", ["en", "zh"])
@pytest.mark.parametrize("run", [History(), history()], ids=["before", "after"])
def test_every_placeholder_has_its_number(code, run):
    wanted = set(re.findall(r"\{\{(\w+)\}\}", (PROSE / f"cnn.{code}.md").read_text()))
    assert wanted == set(cnn_story.numbers(run)) | set(why_story.weights())


def test_before_a_run_the_numbers_are_those_of_guessing():
    numbers = cnn_story.numbers(History())
    assert float(numbers["loss"]) == pytest.approx(math.log(10), abs=1e-3)
    assert numbers["first_loss"].endswith(numbers["loss"])
    assert numbers["typical"] == rf"{100 * math.exp(-float(numbers['loss'])):.0f}\%"


def test_numbers_are_the_run_s():
    numbers = cnn_story.numbers(history())
    assert numbers["first_loss"] == "2.303"
    assert numbers["typical"].startswith(f"{100 * math.exp(-0.105):.1f}")
    assert numbers["batch"] == "64"


def test_best_accuracy_counts_finished_runs_of_the_dataset():
    runs = [history(accuracy=0.5), history(accuracy=0.9, dataset="mnist"), history(accuracy=0.99, finished=False)]
    assert cnn_story.best_accuracy(runs, "digits") == 0.5
    assert cnn_story.best_accuracy([], "digits") == 0.0


def test_best_accuracy_with_few_images_leaves_out_those_with_more():
    runs = [history(accuracy=0.8, images=200), history(accuracy=0.9, images=301)]
    assert cnn_story.best_accuracy(runs, "digits", most_images=300) == 0.8
    assert cnn_story.best_accuracy(runs, "digits", most_images=301) == 0.9


def test_beating_the_dense_network_needs_both_and_fewer_weights():
    dense = history("mlp", 109386, 0.93)
    assert cnn_story.beats_dense([]) == 0.0
    assert cnn_story.beats_dense([history(accuracy=0.99)]) == 0.0, "there is nothing to beat yet"
    assert cnn_story.beats_dense([dense]) == 0.5
    assert cnn_story.beats_dense([dense, history(accuracy=0.93)]) == 0.5, "as good is not better"
    assert cnn_story.beats_dense([dense, history(accuracy=0.95, data_hash="other")]) == 0.5
    assert cnn_story.beats_dense([dense, history(accuracy=0.95, params=200_000)]) == 0.5
    assert cnn_story.beats_dense([dense, history(accuracy=0.95, finished=False)]) == 0.5
    assert cnn_story.beats_dense([dense, history(accuracy=0.95)]) == 1.0
