"""Tokens per second of training sequences: ``fit`` with all its events, against the bare ``torch.nn`` loop.

``python -m benchmarks.sequence_overhead [--check] [--quick]``. The bare loop is written here with ``nn.LSTM`` (or
``nn.RNN``, ``nn.GRU``) and ``nn.Linear`` alone, on the same batches of the same sizes; tests on held-out sequences and
the look at the gradient through time, which are the lesson's own, are left out on our side. ``--check`` holds the cost
to the bound (on an otherwise idle machine); ``--quick`` takes few turns and a bound that noise cannot reach.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from benchmarks.turns import asked, judge, ratio, told
from dlcore.device import THREADS, reproducible
from dlcore.experiments.sequences import Config, exercise
from dlcore.knobs import build
from dlcore.models.recurrent import KINDS
from dlcore.sequence_training import prepare
from dlcore.training import Plan, Task

CASES = (("lstm", 64, 30, 64, 250), ("gru", 64, 30, 64, 250), ("rnn", 64, 30, 64, 250), ("lstm", 256, 100, 64, 16))
# cell, hidden units, steps of a sequence, sequences of a batch, updates of a turn: those of the lesson


def plain(task: Task, plan: Plan, cell: str, hidden: int) -> Callable[[], None]:
    """A turn of the loop that everybody writes, with layers of ``torch.nn``, Adam and clipping."""
    kind: Any = KINDS[cell]  # their common type has other arguments
    layer, read = kind(4, hidden, batch_first=True), nn.Linear(hidden, 4)
    parameters = [*layer.parameters(), *read.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=plan.learning_rate)

    def turn() -> None:
        order = torch.randperm(plan.count)
        for start in range(0, plan.count, plan.batch_size):
            X, y = task.batch(order[start : start + plan.batch_size])
            H, _ = layer(X)
            loss = nn.functional.cross_entropy(read(H[:, -1]), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, plan.clip_norm)
            optimizer.step()

    return turn


def measure(cell: str, hidden: int, length: int, batch_size: int, turns: int, steps: int) -> tuple[float, float]:
    """The ratio of the times, and tokens per second of the bare loop."""
    given = {"cell": cell, "hidden": hidden, "length": length, "batch_size": batch_size, "steps": steps}
    config = build(Config, {**given, "device": "cpu"})
    task, plan = prepare(config, exercise(config))
    task = replace(task, evaluate=None, look=None)
    found, step = ratio((told(task, plan), plain(task, plan, cell, hidden)), turns, steps)
    return found, batch_size * length / step


def main() -> None:
    arguments = asked(__doc__)
    turns = 4 if arguments.quick else 12
    reproducible(0, threads=1 if arguments.quick else THREADS)
    worst = 0.0
    print(f"{'cell':5} {'hidden':>6} {'length':>6} {'batch':>5} {'bare tokens/s':>14} {'with events':>12}")
    for cell, hidden, length, batch_size, steps in CASES[: 2 if arguments.quick else None]:
        found, speed = measure(cell, hidden, length, batch_size, turns, 4 if arguments.quick else steps)
        worst = max(worst, found)
        cost = f"{(found - 1) * 100:+10.1f} %"
        print(f"{cell:5} {hidden:6} {length:6} {batch_size:5} {speed:14,.0f} {cost}", flush=True)
    judge(worst, arguments)


if __name__ == "__main__":
    main()
