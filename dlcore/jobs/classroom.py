"""What the person in charge of a server may see and do: numbers and settings, no names.

Only the teacher's page and ``/metrics`` import this (a test holds that): nothing here asks whose run it is.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from dlcore import jobs
from dlcore.history import History
from dlcore.jobs.hands import lane_of
from dlcore.jobs.limits import Limits, write
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


def limits() -> Limits:
    """The limits that hold now."""
    return jobs.started().limits()


def set_limits(**said: Any) -> Limits:
    """Change limits (fields of ``Limits``) for this server and all that share its state; those that hold then.

    What makes no sense is left out, what is not said stays as it is, also when the server's own limits change.

    Raises:
        Problem: they could not be written (kind ``"state"``).
    """
    broker = jobs.started()
    before, after = asdict(broker.limits()), asdict(broker.limits().with_(said))
    return _write({name: after[name] for name in said if name in after and after[name] != before[name]})


def reset_limits() -> Limits:
    """Forget what the teacher's page has set, all but a held queue: the server's own limits hold again.

    Raises:
        Problem: they could not be written (kind ``"state"``).
    """
    return _write(None)


def _write(said: dict[str, Any] | None) -> Limits:
    broker = jobs.started()
    try:
        write(broker.store.folder, said)
    except OSError as error:
        raise unwritable(broker.store.folder, error) from None
    broker.look_again()
    return broker.limits()


def everyone() -> list[AnyRun]:
    """The runs that this server computes or that wait here: those in hand first, then in the order of the queue."""
    broker = jobs.started()
    now, places = time.monotonic(), Counter[str]()
    with broker.queue.lock:
        going = [(hand.record, hand.record.used + now - hand.since) for hand in broker.queue.hands.values()]
        waiting = list(broker.queue.waiting)
    told = [_told(broker, record, 0, seconds) for record, seconds in going]
    for record in waiting:
        places[lane_of(record)] += 1
        told.append(_told(broker, record, places[lane_of(record)], record.used))
    return told


def _told(broker: Any, record: Record, place: int, seconds: float) -> AnyRun:
    new = place and record.attempts == 1  # nothing to read: a long queue would push the others' histories out
    history = History() if new else broker.store.history(record.run_id)
    return AnyRun(
        record.run_id, record.owner[:4], record.experiment, lane_of(record), place, history.progress, history.step,
        history.total_steps, seconds,
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


__all__ = [
    "AnyRun", "everyone", "figures", "hold", "limits", "reset_limits", "set_limits", "stop", "worker_memory",
]  # fmt: skip
