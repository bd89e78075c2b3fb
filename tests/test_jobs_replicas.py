"""Several servers on one state folder: what one puts aside, takes up or computes, the others hear of. No workers."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from dlcore import jobs
from dlcore.events import Paused, Started
from dlcore.jobs import classroom, presence, queue
from dlcore.jobs import store as stores
from dlcore.jobs.broker import Broker
from dlcore.jobs.hands import Hand
from dlcore.jobs.limits import Limits
from dlcore.jobs.logs import append, open_log
from dlcore.jobs.presence import AGAIN, Presence
from dlcore.jobs.queue import Queue
from dlcore.jobs.servers import this_server
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import LOG, Record, Store
from dlcore.texts import Problem

GONE = {**this_server(), "started": 0.0}


class Clock:
    """Stands in for ``time``; turned by hand."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    time = monotonic


class Server:
    """One of the servers, without its workers and its thread."""

    def __init__(self, folder, limits: Limits) -> None:
        self.store = Store(folder)
        self.store.prepare()
        self.queue = Queue(self.store, this_server(), lambda: limits)
        self.presence = Presence(self.store, self.queue, lambda: limits, self.queue.add)

    def waiting(self) -> list[str]:
        return [record.run_id for record in self.queue.waiting]


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (queue, presence):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def servers(tmp_path, clock):
    return [Server(tmp_path / "state", Limits(grace=180)) for _ in range(3)]


def ask(server: Server, owner: str = "one") -> Record:
    record = server.store.new("toy", {}, owner, [])
    server.queue.add(record)
    return server.store.record(record.run_id)


def test_a_run_that_one_server_has_put_aside_goes_on_at_the_one_where_its_browser_is(servers, clock):
    first, second, _ = servers
    first.presence.beat("one")
    run = ask(first)
    second.presence.beat("one")  # the same browser in a second tab, which stays
    assert [r.left for r in second.store.all()] == [False]
    clock.now += 181
    second.presence.beat("one")
    first.presence.put_aside_abandoned()
    assert first.store.record(run.run_id).left
    clock.now += AGAIN
    second.presence.beat("one")
    assert (first.waiting(), second.waiting()) == ([], [run.run_id])
    first.presence.beat("one")
    assert first.waiting() == [], "the other has it"


def test_a_browser_is_welcome_though_its_run_was_taken_over_before_it_came(servers, clock):
    """A server that adopts runs has missed their browsers before it hears of them."""
    _, adopts, _ = servers
    going, aside = ask(servers[0]), ask(servers[0])
    servers[0].queue.park(next(r for r in servers[0].queue.waiting if r.run_id == aside.run_id))
    adopts.queue.hands[going.run_id] = Hand(going, "train", "somewhere", None, since=clock.now)
    adopts.presence.put_aside_abandoned()
    assert adopts.presence.count() == 0, "nobody has given a sign here"
    clock.now += 5
    adopts.presence.beat("one")
    assert adopts.waiting() == [aside.run_id]


def test_the_browser_of_an_adopted_run_that_never_comes_loses_its_place(servers, clock):
    adopts = servers[1]
    going = ask(servers[0])
    adopts.queue.hands[going.run_id] = Hand(going, "train", "somewhere", None, since=clock.now)
    adopts.presence.put_aside_abandoned()
    clock.now += 181 * presence.ALONE
    adopts.presence.put_aside_abandoned()
    assert adopts.queue.hands[going.run_id].leaves


def test_of_two_servers_asked_at_once_one_goes_on(servers):
    first, second, third = servers
    run = ask(first)
    first.queue.park(first.queue.waiting[0])
    seen = first.store.record(run.run_id)  # by both, before either has written it
    second.queue.add(seen)
    third.queue.add(seen)
    assert (second.waiting(), third.waiting()) == ([run.run_id], [])
    assert third.store.record(run.run_id).attempts == 2


def test_a_claim_that_led_to_nothing_does_not_hold_a_run_for_ever(servers, monkeypatch):
    first, second, _ = servers
    run = ask(first)
    first.queue.park(first.queue.waiting[0])
    seen = second.store.record(run.run_id)

    def full(record):
        raise Problem("full", kind="state")

    with monkeypatch.context() as patch:
        patch.setattr(second.store, "write", full)
        with pytest.raises(Problem, match="full"):
            second.queue.add(seen)
    second.queue.add(seen)
    assert second.waiting() == [run.run_id], "room was made on the disk"
    claim = first.store.claim(seen_later := second.store.record(run.run_id))  # of a server that ends in this moment
    assert claim is not None
    assert second.store.claim(seen_later) is None
    long_ago = time.time() - 2 * stores.CLAIMED
    os.utime(claim, (long_ago, long_ago))
    assert second.store.claim(seen_later) == claim
    assert first.store.claim(seen_later) is None


def test_browsers_that_are_gone_are_forgotten(servers, clock):
    """In every table: each browser that was ever here would stay in memory."""
    server = servers[0]
    server.presence.beat("one")
    ask(server)
    other = ask(servers[1], "other")
    server.queue.hands[other.run_id] = Hand(other, "train", "somewhere", None)
    clock.now += 181
    server.presence.put_aside_abandoned()
    for record in [*server.queue.waiting]:
        server.queue.leave(record)
    tables = ("_signs", "_missed", "_looked", "_aside")
    assert all(getattr(server.presence, table) for table in tables)
    clock.now += 10**5
    server.presence.forget()
    assert not any(getattr(server.presence, table) for table in tables)


@pytest.fixture
def broker(tmp_path, monkeypatch):
    """One without its thread, and so without workers."""
    monkeypatch.setattr(Broker, "_loop", lambda self: None)
    store = Store(tmp_path / "state")
    store.prepare()
    broker = Broker(store, Sizes())
    monkeypatch.setattr(jobs, "_broker", broker)
    return broker


def test_a_run_that_another_server_goes_on_with_is_not_ended_here(broker):
    """Its server was gone when this one last looked; since then somebody else has taken it up."""
    record = replace(broker.store.new("toy", {}, "one", []), attempts=1, server=GONE)
    Store(broker.store.folder).write(record)
    with open_log(broker.store.path(record.run_id, LOG)) as stream:
        append(stream, Started(0, {}, 9))
    known = broker.store.all()
    Store(broker.store.folder).write(replace(record, attempts=2, used=7.0, server=this_server()))
    assert [(run.state, run.used) for run in jobs.runs("one")] == [("running", 7.0)]
    assert broker.history(known[0]).state == "running"
    assert broker.store.last(record.run_id) == Started(0, {}, 9), "nothing was written into its log"


def test_a_new_run_makes_room_for_itself(broker, monkeypatch):
    """Asked for and stopped again and again, runs are not kept without end until somebody cleans up."""
    monkeypatch.setattr(broker, "limits", lambda: Limits(kept_runs=3))
    runs = []
    for _ in range(6):
        runs.append(jobs.submit("toy", jobs.lesson_module("toy").Config(), owner="one"))
        if len(runs) > 1:  # the first waits all the time
            jobs.stop(runs[-1], owner="one")
    other = jobs.submit("toy", jobs.lesson_module("toy").Config(), owner="two")
    left = {r.run_id for r in broker.store.all()}
    assert left == {runs[0], *runs[-3:], other}


def test_the_teachers_page_reads_no_history_of_runs_that_have_never_begun(broker, monkeypatch):
    """It looks every two seconds, at up to 500 of them: those that pages look at would be pushed out of memory."""
    new, had = (broker.store.new("toy", {}, owner, []) for owner in ("one", "two"))
    broker.queue.add(new)
    broker.store.write(replace(had, attempts=1))
    broker.store.end(had.run_id, Paused)
    broker.queue.add(replace(had, attempts=1))
    read, history = [], broker.store.history
    monkeypatch.setattr(broker.store, "history", lambda run_id: (read.append(run_id), history(run_id))[1])
    told = classroom.everyone()
    assert read == [had.run_id]
    assert {run.run_id: (run.place, run.progress, run.step) for run in told}[new.run_id][1:] == (0.0, 0)
    assert sorted(run.place for run in told) == [1, 2]
