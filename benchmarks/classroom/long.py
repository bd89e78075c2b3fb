"""What takes longer: everybody presses Train at once, and half an hour of coming and going."""

from __future__ import annotations

import asyncio
import json
import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.classroom.browser import Browser
from benchmarks.classroom.machine import Host, answers
from benchmarks.classroom.page import Page
from benchmarks.classroom.scenarios import MB, Plan, above, prepare, sit, tell
from benchmarks.classroom.tally import Tally, percentile
from benchmarks.queueing import rush_of, thinking, waits_of
from dlcore.events import LAST
from dlcore.jobs.logs import last_event

RUSH = "lang=en&dataset=digits&network=fast&epochs=4"
THINK = 8.0  # seconds between two runs of a student where the queue is compared with its model
PATIENCE = 600.0  # seconds for all runs of a rush
SHARES = {"p50": 0.5, "p95": 0.95}
LATE = 1.5  # seconds by which two runs may seem to begin out of order: three looks of a page
STAY = 36.0  # seconds that somebody stays in the soak: 20 seats make 1,000 sessions of it in 30 minutes


@dataclass(frozen=True)
class Served:
    """One run of a rush: seconds since the first was asked for."""

    asked: float
    began: float
    ended: float


async def rush(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """As many browsers as students press Train at the same moment; each watches until its run has ended."""
    if host.state is None:
        return ["a rush needs a server of its own"]
    await prepare(host, tally)
    browsers = [Browser(host.url, tally, query=RUSH) for _ in range(plan.students)]
    for browser in browsers:
        browser.patience = PATIENCE
        await browser.open("cnn")
    before, workers = host.memory(), answers(host.url)["lanes"]["train"]
    tally.forget()
    opened = time.time()
    host.begin()
    watching = asyncio.create_task(host.watch())
    told = await asyncio.gather(*(_train_once(browser, tally) for browser in browsers))
    watching.cancel()
    host.end()
    await asyncio.gather(*(browser.close() for browser in browsers))
    tell(host, plan.students, before)
    late = overtaken(told)
    print(f"overtaken, by the places that were told: {late} pairs")
    wrong = above({"errors": (sum(tally.faults.values()), 1, ""), "overtaken": (late, 1, "pairs")})
    return wrong + judged(served(host.state, since=opened), plan.students, workers)


async def _train_once(browser: Browser, tally: Tally) -> tuple[int, float]:
    """The place that the page told first, and when the run began there."""
    began = time.perf_counter()
    await browser.press("cnn.start.play_arrow", "press Train")
    place = _place(browser.page)
    await browser.until(lambda page: not _place(page), PATIENCE)
    runs_from = time.perf_counter()
    ended = await browser.until(Page.ended, PATIENCE)
    tally.took("press to the end", time.perf_counter() - began)
    tally.counted[f"runs: {ended}"] += 1
    if ended != "Finished":
        tally.fault(f"a run of the rush: {ended}")
    return place, runs_from


def _place(page: Page) -> int:
    """The place in the queue that the run panel tells; 0 for a run that has begun or ended."""
    line = next((text for text in page.progress() if text.startswith("Waiting")), "")
    before = line.split(" · ")[0]  # behind it stands how long that will take
    return 1 + int("".join(filter(str.isdigit, before)) or 0) if line else 0


def overtaken(told: Sequence[tuple[int, float]]) -> int:
    """Pairs (place told, seconds at which the run was seen to begin) of which the one behind began first."""
    return sum(a < b and begun > other + LATE for a, begun in told for b, other in told)


def served(state: Path, since: float = 0.0) -> list[Served]:
    """When each run that has begun was asked for, begun and ended (or NaN), from the files of server and workers.

    Args:
        since: those asked for before (seconds since 1970) are left out.
    """
    times = []
    for run in (state / "runs").iterdir():
        asked, began, log = run / "run.json", run / "attempt-1", run / "events.log"
        if began.exists():
            end = log.stat().st_mtime if isinstance(last_event(log), LAST) else math.nan
            times.append((json.loads(asked.read_bytes())["created"], began.stat().st_mtime, end))
    times = [three for three in times if three[0] >= since]
    first = min(asked for asked, _began, _ended in times)
    return sorted((Served(*(at - first for at in three)) for three in times), key=lambda run: run.asked)


async def queue(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """Everybody trains, thinks and trains again: are the waits those of ``benchmarks.queueing``?"""
    if host.state is None:
        return ["this needs a server of its own"]
    plan.think, plan.training = THINK, RUSH
    await prepare(host, tally)
    opened = time.time()
    before, workers = host.memory(), answers(host.url)["lanes"]["train"]
    await sit(host, plan, tally, arriving=0.3 * plan.students)
    tell(host, plan.students, before)
    runs = served(host.state, since=opened)
    services = [run.ended - run.began for run in runs if not math.isnan(run.ended)]
    waits = [run.began - run.asked for run in runs]
    seconds = plan.seconds + 0.3 * plan.students
    model = [
        wait
        for seed in range(20)
        for wait in waits_of(plan.students, workers, services, thinking(THINK), seconds, seed)
    ]
    print(f"{len(runs)} runs, {statistics.fmean(services):.2f} s each, by {workers} workers")
    pairs = [(name, percentile(waits, share), percentile(model, share)) for name, share in SHARES.items()]
    pairs.append(("mean", statistics.fmean(waits), statistics.fmean(model)))
    for name, got, said in pairs:
        print(f"wait, {name}: measured {got:.2f} s, the model says {said:.2f} s")
    return above({"mean wait from the model's": (100 * abs(pairs[-1][1] / pairs[-1][2] - 1), 25, "%")})


def judged(runs: list[Served], students: int, workers: int) -> list[str]:
    """Print how the work was shared out; what does not hold."""
    work = sum(run.ended - run.began for run in runs)
    longest = max(run.ended - run.asked for run in runs)
    print(f"{len(runs)} runs of {work / len(runs):.2f} s (work {work:.1f} s) by {workers} workers")
    print(f"longest from asking to the end {longest:.1f} s = {longest * workers / work:.2f} x work / workers")
    print(f"longest until it begins {max(run.began - run.asked for run in runs):.1f} s")
    model = rush_of([run.ended - run.began for run in runs], workers)
    print(f"the queue's model says {model:.1f} s for the last, measured {max(run.ended for run in runs):.1f} s")
    print("began in the order asked:", " ".join(f"{run.began:.1f}" for run in runs))
    return above(
        {
            "runs missing": (students - len(runs), 1, ""),
            "longest wait from work / workers": (100 * abs(longest * workers / work - 1), 25, "%"),
        }
    )


async def soak(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """Students come and go, half of them for the first time; memory of the web process must stay where it is."""
    plan.stay, plan.new_faces = STAY, 0.5
    before = host.memory()
    await sit(host, plan, tally, arriving=STAY)
    tell(host, plan.students, before)
    sessions = plan.students + tally.counted["left and came back"]
    early, late = levels([sample.web for sample in host.samples])
    print(f"{sessions} sessions; web process {early / MB:.0f} MB in the second fifth, {late / MB:.0f} MB in the last")
    minutes = [sample.web / MB for sample in host.samples[:: max(1, len(host.samples) // 15)]]
    print("web process over time, MB:", " ".join(f"{size:.0f}" for size in minutes))
    return above({"memory has grown by": (100 * (late / early - 1), 10, "%"),
                  "errors": (sum(tally.faults.values()), 1, "")})  # fmt: skip


def levels(sizes: list[int]) -> tuple[float, float]:
    """Medians of the second fifth and of the last; the first fills caches, and Streamlit's two minutes of sessions."""
    fifth = max(1, len(sizes) // 5)
    return statistics.median(sizes[fifth : 2 * fifth] or sizes), statistics.median(sizes[-fifth:])
