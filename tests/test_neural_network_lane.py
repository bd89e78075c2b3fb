"""The playground's runs in the light lane: threads beside each other, pause, edits at rest, stop."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from dlcore import playground_settings as playground
from dlcore.experiments import neural_network as nn
from dlcore.mlp import unflatten
from dlcore.steering import Steering
from dlcore.texts import Problem
from tests.test_neural_network import config_of, plain, told
from tests.waiting import ENDED, patience, until

ME = "a-browser"
LONG = {"epochs": 100_000, "layers": "8,8,8", "epochs_per_second": 0.0}


def test_runs_in_threads_are_each_like_alone():
    configs = [config_of(epochs=150, seed=seed, layers="8,8,8", dropout=0.1) for seed in range(3)]
    alone = [plain(nn.run(config)) for config in configs]
    found: dict[int, list] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.update({i: plain(nn.run(configs[i]))})) for i in range(len(configs))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(len(configs))] == alone


@pytest.mark.slow
def test_two_at_a_time_answer_at_once_and_resume_bit_for_bit(jobs):
    config = config_of(**{**LONG, "epochs": 6_000})
    ids = [jobs.submit("neural_network", config, owner=ME) for _ in range(2)]
    for run_id in ids:
        until(lambda run_id=run_id: jobs.history(run_id, owner=ME).step > 1000)
    jobs.change(ids[0], "freeze", [0, 0, 0, True], owner=ME)
    until(lambda: jobs.history(ids[0], owner=ME).changes)
    start = time.monotonic()
    jobs.pause(ids[0], owner=ME)
    until(lambda: jobs.history(ids[0], owner=ME).state == "paused")
    assert time.monotonic() - start < patience(0.3)
    history = jobs.history(ids[0], owner=ME)
    change, at = history.changes[0], history.step
    assert at == history.frames.all()["step"][-1]
    jobs.resume(ids[0], owner=ME)
    for run_id in ids:
        until(lambda run_id=run_id: jobs.history(run_id, owner=ME).state in ENDED, 120)
    steered, plain_run = (jobs.history(run_id, owner=ME) for run_id in ids)
    alone = told(nn.run(config, steering=Steering([change])))
    assert steered.metrics == alone.metrics
    assert plain_run.metrics != alone.metrics
    np.testing.assert_array_equal(steered.frames.all()["parameters"][-1], alone.frames.all()["parameters"][-1])
    changes, end = [[change.step, change.name, change.value]], jobs.checkpoint(ids[0], owner=ME)
    frame = steered.frames.all()
    for step, near in ((frame["step"][150], None), (frame["step"][-1], str(end))):
        again = jobs.call(nn.replay, steered.config, changes, int(step), near, timeout=60)
        np.testing.assert_array_equal(again, frame["parameters"][frame["step"] == step][0])


@pytest.mark.slow
def test_a_weight_edited_while_the_run_rests_counts_when_it_goes_on(jobs):
    config = config_of(**{**LONG, "epochs": 3000})
    run_id = jobs.submit("neural_network", config, owner=ME)
    until(lambda: jobs.history(run_id, owner=ME).step > 10)
    jobs.pause(run_id, owner=ME)
    until(lambda: jobs.info(run_id, owner=ME).resumable)
    step = jobs.history(run_id, owner=ME).step
    jobs.change(run_id, "weight", [0, 1, 2, 3.0], owner=ME)
    jobs.change(run_id, "weight", [0, 1, 2, 2.5], owner=ME)
    jobs.change(run_id, "freeze", [0, 1, 2, True], owner=ME)
    jobs.resume(run_id, owner=ME, steps=1)
    until(lambda: jobs.history(run_id, owner=ME).step == step + 1 and jobs.history(run_id, owner=ME).state == "paused")
    history = jobs.history(run_id, owner=ME)
    network = playground.architecture(config)
    assert unflatten(history.frames.all()["parameters"][-1], network)[0].W[1, 2] == 2.5
    told_changes = [(c.step, c.name) for c in history.changes]
    assert told_changes == [(step, "weight"), (step, "freeze")], "a drag at rest leaves only its end"
    jobs.resume(run_id, owner=ME)
    until(lambda: jobs.history(run_id, owner=ME).state in ENDED, 60)
    assert jobs.history(run_id, owner=ME).metrics == told(nn.run(config, steering=Steering(history.changes))).metrics


@pytest.mark.slow
def test_a_stop_is_answered_while_it_runs_at_full_speed(jobs):
    run_id = jobs.submit("neural_network", config_of(**LONG), owner=ME)
    until(lambda: jobs.history(run_id, owner=ME).step > 1000)
    with pytest.raises(Problem, match="no such weight"):
        jobs.change(run_id, "weight", [9, 9, 9, 1.0], owner=ME)
    with pytest.raises(Problem, match="cannot be changed"):
        jobs.change(run_id, "seed", 3, owner=ME)
    start = time.monotonic()
    jobs.stop(run_id, owner=ME)
    until(lambda: jobs.history(run_id, owner=ME).state == "stopped")
    assert time.monotonic() - start < patience(0.3)
