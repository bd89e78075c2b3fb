"""Which browsers are there, and what becomes of the runs of those that are not."""

from __future__ import annotations

import contextlib
import time
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

    def beat(self, owner: str) -> None:
        """A sign that this owner's browser is there; one that comes back finds its runs going on."""
        name, now = hashed(owner), time.monotonic()
        before = self._signs.get(name)
        self._signs[name] = now
        if before is None or now - before > self._limits().grace / 2:
            self._welcome(name)

    def sign(self, name: str) -> None:
        """A sign of an owner named by its hash."""
        self._signs[name] = time.monotonic()

    def _welcome(self, name: str) -> None:
        """Go on with what was put aside while this owner's browser was away."""
        for record in [r for r in self._store.all() if r.left and r.owner == name]:
            with contextlib.suppress(Problem):  # too many by now, or the workers are down: it can be resumed by hand
                if self._store.history(record.run_id).state == "paused":
                    self._enqueue(record)

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
            wanted = {lane_of(record) for record in self._queue.waiting}
            for hand in self._queue.hands.values():
                patience = grace if hand.lane in wanted else ALONE * grace
                if self._unseen(hand.record, now) > patience and hand.may_rest():
                    hand.put_aside()
            for record in list(self._queue.waiting):
                if self._unseen(record, now) > grace:
                    self._queue.park(record)

    def _unseen(self, record: Record, now: float) -> float:
        """Seconds since the last sign of a run's browser."""
        return now - self._signs.setdefault(record.owner, now)

    def forget(self) -> None:
        """Forget browsers that have been gone for long."""
        now = time.monotonic()
        self._signs = {name: at for name, at in self._signs.items() if now - at < FORGET}
