"""What the person in charge of a server may see and do: numbers and settings, no names.

Only the teacher's page and ``/metrics`` import this (a test holds that): nothing here asks whose run it is.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from dlcore import jobs
from dlcore.jobs.hands import lane_of
from dlcore.jobs.limits import Limits
from dlcore.jobs.store import Record, unwritable
from dlcore.texts import Problem


@dataclass(frozen=True)
class AnyRun:
    """A run of somebody's. ``who`` is the first letters of a hash: the same for the runs of one browser, no name."""

    run_id: str
    who: str
    experiment: str
    lane: str
    place: int  # 0: in hand
    progress: float  # 0 to 1
    step: int
    total_steps: int
    seconds: float  # that it has been computed, in all
    wait: float | None  # seconds until it begins


def limits() -> Limits:
    """The limits that hold now."""
    return jobs.started().limits()


def set_limits(**said: Any) -> Limits:
    """Change limits (fields of ``Limits``) for this server and all that share its state; those that hold then.

    Raises:
        Problem: they could not be written (kind ``"state"``).
    """
    broker = jobs.started()
    new = broker.limits().with_(said)
    try:
        new.write(broker.store.folder)
    except OSError as error:
        raise unwritable(broker.store.folder, error) from None
    broker.look_again()
    return broker.limits()


def everyone() -> list[AnyRun]:
    """The runs that this server computes or that wait here: those in hand first, then in the order of the queue."""
    broker = jobs.started()
    now = time.monotonic()
    with broker.queue.lock:
        going = [(hand.record, hand.record.used + now - hand.since) for hand in broker.queue.hands.values()]
        waiting = [(record, record.used) for record in broker.queue.waiting]
    return [_told(broker, record, seconds) for record, seconds in [*going, *waiting]]


def _told(broker: Any, record: Record, seconds: float) -> AnyRun:
    history = broker.store.history(record.run_id)
    place = broker.place(record.run_id) or 0
    return AnyRun(
        record.run_id, record.owner[:4], record.experiment, lane_of(record), place, history.progress, history.step,
        history.total_steps, seconds, broker.wait(record.run_id),
    )  # fmt: skip


def stop(run_id: str) -> None:
    """Stop anybody's run; what it had reached is kept. Nothing happens where it has ended already."""
    broker = jobs.started()
    try:
        broker.wish(broker.store.record(run_id), "stop")
    except Problem:  # cleaned away meanwhile
        return


def figures() -> dict[str, float]:
    """Numbers for ``/metrics``: browsers, runs by lane and state, workers, what began and ended since the start."""
    broker = jobs.started()
    told: dict[str, float] = {"browsers": broker.presence.count(), "up": float(broker.state == "ready")}
    with broker.queue.lock:
        for lane in ("train", "light", "interactive"):
            told[f"slots:{lane}"] = sum(p.slots for p in broker.places if p.lane == lane)
            told[f"running:{lane}"] = sum(hand.lane == lane for hand in broker.queue.hands.values())
            told[f"waiting:{lane}"] = sum(lane_of(record) == lane for record in broker.queue.waiting)
    return told | {f"count:{how}": float(n) for how, n in broker.counts.copy().items()}


def worker_memory() -> list[tuple[str, str, int, int]]:
    """Each worker process: address, lane, bytes that it takes, bytes that it may take (0: not limited)."""
    broker = jobs.started()
    link = broker.link
    taken = link.memory() if link is not None else {}
    return [(p.address, p.lane, taken.get(p.address, 0), p.memory) for p in broker.places]


def hold(held: bool) -> None:
    """Let nothing begin (what goes on goes on), or let the queue move again."""
    set_limits(held=held)


def reset_limits() -> Limits:
    """Forget what the teacher's page has set: the server's own limits hold again."""
    from dlcore.jobs.limits import FILE

    broker = jobs.started()
    (broker.store.folder / FILE).unlink(missing_ok=True)
    broker.look_again()
    return broker.limits()


__all__ = [
    "AnyRun", "everyone", "figures", "hold", "limits", "reset_limits", "set_limits", "stop", "worker_memory",
]  # fmt: skip
