"""The runs that wait and those in hand, in fair order in each lane. No thread, no connection, one lock.

A run's rank is the moment it came to the queue, plus the seconds it has computed before, plus a turn for each other
run of its browser that goes on or waits. The smallest rank begins first. So the first runs of all students come in the
order in which they asked; who asks for three more gets them behind the others; and a long run that has made room goes
on when those that came meanwhile have had as long as it had. Nobody is overtaken for ever, since ranks never change.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from dlcore.events import Paused, Stopped
from dlcore.jobs.hands import Hand, lane_of
from dlcore.jobs.limits import Limits
from dlcore.jobs.store import Record, Store
from dlcore.texts import N_, Problem

GRACE = 10.0  # seconds for a run to answer a stop before its worker is replaced
GOING = ("queued", "running")


class Queue:
    """What is to be computed, and what some worker has. ``lock`` guards both; it may be taken again by its holder.

    ``waiting`` is in the order of rank.
    """

    def __init__(self, store: Store, server: dict[str, Any], limits: Callable[[], Limits] = Limits) -> None:
        self.waiting: list[Record] = []
        self.hands: dict[str, Hand] = {}
        self.lock = threading.RLock()
        self.limits = limits
        self._ranks: dict[str, float] = {}  # of those that wait
        self._store = store
        self._server = server  # which process answers for a run from now on

    def ids(self) -> list[str]:
        """The runs that this process answers for."""
        with self.lock:
            return [*self.hands, *(record.run_id for record in self.waiting)]

    def add(self, record: Record) -> None:
        """Put a run where its rank says. Raises ``Problem`` (kinds ``"busy"``, ``"state"``)."""
        with self.lock:
            hand = self.hands.get(record.run_id)
            if any(r.run_id == record.run_id for r in self.waiting) or (hand and hand.again):
                return  # two windows asked at once
            if hand is None:
                self._check_room(record.owner)
            going_on = self._next(record)
            if going_on is None:
                return  # two servers were asked at once
            self._note_waiting(going_on)
            if hand is None:
                self._enter(going_on)
            else:  # its log has ended, its task not quite
                hand.again = going_on

    def _next(self, record: Record) -> Record | None:
        """A run's record for its next attempt, written; None where another server of this state has begun that."""
        claim = self._store.claim(record) if record.attempts else None  # nobody else knows of a new one
        if record.attempts and claim is None:
            return None
        record = replace(record, attempts=record.attempts + 1, server=self._server, left=False)
        try:
            self._store.write(record)
        except Problem:
            if claim is not None:
                claim.unlink(missing_ok=True)
            raise
        return record

    def _note_waiting(self, record: Record) -> None:
        """Say in the log that it waits; a new run whose log cannot be written leaves nothing behind."""
        try:
            self._store.queued(record.run_id)
        except Problem:
            if record.attempts == 1:
                self._store.forget(record.run_id)
            raise

    def _enter(self, record: Record) -> None:
        others = sum(r.owner == record.owner for r in self._all())
        came = record.created if record.attempts == 1 else time.time()  # requests of one moment keep their order
        self.enter_at(record, came + record.used + others * self.limits().turn)

    def enter_at(self, record: Record, rank: float) -> None:
        """Let a run wait with this rank; those of the same rank stand in the order in which they came."""
        with self.lock:
            self._ranks[record.run_id] = rank
            self.waiting.append(record)
            self.waiting.sort(key=lambda r: self._ranks[r.run_id])

    def leave(self, record: Record) -> None:
        """Take a run out of those that wait."""
        self.waiting.remove(record)
        self._ranks.pop(record.run_id, None)

    def _all(self) -> list[Record]:
        return [*self.waiting, *(hand.record for hand in self.hands.values())]

    def _check_room(self, owner: str) -> None:
        """Raise ``Problem`` where this owner, or everybody together, has too many runs."""
        limits = self.limits()
        mine = sum(r.owner == owner for r in self._all())
        if limits.each_going and mine >= limits.each_going:
            raise Problem(
                N_("You have {count} runs going on or waiting. Stop one of them before you start another."),
                kind="busy",
                count=mine,
            )
        if limits.waiting and len(self.waiting) >= limits.waiting:
            raise Problem(N_("{count} runs are waiting. Try again later."), kind="busy", count=len(self.waiting))

    def wish(self, record: Record, action: str, *args: Any) -> bool:
        """Pass ``"pause"``, ``"stop"`` or ``"change"`` on; False where the run is neither waiting nor in hand here."""
        with self.lock:
            hand = self.hands.get(record.run_id)
            if hand is not None and self._store.history(record.run_id).state not in GOING:
                return hand.stays_put(action)  # only its task has still to end
            if hand is not None and not hand.again:
                hand.ask(action, *args)
                if action == "stop":
                    hand.stopping, hand.stop_by = True, time.monotonic() + GRACE
                return True
            waits = next((r for r in self.waiting if r.run_id == record.run_id), None)
            if action == "change" or (hand is None and waits is None):
                return False
            if hand is not None:
                hand.again = None
                hand.stays_put(action)
            elif waits is not None:
                self.leave(waits)
            self._store.end(record.run_id, Stopped if action == "stop" else Paused)
            return True

    def place(self, run_id: str) -> int | None:
        """0 for a run in hand, 1 for the next of its lane; None for one that is neither waiting nor in hand."""
        with self.lock:
            if run_id in self.hands:
                return 0
            mine = next((r for r in self.waiting if r.run_id == run_id), None)
            if mine is None:
                return None
            lane = lane_of(mine)
            return 1 + [r.run_id for r in self.waiting if lane_of(r) == lane].index(run_id)

    def hand_out(self, places: Sequence[Any]) -> Iterator[tuple[Record, str, str]]:
        """Take from the queue what free workers can begin: run, lane and address, in the order of rank.

        A browser that has all the runs it may have at once waits for one of them to end; others pass it.

        Args:
            places: the workers (``link.Place``). Whoever iterates holds ``lock``.
        """
        limits = self.limits()
        if limits.held:
            return
        free = {place.address: place.slots for place in places}
        for hand in self.hands.values():
            if hand.address in free:
                free[hand.address] -= 1
        for record in list(self.waiting):
            lane = lane_of(record)
            here = [p.address for p in places if p.lane == lane and free[p.address] > 0]
            if here and not self._has_its_share(record, limits):
                address = max(here, key=free.__getitem__)
                free[address] -= 1
                self.leave(record)
                yield record, lane, address

    def _has_its_share(self, record: Record, limits: Limits) -> bool:
        """Whether this run's browser has as many runs in hand, in this lane, as it may."""
        lane = lane_of(record)
        mine = sum(hand.record.owner == record.owner and hand.lane == lane for hand in self.hands.values())
        return bool(limits.each_running) and mine >= limits.each_running

    def make_room(self, places: Sequence[Any], now: float) -> None:
        """Ask runs that have had their turn to make room, one for each that waits and finds no free worker.

        A turn counts from when the run is seen to compute, so that each gets on, however long it takes to load.
        """
        limits = self.limits()
        if not limits.turn or limits.held:
            return
        with self.lock:
            wanted = Counter(lane_of(r) for r in self.waiting if not self._has_its_share(r, limits))
            for place in places:
                wanted[place.lane] -= place.slots  # all, less those that are taken, are free
            wanted.update(hand.lane for hand in self.hands.values() if not (hand.rests or hand.leaves))
            for hand in sorted(self.hands.values(), key=lambda hand: hand.since):
                self._see(hand, now)
                if wanted[hand.lane] > 0 and now - hand.began > limits.turn and hand.may_rest():
                    hand.rest()
                    wanted[hand.lane] -= 1

    def _see(self, hand: Hand, now: float) -> None:
        if hand.began > now and self._store.history(hand.record.run_id).state == "running":
            hand.began = now

    def park(self, record: Record) -> None:
        """Let a run that waits wait for its browser instead: nobody would see it."""
        with self.lock:
            self.leave(record)
            self._store.end(record.run_id, Paused)
            self._store.rewrite(replace(self._newest(record), left=True))

    def let_go(self, run_id: str, kind: type, *args: Any) -> None:
        """End the log with this, unless the run has ended it itself, and forget the run; or let it wait again."""
        with self.lock:
            hand = self.hands.pop(run_id, None)
            if hand is None:
                self._store.end(run_id, kind, *args)
                return
            used = hand.record.used + time.monotonic() - hand.since
            if hand.again is not None:  # its log says already that it waits
                self._enter(replace(hand.again, used=used))
                return
            self._store.end(run_id, kind, *args)
            paused = isinstance(self._store.last(run_id), Paused)
            record = replace(self._newest(hand.record), used=used, left=hand.leaves and paused)
            if paused and hand.rests:
                self._go_on_later(record)
            else:
                self._store.rewrite(record)

    def _newest(self, record: Record) -> Record:
        """The record as it is on disk: changes may have been added to it since it was handed out."""
        return self._store.newest(record.run_id) or record

    def add_change(self, record: Record, merge: Callable[[list[Any]], list[Any]]) -> None:
        """Keep a change for when a run goes on. ``merge`` makes the new list of changes from the present one.

        Raises:
            Problem: it cannot be written (kind ``"state"``).
        """
        with self.lock:  # the record may have been queued again since it was read
            newest = self._newest(record)
            changes = merge(newest.changes)
            self._store.write(replace(newest, changes=changes))
            same = record.run_id
            self.waiting = [replace(r, changes=changes) if r.run_id == same else r for r in self.waiting]
            if (hand := self.hands.get(same)) and hand.again:
                hand.again = replace(hand.again, changes=changes)

    def _go_on_later(self, record: Record) -> None:
        """A run that has made room waits for its next turn."""
        try:
            going_on = self._next(record)
            if going_on is not None:
                self._store.queued(going_on.run_id)
                self._enter(going_on)
        except Problem:  # nowhere to write it: it rests, and can be resumed
            return
