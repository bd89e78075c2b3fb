"""The one door to the worker processes: runs that go on while pages come and go, and short answers.

The web process calls these functions and never imports torch. All of them return at once, except ``start``,
``shutdown`` and ``call``. An owner is an opaque string (the browser's id); a stranger's run is answered like one that
does not exist.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dlcore.changes import check as checked
from dlcore.events import Changed
from dlcore.experiments import experiment as lesson_module
from dlcore.history import History
from dlcore.jobs.broker import Broker
from dlcore.jobs.calls import call_worker
from dlcore.jobs.limits import over_time
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import CHECKPOINT, Record, Store
from dlcore.texts import N_, Problem

__all__ = [
    "RunInfo",
    "Sizes",
    "Status",
    "beat",
    "call",
    "change",
    "checkpoint",
    "history",
    "info",
    "pause",
    "resume",
    "runs",
    "shutdown",
    "start",
    "status",
    "stop",
    "submit",
]

_broker: Broker | None = None
_lock = threading.Lock()


@dataclass(frozen=True)
class Status:
    """How the workers are. ``state`` is ``"starting"``, ``"ready"`` or ``"down"``; ``problem`` says why it is down."""

    state: str
    problem: Problem | None = None
    device: str = ""  # empty until a worker has told
    torch: str = ""
    workers: int = 0
    lanes: dict[str, int] | None = None  # workers by lane
    waiting: int = 0
    running: int = 0
    train_memory: int = 0  # bytes that a training worker may take; 0: unknown, or not limited

    @property
    def message(self) -> str:
        """The problem in English, or an empty string."""
        return "" if self.problem is None else str(self.problem)


@dataclass(frozen=True)
class RunInfo:
    """One run. ``place`` is 0 for a run that a worker has, 1 for the next in the queue, None where it is neither.

    ``state`` is one of ``History.state``; ``resumable`` says whether ``resume`` would go on with it; ``part`` is what
    ``submit`` was told. ``wait``: seconds until a waiting run begins, as far as can be told; None: it does not wait, or
    the queue is held. ``used``: seconds that it was computed before its present turn.
    """

    run_id: str
    experiment: str
    config: Any
    state: str
    place: int | None
    created: float
    resumable: bool
    part: str = ""
    wait: float | None = None
    used: float = 0.0
    held: bool = False  # the teacher has paused the queue


def start(sizes: Sizes | None = None, *, wait: bool = True, asker: Callable[[], str] | None = None) -> None:
    """Start the embedded workers, or connect to ``DLCORE_SCHEDULER``. Idempotent.

    With ``wait``, returns when jobs can be taken or when it is known why not (see ``status``).

    Args:
        asker: tells for which owner the present thread makes a ``call``; "" for nobody in particular.
    """
    global _broker
    with _lock:
        if _broker is None:
            _broker = Broker(Store(), sizes or Sizes.from_environment())
        broker = _broker
        broker.turns.asker = asker or broker.turns.asker
    if wait:
        broker.settled.wait()


def shutdown() -> None:
    """Pause all runs (they can be resumed after the next start) and end the workers. Takes a few seconds."""
    global _broker
    with _lock:
        broker, _broker = _broker, None
    if broker is not None:
        broker.close()


def status() -> Status:
    """How the workers are, from what is known now."""
    broker = _broker
    if broker is None:
        return Status("down", Problem(N_("The workers of this server have not been started."), kind="down"))
    lanes: dict[str, int] = {}
    for place in broker.places:
        lanes[place.lane] = lanes.get(place.lane, 0) + 1
    return Status(
        state=broker.state,
        problem=broker.problem,
        device=broker.facts.get("device", ""),
        torch=broker.facts.get("torch", ""),
        workers=len(broker.places),
        lanes=lanes,
        waiting=len(broker.queue.waiting),
        running=len(broker.queue.hands),
        train_memory=min((place.memory for place in broker.places if place.lane == "train"), default=0),
    )


def submit(experiment: str, config: Any, *, owner: str, changes: Sequence[Changed] = (), part: str = "") -> str:
    """Put a run in the queue of its lane and return its ``run_id``.

    Args:
        experiment: a name in ``dlcore.experiments.NAMES``.
        config: that experiment's ``Config``.
        changes: the changes of an earlier run, to be repeated at the same steps.
        part: which part of the page asks, where it is not the page's own panel: a comparison's runs are not its run.

    Raises:
        Problem: the workers are down, the owner has too many runs, the state folder cannot be written.
    """
    broker = started()
    lesson = lesson_module(experiment)
    if not isinstance(config, lesson.Config):
        raise TypeError(f"{experiment} takes a {lesson.Config.__qualname__}, not a {type(config).__qualname__}")
    broker.limits().check(config)
    record = broker.store.new(experiment, asdict(config), owner, changes, part)
    broker.enqueue(record)
    return record.run_id


def pause(run_id: str, *, owner: str) -> None:
    """Put a run aside with a checkpoint, so that its worker is free for others."""
    _wish(run_id, owner, "pause")


def stop(run_id: str, *, owner: str) -> None:
    """End a run after its present step; what it had reached is kept. A run that does not answer loses its worker."""
    _wish(run_id, owner, "stop")


def change(run_id: str, name: str, value: Any, *, owner: str) -> None:
    """Steer a run: the change takes effect before its next step and becomes part of its record.

    That of a run that rests waits with it, and takes effect first when it goes on.

    Raises:
        Problem: the setting is unknown, cannot be changed while the run goes on, or the value is out of bounds.
    """
    record = started().store.record(run_id, owner)
    value = checked(record.experiment, record.config, name, value)
    if _wish(run_id, owner, "change", name, value):
        return
    broker = started()
    if not (_resumable(broker, record) or broker.place(run_id)):
        raise Problem(
            N_("This run is not being computed just now, so nothing was changed. Resume it first."), kind="not_running"
        )
    made = [broker.history(record).step, name, value]
    broker.queue.add_change(  # a drag leaves only its end
        record, lambda changes: [*(change for change in changes if _what(change) != _what(made)), made]
    )


def _what(change: Sequence[Any]) -> tuple[Any, ...]:
    """What a change sets, and when: of two alike only the newer counts. A list ends with the value."""
    step, name, value = change
    return (step, name, *value[:-1]) if isinstance(value, list | tuple) else (step, name)


def resume(run_id: str, *, owner: str, steps: int = 0) -> None:
    """Go on with a run that was paused, stopped or interrupted, from its checkpoint; at the end of the queue.

    Args:
        steps: how many updates to do before the run is put aside again; 0 for all that are left.

    Raises:
        Problem: it has ended by itself or has no checkpoint; the workers are down.
    """
    broker = started()
    record = broker.store.record(run_id, owner)
    limit = broker.limits().seconds
    if limit and record.used >= limit:
        raise over_time(limit)
    if not _resumable(broker, record):
        if broker.place(run_id) is not None:
            return  # it waits or runs already
        raise Problem(N_("This run has no checkpoint to go on from. Start it again."), kind="not_resumable")
    broker.enqueue(replace(record, steps=steps))


def info(run_id: str, *, owner: str) -> RunInfo:
    """What is known of a run. Raises ``Problem`` where it does not exist."""
    broker = started()
    return _info(broker, broker.store.record(run_id, owner))


def runs(owner: str, experiment: str | None = None, *, most: int = 20) -> list[RunInfo]:
    """An owner's runs, newest first; those of other versions of an experiment, which no longer fit, are left out."""
    from dlcore.jobs.store import hashed

    broker = _broker
    if broker is None:
        return []
    mine = [r for r in broker.store.of(hashed(owner)) if experiment in (None, r.experiment)]
    found: list[RunInfo] = []
    for known in mine[:most]:
        try:
            found.append(_info(broker, broker.store.record(known.run_id)))  # another server may have written it
        except (Problem, TypeError, KeyError, ValueError):
            continue
    return found


def history(run_id: str, *, owner: str) -> History:
    """All that is known of a run by now: one object, brought up to date; microseconds where nothing is new."""
    broker = started()
    return broker.history(broker.store.record(run_id, owner))


def checkpoint(run_id: str, *, owner: str) -> Path:
    """The file with a run's newest checkpoint state (``dlcore.events.unpack`` reads it), to be handed to ``call``.

    Raises:
        Problem: there is none yet (kind ``"no_checkpoint"``).
    """
    broker = started()
    path = broker.store.path(broker.store.record(run_id, owner).run_id, CHECKPOINT)
    if not path.exists():
        raise Problem(N_("This run has not saved a model yet. Let it train a little longer."), kind="no_checkpoint")
    return path


def call(
    function: Callable[..., Any] | str,
    *args: Any,
    timeout: float = 20.0,
    lane: str = "interactive",
    owner: str | None = None,
    **kwargs: Any,
) -> Any:
    """A short answer from a worker: ``call(cnn.classify, image)``.

    An owner has one call of a lane at a time: a second one waits here until the first has its answer.

    Args:
        function: a function at the top of a module of ``dlcore``, or its name as ``"dlcore.module:function"`` where
            importing the module here would import torch.
        args, kwargs: builtins, paths and NumPy arrays; the result is made of builtins and arrays too.
        timeout: seconds to wait for the answer, from when it is this call's turn.
        owner: who asks; None: the one for whom this thread draws a page (``start``'s ``asker``).

    Raises:
        Problem: what the function raised (as a sentence), no answer in time, or the workers are down.
    """
    broker = started()
    return call_worker(broker, function, args, kwargs, timeout, lane, broker.turns.asker() if owner is None else owner)


def beat(owner: str) -> None:
    """A sign of life of a browser: a run whose browser is gone for minutes is paused when others wait for its place."""
    if _broker is not None:
        _broker.beat(owner)


def started() -> Broker:
    """The broker of this process. Raises ``Problem`` (kind ``"down"``) before ``start``."""
    broker = _broker
    if broker is None:
        raise Problem(N_("The workers of this server have not been started."), kind="down")
    return broker


def _wish(run_id: str, owner: str, action: str, *args: Any) -> bool:
    broker = started()
    return broker.wish(broker.store.record(run_id, owner), action, *args)


def _resumable(broker: Broker, record: Record) -> bool:
    ended = broker.history(record).state in ("paused", "stopped", "failed")
    return ended and broker.store.path(record.run_id, CHECKPOINT).exists()


def _info(broker: Broker, record: Record) -> RunInfo:
    config = lesson_module(record.experiment).Config(**record.config)
    state = broker.history(record).state
    place = broker.place(record.run_id)
    resumable = place is None and _resumable(broker, record)
    wait = broker.wait(record.run_id) if place else None
    return RunInfo(
        record.run_id, record.experiment, config, state, place, record.created, resumable, record.part, wait,
        record.used, bool(place) and broker.limits().held,
    )  # fmt: skip
