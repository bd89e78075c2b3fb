"""The lessons that must hold: each loads a server, tells what it saw, and says which of its limits was not kept."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from benchmarks.classroom.browser import Browser
from benchmarks.classroom.machine import Host
from benchmarks.classroom.page import Page
from benchmarks.classroom.students import READING, Classroom, whole_class
from benchmarks.classroom.tally import Tally

MB = 1e6
SHORT = "lang=en&dataset=digits&network=fast&epochs=1"
SETTLED = 120.0  # seconds for a fresh server to answer all that its first pages ask
OF_THE_ROOM = ("seed", "drag_every", "let_go", "turn_every", "stay", "new_faces", "think", "training")


@dataclass
class Plan:
    """What was asked for."""

    students: int
    shares: dict[str, float]  # of each way of life, summing to 1
    seconds: float
    seed: int = 0
    drag_every: float = 2.0
    let_go: int = 5
    turn_every: float = 60.0
    stay: float = 0.0
    new_faces: float = 0.0
    think: float = 2.0
    training: str = "lang=en&dataset=digits&network=fast&epochs=50"

    def lives(self) -> list[str]:
        """A way of life for each student, the shares rounded so that nobody is left out, well mixed."""
        counts = {life: int(share * self.students + 1e-9) for life, share in self.shares.items()}
        fullest = max(self.shares, key=self.shares.__getitem__)
        counts[fullest] += self.students - sum(counts.values())
        places = [((n + 0.5) / count, life) for life, count in counts.items() for n in range(count)]
        return [life for _place, life in sorted(places)]


Scenario = Callable[[Host, Plan, Tally], Coroutine[Any, Any, list[str]]]


async def sit(host: Host, plan: Plan, tally: Tally, *, arriving: float, settling: float = 0.0) -> Classroom:
    """The whole class comes in within ``arriving`` seconds, settles, and is then watched for ``plan.seconds``."""
    await prepare(host, tally)
    own = {name: getattr(plan, name) for name in OF_THE_ROOM}
    room = Classroom(host.url, tally, time.monotonic() + arriving + settling + plan.seconds, **own)
    watching = asyncio.create_task(host.watch())
    sitting = asyncio.create_task(whole_class(room, plan.lives(), arriving))
    await asyncio.sleep(arriving + settling)
    tally.forget()  # the way in is not the lesson; what went wrong stays
    host.begin()
    await asyncio.sleep(max(0.0, room.ends - time.monotonic()))
    host.end()
    await sitting
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    return room


async def prepare(host: Host, tally: Tally) -> None:
    """What a teacher does before the class comes: every page that will be read has been open, one run has ended."""
    if host.prepared:
        return
    teacher = Browser(host.url, tally, query=SHORT)
    teacher.patience = SETTLED  # a fresh machine compiles while its first pages ask
    await teacher.open("cnn")
    for slug in READING:
        await teacher.turn_to(slug)
        await teacher.until(lambda page: not any(interval <= 1.0 for interval in page.timers.values()), SETTLED)
    await teacher.turn_to("cnn")
    await teacher.press("cnn.start.play_arrow", "press Train")
    await teacher.until(Page.ended, SETTLED)
    await teacher.close()
    host.prepared = True
    tally.forget()


def tell(host: Host, students: int, before: int) -> None:
    """Print what the server and this process have used."""
    wall, web, workers, own = host.spent()
    if host.pid:
        most = max((sample.web for sample in host.samples), default=host.memory())
        heavy = max((sample.workers for sample in host.samples), default=0)
        print(f"web process: {100 * web / wall:.1f} % of a core, {1000 * web / wall / students:.2f} ms a second each")
        grown = (most - before) / MB / students
        print(f"web process: at most {most / MB:.0f} MB, {before / MB:.0f} before, {grown:.2f} MB each")
        print(f"workers: {100 * workers / wall:.1f} % of a core, at most {heavy / MB:.0f} MB in all")
    print(f"load generator: {100 * own / wall:.1f} % of a core")


def above(limits: dict[str, tuple[float, float, str]]) -> list[str]:
    """Sentences for those of ``name: (measured, limit, unit)`` that are above the limit, or could not be measured."""
    return [f"{name}: {got:.4g} {unit}, limit {most:g}" for name, (got, most, unit) in limits.items() if not got < most]


async def free(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """Whatever mixture was asked for; no limits but that nothing goes wrong."""
    before = host.memory()
    await sit(host, plan, tally, arriving=min(plan.seconds / 2, 0.1 * plan.students))
    tell(host, plan.students, before)
    return above({"errors": (sum(tally.faults.values()), 1, "")})


async def lesson(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """Seventy read, twenty drag a slider every two seconds, ten watch a training."""
    before = host.memory()
    await sit(host, plan, tally, arriving=0.15 * plan.students)
    tell(host, plan.students, before)
    most = max((sample.web for sample in host.samples), default=0)
    return above(
        {
            "p95 of a slider's answer, held": (1000 * tally.p95("slider, held"), 400, "ms"),
            "p95 of a slider's answer, let go": (1000 * tally.p95("slider, let go"), 400, "ms"),
            "p95 of a tick": (1000 * tally.p95("tick of 0.5 s"), 250, "ms"),
            "errors": (sum(tally.faults.values()), 1, ""),
            "web process": (most / MB, 1000, "MB"),
        }
    )


async def idle(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """All are connected, nobody does anything."""
    before = host.memory()
    plan.turn_every, plan.shares = 0.0, {"reading": 1.0}
    await sit(host, plan, tally, arriving=0.15 * plan.students)
    tell(host, plan.students, before)
    wall, web, _workers, _own = host.spent()
    grown = (max((sample.web for sample in host.samples), default=0) - before) / plan.students
    return above(
        {
            "processor": (100 * web / wall, 5, "% of a core"),
            "memory of a student": (grown / MB, 3, "MB"),
            "errors": (sum(tally.faults.values()), 1, ""),
        }
    )
