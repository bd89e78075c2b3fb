"""A server that many share, with its workers: turns, absent browsers, limits, and what the teacher may do."""

from __future__ import annotations

import time

import pytest

from dlcore.experiments import cnn
from dlcore.jobs import classroom, presence
from dlcore.texts import Problem
from tests import toy
from tests.test_jobs import ME, OTHER, alone, at_step, ended, play, result
from tests.waiting import until

__all__ = ["play"]  # a fixture


@pytest.fixture
def rules(jobs):
    """Change the limits of the tests' server; they are as before at the end."""
    yield classroom.set_limits
    classroom.hold(False)
    classroom.reset_limits()


def test_short_runs_are_not_stuck_behind_long_ones_and_the_long_ones_are_the_same(jobs, play, rules):
    """Two long runs have both workers; a third student's short run is done long before them."""
    rules(turn=1.0)
    knobs = [{"steps": 150, "seed": seed, "pause": 0.02} for seed in (1, 2)]
    long = [play(owner=f"long {k}", **knob) for k, knob in enumerate(knobs)]
    at_step(jobs, long[0], 1, "long 0")
    short = play(owner=OTHER, steps=5)
    assert ended(jobs, short, OTHER).state == "finished"
    states = [jobs.history(run, owner=f"long {k}").state for k, run in enumerate(long)]
    assert "finished" not in states
    histories = [ended(jobs, run, f"long {k}") for k, run in enumerate(long)]
    assert [result(h) for h in histories] == [alone(toy.Config(**k)) for k in knobs], "bit for bit, though interrupted"
    assert max(jobs.info(run, owner=f"long {k}").used for k, run in enumerate(long)) > 2.5


def test_what_is_changed_while_a_run_waits_takes_effect_when_it_goes_on(jobs, play, rules):
    rules(each_running=1)
    first = play(steps=10_000, pause=0.02)
    at_step(jobs, first, 1)
    second = play(steps=20)
    assert jobs.info(second, owner=ME).place == 1
    jobs.change(second, "rate", 0.5, owner=ME)
    jobs.stop(first, owner=ME)
    history = ended(jobs, second)
    assert [(c.name, c.value) for c in history.changes] == [("rate", 0.5)]


def test_a_run_whose_browser_is_gone_makes_room_and_goes_on_when_it_is_back(jobs, play, rules):
    knobs = {"steps": 100, "pause": 0.03}
    gone = [play(**knobs), play(**knobs)]
    at_step(jobs, gone[0], 1)
    rules(grace=0.4, turn=0)
    time.sleep(0.7)
    assert jobs.info(gone[0], owner=ME).place == 0, "nobody waits: it goes on"
    third = play(steps=5, owner=OTHER)
    until(lambda: (jobs.beat(OTHER), jobs.history(third, owner=OTHER).state == "finished")[1])
    aside = until(lambda: [r for r in gone if jobs.info(r, owner=ME).state == "paused"])
    jobs.beat(ME)
    for run_id in aside:
        until(lambda r=run_id: (jobs.beat(ME), jobs.history(r, owner=ME).state == "finished")[1])
        assert result(jobs.history(run_id, owner=ME)) == alone(toy.Config(**knobs))


def test_a_run_whose_browser_is_gone_is_put_aside_in_the_end_though_nobody_waits(jobs, play, rules, monkeypatch):
    monkeypatch.setattr(presence, "ALONE", 2)
    run_id = play(steps=10_000, pause=0.02)
    at_step(jobs, run_id, 1)
    rules(grace=0.3)
    assert ended(jobs, run_id).state == "paused"
    jobs.beat(ME)
    until(lambda: (jobs.beat(ME), jobs.info(run_id, owner=ME).state == "running")[1])
    jobs.pause(run_id, owner=ME)
    assert ended(jobs, run_id).state == "paused"
    time.sleep(0.4)
    jobs.beat(ME)
    assert jobs.info(run_id, owner=ME).state == "paused", "what its owner has paused stays paused"


def test_a_run_ends_at_the_servers_time_limit_with_what_it_has_reached(jobs, play, rules):
    rules(seconds=1)
    run_id = play(steps=10_000, pause=0.02)
    history = ended(jobs, run_id)
    assert (history.state, history.problem["kind"]) == ("failed", "limit")
    assert history.step > 5
    assert jobs.checkpoint(run_id, owner=ME).exists()
    with pytest.raises(Problem, match="as long as this server allows"):
        jobs.resume(run_id, owner=ME)


def test_limits_that_are_known_before_are_told_before(jobs, rules):
    rules(epochs=3)
    with pytest.raises(Problem, match="at most 3 passes"):
        jobs.submit("cnn", cnn.Config(epochs=4), owner=ME)


def test_the_teacher_sees_counts_and_stops_any_run(jobs, play):
    run_id = play(steps=10_000, pause=0.02)
    at_step(jobs, run_id, 1)
    run = next(run for run in classroom.everyone() if run.run_id == run_id)
    assert (run.experiment, run.lane, run.place, run.total_steps) == ("toy", "train", 0, 10_000)
    assert ME not in repr(run)
    figures = classroom.figures()
    assert figures["slots:train"] == 2
    assert figures["running:train"] >= 1
    assert figures["browsers"] >= 1
    assert sum(taken for _, _, taken, _ in classroom.worker_memory()) > 10**7
    classroom.stop(run_id)
    assert ended(jobs, run_id).state == "stopped"
    classroom.stop("0" * 32)


def test_a_held_queue_is_told_and_moves_again(jobs, play, rules):
    classroom.hold(True)
    run_id = play(steps=5)
    info = jobs.info(run_id, owner=ME)
    assert (info.place, info.held, info.wait) == (1, True, None)
    time.sleep(0.6)
    assert jobs.info(run_id, owner=ME).state == "queued"
    classroom.hold(False)
    assert ended(jobs, run_id).state == "finished"
