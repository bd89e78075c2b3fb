"""How well the text lesson's preset writes Shakespeare, how long that takes, and what telling costs.

``python -m benchmarks.text_model [--check] [--quick]``; the full form needs tiny-shakespeare under ``DLCORE_DATA``.

The first figure is bits per letter on the last tenth of the text, all of it, which the network never learns from; the
time is that of the whole run by the clock, with its samples and measurements. The second is letters per second of
training, told, against a bare loop of ``torch.nn`` that does the same steps of the same network in turns. ``--check``
holds 2.4 bits in 120 s and 3 % (on two idle cores); ``--quick`` writes Alice for a moment.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from benchmarks.turns import ratio, told
from dlcore.data import catalogue
from dlcore.data.text import corpus
from dlcore.device import autocast, reproducible
from dlcore.events import Finished
from dlcore.experiments import text
from dlcore.knobs import build
from dlcore.training import Plan, Task

MOST_BITS, MOST_SECONDS, MOST_COST = 2.4, 120.0, 1.03
QUICK = {"source": "alice", "hidden": 48, "steps": 40, "precision": "float32", "evaluations": 2, "threads": 1}
QUICK_BITS, QUICK_COST = 4.6, 2.0


def reached(given: dict[str, Any]) -> tuple[float, float]:
    """Bits per held-out letter and seconds by the clock of one run; prints both and the network."""
    began = time.perf_counter()
    *_, last = text.run(build(text.Config, given))
    took = time.perf_counter() - began
    if not isinstance(last, Finished):
        sys.exit("the run did not finish")
    m = last.metrics
    bits = m["bits_per_character"]
    print(f"{given['source']}: {bits:.3f} bits per letter after {took:.1f} s, of which {m['seconds']:.1f} s training")
    print(f"{m['cell']}, {m['params']:,} weights, {m['tokens_per_second']:,.0f} letters a second, {m['device']}")
    return bits, took


def cost(given: dict[str, Any], turns: int, steps: int) -> float:
    """The time of ``fit`` with its events over that of a bare loop."""
    config = replace(text.resolve(build(text.Config, given)), steps=steps, schedule="constant")
    reproducible(0, threads=config.threads, device=config.device)
    task, plan, _exercise = text.made(config, corpus(config.source))
    task = replace(task, evaluate=None, look=None)
    found, step = ratio((told(task, plan), lambda: bare(task, plan)), turns, plan.total_steps)
    rate = config.batch_size * config.length / step
    print(f"told: {100 * (found - 1):+.1f} % over the bare loop ({rate:,.0f} letters a second)")
    return found


def bare(task: Task, plan: Plan) -> None:
    """The same steps with nothing around them."""
    (model,) = task.parts.values()
    model.train()
    order = torch.randperm(plan.count)
    for start in range(0, plan.count, plan.batch_size):
        X, y = task.batch(order[start : start + plan.batch_size])
        with autocast(plan.device, plan.precision):
            loss = cross_entropy(model(X).float().flatten(0, 1), y.flatten())
        task.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.clip_norm)
        task.optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a limit is missed")
    parser.add_argument("--quick", action="store_true", help="Alice for a moment, and bounds that noise cannot reach")
    arguments = parser.parse_args()
    if not arguments.quick and catalogue.locate("shakespeare") is None:
        sys.exit("shakespeare is not on this machine: python -m dlcore download shakespeare")
    given = QUICK if arguments.quick else {"source": "shakespeare"}
    bits, took = reached(given)
    found = cost(given, 12, 10 if arguments.quick else 40)
    most = (QUICK_BITS, float("inf"), QUICK_COST) if arguments.quick else (MOST_BITS, MOST_SECONDS, MOST_COST)
    if not (arguments.check or arguments.quick):
        return
    for name, value, limit in zip(("bits per letter", "seconds", "times the bare loop"), (bits, took, found), most,
                                  strict=True):  # fmt: skip
        if value > limit:
            sys.exit(f"{value:.3g} {name}; at most {limit:.3g} are allowed")


if __name__ == "__main__":
    main()
