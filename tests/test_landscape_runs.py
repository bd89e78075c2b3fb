"""Runs of the landscape lesson: the same twice, resumed in the middle of a grid, and told again from their record."""

from dataclasses import replace

import numpy as np
import pytest

from dlcore import training_records
from dlcore.events import Checkpoint, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import landscape
from dlcore.experiments.landscape import Config, check_images
from dlcore.history import History
from dlcore.knobs import build
from dlcore.landscape_numbers import ALONG, PATH, RANDOM, Landscape
from dlcore.steering import Steering
from dlcore.texts import Problem

SMALL = {
    "depth": 4,
    "width": 8,
    "epochs": 2,
    "train_size": 200,
    "batch_size": 50,
    "points": 9,
    "images": 50,
    "threads": 1,
}
TRAINED = 8  # steps of the training
PLACES = 7 + 2 * 81  # the path's, then those of two planes


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))


def config(**changes) -> Config:
    return build(Config, {**SMALL, **changes})


def told(events) -> tuple[list, dict]:
    """What is the same in every repetition: losses by step, and all that was measured."""
    history, steps = History(), []
    for event in events:
        history.add(event)
        if isinstance(event, Step):
            steps.append((event.step, event.loss))
    return steps, {
        f"{name}/{key}": value for name, shot in history.snapshots.items() for key, value in shot.arrays.items()
    }


def assert_same(one, other) -> None:
    assert one[0] == other[0]
    assert one[1].keys() == other[1].keys()
    for name, array in one[1].items():
        np.testing.assert_array_equal(array, other[1][name], err_msg=name)


def test_a_run_counts_its_steps_and_measures_every_place():
    events = list(landscape.run(config()))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    assert events[0].total_steps == TRAINED + PLACES
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, TRAINED + PLACES + 1))
    history = History()
    for event in events:
        history.add(event)
    land = Landscape({name: shot.arrays for name, shot in history.snapshots.items()})
    assert land.networks == ["plain", "residual"]
    for name in land.networks:
        for plane in (RANDOM, ALONG):
            around = land.slice(plane, name)
            assert around is not None
            assert around.complete
        np.testing.assert_array_equal(land.path("along", name)[-1], 0)
        np.testing.assert_allclose(land.path("true", name)[-1], land.path("projected", name)[-1], rtol=1e-6)
        middle = land.slice(RANDOM, name)
        assert middle is not None
        assert middle.loss[middle.middle] == pytest.approx(land.path("true", name)[-1, 0], rel=1e-6)
        assert history.metrics[f"reach/{name}"] >= 0


def test_the_second_time_is_the_same_and_needs_no_training(monkeypatch):
    first = told(landscape.run(config()))
    monkeypatch.setattr("dlcore.training.fit", None)  # it would fail
    assert_same(first, told(landscape.run(config())))
    other = told(landscape.run(config(span=0.5, directions=3)))
    assert other[0][:TRAINED] == first[0][:TRAINED]
    np.testing.assert_array_equal(other[1]["path/true/plain"], first[1]["path/true/plain"])
    assert not np.array_equal(other[1]["random/loss/plain"], first[1]["random/loss/plain"])


def test_without_a_record_it_is_the_same(tmp_path):
    first = told(landscape.run(config()))
    (record,) = (tmp_path / "cache" / "trainings").glob("*.bin")
    record.write_bytes(record.read_bytes()[:100])  # damaged: it is trained again
    assert_same(first, told(landscape.run(config())))


@pytest.mark.parametrize("at", [5, TRAINED, TRAINED + 3, TRAINED + 60])
def test_resumed_from_a_checkpoint_it_goes_on_bit_for_bit(at, monkeypatch):
    whole = told(landscape.run(config()))
    monkeypatch.setattr(training_records, "find", lambda name: None)
    steering = Steering()
    steering.until = at
    before, state = [], None
    for event in landscape.run(config(), steering=steering):
        before.append(event)
        if isinstance(event, Checkpoint) and event.step == at:
            state = unpack(pack(event.state))
            break
    assert state is not None
    after = list(landscape.run(config(), resume=state))
    assert isinstance(after[0], Started)
    assert after[0].step == at
    assert_same(whole, told([*before, *after[1:]]))


def test_a_steered_training_leaves_no_record(tmp_path):
    steering = Steering()
    steering.change("learning_rate", 0.01)
    list(landscape.run(config(), steering=steering))
    assert not (tmp_path / "cache" / "trainings").exists()


def test_only_the_newest_records_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr(training_records, "MOST_RECORDS", 2)
    for name in "abc":
        training_records.keep(name, [], {"x": np.arange(3)})
    assert len(list((tmp_path / "cache" / "trainings").iterdir())) == 2
    found = training_records.find("c")
    assert found is not None
    assert found[1]["x"].tolist() == [0, 1, 2]
    assert training_records.find("nothing") is None


def test_what_does_not_fit_into_memory_is_refused_with_what_does():
    """64 maps of 28 x 28 numbers for each image; batch normalisation wants all images in one batch."""
    given = {"network": "resnet18", "dataset": "mnist", "images": 10_000}
    with pytest.raises(Problem) as refused:
        check_images(build(Config, given), (1, 28, 28))
    most = int(str(refused.value.params["most"]).replace(",", ""))
    check_images(build(Config, {**given, "images": most}), (1, 28, 28))
    check_images(build(Config, {**given, "norm": "none"}), (1, 28, 28))
    check_images(build(Config, {"images": 10_000}), (1, 8, 8))


def test_a_changed_program_trains_anew(monkeypatch):
    before = training_records.fingerprint({"seed": 0})
    assert before == training_records.fingerprint({"seed": 0})
    monkeypatch.setattr(training_records, "_program", lambda: "another")
    assert training_records.fingerprint({"seed": 0}) != before


def test_one_network_alone_is_measured_too():
    events = list(landscape.run(config(twin=False, residual=True, epochs=1)))
    shots = {event.name: event.arrays for event in events if isinstance(event, Snapshot)}
    assert Landscape(shots).networks == ["residual"]


def test_a_path_has_room_for_so_many_points(monkeypatch):
    monkeypatch.setattr(landscape, "MOST_KEPT", 4)
    events = list(landscape.run(config()))
    steps = next(event.arrays["step"] for event in events if isinstance(event, Snapshot) and event.name == PATH)
    assert steps[0] == 0
    assert steps[-1] == TRAINED
    assert 3 <= len(steps) <= 4


def test_the_trained_networks_can_be_built_again():
    from dlcore.models.stacks import rebuild

    end = next(event for event in landscape.run(config()) if isinstance(event, Checkpoint) and event.final)
    assert set(rebuild(end.state)) == {"plain", "residual"}


def test_the_depth_lessons_settings_are_all_there():
    assert replace(config(), depth=9).depth == 9
    assert Config().norm == "batch"
    assert build(Config, {"blocks": "conv"}).points == 11
