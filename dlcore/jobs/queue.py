"""The runs that wait and those in hand: first come, first served in each lane. No thread, no connection, one lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dlcore.events import Paused, Stopped
from dlcore.jobs.hands import Hand, lane_of
from dlcore.jobs.store import Record, Store
from dlcore.texts import N_, Problem

GRACE = 10.0  # seconds for a run to answer a stop before its worker is replaced
MOST_WAITING = 500
MOST_EACH = 4  # runs of one browser that wait or run
GOING = ("queued", "running")


class Queue:
    """What is to be computed, and what some worker has. ``lock`` guards both; it may be taken again by its holder."""

    def __init__(self, store: Store, server: dict[str, Any]) -> None:
        self.waiting: list[Record] = []
        self.hands: dict[str, Hand] = {}
        self.lock = threading.RLock()
        self._store = store
        self._server = server  # which process answers for a run from now on

    def ids(self) -> list[str]:
        """The runs that this process answers for."""
        with self.lock:
            return [*self.hands, *(record.run_id for record in self.waiting)]

    def add(self, record: Record) -> None:
        """Put a run at the end. Raises ``Problem`` (kinds ``"busy"``, ``"state"``)."""
        with self.lock:
            hand = self.hands.get(record.run_id)
            if any(r.run_id == record.run_id for r in self.waiting) or (hand and hand.again):
                return  # two windows asked at once
            if hand is None:
                self._check_room(record.owner)
            record = replace(record, attempts=record.attempts + 1, server=self._server)
            self._store.write(record)
            self._store.queued(record.run_id)
            if hand is None:
                self.waiting.append(record)
            else:  # its log has ended, its task not quite
                hand.again = record

    def _check_room(self, owner: str) -> None:
        """Raise ``Problem`` where this owner, or everybody together, has too many runs."""
        mine = sum(r.owner == owner for r in [*self.waiting, *(h.record for h in self.hands.values())])
        if mine >= MOST_EACH:
            raise Problem(
                N_("You have {count} runs going on or waiting. Stop one of them before you start another."),
                kind="busy",
                count=mine,
            )
        if len(self.waiting) >= MOST_WAITING:
            raise Problem(N_("{count} runs are waiting. Try again later."), kind="busy", count=len(self.waiting))

    def wish(self, record: Record, action: str, *args: Any) -> bool:
        """Pass ``"pause"``, ``"stop"`` or ``"change"`` on; False where the run is neither waiting nor in hand here."""
        with self.lock:
            hand = self.hands.get(record.run_id)
            if hand is not None and self._store.history(record.run_id).state not in GOING:
                return False  # only its task has still to end: what is asked now is for when it goes on
            if hand is not None and not hand.again:
                hand.wishes.append((action, *args))
                if action == "stop":
                    hand.stopping, hand.stop_by = True, time.monotonic() + GRACE
                return True
            waits = next((r for r in self.waiting if r.run_id == record.run_id), None)
            if action == "change" or (hand is None and waits is None):
                return False
            if hand is not None:
                hand.again = None
            elif waits is not None:
                self.waiting.remove(waits)
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
        """Take from the queue what free workers can begin: run, lane and address, in the order in which runs came.

        Args:
            places: the workers (``link.Place``). Whoever iterates holds ``lock``.
        """
        free = {place.address: place.slots for place in places}
        for hand in self.hands.values():
            if hand.address in free:
                free[hand.address] -= 1
        for record in list(self.waiting):
            lane = lane_of(record)
            here = [p.address for p in places if p.lane == lane and free[p.address] > 0]
            if here:
                address = max(here, key=free.__getitem__)
                free[address] -= 1
                self.waiting.remove(record)
                yield record, lane, address

    def let_go(self, run_id: str, kind: type, *args: Any) -> None:
        """End the log with this, unless the run has ended it itself, and forget the run."""
        with self.lock:
            hand = self.hands.pop(run_id, None)
            if hand is not None and hand.again is not None:  # its log says already that it waits
                self.waiting.append(hand.again)
            else:
                self._store.end(run_id, kind, *args)
