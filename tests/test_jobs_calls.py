"""Calls to workers: they answer while all train, their faults cross as sentences, and nothing but arrays does."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from dlcore.texts import Problem
from tests import toy
from tests.test_jobs import ME, at_step, play  # noqa: F401 - a fixture
from tests.waiting import patience


def test_calls_answer_while_all_train(jobs, play):  # noqa: F811
    for _ in range(3):
        play(steps=10_000, pause=0.02)
    jobs.call(toy.echo, 0, timeout=60)
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    start = time.monotonic()
    answer = jobs.call(toy.echo, {"image": image, "label": ("seven", 7)})
    assert time.monotonic() - start < patience(1.0)
    assert answer["label"] == ("seven", 7)
    np.testing.assert_array_equal(answer["image"], image)
    assert answer["image"].dtype == np.float32


@pytest.mark.parametrize(
    ("kind", "expected"), [("problem", "data_missing"), ("torch", "out_of_memory"), ("crash", "crash")]
)
def test_faults_of_calls_cross_as_problems(jobs, kind, expected):
    with pytest.raises(Problem) as caught:
        jobs.call(toy.fail, kind, timeout=60)
    assert caught.value.kind == expected


def test_nothing_but_builtins_and_arrays_crosses(jobs):
    with pytest.raises(Problem, match="only builtins and NumPy arrays"):
        jobs.call(toy.tensor, timeout=60)
    with pytest.raises(TypeError):
        jobs.call(toy.echo, object())
    with pytest.raises(ValueError, match="not a function"):
        jobs.call(os.getpid)


def test_a_call_that_takes_too_long_is_given_up(jobs):
    with pytest.raises(Problem) as caught:
        jobs.call(toy.echo, 1, seconds=5.0, timeout=0.5)
    assert caught.value.kind == "timeout"
    assert jobs.call(toy.echo, 2, timeout=60) == 2


def test_a_call_whose_worker_dies_says_so_and_the_next_one_answers(jobs):
    with pytest.raises(Problem) as caught:
        jobs.call(toy.fail, "exit", timeout=60)
    assert caught.value.kind == "worker_died"
    assert jobs.call(toy.echo, 2, timeout=60) == 2
