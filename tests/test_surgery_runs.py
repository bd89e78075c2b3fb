"""Networks trained on digits and then operated on: what the lesson on residual networks shows, own seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcore import surgery_story as story
from dlcore.data.images import load
from dlcore.events import Checkpoint, Finished, Step, pack, unpack
from dlcore.experiments import resnet, surgery_look
from dlcore.knobs import build
from dlcore.steering import Steering

SETTINGS: dict[str, Any] = {"depth": 20, "norm": "batch", "order": "pre", "threads": 1, "seed": 11}


def trained(folder: Path, **settings: Any) -> tuple[str, resnet.Config]:
    """Train, keep the last checkpoint as a file; its path and the config."""
    config = build(resnet.Config, {**SETTINGS, **settings})
    states = [event.state for event in resnet.run(config) if isinstance(event, Checkpoint)]
    path = folder / "checkpoint.bin"
    path.write_bytes(pack(states[-1]))
    return str(path), config


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A stack with links and its plain twin, from the same first weights and the same batches."""
    return trained(tmp_path_factory.mktemp("pair"))[0]


@pytest.fixture(scope="module")
def found(pair: str) -> dict[str, np.ndarray]:
    about = surgery_look.describe(pair, "digits")
    return surgery_look.lesions(pair, "digits", 0, about["count"])


def test_one_block_out_hardly_moves_a_residual_stack_and_ruins_its_plain_twin(found: dict[str, np.ndarray]) -> None:
    own, twin = (story.accuracies(found[name], found["labels"]) for name in ("residual", "plain"))
    assert own[0] > 0.95
    assert twin[0] > 0.6  # it has learned, too
    lost = own[0] - own[1:]
    assert lost.mean() < 0.015  # the page tells 0.005 to 0.007
    assert lost.argmax() < 2  # the first blocks change most
    assert lost[2:].max() < 0.04
    assert twin[1:].max() < 0.5
    assert twin[1:].mean() < 0.2


def test_without_normalisation_every_block_costs_several_points(tmp_path: Path) -> None:
    path, _config = trained(tmp_path, norm="none", order="post", twin=False)
    found = surgery_look.lesions(path, "digits", 0, 400)
    shares = story.accuracies(found["residual"], found["labels"])
    assert 0.025 < shares[0] - shares[1:].mean() < 0.12  # the page tells 0.04 to 0.08


def test_a_run_is_described_and_its_twin_beside_it(pair: str, found: dict[str, np.ndarray]) -> None:
    about = surgery_look.describe(pair, "digits")
    assert about["count"] == len(load("digits").y_test) == len(found["labels"])
    assert set(about["blocks"]) == {"plain", "residual"}
    assert [len(blocks) for blocks in about["blocks"].values()] == [20, 20]
    assert about["classes"] == list(load("digits").classes)


def test_the_whole_network_answers_as_its_run_said(tmp_path: Path) -> None:
    config = build(resnet.Config, {**SETTINGS, "depth": 4, "epochs": 2, "twin": False})
    events = list(resnet.run(config))
    path = tmp_path / "checkpoint.bin"
    path.write_bytes(pack([event.state for event in events if isinstance(event, Checkpoint)][-1]))
    assert isinstance(events[-1], Finished)
    said = surgery_look.without(str(path), "digits", 10_000, "residual", [])
    right = (said == load("digits").y_test).mean()
    assert right == pytest.approx(events[-1].metrics["test_accuracy"], abs=1e-6)


def test_pieces_of_the_answer_fit_together(pair: str, found: dict[str, np.ndarray]) -> None:
    some = surgery_look.lesions(pair, "digits", 20, 50)
    assert all((some[name] == found[name][..., 20:50]).all() for name in found)
    two = surgery_look.without(pair, "digits", 50, "residual", [3, 7])
    assert (surgery_look.without(pair, "digits", 50, "residual", [3]) == found["residual"][4, :50]).all()
    which = story.changed(found["residual"][0, :50], two, 12)
    assert len(surgery_look.images("digits", which.tolist())) == len(which)
    shares = surgery_look.at_random(pair, "digits", 50, "plain", 0)
    assert shares.shape == (21,)
    assert shares[0] == (found["plain"][0, :50] == found["labels"][:50]).mean()
    assert (shares == surgery_look.at_random(pair, "digits", 50, "plain", 0)).all()


def test_stochastic_depth_trains_alike_again_and_leaves_blocks_that_can_go(tmp_path: Path) -> None:
    usual = {"norm": "none", "twin": False}
    lost, half = {}, {}
    for drop in (0.0, 0.5):
        path, _config = trained(tmp_path, **usual, drop_path=drop)
        some = surgery_look.lesions(path, "digits", 0, 400)
        shares = story.accuracies(some["residual"], some["labels"])
        lost[drop] = shares[0] - shares[1:].mean()
        half[drop] = np.mean([surgery_look.at_random(path, "digits", 400, "residual", draw)[10] for draw in range(3)])
    assert lost[0.5] < lost[0.0] / 2
    assert half[0.5] > half[0.0] + 0.2


def test_a_run_with_stochastic_depth_can_be_repeated_bit_for_bit() -> None:
    config = build(resnet.Config, {**SETTINGS, "depth": 6, "epochs": 1, "twin": False, "drop_path": 0.5})
    runs = [
        [event.loss for event in resnet.run(config) if isinstance(event, Step)],
        [event.loss for event in resnet.run(config) if isinstance(event, Step)],
        [event.loss for event in resnet.run(replace(config, seed=12)) if isinstance(event, Step)],
    ]
    assert runs[0] == runs[1] != runs[2]


def test_a_small_real_network_stopped_half_way_goes_on_bit_for_bit() -> None:
    few = {"train_size": 96, "epochs": 2, "batch_size": 32, "memory_format": "channels_last", "precision": "float32"}
    real = {"dataset": "digits", "network": "resnet20", "flip": 0.5, "shift": 2.0, "drop_path": 0.3, "threads": 1}
    config = build(resnet.Config, {**few, **real})
    steering = Steering()
    steering.until = 3  # of six steps: a checkpoint is made there
    whole = list(resnet.run(config, steering=steering))
    saved = next(event for event in whole if isinstance(event, Checkpoint) and event.step == 3)
    later = list(resnet.run(config, resume=unpack(pack(saved.state))))
    losses = [[event.loss for event in events if isinstance(event, Step)] for events in (whole, later)]
    assert losses[1] == losses[0][3:]
    ends = [[event.state for event in events if isinstance(event, Checkpoint)][-1] for events in (whole, later)]
    assert pack(ends[0]["model"]) == pack(ends[1]["model"])
