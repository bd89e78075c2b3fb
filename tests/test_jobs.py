"""Runs in worker processes: what they tell, how they are steered, and what happens when something ends them."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dlcore.events import Changed, Finished, Step, read_frames, unpack
from dlcore.jobs import broker, queue
from dlcore.jobs.limits import Limits
from dlcore.steering import Steering
from dlcore.texts import Problem
from tests import toy
from tests.waiting import ENDED, patience, until

ME, OTHER = "browser one", "browser two"


def alone(config: toy.Config, changes=()) -> dict:
    """The same run in this process, without its pauses: the metrics of its last event, less the process number."""
    *_, last = toy.run(replace(config, pause=0.0), steering=Steering(changes))
    assert isinstance(last, Finished)
    return {"x": last.metrics["x"]}


def result(history) -> dict:
    assert history.state == "finished", (history.state, history.problem)
    return {"x": history.metrics["x"]}


@pytest.fixture
def play(jobs):
    """Submit a toy run; what is still going on at the end of the test is stopped."""
    started = []

    def submit(owner=ME, changes=(), **knobs):
        started.append((jobs.submit("toy", toy.Config(**knobs), owner=owner, changes=changes), owner))
        return started[-1][0]

    yield submit
    for run_id, owner in started:
        jobs.stop(run_id, owner=owner)
    for run_id, owner in started:
        until(lambda r=run_id, o=owner: jobs.info(r, owner=o).place is None)


def ended(jobs, run_id, owner=ME, seconds=60.0):
    def look():
        history = jobs.history(run_id, owner=owner)
        return history.state in ENDED and jobs.info(run_id, owner=owner).place is None and history

    return until(look, seconds)


def at_step(jobs, run_id, step, owner=ME):
    return until(lambda: jobs.history(run_id, owner=owner).step >= step and jobs.history(run_id, owner=owner))


def test_run_is_told_from_start_to_finish(jobs, play):
    config = toy.Config(steps=30)
    run_id = play(steps=30)
    history = ended(jobs, run_id)
    assert result(history) == alone(config)
    assert history.config["steps"] == history.total_steps == history.step == 30
    assert history.steps.last("step") == 30, "the last step before the end is never thinned away"
    assert history.info["pid"] != os.getpid()
    info = jobs.info(run_id, owner=ME)
    assert (info.config, info.state, info.place, info.resumable) == (config, "finished", None, False)


def test_runs_at_once_equal_the_same_runs_alone(jobs, play):
    """The toy draws from the process's global generator, as torch lessons do: side by side it would differ."""
    knobs = [{"steps": 60, "seed": seed, "pause": 0.01} for seed in (1, 2, 3)]
    histories = [ended(jobs, run_id) for run_id in [play(**k) for k in knobs]]
    assert [result(h) for h in histories] == [alone(toy.Config(**k)) for k in knobs]
    assert histories[0].metrics["pid"] != histories[1].metrics["pid"]


def test_pause_and_resume_is_bit_for_bit(jobs, play):
    knobs = {"steps": 80, "seed": 5, "pause": 0.02}
    run_id = play(**knobs)
    for step in (5, 30):
        at_step(jobs, run_id, step)
        jobs.pause(run_id, owner=ME)
        history = ended(jobs, run_id)
        assert history.state == "paused"
        assert history.step < 80
        jobs.resume(run_id, owner=ME)
    history = ended(jobs, run_id)
    assert result(history) == alone(toy.Config(**knobs))
    steps = history.steps.column("step")
    assert (np.diff(steps) > 0).all(), "no step is told twice"


def test_one_step_at_a_time_is_the_same_run(jobs, play):
    config = {"steps": 40, "pause": 0.05, "seed": 3}
    run_id = play(**config)
    at_step(jobs, run_id, 5)
    jobs.pause(run_id, owner=ME)
    before = ended(jobs, run_id).step
    for done in (1, 2):
        jobs.resume(run_id, owner=ME, steps=1)
        until(lambda d=done: jobs.history(run_id, owner=ME).step == before + d)
        assert ended(jobs, run_id).state == "paused"
        assert jobs.history(run_id, owner=ME).step == before + done
    jobs.resume(run_id, owner=ME)
    assert result(ended(jobs, run_id)) == alone(toy.Config(**config))


@pytest.fixture
def slow_end(monkeypatch):
    """Tasks end only when this event is set, however long ago their runs wrote their last word."""
    go_on = threading.Event()
    finish = broker.Broker._finish

    def late(self, run_id):
        go_on.wait(20)
        finish(self, run_id)

    monkeypatch.setattr(broker.Broker, "_finish", late)
    yield go_on
    go_on.set()


def test_a_run_resumed_before_its_task_has_ended_waits_at_once_and_goes_on_as_asked(jobs, play, slow_end):
    config = {"steps": 40, "pause": 0.02, "seed": 3}
    run_id = play(**config)
    at_step(jobs, run_id, 5)
    jobs.pause(run_id, owner=ME)
    until(lambda: jobs.history(run_id, owner=ME).state == "paused")
    rests_at = jobs.history(run_id, owner=ME).step
    jobs.resume(run_id, owner=ME, steps=2)
    assert jobs.history(run_id, owner=ME).state == "queued", "a page that looks now must go on looking"
    slow_end.set()
    until(lambda: jobs.history(run_id, owner=ME).step == rests_at + 2)
    assert ended(jobs, run_id).state == "paused"
    jobs.resume(run_id, owner=ME)
    assert result(ended(jobs, run_id)) == alone(toy.Config(**config))


def test_what_is_asked_before_a_task_has_ended_is_not_lost(jobs, play, slow_end):
    run_id = play(steps=400, pause=0.02)
    at_step(jobs, run_id, 5)
    jobs.pause(run_id, owner=ME)
    until(lambda: jobs.history(run_id, owner=ME).state == "paused")
    rests_at = jobs.history(run_id, owner=ME).step
    jobs.change(run_id, "rate", 0.25, owner=ME)
    jobs.resume(run_id, owner=ME)
    jobs.stop(run_id, owner=ME)
    assert jobs.history(run_id, owner=ME).state == "stopped"
    slow_end.set()
    until(lambda: jobs.info(run_id, owner=ME).resumable)
    assert jobs.history(run_id, owner=ME).step == rests_at
    jobs.resume(run_id, owner=ME, steps=1)
    until(lambda: jobs.history(run_id, owner=ME).step == rests_at + 1)
    told = [(c.step, c.name, c.value) for c in jobs.history(run_id, owner=ME).changes]
    assert told == [(rests_at, "rate", 0.25)]


def test_a_paused_run_frees_its_worker(jobs, play):
    slow = [play(steps=10_000, pause=0.02), play(steps=10_000, pause=0.02)]
    until(lambda: [jobs.info(run_id, owner=ME).place for run_id in slow] == [0, 0])  # else the other browser is first
    third = play(steps=5, owner=OTHER)
    until(lambda: jobs.info(third, owner=OTHER).place == 1)
    at_step(jobs, slow[0], 1)
    jobs.pause(slow[0], owner=ME)
    assert ended(jobs, third, OTHER).state == "finished"
    assert jobs.info(slow[1], owner=ME).place == 0


def test_queue_is_first_come_first_served(jobs, play):
    owners = [f"queue {n}" for n in range(5)]
    ids = [play(steps=10_000, pause=0.02, owner=owner) for owner in owners]

    def places():
        return [jobs.info(run_id, owner=owner).place for run_id, owner in zip(ids, owners, strict=True)]

    until(lambda: places() == [0, 0, 1, 2, 3])
    jobs.stop(ids[3], owner=owners[3])
    assert places() == [0, 0, 1, None, 2]
    jobs.stop(ids[0], owner=owners[0])
    until(lambda: places() == [None, 0, 0, None, 1])
    assert jobs.history(ids[3], owner=owners[3]).state == "stopped"


def test_stop_answers_at_once_and_keeps_what_was_reached(jobs, play):
    run_id = play(steps=10_000, pause=0.01)
    at_step(jobs, run_id, 3)
    asked = time.monotonic()
    jobs.stop(run_id, owner=ME)
    history = ended(jobs, run_id)
    assert history.state == "stopped"
    assert time.monotonic() - asked < patience(2.0)
    state = unpack(jobs.checkpoint(run_id, owner=ME).read_bytes())
    assert state["step"] >= 3
    assert jobs.info(run_id, owner=ME).resumable


def test_stop_does_not_insist_on_a_checkpoint(jobs, play):
    run_id = play(steps=10_000, pause=0.01, checkpoints=False)
    at_step(jobs, run_id, 3)
    jobs.stop(run_id, owner=ME)
    assert ended(jobs, run_id).state == "stopped"
    with pytest.raises(Problem, match="checkpoint"):
        jobs.resume(run_id, owner=ME)
    with pytest.raises(Problem, match="not saved a model"):
        jobs.checkpoint(run_id, owner=ME)


def test_a_deaf_run_loses_its_worker(jobs, play, monkeypatch):
    monkeypatch.setattr(queue, "GRACE", 1.0)
    neighbour = play(steps=200, pause=0.02, seed=3, owner=OTHER)
    run_id = play(steps=100, event="deaf", at=5, pause=0.15)
    at_step(jobs, run_id, 5)
    jobs.stop(run_id, owner=ME)
    assert ended(jobs, run_id).state == "stopped"
    assert result(ended(jobs, neighbour, OTHER)) == alone(toy.Config(steps=200, seed=3))


def test_changes_take_effect_and_can_be_repeated(jobs, play):
    run_id = play(steps=100, pause=0.01, seed=7)
    at_step(jobs, run_id, 5)
    jobs.change(run_id, "rate", 0.5, owner=ME)
    at_step(jobs, run_id, 40)
    jobs.change(run_id, "rate", 0.01, owner=ME)
    history = ended(jobs, run_id)
    assert [(c.name, c.value) for c in history.changes] == [("rate", 0.5), ("rate", 0.01)]
    assert result(history) == alone(toy.Config(steps=100, seed=7), history.changes)
    assert result(history) != alone(toy.Config(steps=100, seed=7))
    again = ended(jobs, play(steps=100, seed=7, changes=history.changes))
    assert result(again) == result(history)
    assert again.changes == history.changes


def test_changes_are_repeated_when_a_killed_run_goes_on(jobs, play):
    """Change after the newest checkpoint, kill, resume: the steps done twice are changed twice alike."""
    run_id = play(steps=150, pause=0.02, seed=11, changes=[Changed(100, "rate", 0.9)])
    at_step(jobs, run_id, 5)
    jobs.pause(run_id, owner=ME)
    ended(jobs, run_id)
    jobs.resume(run_id, owner=ME)
    at_step(jobs, run_id, jobs.history(run_id, owner=ME).step + 5)
    jobs.change(run_id, "rate", 0.5, owner=ME)
    history = until(lambda: (h := jobs.history(run_id, owner=ME)).changes and h)
    at_step(jobs, run_id, history.changes[0].step + 5)
    os.kill(history.info["pid"], signal.SIGKILL)
    assert ended(jobs, run_id).state == "failed"
    first = history.changes[0]
    jobs.resume(run_id, owner=ME)
    history = ended(jobs, run_id)
    assert history.changes == [first, Changed(100, "rate", 0.9)]
    assert result(history) == alone(toy.Config(steps=150, seed=11), history.changes)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("rate", 3.0, "out of range"), ("steps", 5, "while the run goes on"), ("speed", 1, "no setting")],
)
def test_changes_that_cannot_be(jobs, play, name, value, says):
    run_id = play(steps=10_000, pause=0.02)
    with pytest.raises(Problem, match=says):
        jobs.change(run_id, name, value, owner=ME)


def test_killed_worker_ends_only_its_own_run(jobs, play):
    knobs: dict[str, Any] = {"steps": 150, "pause": 0.02, "seed": 1}
    other = play(**{**knobs, "seed": 2}, owner=OTHER)
    run_id = play(**knobs)
    at_step(jobs, run_id, 5)
    jobs.pause(run_id, owner=ME)  # so that there is a checkpoint
    ended(jobs, run_id)
    jobs.resume(run_id, owner=ME)
    history = until(lambda: (h := jobs.history(run_id, owner=ME)).state == "running" and h)
    killed = time.monotonic()
    os.kill(history.info["pid"], signal.SIGKILL)
    until(lambda: jobs.history(run_id, owner=ME).state == "failed")
    assert time.monotonic() - killed < patience(2.0)
    assert history.problem["kind"] == "worker_died"
    assert jobs.info(run_id, owner=ME).resumable
    jobs.resume(run_id, owner=ME)
    assert result(ended(jobs, run_id)) == alone(toy.Config(**knobs))
    assert result(ended(jobs, other, OTHER)) == alone(toy.Config(**{**knobs, "seed": 2}))


@pytest.mark.parametrize(
    ("event", "kind", "says"),
    [
        ("crash", "crash", "RuntimeError: something broke"),
        ("problem", "data_missing", "The data is missing."),
        ("memory", "out_of_memory", "more memory"),
        ("torch", "out_of_memory", "more memory"),
        ("exit", "worker_died", "ended unexpectedly"),
    ],
)
def test_faults_cross_as_a_kind_and_a_sentence(jobs, play, event, kind, says):
    history = ended(jobs, play(event=event))
    assert history.state == "failed"
    problem = Problem.from_dict(history.problem)
    assert problem.kind == kind
    assert says in str(problem)
    assert "Traceback" not in str(problem)
    assert history.step == 10, "told with the step at which it happened"


def test_a_run_that_outgrows_its_memory_is_told_apart_from_a_crash(jobs, play):
    history = ended(jobs, play(event="hog"), seconds=120)
    assert history.problem["kind"] == "out_of_memory"


def test_divergence_is_not_a_fault(jobs, play):
    history = ended(jobs, play(event="diverge"))
    assert (history.state, history.diverged.reason) == ("diverged", "too fast")


def test_events_are_thinned_at_the_source(jobs, play):
    run_id = play(steps=2000, pause=0.001)
    history = ended(jobs, run_id)
    log = jobs.checkpoint(run_id, owner=ME).with_name("events.log")
    with log.open("rb") as stream:
        told = [unpack(blob) for blob in read_frames(stream)]
    steps = [e for e in told if e["event"] == "step"]
    seconds = history.steps.last("seconds")
    assert len(steps) < 11 * seconds + 2
    assert len(steps) > 2, "but there is something to see"
    assert log.stat().st_size < 1e6


def test_a_look_at_an_unchanged_run_costs_next_to_nothing(jobs, play):
    run_id = play(steps=20)
    ended(jobs, run_id)
    costs = []
    for _ in range(200):
        start = time.perf_counter()
        jobs.history(run_id, owner=ME)
        costs.append(time.perf_counter() - start)
    assert min(costs) < 1e-4
    assert np.median(costs) < patience(1e-3)


def test_a_run_belongs_to_its_browser(jobs, play):
    run_id = play(steps=20)
    ended(jobs, run_id)
    for ask in (jobs.history, jobs.info, jobs.pause, jobs.stop, jobs.resume, jobs.checkpoint):
        with pytest.raises(Problem) as stranger:
            ask(run_id, owner=OTHER)
        for nonsense in ("0" * 32, "../../etc", "", "x"):
            with pytest.raises(Problem) as nobody:
                ask(nonsense, owner=ME)
            assert str(nobody.value) == str(stranger.value)
    assert run_id in [info.run_id for info in jobs.runs(ME, "toy")]
    assert run_id not in [info.run_id for info in jobs.runs(OTHER)]


def test_one_browser_cannot_fill_the_queue(jobs, play):
    for _ in range(Limits().each_going):
        play(steps=10_000, pause=0.02)
    with pytest.raises(Problem, match="Stop one of them"):
        play()


def test_status_counts(jobs, play):
    play(steps=10_000, pause=0.02)
    status = until(lambda: (s := jobs.status()).running and s.workers == 4 and s)
    assert status.lanes == {"train": 2, "light": 1, "interactive": 1}
    assert status.message == ""


def test_step_event_is_exact():
    """The toy itself: two runs of one config are the same, so that the comparisons above mean something."""
    losses = [[e.loss for e in toy.run(toy.Config(steps=20, seed=s)) if isinstance(e, Step)] for s in (0, 0, 1)]
    assert losses[0] == losses[1]
    assert losses[0] != losses[2]
