"""The lesson on speed: its plain loop is the plain loop, its trainings differ in one switch, and its clock is fair."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import torch

from dlcore import rungs as engine
from dlcore import speed_story as story
from dlcore.data.images import load, pixel_statistics
from dlcore.events import Checkpoint, Diverged, Epoch, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import speed
from dlcore.history import History
from dlcore.knobs import build
from dlcore.ladder import COMPARISONS, FAST, OUTCOMES, PARTS, PLAIN, SWITCHES, Rung, chosen, image_config, rungs
from dlcore.plain_loop import Pictures, network, one_pass, usual_transform
from dlcore.steering import Steering
from dlcore.training import fit

SMALL = {"threads": 1, "train_size": 150, "passes": 2, "most_passes": 2, "limit": 900.0, "device": "cpu"}
OFF = dict.fromkeys(SWITCHES, False)


@pytest.fixture(autouse=True)
def parts_of_few_steps(monkeypatch):
    """The parts of a step are timed at three instead of twelve."""
    monkeypatch.setattr(engine, "PROBED", 3)


def config(**given) -> speed.Config:
    return speed.resolve(build(speed.Config, {**SMALL, **given}))


def events(chosen_config: speed.Config, **arguments) -> list:
    return list(speed.run(chosen_config, **arguments))


# which trainings there are


def test_the_ladder_adds_one_switch_each_time():
    planned = rungs(config())
    assert planned[0] == Rung(PLAIN, frozenset(), None)
    for place, (before, after) in enumerate(pairwise(planned)):
        assert after.on - before.on == {after.name}
        assert after.against == place
    assert planned[-1].on == set(SWITCHES) - {"compiled"}


@pytest.mark.parametrize("compare", COMPARISONS)
def test_every_training_differs_from_its_counterpart_in_what_its_name_says(compare):
    planned = rungs(config(compare=compare))
    for rung in planned[1:]:
        assert rung.against is not None
        difference = rung.on ^ planned[rung.against].on
        assert difference == (set(chosen(config())) if rung.name == FAST else {rung.name})


def test_without_any_switch_only_the_plain_loop_is_left():
    assert [rung.name for rung in rungs(config(**OFF))] == [PLAIN]


def test_recipes_are_whole_configs_and_the_rate_goes_with_the_batch():
    for dataset in ("digits", "mnist", "fashion_mnist"):
        made = build(speed.Config, {"dataset": dataset})
        assert 0.5 < made.target < 1
    large = build(speed.Config, {"batch_size": 256})
    rates = [image_config(large, Rung("", frozenset(on), None)).learning_rate for on in ((), ("large_batch",))]
    assert rates == pytest.approx([1e-3, 2e-3]), "four times the images, twice the rate"


# the plain loop


def test_first_training_is_the_plain_loop_bit_for_bit():
    """Ours goes through the engine; beside it the loop as everybody writes it, with the same seed and order."""
    made = config(train_size=150)
    data = load("digits", train_size=150)
    mean, std = pixel_statistics(data.X_train)
    one, rung = image_config(replace(made, most_passes=1), Rung(PLAIN, frozenset(), None)), rungs(made)[0]
    engine.reproducible(3, threads=1)
    task, plan = engine.rung_task(one, data, rung)
    list(fit(task, plan))

    engine.reproducible(3, threads=1)
    model, order = network(), torch.randperm(150).tolist()
    pictures = torch.utils.data.Subset(Pictures(data.X_train, data.y_train, usual_transform(mean, std)), order)
    loader = torch.utils.data.DataLoader(pictures, batch_size=64, generator=torch.Generator())
    one_pass(model, loader, torch.optim.Adam(model.parameters()))
    for ours, theirs in zip(task.model.parameters(), model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_the_loader_gives_the_images_that_the_tensor_gives():
    made, data = config(), load("digits", train_size=150)
    mean, std = pixel_statistics(data.X_train)
    one = image_config(made, rungs(made)[0])
    plain, _plan = engine.rung_task(one, data, Rung(PLAIN, frozenset(), None))
    whole, _plan = engine.rung_task(one, data, Rung("whole_set", frozenset(["whole_set"]), 0))
    indices = torch.tensor([7, 3, 149, 0])
    before = torch.random.get_rng_state()
    (X, y), (Z, z) = plain.batch(indices), whole.batch(indices)
    assert torch.equal(torch.random.get_rng_state(), before), "the loader draws from a generator of its own"
    torch.testing.assert_close(X, (Z / 255 - mean) / std)
    assert torch.equal(y, z)


@pytest.mark.usefixtures("one_thread")
def test_layout_and_fused_kernels_change_no_result():
    """They move the time of a step and not the steps: losses agree to the last digits but a few."""
    made = config(bfloat16=False, falling_rate=False, smoothing=False, large_batch=False)
    losses: dict[int, list[float]] = {}
    for event in events(made):
        if isinstance(event, Step):
            losses.setdefault(int(event.values["rung"]), []).append(event.loss)
    names = [rung.name for rung in rungs(made)]
    assert names == [PLAIN, "whole_set", "small_network", "channels_last", "fused"]
    for one, other in ((0, 1), (2, 3), (3, 4)):
        np.testing.assert_allclose(losses[one], losses[other], rtol=2e-3)
    assert abs(losses[1][-1] - losses[2][-1]) > 1e-3, "another network is another training"


# the run


def told(some: list) -> list:
    """Of each event what does not depend on the clock."""
    rows = []
    for event in some:
        match event:
            case Step():
                rows.append((event.step, event.loss, event.values["rung"]))
            case Epoch():
                rows.append((event.step, event.metrics["test_accuracy"], event.metrics["rung_steps"]))
            case Snapshot():
                rows.append((event.step, *(event.arrays[name][-1] for name in ("outcome", "steps", "accuracy"))))
    return rows


def test_twice_the_same_and_resumed_in_the_middle_of_the_ladder():
    made = config(**OFF | {"whole_set": True, "small_network": True}, train_size=90, target=0.995)
    whole = events(made)
    assert told(whole) == told(events(made))
    begin = rungs_begin(whole)[2]

    class Pausing(Steering):
        def due(self, step):
            if step == begin + 1:
                self.ask_checkpoint()
            return super().due(step)

    run = speed.run(made, steering=Pausing())
    saved = next(e for e in run if isinstance(e, Checkpoint) and e.step == begin + 1)
    del run
    torch.manual_seed(99)
    later = events(made, resume=unpack(pack(saved.state)))
    assert isinstance(later[0], Started)
    assert later[0].step == begin + 1
    assert told(later) == [row for row in told(whole) if row[0] > begin + 1]
    ends = [some[-1] for some in (whole, later)]
    assert all(isinstance(end, Finished) for end in ends)
    assert ends[0].metrics["rungs"]["steps"] == ends[1].metrics["rungs"]["steps"]


def rungs_begin(some: list) -> list[int]:
    """The step before the first of each training."""
    firsts: dict[int, int] = {}
    for event in some:
        if isinstance(event, Epoch):
            firsts.setdefault(int(event.metrics["rung"]), event.step)
    return list(firsts.values())


def test_history_has_every_training_with_its_numbers():
    made = config(**OFF | {"whole_set": True, "small_network": True}, target=0.5, passes=9, most_passes=9)
    history = History()
    for event in events(made):
        history.add(event)
    rows = story.timed(history)
    assert history.state == "finished"
    assert history.progress == 1
    assert history.seconds_left is None
    assert [row.rung for row in rows] == rungs(made)
    assert all(row.reached and row.accuracy >= 0.5 and row.steps for row in rows)
    for row, (seconds, accuracy) in zip(rows, story.curves_of(history), strict=True):
        assert seconds[-1] == row.seconds
        assert accuracy[-1] == row.accuracy
        assert (accuracy[:-1] < 0.5).all(), "it stops at the first test that reaches the target"
        assert sum(row.parts.values()) == pytest.approx(row.step_seconds)
        assert min(row.parts.values()) > 0
    assert history.metrics["seconds"] == pytest.approx(sum(row.cost for row in rows))
    assert history.metrics["factor"] == pytest.approx(rows[0].cost / rows[-1].cost)


def test_what_does_not_arrive_says_how_it_ended():
    note = engine._note
    row = engine._row(OUTCOMES.index("passes"))
    made = config(limit=2.0, target=0.9)
    assert not note(row, Epoch(3, 0, {"test_accuracy": 0.4}, 1.0), made)
    assert not note(row, Step(5, 0.3, 1.9), made)
    assert OUTCOMES[int(row["outcome"])] == "passes"
    assert note(dict(row), Step(6, 0.3, 2.1), made)
    assert note(row, Diverged(7, "beyond"), made)
    assert OUTCOMES[int(row["outcome"])] == "diverged"
    assert row["accuracy"] == 0.4
    short = events(config(**OFF, train_size=64, target=0.995, most_passes=1))[-1]
    assert isinstance(short, Finished)
    assert "factor" not in short.metrics
    assert short.metrics["rungs"]["outcome"] == [OUTCOMES.index("passes")]


# torch.compile

COMPILED = {**OFF, "whole_set": True, "small_network": True, "compiled": True, "compare": "ends"}


def test_without_a_compiler_that_training_is_left_out(monkeypatch):
    def nothing(*_arguments, **_settings):
        raise RuntimeError("no C++ compiler")

    monkeypatch.setattr(torch, "compile", nothing)
    history = History()
    for event in events(config(**COMPILED, train_size=64)):
        history.add(event)
    assert history.state == "finished"
    assert [row.outcome for row in story.timed(history)] == ["passes", "not_compiled"]


def test_compiling_moves_neither_weights_nor_generators(monkeypatch):
    """With a backend that needs no compiler; the real one is timed by benchmarks/speed_ladder.py."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    made = config(**COMPILED)
    losses = []
    for on in (made, replace(made, compiled=False)):
        last = [e.loss for e in events(on) if isinstance(e, Step) and e.values["rung"] == 1]
        losses.append(last)
    assert losses[0] == losses[1]


# the effect that the lesson teaches


def test_all_switches_reach_the_target_with_a_fraction_of_the_work():
    made = config(compare="ends", train_size=0, target=0.9, most_passes=9, passes=4)
    clock, spent = time.process_time(), [0.0, 0.0]
    for event in speed.run(made):
        now = time.process_time()
        if isinstance(event, (Step, Epoch)):
            spent[int(event.values["rung"] if isinstance(event, Step) else event.metrics["rung"])] += now - clock
        clock = now
    assert isinstance(event, Finished)
    plain, fast = event.metrics["rungs"]["steps"]
    assert event.metrics["rungs"]["outcome"] == [0, 0]
    assert fast < plain, "larger steps of a falling rate"
    assert spent[0] > 5 * spent[1], "processor time, which other work on the machine does not lengthen"


# what is said


def row(name: str, against: int | None, seconds: float, steps: int, **other) -> story.Timed:
    on = frozenset() if name == PLAIN else frozenset([name])
    usual = {
        "outcome": "reached",
        "compiling": 0.0,
        "accuracy": 0.95,
        "parts": dict.fromkeys(PARTS, seconds / steps / 4),
    }
    return story.Timed(Rung(name, on, against), seconds=seconds, steps=steps, **{**usual, **other})


def test_factors_compare_with_the_right_training():
    rows = [row(PLAIN, None, 8.0, 80), row("whole_set", 0, 4.0, 80), row("fused", 1, 5.0, 80)]
    assert story.factor(rows, 0) is None
    assert story.factor(rows, 2) == pytest.approx(0.8)
    assert story.factor(rows, 2, against=0) == pytest.approx(1.6)
    assert story.worth(rows, "ladder") == pytest.approx({"whole_set": 2.0, "fused": 0.8})
    assert story.fastest(rows) == 1
    lost = [rows[0], replace(rows[1], outcome="limit"), rows[2]]
    assert story.factor(lost, 1) is story.factor(lost, 2) is None
    assert story.fastest(lost) == 2


def test_a_switch_left_out_is_worth_what_its_absence_costs():
    on = frozenset(["whole_set", "fused"])
    rows = [
        row(PLAIN, None, 8.0, 80), replace(row("x", 0, 1.0, 80), rung=Rung(FAST, on, 0)),
        replace(row("x", 1, 3.0, 80), rung=Rung("whole_set", on - {"whole_set"}, 1)),
        replace(row("x", 1, 0.9, 80), rung=Rung("fused", on - {"fused"}, 1)),
    ]  # fmt: skip
    assert story.worth(rows, "without") == pytest.approx({"whole_set": 3.0, "fused": 0.9})


def test_compiling_pays_from_a_number_of_steps_on():
    before, after = row("fused", 0, 1.0, 100), row("compiled", 1, 0.5, 100, compiling=20.0)
    assert story.breaks_even(before, after) == pytest.approx(4000)
    assert story.breaks_even(after, before) is None
    assert after.cost == 20.5


def test_numbers_of_the_formulas_hold_together():
    assert story.numbers([])["factor"] == "…"
    parts = {"data": 0.02, "forward": 0.03, "backward": 0.04, "optimizer": 0.01}
    told_numbers = story.numbers([row(PLAIN, None, 8.0, 80, parts=parts), row("whole_set", 0, 2.0, 80)])
    assert told_numbers["plain_steps"] == "80"
    assert float(told_numbers["plain_ms"]) * 80 / 1e3 == pytest.approx(float(told_numbers["plain_seconds"]))
    assert told_numbers["share"] == "0.200"
    assert told_numbers["most"] == "1.25"
    assert told_numbers["factor"] == "4.0"
