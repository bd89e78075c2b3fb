"""Who comes when and who makes room: the queue with a clock that is turned by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.jobs import presence
from dlcore.jobs import queue as queues
from dlcore.jobs.limits import Limits
from dlcore.jobs.presence import Presence
from dlcore.jobs.queue import Queue
from dlcore.jobs.store import Store
from dlcore.jobs.waiting import FIRST_GUESS, Typical, seconds_left, seconds_until

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


def test_a_browsers_share_is_of_each_kind(room, monkeypatch):
    """Its training runs do not keep its light ones from beginning."""
    class_ = room(each_running=1)
    for name in ("train a", "light a", "train b", "light b"):
        class_.ask("one", name)
    monkeypatch.setattr(queues, "lane_of", lambda record: class_.names[record.run_id].split()[0])
    places = [SimpleNamespace(address=lane, lane=lane, slots=4) for lane in ("train", "light")]
    with class_.queue.lock:
        for record, lane, address in class_.queue.hand_out(places):
            class_.queue.hands[record.run_id] = queues.Hand(record, lane, address, None)
            class_.began.append(class_.names[record.run_id])
    assert class_.began == ["train a", "light a"]


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
