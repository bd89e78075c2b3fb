"""Short answers from a worker: one function call there and back, in builtins and arrays."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcore.events import pack, unpack
from dlcore.experiments import extras
from dlcore.jobs import worker
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from dlcore.jobs.broker import Broker

OVERTIME = 10.0  # seconds that a call may go on after its caller has given up, before its process is replaced
TURN = 60.0  # seconds that a call waits for its turn, at least: the calls before it may last as long
MOST_WAITING = 8  # calls of one owner that wait for their turn: each keeps a thread of this process


class Turns:
    """Who may ask now: one call at a time for each owner and lane; all together leave half of a lane to its runs.

    Without it two tabs of one browser would have both threads that answer, and a few zips the whole light worker. Calls
    of nobody in particular (``owner`` "") do not wait for each other.
    """

    def __init__(self) -> None:
        self.asker: Callable[[], str] = str  # who asks in the present thread: nobody in particular
        self._changed = threading.Condition()
        self._going: Counter[tuple[str, str]] = Counter()  # by owner and lane
        self._waiting: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def turn(self, owner: str, lane: str, most: int, seconds: float) -> Iterator[None]:
        """Wait for this owner's turn, and have it for as long as the block lasts.

        Args:
            most: calls of this lane at once, of everybody.
            seconds: how long to wait.

        Raises:
            Problem: it did not come in time (kind ``"timeout"``), or too many wait already (``"busy"``).
        """
        self._take((owner, lane), most, seconds)
        late = False
        try:
            yield
        except Problem as problem:
            late = problem.kind == "timeout"
            raise
        finally:
            if late:  # a worker may still be at it: the next of this owner does not take the other thread
                after = threading.Timer(OVERTIME, self._give_back, [(owner, lane)])
                after.daemon = True
                after.start()
            else:
                self._give_back((owner, lane))

    def _take(self, key: tuple[str, str], most: int, seconds: float) -> None:
        with self._changed:
            if self._waiting[key] >= MOST_WAITING and key[0]:
                raise _too_many(self._waiting[key])
            self._waiting[key] += 1
            try:
                if not self._changed.wait_for(lambda: self._may(key, most), seconds):
                    raise _late(seconds)
                self._going[key] += 1
            finally:
                self._waiting[key] -= 1
                self._waiting += Counter()  # forgets those at zero

    def _may(self, key: tuple[str, str], most: int) -> bool:
        owner, lane = key
        return not (owner and self._going[key]) and self._in(lane) < most

    def _in(self, lane: str) -> int:
        return sum(count for (_owner, its), count in self._going.items() if its == lane)

    def _give_back(self, key: tuple[str, str]) -> None:
        with self._changed:
            self._going[key] -= 1
            self._going += Counter()
            self._changed.notify_all()

    def beside(self, places: Sequence[Any]) -> list[Any]:
        """The workers (``link.Place``) with the slots that calls leave to runs."""
        with self._changed:
            taken = {lane: self._in(lane) for lane in {place.lane for place in places}}
        left = []
        for place in places:
            here = min(taken[place.lane], place.slots)  # which worker has a call is not known: the first, for all
            taken[place.lane] -= here
            left.append(replace(place, slots=place.slots - here) if here else place)
        return left


def call_worker(
    broker: Broker, function: Callable[..., Any] | str, args: Any, kwargs: Any, timeout: float, lane: str, owner: str
) -> Any:
    """See ``dlcore.jobs.call``."""
    name = function if isinstance(function, str) else f"{function.__module__}:{function.__qualname__}"
    _check(name)
    blob = pack([_plain(list(args)), _plain(kwargs)])
    broker.settled.wait(timeout)
    if broker.problem is not None and broker.link is None:
        raise broker.problem
    with broker.turns.turn(owner, lane, _most(broker.places, lane), max(TURN, timeout)):
        said = unpack(_asked(broker, lane, name, blob, timeout))
    if "problem" in said:
        raise Problem.from_dict(said["problem"])
    return said["result"]


def _most(places: Sequence[Any], lane: str) -> int:
    """Calls that a lane takes at once; only the light one has runs beside them."""
    slots = sum(place.slots for place in places if place.lane == lane)
    return max(1, slots // 2) if lane == "light" else sys.maxsize


def _asked(broker: Broker, lane: str, name: str, blob: bytes, timeout: float) -> bytes:
    """What ``worker.answer`` says, within ``timeout`` seconds. Raises ``Problem``."""
    link = broker.link
    if link is None:
        raise _late(timeout)
    future = link.submit(lane, worker.answer, name, blob, timeout + OVERTIME)
    try:
        return future.result(timeout=timeout)
    except TimeoutError:
        future.cancel()
        raise _late(timeout) from None
    except Exception as error:  # the worker died, or the cluster went away
        raise Problem(
            N_("The worker that was to answer ended unexpectedly ({name}). It is being replaced: try again."),
            kind="worker_died",
            name=type(error).__name__,
        ) from None


def _check(name: str) -> None:
    """Only functions of this project may be called, whatever a page hands over."""
    module, _, attribute = name.partition(":")
    ours = module.split(".")[0] == "dlcore" or module in extras().values()
    if not ours or not attribute.isidentifier():
        raise ValueError(f"{name} is not a function at the top of a module of dlcore")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return os.fspath(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v) for v in value)
    return value


def _late(timeout: float) -> Problem:
    return Problem(
        N_("No answer came within {seconds} seconds; the workers are busy. Try again."),
        kind="timeout",
        seconds=f"{timeout:g}",
    )


def _too_many(count: int) -> Problem:
    return Problem(
        N_("{count} questions of this browser wait for their answers already. Wait for one of them, then try again."),
        kind="busy",
        count=count,
    )
