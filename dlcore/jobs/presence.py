"""Which browsers are there, and what becomes of the runs of those that are not."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from dlcore.jobs.hands import lane_of
from dlcore.jobs.limits import Limits
from dlcore.jobs.queue import Queue
from dlcore.jobs.store import Record, Store, hashed
from dlcore.texts import Problem

ALONE = 10  # times the grace that a run without its browser goes on where nobody waits for its place
FORGET = 3600.0  # seconds after which a browser that is gone is forgotten
RECENT = 150.0  # seconds: who gave a sign since is there (background tabs give one a minute)


class Presence:
    """Signs of life by browser.

    Args:
        enqueue: how a run that was put aside is taken up again; may raise ``Problem``.
    """

    def __init__(self, store: Store, queue: Queue, limits: Callable[[], Limits], enqueue: Callable[[Record], None]):
        self._store, self._queue, self._limits, self._enqueue = store, queue, limits, enqueue
        self._signs: dict[str, float] = {}  # owner's hash: when it was last heard of
        self._aside: set[str] = set()  # owners of whom something was put aside here

    def beat(self, owner: str) -> None:
        """A sign that this owner's browser is there; one that comes back finds its runs going on."""
        name = hashed(owner)
        new = name not in self._signs
        self.sign(name)
        with self._queue.lock:
            for hand in self._queue.hands.values():
                if hand.record.owner == name:
                    hand.is_welcome_back()
        if new or name in self._aside:
            self._welcome(name)

    def sign(self, name: str) -> None:
        """A sign of an owner named by its hash."""
        self._signs[name] = time.monotonic()

    def _welcome(self, name: str) -> None:
        """Go on with what was put aside while this owner's browser was away; what there is no room for, next time."""
        self._aside.discard(name)
        for known in [r for r in self._store.all() if r.left and r.owner == name]:
            try:
                record = self._store.record(known.run_id)  # as it is on disk: another server may have written it
                if record.left and self._store.history(record.run_id).state == "paused":
                    self._enqueue(record)
            except Problem:  # too many by now, or the workers are down
                self._aside.add(name)

    def count(self) -> int:
        """Browsers that gave a sign of late."""
        now = time.monotonic()
        return sum(now - at < RECENT for at in self._signs.copy().values())

    def put_aside_abandoned(self) -> None:
        """Let runs rest whose browser has gone: at once where others wait for their place, in the end in any case."""
        now, grace = time.monotonic(), self._limits().grace
        if not grace:
            return
        with self._queue.lock:
            for record in list(self._queue.waiting):
                if self._unseen(record, now) > grace:
                    self._queue.park(record)
                    self._aside.add(record.owner)
            wanted = Counter(lane_of(record) for record in self._queue.waiting)
            for hand in self._queue.hands.values():
                patience = grace if wanted[hand.lane] > 0 else ALONE * grace
                if self._unseen(hand.record, now) > patience and hand.may_rest():
                    hand.put_aside()
                    self._aside.add(hand.record.owner)
                    wanted[hand.lane] -= 1

    def _unseen(self, record: Record, now: float) -> float:
        """Seconds since the last sign of a run's browser."""
        return now - self._signs.setdefault(record.owner, now)

    def forget(self) -> None:
        """Forget browsers that have been gone for long."""
        oldest = time.monotonic() - max(FORGET, 2 * ALONE * self._limits().grace)
        self._signs = {name: at for name, at in self._signs.copy().items() if at > oldest}
