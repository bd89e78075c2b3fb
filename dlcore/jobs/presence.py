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
AGAIN = 20.0  # seconds between looks, while a browser is here, for runs of its that another server has put aside


class Presence:
    """Signs of life by browser.

    Args:
        enqueue: how a run that was put aside is taken up again; may raise ``Problem``.
    """

    def __init__(self, store: Store, queue: Queue, limits: Callable[[], Limits], enqueue: Callable[[Record], None]):
        self._store, self._queue, self._limits, self._enqueue = store, queue, limits, enqueue
        self._signs: dict[str, float] = {}  # owner's hash: when it was last heard of
        self._missed: dict[str, float] = {}  # owners never heard of: since when they are waited for
        self._looked: dict[str, float] = {}  # owner: when its runs were last looked through
        self._aside: set[str] = set()  # owners of whom something was put aside here

    def beat(self, owner: str) -> None:
        """A sign that this owner's browser is there; one that comes back finds its runs going on."""
        name = hashed(owner)
        self.sign(name)
        with self._queue.lock:
            for hand in self._queue.hands.values():
                if hand.record.owner == name:
                    hand.is_welcome_back()
        if name in self._aside or time.monotonic() - self._looked.get(name, -AGAIN) >= AGAIN:
            self._welcome(name)

    def sign(self, name: str) -> None:
        """A sign of an owner named by its hash."""
        self._signs[name] = time.monotonic()
        self._missed.pop(name, None)

    def _welcome(self, name: str) -> None:
        """Go on with what was put aside while this owner's browser was away; what there is no room for, next time."""
        self._aside.discard(name)
        self._looked[name] = time.monotonic()
        for known in self._store.of(name):
            try:
                record = self._store.newest(known.run_id)  # another server may have put it aside, or taken it up
                if record and record.left and self._store.history(record.run_id).state == "paused":
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
        """Seconds since the last sign of a run's browser; of one never heard of, since it was first missed."""
        heard = self._signs.get(record.owner)
        return now - (self._missed.setdefault(record.owner, now) if heard is None else heard)

    def forget(self) -> None:
        """Forget browsers that have been gone for long."""
        oldest = time.monotonic() - max(FORGET, 2 * ALONE * self._limits().grace)
        self._signs = {name: at for name, at in self._signs.copy().items() if at > oldest}
        self._missed = {name: at for name, at in self._missed.copy().items() if at > oldest}
        self._looked = {name: at for name, at in self._looked.copy().items() if at > oldest}
        self._aside &= self._signs.keys()  # who comes back after that is looked for anyway
