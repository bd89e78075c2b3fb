"""A cluster of its own beside the web server, as docs/scaling.md starts it, whose scheduler is killed in a lesson."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.classroom.browser import Browser, Lost
from benchmarks.classroom.faults import RECOVERY, during_a_lesson, running, still_there, stop, until_lanes
from benchmarks.classroom.machine import Host, answers
from benchmarks.classroom.page import Page
from benchmarks.classroom.scenarios import Plan
from benchmarks.classroom.students import Classroom
from benchmarks.classroom.tally import Tally
from tests.documented import starters
from tests.serving import free_port

LANES = ("train", "light", "interactive")
DOWN = 3.0  # seconds until somebody (or ``restart: always``) starts the scheduler again
NOTICED = 30.0  # seconds for server and page to tell


class Tended:
    """Processes that are started again where they end, as ``restart: always`` does it. The scheduler is the first."""

    def __init__(self, state: Path) -> None:
        address = f"tcp://127.0.0.1:{free_port()}"
        self.env = {"DLCORE_SCHEDULER": address, "DLCORE_STATE": str(state)}  # of a web server that uses it
        self._starters = starters(address, state, *LANES)
        self.processes: list[subprocess.Popen[bytes]] = [begin() for begin in self._starters]

    def tend(self) -> int:
        """Start again what has ended; how many that were."""
        ended = [place for place, process in enumerate(self.processes) if process.poll() is not None]
        for place in ended:
            self.processes[place] = self._starters[place]()
        return len(ended)

    def end(self) -> None:
        """Kill all."""
        for process in self.processes:
            process.kill()
            process.wait(20)


@contextlib.contextmanager
def external() -> Iterator[Tended]:
    """A cluster that runs meanwhile."""
    with tempfile.TemporaryDirectory(prefix="dlcore-cluster-", ignore_cleanup_errors=True) as folder:
        cluster = Tended(Path(folder))
        try:
            yield cluster
        finally:
            cluster.end()


async def scheduler(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """Kill -9 the scheduler while a class works; pages stay, a run says why it ended, all goes on with the next one."""
    cluster: Tended | None = host.cluster
    if host.pid is None or cluster is None:
        return ["this needs a server and a cluster of its own"]

    async def breaks(_room: Classroom, graduate: Browser, runner: Browser) -> list[str]:
        await running(runner)
        lanes, began = answers(host.url)["lanes"], time.perf_counter()
        cluster.processes[0].kill()
        missed = await _without(host, runner, graduate, began)
        back = time.perf_counter()
        tending = asyncio.create_task(_tending(cluster))
        seconds = await until_lanes(host, lanes, back)
        tending.cancel()
        if seconds is None:
            return [*missed, "the workers were not seen again"]
        print(f"scheduler started again: {seconds:.1f} s until all workers are back", flush=True)
        back = time.perf_counter()
        await running(runner)
        print(f"the run goes on {time.perf_counter() - back:.1f} s after it is asked to", flush=True)
        await stop(runner)
        return missed + await still_there(graduate, "a killed scheduler")

    return await during_a_lesson(host, plan, tally, breaks, lenient=True)


async def _without(host: Host, runner: Browser, graduate: Browser, began: float) -> list[str]:
    """What server and pages do while there is no scheduler; what they fail to do."""
    missed = []
    try:
        ended = await runner.until(Page.ended, NOTICED)
        print(f"scheduler killed: the run says {ended} after {time.perf_counter() - began:.1f} s", flush=True)
    except Lost:
        missed.append("the run did not say that it has ended")
    while answers(host.url)["state"] != "down" and time.perf_counter() - began < NOTICED:
        await asyncio.sleep(0.2)
    print(f"the server says that it is down after {time.perf_counter() - began:.1f} s", flush=True)
    page = time.perf_counter()
    await graduate.close()
    await graduate.open("linear_regression", kind="open a page without a scheduler")
    print(f"a page is served in {time.perf_counter() - page:.2f} s meanwhile", flush=True)
    await asyncio.sleep(max(0.0, began + DOWN - time.perf_counter()))
    return missed


async def _tending(cluster: Tended) -> None:
    began = time.perf_counter()
    while time.perf_counter() - began < RECOVERY:
        again = cluster.tend()
        if again:
            print(f"{again} processes of the cluster are started again", flush=True)
        await asyncio.sleep(1.0)
