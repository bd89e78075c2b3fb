"""A class of students against a real server, without browsers: Streamlit's own protocol, spoken by many at once.

Students read (connected; their browser runs the timers that the page asks for), drag a slider, train and watch, upload
tables, leave and come back with the same cookie. Printed are the latencies of every kind of answer, what went wrong,
memory and processor time of the web process, workers apart, and this program's own processor time apart.

``--scenario`` names what must hold (``lesson``, ``idle``, ``rush``, ``soak``, ``faults``; ``scheduler`` kills that of a
cluster); ``--check`` fails where it does not, on an otherwise idle machine of two cores. ``--quick`` is a small class
for some seconds. ``costs`` shares the web process's time out over single actions.

    python -m benchmarks.classroom_load --scenario lesson --pin --check
    python -m benchmarks.classroom_load --students 30 --dragging 0.5 --reading 0.5 --seconds 20
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.classroom import scenarios
from benchmarks.classroom.cluster import external, scheduler
from benchmarks.classroom.costs import costs
from benchmarks.classroom.faults import faults, small_folder
from benchmarks.classroom.long import queue, rush, soak
from benchmarks.classroom.machine import host, pin
from benchmarks.classroom.students import LIVES
from benchmarks.classroom.tally import Tally

SCENARIOS: dict[str, tuple[scenarios.Scenario, int, float, dict[str, float]]] = {  # students, seconds, shares
    "free": (scenarios.free, 20, 20.0, {"reading": 0.5, "dragging": 0.2, "training": 0.2, "uploading": 0.1}),
    "lesson": (scenarios.lesson, 100, 60.0, {"reading": 0.7, "dragging": 0.2, "training": 0.1}),
    "idle": (scenarios.idle, 200, 60.0, {"reading": 1.0}),
    "costs": (costs, 20, 60.0, {"reading": 1.0}),
    "rush": (rush, 30, 0.0, {"training": 1.0}),
    "queue": (queue, 10, 90.0, {"training": 1.0}),
    "soak": (soak, 20, 1800.0, {"reading": 0.5, "dragging": 0.2, "training": 0.1, "uploading": 0.2}),
    "scheduler": (scheduler, 20, 0.0, {"reading": 0.7, "dragging": 0.3}),
    "faults": (faults, 20, 0.0, {"reading": 0.7, "dragging": 0.3}),
}


def arguments() -> argparse.Namespace:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--scenario", choices=SCENARIOS, default="free")
    options.add_argument("--url", default="", help="a server that runs; by default one is started")
    options.add_argument("--students", type=int)
    for life in LIVES:
        options.add_argument(f"--{life}", type=float, help="share of the students, 0 to 1")
    options.add_argument("--seconds", type=float, help="for how long, after all have come in")
    options.add_argument("--minutes", type=float, help="the same in minutes, for a soak")
    options.add_argument("--stay", type=float, default=0.0, help="seconds until a student leaves and comes back")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--pin", action="store_true", help="this program to one core, the web process to the others")
    options.add_argument("--check", action="store_true", help="fail where a limit is not kept")
    options.add_argument("--quick", action="store_true", help="a small class for some seconds; errors fail it")
    return options.parse_args()


def plan_of(given: argparse.Namespace) -> scenarios.Plan:
    """The scenario's own numbers, and what the command line says otherwise."""
    _scenario, students, seconds, shares = SCENARIOS[given.scenario]
    asked = {life: getattr(given, life) for life in LIVES if getattr(given, life) is not None}
    shares = asked or shares
    if given.quick:
        students, seconds = 10, 6.0
    total = sum(shares.values())
    return scenarios.Plan(
        students=given.students or students,
        shares={life: share / total for life, share in shares.items()},
        seconds=given.seconds or 60 * (given.minutes or 0.0) or seconds,
        seed=given.seed,
        stay=given.stay,
    )


def main() -> int:
    """Print what was measured; with --check (and, for errors, --quick) 1 where it is not what must hold."""
    given = arguments()
    plan, scenario, tally = plan_of(given), SCENARIOS[given.scenario][0], Tally()
    print(f"{given.scenario}: {plan.students} students, {plan.seconds:g} s, seed {plan.seed}; {os.cpu_count()} cores")
    with contextlib.ExitStack() as stack:
        small = stack.enter_context(small_folder()) if given.scenario == "faults" and not given.url else ""
        cluster = stack.enter_context(external()) if given.scenario == "scheduler" and not given.url else None
        server = stack.enter_context(host(given.url, small, **(cluster.env if cluster else {})))
        server.cluster = cluster
        print(pin(server) if given.pin else "not pinned", flush=True)
        missed = asyncio.run(scenario(server, plan, tally))
        if tally.faults:
            print("the server's log ends:", *server.said(), sep="\n  ")
    print(*tally.table(), sep="\n")
    print("kept" if not missed else "not kept: " + "; ".join(missed))
    return int(bool(missed and given.check) or bool(tally.faults and given.quick))


if __name__ == "__main__":
    sys.exit(main())
