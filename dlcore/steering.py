"""The way into a run that is going on: changes and requests, read by the run at its step boundaries.

A run asks ``steering.due(step)`` before each step. What is asked from outside while it goes on (another thread) and
what is replayed from a record look the same to it, so a steered run can be repeated exactly.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from dlcore.events import Changed


class Steering:
    """Changes for one run. Thread-safe; replayed changes keep their step, new ones take effect at the next boundary.

    Args:
        changes: the record of an earlier run, to be repeated at the same steps.

    Attributes:
        until: the number of steps after which a checkpoint is wanted, because the run is to rest there; or None.
    """

    def __init__(self, changes: Iterable[Changed] = ()) -> None:
        self._recorded = sorted(changes, key=lambda c: c.step)
        self._asked: list[tuple[str, Any]] = []
        self._checkpoint = False
        self.until: int | None = None
        self._lock = threading.Lock()

    def change(self, name: str, value: Any) -> None:
        """Ask for a setting to be changed at the next step boundary."""
        with self._lock:
            self._asked.append((name, value))

    def ask_checkpoint(self) -> None:
        """Ask for a ``Checkpoint`` event at the next step boundary."""
        self._checkpoint = True

    def wants_checkpoint(self) -> bool:
        """Whether one was asked for since the last call."""
        wanted, self._checkpoint = self._checkpoint, False
        return wanted

    @property
    def pending(self) -> bool:
        """Whether a change was asked for that has not been handed out yet."""
        return bool(self._asked)

    def horizon(self, step: int) -> int | None:
        """The next step after ``step`` at which something is known to be due: for runs that do many steps at once."""
        known = [c.step for c in self._recorded] + ([] if self.until is None else [self.until])
        return min((at for at in known if at > step), default=None)

    def due(self, step: int) -> list[Changed]:
        """The changes to apply now, after ``step`` updates; each is handed out once, to be yielded by the run."""
        if step == self.until:
            self._checkpoint = True
        if not self._recorded and not self._asked:
            return []  # the common case, taken once per step: no lock
        with self._lock:
            now = [c for c in self._recorded if c.step == step]
            self._recorded = [c for c in self._recorded if c.step > step]
            now += [Changed(step, name, value) for name, value in self._asked]
            self._asked = []
        return now


class Shifted:
    """The steering of a part that begins ``offset`` steps into the run; changes keep the run's own count."""

    def __init__(self, steering: Steering, offset: int) -> None:
        self.steering, self.offset = steering, offset

    def due(self, step: int) -> list[Changed]:
        """The changes to apply now."""
        return self.steering.due(step + self.offset)

    def wants_checkpoint(self) -> bool:
        """Whether one was asked for."""
        return self.steering.wants_checkpoint()
