"""Two loops that do the same steps in turns, one of which tells what it does: how much does the telling cost?"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

from dlcore.device import autocast
from dlcore.training import Plan, Task, fit


def told(task: Task, plan: Plan) -> Callable[[], None]:
    """Our loop, with all its events."""

    def turn() -> None:
        for _ in fit(task, plan):
            pass

    return turn


def bare(task: Task, plan: Plan) -> Callable[[], None]:
    """The loop that everybody writes, which tells nothing."""

    def turn() -> None:
        order = torch.randperm(plan.count)
        for start in range(0, plan.count, plan.batch_size):
            inputs, targets = task.batch(order[start : start + plan.batch_size])
            with autocast(plan.device, plan.precision):
                loss = task.loss(task.model(inputs), targets)
            task.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            task.optimizer.step()

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
