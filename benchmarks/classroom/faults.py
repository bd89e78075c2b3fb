"""What breaks during a lesson: workers are killed, connections drop, the disk is full; who notices, and how long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil

from benchmarks.classroom.browser import Browser, Lost
from benchmarks.classroom.machine import Host, answers
from benchmarks.classroom.page import Page
from benchmarks.classroom.scenarios import SHORT, Plan, above, prepare, tell
from benchmarks.classroom.students import LIVES, Classroom, attend
from benchmarks.classroom.tally import Tally

LONG = "lang=en&dataset=digits&epochs=50"
RECOVERY = 60.0  # seconds within which everything must be as before
NOTICED = 8.0  # seconds for a page to tell that its run has lost its worker
LESSON = 600.0  # seconds, more than all faults take
SMALL = 48  # MB of the folder that is to be filled


async def faults(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """The lesson goes on while one thing after the other breaks; finished results are looked at after each."""
    if host.pid is None:
        return ["faults are for a server of one's own"]

    async def breaks(room: Classroom, graduate: Browser, runner: Browser) -> list[str]:
        missed = await _kill_workers(host, runner)
        missed += await still_there(graduate, "killed workers")
        missed += await _drop(room, plan.seed)
        missed += await still_there(graduate, "dropped connections")
        missed += await _fill(host, runner)
        return missed + await still_there(graduate, "a full disk")

    return await during_a_lesson(host, plan, tally, breaks)


Breaks = Callable[[Classroom, Browser, Browser], Coroutine[Any, Any, list[str]]]


async def during_a_lesson(host: Host, plan: Plan, tally: Tally, breaks: Breaks, *, lenient: bool = False) -> list[str]:
    """A class at work, one of whom has a finished run and one trains for long; what did not hold while ``breaks`` ran.

    Args:
        lenient: whether pages may say in red that something is not there.
    """
    await prepare(host, tally)
    room = Classroom(host.url, tally, time.monotonic() + LESSON, plan.seed, lenient=lenient)
    pupils = [asyncio.create_task(attend(room, LIVES[life], n)) for n, life in enumerate(plan.lives())]
    graduate, runner = Browser(host.url, tally, query=SHORT), Browser(host.url, tally, query=LONG)
    runner.lenient, graduate.lenient = True, lenient
    missed: list[str] = []
    try:
        await graduate.open("cnn")
        await graduate.press("cnn.start.play_arrow", "press Train")
        await graduate.until(Page.ended, RECOVERY)
        before = host.memory()
        host.begin()
        missed += await breaks(room, graduate, runner)
        host.end()
        tell(host, plan.students, before)
    finally:
        room.ends = time.monotonic()
        for pupil in pupils:
            pupil.cancel()
        await asyncio.gather(*pupils, return_exceptions=True)
        everybody = [graduate, runner, *room.browsers.values()]
        await asyncio.gather(*(browser.close() for browser in everybody), return_exceptions=True)
    return missed + above({"errors": (sum(tally.faults.values()), 1, "")})


async def still_there(graduate: Browser, after: str) -> list[str]:
    """The finished run is found by its browser after a reload."""
    await graduate.close()
    await graduate.open("cnn", kind="reload a finished run")
    return [] if graduate.page.ended() == "Finished" else [f"a finished result is lost after {after}"]


# ---- workers --------------------------------------------------------------------------------------------------------


async def _kill_workers(host: Host, runner: Browser) -> list[str]:
    """Kill -9 each worker in turn; a run that loses its worker says so, and goes on when asked to."""
    lanes = answers(host.url)["lanes"]
    missed, interrupted = [], 0
    for number in range(sum(lanes.values())):
        await running(runner)
        process = _worker_processes(host)[number]
        began = time.perf_counter()
        os.kill(process.pid, signal.SIGKILL)
        seconds, told = await asyncio.gather(until_lanes(host, lanes, began), _noticed(runner))
        interrupted += bool(told)
        if seconds is None:
            missed.append(f"worker {number} was not replaced")
            continue
        print(f"worker {number} killed: {seconds:.1f} s until there is another{told}", flush=True)
    await stop(runner)
    return missed if interrupted else [*missed, "no run has noticed that its worker was killed"]


def _worker_processes(host: Host) -> list[psutil.Process]:
    """Worker processes, oldest first: those that the cluster's process has spawned, without its resource tracker."""
    cluster = next(child for child in host.web().children() if "dlcore.jobs.cluster" in " ".join(child.cmdline()))
    spawned = [child for child in cluster.children() if "spawn_main" in " ".join(child.cmdline())]
    return sorted(spawned, key=lambda process: process.create_time())


async def until_lanes(host: Host, lanes: dict[str, int], began: float) -> float | None:
    """Seconds until as many workers as before are counted again; None where that does not happen."""
    await asyncio.sleep(0.3)  # until the loss is noticed
    while time.perf_counter() < began + RECOVERY:
        if (await asyncio.to_thread(answers, host.url))["lanes"] == lanes:
            return time.perf_counter() - began
        await asyncio.sleep(0.1)
    return None


async def running(runner: Browser) -> None:
    """A long run that really trains: begun, or taken up again after it was interrupted."""
    if not runner.page.shown:
        await runner.open("cnn")
    for key in ("cnn.run.resume", "cnn.start.play_arrow"):
        if not runner.page.find("cnn.run.stop") and runner.page.find(key):
            await runner.press(key, "resume a run" if "resume" in key else "press Train")
    await runner.until(lambda page: any(text.startswith("Training") for text in page.progress()), RECOVERY)


async def _noticed(runner: Browser) -> str:
    """What the page of the run says within a few seconds of the kill, if it was the run's worker."""
    began = time.perf_counter()
    with contextlib.suppress(Lost):
        if await runner.until(Page.ended, NOTICED) != "Interrupted":
            return ""
        seconds, again = time.perf_counter() - began, time.perf_counter()
        await running(runner)
        return f"; its run says why after {seconds:.1f} s and goes on {time.perf_counter() - again:.1f} s later"
    return ""


async def stop(runner: Browser) -> None:
    if runner.page.find("cnn.run.stop"):
        await runner.press("cnn.run.stop", "stop a run")
        await runner.until(Page.ended, RECOVERY)


# ---- connections ----------------------------------------------------------------------------------------------------


async def _drop(room: Classroom, seed: int) -> list[str]:
    """Cut a fifth of the connections at once; each browser reconnects to its session."""
    there = [browser for browser in room.browsers.values() if browser.connected]
    unlucky = Random(seed).sample(there, max(1, len(there) // 5))
    seconds = await asyncio.gather(*(browser.drop() for browser in unlucky), return_exceptions=True)
    back = [took for took in seconds if isinstance(took, float)]
    print(f"{len(unlucky)} connections dropped: {len(back)} back within {max(back, default=0.0):.2f} s", flush=True)
    return [] if len(back) == len(unlucky) else [f"{len(unlucky) - len(back)} did not reconnect"]


# ---- disk -----------------------------------------------------------------------------------------------------------


async def _fill(host: Host, runner: Browser) -> list[str]:
    """Fill the folder of runs: a run says why it ends, pages are served, and with room again a new run finishes."""
    if not host.small:
        print("disk full: left out, no small folder could be mounted (needs root and Linux)")
        return []
    await running(runner)
    ballast, began = Path(host.small) / "ballast", time.perf_counter()
    _write_until_full(ballast)
    ended = await runner.until(Page.ended, RECOVERY)
    told = runner.page.faults()
    print(f"disk full: the run says {ended} after {time.perf_counter() - began:.1f} s: {told[0] if told else ''}")
    ballast.unlink()
    began = time.perf_counter()
    await running(runner)
    print(f"room again: training goes on {time.perf_counter() - began:.1f} s later", flush=True)
    await stop(runner)
    return [] if told else ["the run did not say why it ended"]


def _write_until_full(path: Path) -> None:
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"\0" * 4096)


@contextlib.contextmanager
def small_folder() -> Iterator[str]:
    """A file system of some megabytes in memory; an empty string where it may not be mounted."""
    with tempfile.TemporaryDirectory(prefix="dlcore-small-", ignore_cleanup_errors=True) as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}m", "dlcore", folder]
        try:
            mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
        except OSError:
            mounted = False
        try:
            yield folder if mounted else ""
        finally:
            if mounted:
                subprocess.run(["umount", "-l", folder], check=False)
