"""Two loops that do the same steps in turns, one of which tells what it does: how much does the telling cost?"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import torch

from dlcore.device import DEVICES, autocast, synchronize
from dlcore.training import Plan, Task, fit

BOUND, QUICK_BOUND = 1.03, 2.0  # times the bare loop; the second for a short form, whose noise cannot reach it


def asked(doc: str | None, *, device: bool = False) -> argparse.Namespace:
    """The arguments of a benchmark of this kind; with ``device`` also where it is computed."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help=f"fail above {BOUND}")
    parser.add_argument("--quick", action="store_true", help=f"few and short turns, fail above {QUICK_BOUND}")
    if device:
        parser.add_argument("--device", choices=DEVICES, default="auto")
    return parser.parse_args()


def judge(worst: float, arguments: argparse.Namespace) -> None:
    """Leave with a fault where the events cost more than is allowed."""
    bound = QUICK_BOUND if arguments.quick else BOUND
    if (arguments.check or arguments.quick) and worst > bound:
        sys.exit(f"events cost {(worst - 1) * 100:.1f} %; at most {(bound - 1) * 100:.0f} % are allowed")


def told(task: Task, plan: Plan) -> Callable[[], None]:
    """Our loop, with all its events."""

    def turn() -> None:
        for _ in fit(task, plan):
            pass

    return turn


def bare(task: Task, plan: Plan) -> Callable[[], None]:
    """The loop that everybody writes, which tells nothing."""

    def turn() -> None:
        order = torch.randperm(plan.count).to(plan.device)
        for start in range(0, plan.count, plan.batch_size):
            inputs, targets = task.batch(order[start : start + plan.batch_size])
            with autocast(plan.device, plan.precision):
                loss = task.loss(task.model(inputs), targets)
            task.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            task.optimizer.step()
        synchronize(plan.device)

    task.model.train()
    return turn


def compare(task: Task, plan: Plan, turns: int) -> tuple[float, float]:
    """The ratio of the times, told to bare (mean of the middle half), and the median seconds of a bare step.

    The loops take turns, so that what else the machine does falls on both.
    """
    return ratio((told(task, plan), bare(task, plan)), turns, plan.total_steps)


def ratio(loops: tuple[Callable[[], None], Callable[[], None]], turns: int, steps: int) -> tuple[float, float]:
    """The first loop's time over the second's, and the median seconds of a step of the second."""
    for loop in loops:
        loop()  # the first steps prepare kernels
    times = [[seconds(loop) for loop in (loops if i % 2 else loops[::-1])] for i in range(turns)]
    pairs = [t if i % 2 else t[::-1] for i, t in enumerate(times)]
    middle = sorted(a / b for a, b in pairs)[turns // 4 : turns - turns // 4]
    return statistics.mean(middle), statistics.median(b for _, b in pairs) / steps


def seconds(turn: Callable[[], None]) -> float:
    """How long one turn takes."""
    start = time.perf_counter()
    turn()
    return time.perf_counter() - start
