"""Calls to workers: they answer while all train, their faults cross as sentences, and nothing but arrays does."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dlcore.jobs import calls
from dlcore.jobs.calls import Turns
from dlcore.jobs.link import Place
from dlcore.texts import Problem
from tests import toy
from tests.test_jobs import ME, OTHER, at_step, play  # noqa: F401 - a fixture
from tests.waiting import patience, until
from ui.session import asker


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


def test_one_browsers_long_calls_leave_a_thread_for_the_others(jobs):
    """Two threads answer. Both of the one browser's calls are answered, each with its whole time."""
    jobs.call(toy.echo, 0, timeout=60)
    with ThreadPoolExecutor(3) as tabs:
        began = time.monotonic()
        long = [tabs.submit(jobs.call, toy.echo, k, seconds=2.0, timeout=3.0, owner=ME) for k in range(3)]
        time.sleep(0.3)
        asked = time.monotonic()
        assert jobs.call(toy.echo, "b", timeout=60, owner=OTHER) == "b"
        assert time.monotonic() - asked < patience(1.0)
        assert sorted(call.result() for call in long) == [0, 1, 2]
        assert time.monotonic() - began >= 6.0, "one after the other"


def test_a_call_is_made_for_whoever_the_page_is_drawn_for(jobs, monkeypatch):
    asked = []
    monkeypatch.setattr(jobs.started().turns, "_take", lambda key, most, seconds: asked.append(key))
    monkeypatch.setattr(jobs.started().turns, "_give_back", lambda key: None)
    monkeypatch.setattr(jobs.started().turns, "asker", lambda: "who draws")
    jobs.call(toy.echo, 1, timeout=60)
    jobs.call(toy.echo, 1, timeout=60, owner=ME)
    jobs.call(toy.echo, 1, timeout=60, lane="light")
    assert asked == [("who draws", "interactive"), (ME, "interactive"), ("who draws", "light")]
    assert asker() == "", "no page is drawn here"


class Caller(threading.Thread):
    """Has a turn until ``go`` is set."""

    def __init__(self, turns: Turns, owner: str, lane: str = "interactive", most: int = 99, seconds: float = 30.0):
        super().__init__(daemon=True)
        self.asks = (owner, lane, most, seconds)
        self.turns, self.has, self.go, self.problem = turns, threading.Event(), threading.Event(), None
        self.start()

    def run(self) -> None:
        try:
            with self.turns.turn(*self.asks):
                self.has.set()
                self.go.wait(30)
        except Problem as problem:
            self.problem = problem

    def end(self) -> None:
        self.go.set()
        self.join(10)


def test_turns_are_one_for_each_owner_and_lane():
    turns = Turns()
    first = Caller(turns, "one")
    assert first.has.wait(10)
    second, others = Caller(turns, "one"), [Caller(turns, "one", "light"), Caller(turns, "two"), Caller(turns, "")]
    assert all(other.has.wait(10) for other in [*others, Caller(turns, "")])
    assert not second.has.wait(0.1)
    first.end()
    assert second.has.wait(10)


def test_zips_of_a_whole_class_leave_half_of_the_light_worker_to_runs():
    turns = Turns()
    places = [Place("a", "train", 1), Place("b", "light", 8)]
    most = calls._most(places, "light")
    assert most == 4
    zips = [Caller(turns, f"student {k}", "light", most) for k in range(6)]
    until(lambda: sum(zip_.has.is_set() for zip_ in zips) == 4)
    time.sleep(0.1)
    assert sum(zip_.has.is_set() for zip_ in zips) == 4
    assert [(place.lane, place.slots) for place in turns.beside(places)] == [("train", 1), ("light", 4)]
    for zip_ in zips:
        zip_.go.set()
    for zip_ in zips:
        zip_.join(10)
    assert all(zip_.has.is_set() for zip_ in zips)
    assert turns.beside(places) == places
    assert calls._most(places[:1], "light") == 1


def test_waiting_for_a_turn_has_an_end(monkeypatch):
    monkeypatch.setattr(calls, "MOST_WAITING", 2)
    turns = Turns()
    first = Caller(turns, "one")
    assert first.has.wait(10)
    late = Caller(turns, "one", seconds=0.1)
    late.join(10)
    assert late.problem is not None
    assert late.problem.kind == "timeout"
    waiting = [Caller(turns, "one") for _ in range(2)]
    until(lambda: turns._waiting["one", "interactive"] == 2)
    refused = Caller(turns, "one")
    refused.join(10)
    assert "2 questions of this browser" in str(refused.problem)
    for caller in [first, *waiting]:
        caller.go.set()
    for caller in [first, *waiting]:
        caller.join(10)
        assert caller.has.is_set()
    assert not turns._going
    assert not turns._waiting, "nothing is kept of who has asked"


def test_who_gave_up_waits_until_the_worker_is_free(monkeypatch):
    """Else a browser that asks, gives up and asks again would have all threads after all."""
    monkeypatch.setattr(calls, "OVERTIME", 0.3)
    turns = Turns()
    with pytest.raises(Problem), turns.turn("one", "interactive", 99, 1.0):
        raise calls._late(1.0)
    began = time.monotonic()
    with turns.turn("one", "interactive", 99, 30.0):
        assert time.monotonic() - began > 0.2
