"""Watching a run's limits from inside its worker."""

from __future__ import annotations

import time
from collections.abc import Mapping

import psutil

from dlcore.events import Event, Started
from dlcore.jobs.limits import over_time
from dlcore.texts import N_, Problem

LOOK = 1.0  # seconds between two looks at the process's memory


class Guard:
    """Says when a run meets a limit.

    Args:
        limits: ``seconds`` that are left to it, ``of_seconds`` that it had in all, ``parameters``, ``megabytes``.
            0: none.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        self._limits = limits
        self._began = self._looked = time.monotonic()
        self._before = _resident()  # torch itself, and what the run before this one left

    def met(self, event: Event) -> Problem | None:
        """The limit that the run has met at this event, or None."""
        if isinstance(event, Started):
            return self._too_big(event)
        now = time.monotonic()
        seconds = self._limits.get("seconds", 0)
        if seconds and now - self._began > seconds:
            return over_time(self._limits["of_seconds"])
        if now - self._looked > LOOK:
            self._looked = now
            return self._too_much_memory()
        return None

    def _too_big(self, event: Started) -> Problem | None:
        most, has = self._limits.get("parameters", 0), event.info.get("params", 0)
        if not most or not isinstance(has, int) or has <= most:
            return None
        return Problem(
            N_(
                "This model has {has} parameters; this server trains at most {most}. "
                "Choose fewer layers or units and start again."
            ),
            kind="limit", has=f"{has:,}", most=f"{int(most):,}",
        )  # fmt: skip

    def _too_much_memory(self) -> Problem | None:
        most = self._limits.get("megabytes", 0)
        if not most or _resident() - self._before <= most * 1e6:
            return None
        return Problem(
            N_(
                "This run took more than {most} MB of memory, as much as this server gives to one. "
                "Choose a smaller batch, network or training set and start again."
            ),
            kind="limit", most=f"{int(most):,}",
        )  # fmt: skip


def _resident() -> int:
    """Bytes of memory that this process takes."""
    return psutil.Process().memory_info().rss
