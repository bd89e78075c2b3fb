"""How many cores for N students? A simulation of the queue of training runs.

Each student thinks (an exponential time), presses Train, waits for a worker, watches the run, and thinks again; nobody
presses while a run of theirs waits or goes on. Workers take the run that has waited longest, which is the rule of
``dlcore.jobs.queue`` where each browser has one run. Service times are drawn from those given: as measured while all
workers were busy, since runs that share a machine slow each other down.

``benchmarks.classroom_load --scenario queue`` and ``--scenario rush`` hold the model to a real server. Here it fills
the table of docs/scaling.md: the fewest workers for which 95 % of all runs begin within ``--wait`` seconds.

    python -m benchmarks.queueing --service 4 --think 60 180 600
"""

from __future__ import annotations

import argparse
import heapq
import statistics
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.classroom.tally import percentile

CLASSES = (10, 30, 60, 100, 200)
HOURS = 4.0  # of simulated lesson for each entry of the table
MOST = 64  # workers


def waits_of(
    students: int, workers: int, services: Sequence[float], think: Callable[[Random], float], seconds: float, seed: int
) -> list[float]:
    """Seconds from each press of Train to the run's beginning, in the order in which runs begin.

    Args:
        services: seconds that a worker needs for a run; each run draws one of them.
        think: seconds until a student presses, the first time and after each end of a run.
        seconds: what begins later than this is not counted.
    """
    rng = Random(seed)
    presses = [(think(rng), student) for student in range(students)]
    heapq.heapify(presses)
    ends: list[tuple[float, int]] = []  # of the runs in hand
    waiting: deque[tuple[float, int]] = deque()
    waits: list[float] = []
    while presses or ends:
        if ends and (not presses or ends[0][0] <= presses[0][0]):
            now, student = heapq.heappop(ends)
            heapq.heappush(presses, (now + think(rng), student))
        else:
            now, student = heapq.heappop(presses)
            waiting.append((now, student))
        if now > seconds:
            break
        while waiting and len(ends) < workers:
            asked, student = waiting.popleft()
            waits.append(now - asked)
            heapq.heappush(ends, (now + rng.choice(services), student))
    return waits


def rush_of(services: Sequence[float], workers: int) -> float:
    """Seconds until the last of these runs ends where all are asked for at once, in this order."""
    free = [0.0] * workers
    for service in services:
        heapq.heapreplace(free, free[0] + service)
    return max(free)


def thinking(mean: float) -> Callable[[Random], float]:
    """Exponential thinking times with this mean, in seconds."""
    return lambda rng: rng.expovariate(1 / mean)


def workers_for(students: int, services: Sequence[float], think: float, wait: float, seed: int = 0) -> int | None:
    """The fewest workers with which 95 % of the runs begin within ``wait`` seconds; None where ``MOST`` are too few."""
    for workers in range(1, MOST + 1):
        waits = waits_of(students, workers, services, thinking(think), 3600 * HOURS, seed)
        if percentile(waits, 0.95) <= wait:
            return workers
    return None


def main() -> int:
    """Print the table, and what an average class of each size sees with two workers."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--service", type=float, nargs="+", default=[4.0], help="seconds of a run, one or several")
    options.add_argument("--think", type=float, nargs="+", default=[60.0, 180.0, 600.0], help="mean seconds between")
    options.add_argument("--wait", type=float, default=10.0, help="seconds within which 95 %% of the runs shall begin")
    options.add_argument("--quick", action="store_true", help="the smallest classes only")
    given = options.parse_args()
    mean = statistics.fmean(given.service)
    print(f"runs of {mean:g} s; workers for which 95 % begin within {given.wait:g} s (p50 and p95 of the wait with 2)")
    print("students | " + " | ".join(f"think {think:g} s" for think in given.think))
    for students in CLASSES[:2] if given.quick else CLASSES:
        cells = []
        for think in given.think:
            waits = waits_of(students, 2, given.service, thinking(think), 3600 * HOURS, 0)
            needed = workers_for(students, given.service, think, given.wait)
            two = f"{percentile(waits, 0.5):.0f}, {percentile(waits, 0.95):.0f} s"
            cells.append(f"{needed or f'more than {MOST}'} ({two})")
        print(f"{students:8d} | " + " | ".join(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
