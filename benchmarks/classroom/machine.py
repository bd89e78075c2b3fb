"""The server that is loaded, pinned and weighed: the web process, its workers, and the load generator itself apart."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from tests.serving import serve
from tests.waiting import until

SAMPLE = 1.0  # seconds


@dataclass
class Sample:
    """One look: seconds since the start; bytes of the web process and of all workers."""

    at: float
    web: int
    workers: int


@dataclass
class Host:
    """A server to be loaded. ``pid`` is None where it is somebody else's: then nothing of it is measured."""

    url: str
    pid: int | None = None
    state: Path | None = None  # its folder of runs
    small: str = ""  # the same, where it is one that may be filled
    log: Path | None = None  # what it says
    cluster: Any = None  # the one that it uses, where that is to be broken (``benchmarks.classroom.cluster.Tended``)
    prepared: bool = False  # whether somebody has opened the pages
    samples: list[Sample] = field(default_factory=list)
    _before: tuple[float, float, float, float] | None = None
    _spent: tuple[float, float, float, float] | None = None

    def web(self) -> psutil.Process:
        """The web process."""
        return psutil.Process(self.pid)

    def workers(self) -> list[psutil.Process]:
        """Scheduler, nannies and workers: all that the web process has begun."""
        with contextlib.suppress(psutil.Error):
            return self.web().children(recursive=True)
        return []

    def memory(self) -> int:
        """Resident bytes of the web process."""
        return self.web().memory_info().rss if self.pid else 0

    def said(self, most: int = 40) -> list[str]:
        """The last lines of the server's log, where something went wrong."""
        return self.log.read_text(errors="replace").splitlines()[-most:] if self.log else []

    def _seconds(self) -> tuple[float, float, float, float]:
        """Wall clock, and processor time of web process, workers and this process."""
        web = sum(self.web().cpu_times()[:2]) if self.pid else 0.0
        return time.perf_counter(), web, _processor(self.workers()) if self.pid else 0.0, time.process_time()

    def begin(self) -> None:
        """From here on processor time is counted."""
        self._before, self._spent = self._seconds(), None

    def end(self) -> None:
        """Up to here processor time is counted."""
        self._spent = self._seconds()

    def spent(self) -> tuple[float, float, float, float]:
        """Seconds between ``begin`` and ``end``: wall, web process, workers (those that still live), this process."""
        assert self._before is not None
        now = self._spent or self._seconds()
        wall, web, workers, own = (b - a for a, b in zip(self._before, now, strict=True))
        return wall, web, max(0.0, workers), own

    async def watch(self) -> None:
        """Look once a second, until cancelled."""
        began = time.monotonic()
        while self.pid:
            with contextlib.suppress(psutil.Error):
                heavy = sum(_resident(worker) for worker in self.workers())
                self.samples.append(Sample(time.monotonic() - began, self.memory(), heavy))
            await asyncio.sleep(SAMPLE)


def _processor(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:2])
    return total


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0


@contextlib.contextmanager
def host(url: str = "", small: str = "", **env: str) -> Iterator[Host]:
    """A server of one's own with a state folder of its own (or ``small``), ready for runs; or the one at ``url``."""
    if url:
        yield Host(url.rstrip("/"))
        return
    with serve(**env, **({"DLCORE_STATE": small} if small else {})) as server:
        until(lambda: server.health()["state"] == "ready" and server.health()["device"], 120)
        yield Host(server.url, server.process.pid, Path(small or server.state), small, server.log)


def answers(url: str) -> dict:
    """What ``/healthz`` says."""
    return requests.get(f"{url}/healthz", timeout=30).json()


def pin(host: Host) -> str:
    """This process to the last core and the web process to the others; workers go anywhere. Says what was done."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2:
        return "not pinned: this machine cannot"
    cores = sorted(os.sched_getaffinity(0))
    _threads_to(os.getpid(), cores[-1:])
    if host.pid:
        _threads_to(host.pid, cores[:-1])
    return f"pinned: load generator to core {cores[-1]}, web process to {cores[:-1]}, workers anywhere"


def _threads_to(pid: int, cores: list[int]) -> None:
    for thread in psutil.Process(pid).threads():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(thread.id, cores)
