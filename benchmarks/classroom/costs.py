"""What one student costs the web process: each way of life alone, its processor time shared out over what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.classroom.machine import Host, answers
from benchmarks.classroom.scenarios import MB, Plan, above, prepare, sit
from benchmarks.classroom.tally import Tally

ARRIVING = 0.15  # seconds between two students who come in
SETTLING = 5.0  # seconds after the last one: opening a page and pressing Train are not what is counted


@dataclass(frozen=True)
class Activity:
    """One row of the table: what somebody does, as whom, and which kind of answer is counted."""

    what: str
    life: str
    action: str
    how: Mapping[str, Any] = field(default_factory=dict)  # fields of ``Plan``


ACTIVITIES = (  # in this order: a later one may do what an earlier one does, and is not charged for it
    Activity("sits there", "reading", "tick of 45 s", {"turn_every": 0.0}),
    Activity("turns a page", "reading", "turn a page", {"turn_every": 3.0}),
    Activity("drags a slider", "dragging", "slider, held", {"drag_every": 1.0, "let_go": 0}),
    Activity("lets it go", "dragging", "slider, let go", {"drag_every": 1.0, "let_go": 1}),
    Activity("watches a training", "training", "tick of 0.5 s", {"think": 0.1}),
)


async def costs(host: Host, plan: Plan, tally: Tally) -> list[str]:
    """Measure each activity by itself, after the web process with nobody there; print a row for each."""
    if not host.pid:
        return ["the costs of a server can be measured only where it was started by this program"]
    await prepare(host, tally)
    idle, known = await _nobody(host, plan, tally), dict[str, float]()
    print(f"nobody there: {1000 * idle:.2f} ms of the web process a second")
    print(f"{'what somebody does':20} {'ms each':>8} {'count':>6} {'ms a second':>12} {'MB':>6}")
    for activity in ACTIVITIES:
        known[activity.action] = await _measure(activity, host, plan, tally, idle, known)
    missing = [f"{kind}: could not be measured" for kind, each in known.items() if not each > 0]
    return missing + above({"errors": (sum(tally.faults.values()), 1, "")})


async def _measure(
    activity: Activity, host: Host, plan: Plan, tally: Tally, idle: float, known: Mapping[str, float]
) -> float:
    """Seconds of the web process for one action of this activity; prints its row, with the memory of a student.

    Args:
        idle: seconds of the web process in one second without anybody.
        known: what the actions of earlier rows take.
    """
    students, before, mine = _students(host, plan, activity), host.memory(), len(host.samples)
    asked = replace(plan, students=students, shares={activity.life: 1.0}, **activity.how)
    await sit(host, asked, tally, arriving=ARRIVING * students, settling=SETTLING)
    wall, web, _workers, _own = host.spent()
    counts = {kind: len(seconds) for kind, seconds in tally.seconds.items()}
    each, done = shared_out(web - idle * wall, counts, activity.action, known), counts.get(activity.action, 0)
    grown = (max((sample.web for sample in host.samples[mine:]), default=before) - before) / MB / students
    a_second = 1000 * each * done / wall / students
    print(f"{activity.what:20} {1000 * each:8.2f} {done:6d} {a_second:12.2f} {grown:6.2f}", flush=True)
    return each


async def _nobody(host: Host, plan: Plan, tally: Tally) -> float:
    """Seconds of the web process in one second without any student."""
    await sit(host, replace(plan, students=0), tally, arriving=0.0, settling=SETTLING)
    wall, web, _workers, _own = host.spent()
    return web / wall


def _students(host: Host, plan: Plan, activity: Activity) -> int:
    """As many as the plan says; of those who train, as many as are computed at once: looks at a queue cost less."""
    return min(plan.students, answers(host.url)["lanes"]["train"]) if activity.life == "training" else plan.students


def shared_out(seconds: float, counts: Mapping[str, int], action: str, known: Mapping[str, float]) -> float:
    """Seconds that one ``action`` takes; NaN where there was none.

    Args:
        seconds: of processor, for all that was done.
        counts: how often each kind of action was done.
        known: what actions of other kinds take, as far as that has been measured.
    """
    done = counts.get(action, 0)
    others = sum(known[kind] * count for kind, count in counts.items() if kind in known and kind != action)
    return (seconds - others) / done if done else float("nan")
