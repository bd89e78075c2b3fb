"""Runs side by side: what they are called, which may join, and that they begin alike."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dlcore.events import Epoch, Started, Step
from dlcore.experiments import cnn
from dlcore.history import History
from dlcore.knobs import build
from tests.pages.test_cnn_page import SMALL, open_page, train
from ui import run_shelf
from ui.compare_runs import Contender, compared
from ui.names import OPTIMIZERS

LABELS = {"article": "Three conv.", "mlp": "Dense", "own": "Your own", **OPTIMIZERS}


def configs(*given: dict) -> list[cnn.Config]:
    return [build(cnn.Config, settings) for settings in given]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (({}, {"learning_rate": 0.01}), ["Learning rate 0.001", "Learning rate 0.01"]),
        (({"network": "mlp"}, {"epochs": 3}), ["Dense, Epochs 12", "Three conv., Epochs 3"]),
        (({"train_size": 300}, {}), ["Training images 300", "Training images all"]),
        (({"network": "own", "layers": "flatten; dense"}, {"network": "own", "layers": "flatten; dense 9; dense"}),
         ["flatten; dense", "flatten; dense 9; dense"]),
        (({}, {}), ["the same (run 1)", "the same (run 2)"]),
        (({}, {"seed": 1}, {"seed": 1}), ["Seed 0", "Seed 1 (run 2)", "Seed 1 (run 3)"]),
        (({"optimizer": "sgd", "learning_rate": 0.001},), ["the same (run 1)"]),
    ],
)  # fmt: skip
def test_names_hold_what_differs_and_no_more(given, names):
    assert run_shelf.differing(configs(*given), LABELS) == names


def test_a_long_list_of_layers_is_cut():
    many = "; ".join(["conv 8 3 pad 1", "relu"] * 9)
    (name, _other) = run_shelf.differing(
        configs({"network": "own", "layers": many + "; flatten; dense"}, {"network": "own", "layers": "dense"}), LABELS
    )
    assert len(name) <= run_shelf.LONGEST
    assert name.endswith("…")


def test_what_is_said_of_their_beginning_is_true():
    assert "same weights" in run_shelf._beginning(configs({}, {"epochs": 3}))
    assert "networks differ" in run_shelf._beginning(configs({}, {"network": "mlp"}))
    assert "seeds differ" in run_shelf._beginning(configs({}, {"network": "mlp", "seed": 4}))


@pytest.mark.parametrize(("measure", "last"), [("test_accuracy", 0.6), ("loss", 1.75), ("test_loss", 1.0)])
def test_every_measure_has_its_curve(measure, last):
    history = History()
    history.add(Started(0, {}, 4, {"steps_per_epoch": 2}))
    for step in range(1, 5):
        history.add(Step(step, loss=3.0 - step / 2, seconds=step / 4, values={"accuracy": step / 8}))
    history.add(Epoch(2, 1, {"test_loss": 1.5, "test_accuracy": 0.4}, seconds=0.5))
    history.add(Epoch(4, 2, {"test_loss": 1.0, "test_accuracy": 0.6}, seconds=1.0))
    figure = compared({Contender("0", "one", "#000000", None): history}, "epoch", measure=measure)
    (line,) = figure._data
    assert line["y"][-1] == pytest.approx(last)
    assert line["x"][-1] == 2.0
    assert figure._layout["xaxis"]["range"] == [0.0, 2.0]
    assert np.all(np.diff(line["x"]) > 0)


def test_chosen_runs_keep_their_places(monkeypatch):
    """One taken out leaves the colours of the others as they are; the next takes the free place."""
    places = {"0": "a", "1": "b", "2": "c"}
    caught = {}
    monkeypatch.setattr(run_shelf.st, "multiselect", lambda *_args, **more: caught.update(more))
    monkeypatch.setattr(run_shelf, "imposed", lambda key, value, choose: {"key": key, "on_change": choose})
    known: Any = {run: SimpleNamespace(run_id=run) for run in "abcd"}
    run_shelf._choose(places, known, {})
    caught["on_change"](["a", "c", "d"])
    assert places == {"0": "a", "2": "c", "1": "d"}
    assert caught["max_selections"] == 4


@pytest.mark.slow
def test_a_run_joins_and_is_compared_with_the_settings_above(jobs):
    at = train(open_page(lang="en", **SMALL), "Train")
    shelf = next(box for box in at.multiselect if box.label.startswith("Runs of this browser"))
    assert len(shelf.options) == 1
    shelf.set_value([at.session_state["page:cnn"]["run"]]).run()
    assert not at.exception
    assert any("| the same (run 1) |" in text.value for text in at.markdown)
    add = next(button for button in at.button if button.label == "Train the settings above, too")
    assert add.disabled, "these settings are there already"
