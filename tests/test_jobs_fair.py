"""A server that many share: who comes when, who makes room, what one may take, and what the teacher may do."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, fields, replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.events import Finished, Started, Step
from dlcore.experiments import cnn
from dlcore.jobs import classroom, presence
from dlcore.jobs import queue as queues
from dlcore.jobs.guard import Guard
from dlcore.jobs.limits import Limits, write
from dlcore.jobs.presence import Presence
from dlcore.jobs.queue import Queue
from dlcore.jobs.store import Store
from dlcore.jobs.waiting import FIRST_GUESS, Typical, seconds_left, seconds_until
from dlcore.texts import Problem
from tests import toy
from tests.test_jobs import ME, OTHER, alone, at_step, ended, play, result
from tests.waiting import until

__all__ = ["play"]  # a fixture

PLACES = [SimpleNamespace(address=f"train {k}", lane="train", slots=1) for k in range(2)]


@dataclass
class Clock:
    """Stands in for ``time`` in the queue."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now

    time = monotonic


class Room:
    """A queue with two workers that do nothing, and a clock that is turned by hand."""

    def __init__(self, folder, monkeypatch, **limits):
        self.clock = Clock()
        monkeypatch.setattr(queues, "time", self.clock)
        self.limits = Limits(**limits)
        self.store = Store(folder)
        self.store.prepare()
        self.queue = Queue(self.store, {}, lambda: self.limits)
        self.began: list[str] = []
        self.names: dict[str, str] = {}

    def ask(self, owner: str, name: str) -> None:
        record = replace(self.store.new("toy", {}, owner, []), created=self.clock.now)
        self.names[record.run_id] = name
        self.queue.add(record)
        self.clock.now += 0.01

    def hand_out(self) -> None:
        with self.queue.lock:
            for record, lane, address in self.queue.hand_out(PLACES):
                hand = queues.Hand(record, lane, address, None, since=self.clock.now, began=self.clock.now)
                self.queue.hands[record.run_id] = hand
                self.began.append(self.names[record.run_id])

    def hand(self, name: str) -> queues.Hand:
        return next(hand for run_id, hand in self.queue.hands.items() if self.names[run_id] == name)

    def finish(self, name: str) -> None:
        self.queue.let_go(self.hand(name).record.run_id, queues.Stopped)
        self.hand_out()


@pytest.fixture
def room(tmp_path, monkeypatch):
    return lambda **limits: Room(tmp_path / "state", monkeypatch, **limits)


@pytest.fixture
def rules(jobs):
    """Change the limits of the tests' server; they are as before at the end."""
    yield classroom.set_limits
    classroom.hold(False)
    classroom.reset_limits()


def test_first_runs_come_before_anybodys_second(room):
    """One student asks for four runs, then three others for one each: the four do not stand before the three."""
    class_ = room(each_running=2)
    for k in range(4):
        class_.ask("greedy", f"g{k}")
    for k in range(3):
        class_.ask(f"student {k}", f"s{k}")
    class_.hand_out()
    while class_.queue.hands:
        first = next(iter(class_.queue.hands))
        class_.finish(class_.names[first])
    assert class_.began == ["g0", "s0", "s1", "s2", "g1", "g2", "g3"]


def test_one_browser_never_holds_more_workers_than_it_may(room):
    class_ = room(each_running=1)
    class_.ask("one", "a")
    class_.ask("one", "b")
    class_.hand_out()
    assert class_.began == ["a"], "a worker is free, but not for the same browser"
    class_.ask("two", "c")
    class_.hand_out()
    assert class_.began == ["a", "c"]
    class_.finish("a")
    assert class_.began == ["a", "c", "b"]


def test_a_run_that_made_room_stands_behind_those_that_had_less(room):
    class_ = room(turn=45)
    class_.ask("long", "long")
    record = class_.queue.waiting[0]
    class_.queue.leave(record)
    class_.clock.now += 100
    class_.ask("new", "new")
    class_.queue._go_on_later(replace(record, used=90))
    class_.clock.now += 89
    class_.ask("later", "later")
    class_.clock.now += 5
    class_.ask("last", "last")
    assert [class_.names[r.run_id] for r in class_.queue.waiting] == ["new", "later", "long", "last"]


def test_a_run_makes_room_only_after_its_turn_and_only_for_one_that_could_begin(room):
    class_ = room(turn=45, each_running=2)
    for name in "abc":
        class_.ask("same", name)
    class_.hand_out()
    class_.clock.now += 100
    class_.queue.make_room(PLACES, class_.clock.now)
    assert not any(hand.rests for hand in class_.queue.hands.values()), "the one that waits has its share already"
    class_.ask("other", "d")
    class_.queue.make_room(PLACES, class_.clock.now)
    assert [hand.rests for hand in class_.queue.hands.values()] == [True, False], "one waits: one makes room"
    class_.queue.make_room(PLACES, class_.clock.now)
    assert [hand.rests for hand in class_.queue.hands.values()] == [True, False], "it has been asked already"


def test_nobody_makes_room_while_a_worker_is_free_or_before_it_computes(room):
    class_ = room(turn=45)
    class_.ask("one", "a")
    class_.hand_out()
    class_.clock.now += 100
    class_.ask("two", "b")
    class_.queue.make_room(PLACES, class_.clock.now)
    assert not class_.hand("a").rests, "the other worker is free"
    class_.hand_out()
    class_.ask("three", "c")
    class_.hand("b").began = float("inf")  # it loads its data still
    class_.clock.now += 100
    class_.queue.make_room(PLACES, class_.clock.now)
    assert (class_.hand("a").rests, class_.hand("b").rests) == (True, False)


@pytest.mark.parametrize("action", ["pause", "stop"])
@pytest.mark.parametrize("before", ["make room", "put aside", "nothing"])
def test_what_its_owner_wants_counts_more_than_what_the_queue_wants(room, action, before):
    """Also once the worker has confirmed the wish, and while the run is on its way to rest already."""
    class_ = room(turn=45)
    for name in "abc":
        class_.ask(name, name)
    class_.hand_out()
    hand = class_.hand("a")
    if before == "make room":
        hand.rest()
    elif before == "put aside":
        hand.put_aside()
    assert class_.queue.wish(hand.record, action)
    hand.wishes.clear()
    class_.clock.now += 100
    class_.queue.make_room(PLACES, class_.clock.now)
    assert (hand.rests, hand.leaves) == (False, False)
    assert not hand.may_rest()


@pytest.mark.parametrize("aside", ["rests", "leaves"])
def test_a_pause_counts_also_when_the_run_has_just_been_put_aside(room, aside):
    class_ = room()
    class_.ask("one", "a")
    class_.hand_out()
    hand = class_.hand("a")
    setattr(hand, aside, True)
    class_.store.end(hand.record.run_id, queues.Paused)
    assert class_.queue.wish(hand.record, "pause")
    class_.queue.let_go(hand.record.run_id, queues.Stopped)
    assert class_.queue.waiting == []
    assert not class_.store.record(hand.record.run_id).left


def test_a_change_goes_to_the_run_as_it_is_now(room):
    """Read before the run made room, kept after: the attempt that comes next must not be one that has been."""
    class_ = room()
    class_.ask("one", "a")
    class_.hand_out()
    hand = class_.hand("a")
    old = class_.store.record(hand.record.run_id)
    hand.rests = True
    class_.store.end(old.run_id, queues.Paused)
    class_.queue.let_go(old.run_id, queues.Stopped)
    class_.queue.add_change(old, lambda changes: [*changes, [3, "rate", 0.5]])
    assert [(r.attempts, r.changes) for r in class_.queue.waiting] == [(2, [[3, "rate", 0.5]])]
    assert class_.store.record(old.run_id).attempts == 2


def test_a_browser_that_comes_back_while_its_run_is_being_put_aside_has_it_going_on(room, monkeypatch):
    class_ = room(grace=180)
    monkeypatch.setattr(presence, "time", class_.clock)
    there = Presence(class_.store, class_.queue, lambda: class_.limits, class_.queue.add)
    there.beat("one")
    class_.ask("one", "a")
    class_.hand_out()
    class_.clock.now += 181
    there.beat("two")
    for name in "bc":
        class_.ask("two", name)
    class_.hand_out()
    there.put_aside_abandoned()
    assert class_.hand("a").leaves
    there.beat("one")
    assert (class_.hand("a").leaves, class_.hand("a").rests) == (False, True)


def test_a_browsers_own_waiting_run_does_not_drive_out_its_others(room, monkeypatch):
    """It is parked first; the others go on where nobody else waits."""
    class_ = room(grace=180)
    monkeypatch.setattr(presence, "time", class_.clock)
    there = Presence(class_.store, class_.queue, lambda: class_.limits, class_.queue.add)
    there.beat("one")
    for name in "abc":
        class_.ask("one", name)
    class_.hand_out()
    class_.clock.now += 181
    there.put_aside_abandoned()
    assert class_.queue.waiting == []
    assert not any(hand.leaves for hand in class_.queue.hands.values())
    there.beat("one")
    assert [class_.names[r.run_id] for r in class_.queue.waiting] == ["c"], "it waits again when its browser is back"


def test_a_held_queue_gives_nothing_out(room):
    class_ = room(held=True)
    class_.ask("one", "a")
    class_.hand_out()
    assert class_.began == []
    class_.limits = Limits()
    class_.hand_out()
    assert class_.began == ["a"]


@given(
    asks=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 20)), min_size=1, max_size=25),
    seconds=st.lists(st.floats(1, 200), min_size=25, max_size=25),
)
def test_nobody_is_overtaken_for_ever(tmp_path_factory, asks, seconds):
    """Played forward with any requests: all begin, and of two browsers' first runs the earlier begins no later."""
    with pytest.MonkeyPatch.context() as patch:
        class_ = Room(tmp_path_factory.mktemp("fair") / "state", patch, each_going=0)
        at, order = class_.clock.now, []
        for k, (owner, gap) in enumerate(asks):
            at = class_.clock.now = at + gap
            if f"{owner}." not in {name.split("#")[0] for name in class_.names.values()}:
                order.append(f"{owner}.#{k}")
            class_.ask(str(owner), f"{owner}.#{k}")
        left = {name: seconds[k] for k, name in enumerate(class_.names.values())}
        class_.hand_out()
        while class_.queue.hands:
            run_id = min(class_.queue.hands, key=lambda r: left[class_.names[r]])
            class_.clock.now += left[class_.names[run_id]]
            class_.finish(class_.names[run_id])
    assert sorted(class_.began) == sorted(left)
    assert [name for name in class_.began if name in order] == order


def test_waiting_time_plays_the_queue_forward():
    assert seconds_until(1, 2, [30.0, 10.0], 20.0) == 10.0
    assert seconds_until(2, 2, [30.0, 10.0], 20.0) == 30.0
    assert seconds_until(3, 2, [30.0, 10.0], 20.0) == 30.0
    assert seconds_until(1, 2, [30.0], 20.0) == 0.0
    assert seconds_until(1, 0, [], 20.0) is None
    assert seconds_left(40, 300, 20, 45) == 5, "it makes room"
    assert seconds_left(40, 300, 20, 0) == 300
    assert seconds_left(5, None, 20, 45) == 15
    typical = Typical()
    assert typical("train") == FIRST_GUESS
    for seconds in (1, 2, 90):
        typical.note("train", seconds)
    assert (typical("train"), typical("light")) == (2, FIRST_GUESS)


# -- with workers ----------------------------------------------------------------------------------------------------


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


def test_the_guard_of_a_run():
    guard = Guard({"parameters": 1000, "megabytes": 1})
    assert guard.met(Started(0, {}, 10, {"params": 1000})) is None
    assert "1,001 parameters" in str(guard.met(Started(0, {}, 10, {"params": 1001})))
    assert guard.met(Step(1, 0.0)) is None, "memory is looked at once a second"
    guard._looked -= 2
    assert guard.met(Step(2, 0.0)) is None, "what the process took before is not the run's"
    guard._looked, guard._before = guard._looked - 2, guard._before - 2 * 10**6
    assert "1 MB of memory" in str(guard.met(Step(3, 0.0)))
    assert Guard({}).met(Finished(1, {})) is None


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


# -- where limits come from --------------------------------------------------------------------------------------------


def test_limits_come_from_the_config_then_the_environment_then_the_teacher(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text("[dlcore]\nseconds = 600\nepochs = 5\nturn = 30\n")
    assert (Limits.read(tmp_path).seconds, Limits.read(tmp_path).epochs) == (600, 5)
    monkeypatch.setenv("DLCORE_LIMIT_EPOCHS", "7")
    assert (Limits.read(tmp_path).epochs, Limits.read(tmp_path).turn) == (7, 30)
    (tmp_path / "limits.json").write_text(json.dumps({"epochs": 9, "held": True}))
    limits = Limits.read(tmp_path)
    assert (limits.epochs, limits.held, limits.seconds) == (9, True, 600)
    write(tmp_path, {"turn": 20})
    monkeypatch.setenv("DLCORE_LIMIT_SECONDS", "300")
    limits = Limits.read(tmp_path)
    assert (limits.epochs, limits.turn, limits.seconds) == (9, 20, 300), "what was not changed follows the server"
    write(tmp_path, None)
    limits = Limits.read(tmp_path)
    assert (limits.epochs, limits.turn, limits.held) == (7, 30, True), "a held queue stays held"


NONSENSE = ["x", "", "nan", "inf", "-1", None, [], {}, "1e99", "9" * 400]


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Limits)] + ["other"]), st.sampled_from(NONSENSE)))
def test_nonsense_among_the_limits_is_left_out(said):
    assert Limits().with_(said) == Limits()


def test_a_file_that_is_no_limits_file_is_none(tmp_path):
    for text in ("", "{", "[1]", "null", '{"epochs": "many"}'):
        (tmp_path / "limits.json").write_text(text)
        assert Limits.read(tmp_path).epochs == 0
