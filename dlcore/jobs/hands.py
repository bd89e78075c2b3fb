"""A run in hand: what its worker was given, what it has been asked, and how its end is told."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dlcore.events import Failed, Stopped
from dlcore.experiments import experiment
from dlcore.jobs import worker
from dlcore.jobs.limits import Limits
from dlcore.jobs.store import CHECKPOINT, Record, Store


@dataclass
class Hand:
    """A run that a worker has, or is about to get."""

    record: Record
    lane: str
    address: str
    future: Any  # None for a run that another web process had started
    wishes: deque[tuple[Any, ...]] = field(default_factory=deque)  # not yet confirmed, in order
    asking: Any = None  # the future of the wish on its way
    stop_by: float = float("inf")
    stopping: bool = False
    again: Record | None = None  # how to go on: asked for after its last event, before its task had ended
    since: float = field(default_factory=time.monotonic)  # when it was given to its worker
    began: float = float("inf")  # when it was first seen to compute: its turn counts from there
    rests: bool = False  # asked to make room for others: it goes on by itself when its turn comes
    leaves: bool = False  # its browser is gone: it goes on when that comes back
    told: bool = False  # its owner, or the teacher, wants it to rest or to end

    def ask(self, action: str, *args: Any) -> None:
        """Pass on what its owner wants, which counts more than what the queue wanted of it."""
        if action in ("pause", "stop"):
            self.rests = self.leaves = False
            self.told = True
        self.wishes.append((action, *args))

    def stays_put(self, action: str) -> bool:
        """Let a run that has just been put aside rest, as its owner wants; False: what is asked waits with it."""
        if action == "change" or not (self.rests or self.leaves):
            return False
        self.rests = self.leaves = False
        return True

    def may_rest(self) -> bool:
        """Whether it can be asked to make room: nothing else was asked of it, and it is not to rest soon anyhow."""
        asked = self.told or self.wishes or self.stopping or self.again or self.rests or self.leaves
        return not (asked or self.record.steps)

    def is_welcome_back(self) -> None:
        """Its browser is back while it is being put aside: it goes on as one that has made room."""
        if self.leaves:
            self.leaves, self.rests = False, True

    def rest(self) -> None:
        """Ask it to make room for others."""
        self.rests = True
        self.wishes.append(("pause",))

    def put_aside(self) -> None:
        """Ask it to rest until its browser is back."""
        self.leaves = True
        self.wishes.append(("pause",))

    def deliver(self, link: Any, answered: Callable[[], None]) -> None:
        """Send the first wish, one at a time, again until the worker has confirmed it."""
        if self.asking is not None and self.asking.done():
            confirmed = self.asking.exception() is None and self.asking.result()
            self.asking = None
            if confirmed:
                self.wishes.popleft()
        if self.wishes and self.asking is None:
            self.asking = link.ask([self.address], self.record.run_id, *self.wishes[0])
            self.asking.add_done_callback(lambda _: answered())


def lane_of(record: Record) -> str:
    """Which kind of worker takes this run."""
    return experiment(record.experiment).LANE


def job_of(record: Record, store: Store, limits: Limits) -> dict[str, Any]:
    """What ``worker.run`` needs to begin this run, or to go on with it."""
    resume = store.path(record.run_id, CHECKPOINT).exists() and record.attempts > 1
    return {
        "folder": str(store.path(record.run_id)),
        "run_id": record.run_id,
        "experiment": record.experiment,
        # what was resolved at the start holds for the rest, or the two halves could differ
        "config": (resume and store.history(record.run_id).config) or record.config,
        "changes": store.replay(record) if resume else record.changes,
        "attempt": record.attempts,
        "resume": resume,
        "steps": record.steps,
        "limits": limits.of_run(record.used, lane_of(record)),
    }


def last_word(hand: Hand, link: Any) -> tuple[Any, ...]:
    """The event (class, values) that ends the log of a run whose task is over, where the run wrote none itself."""
    if hand.future.status != "finished":
        return why_died(hand, link)
    try:
        told = hand.future.result(timeout=5)
    except Exception:  # the worker died between the end of the run and this question
        told = None
    return Failed, told or worker.died().to_dict()


def why_died(hand: Hand, link: Any) -> tuple[Any, ...]:
    """The event (class, values) for a run whose worker died under it: why, as far as can be told."""
    if hand.stopping:
        return (Stopped,)
    if link.killed_for_memory(hand.address):
        return Failed, worker.out_of_memory().to_dict()
    return Failed, worker.died().to_dict()
