"""The figures that the lessons on sequences tell in their prose and teaching plans, measured again.

``python -m benchmarks.sequence_lessons [NAME …] [--quick]``; NAME is one of the tables below, all by default. Each row
is a run of a lesson with its own defaults but for what the row names, once a seed, on one thread. What needs data that
is not on this machine is left out and said. ``--quick`` makes one short run of each table.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlcore.events import Finished
from dlcore.experiments import experiment
from dlcore.knobs import build
from dlcore.texts import Problem


@dataclass(frozen=True)
class Table:
    """Runs of one lesson, and which of their numbers are told."""

    lesson: str
    numbers: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    seeds: Sequence[int] = (0,)


ERRORS = ("mae", "naive_mae", "seasonal_naive_mae", "linear_mae", "seconds")
CELLS = ("test_accuracy/rnn", "test_accuracy/lstm", "test_accuracy/gru")
TABLES = {
    "memory": Table("sequences", CELLS, [{"forget_bias": b} for b in (0.0, 1.0, 3.0)], (0, 1, 2, 3)),
    "series": Table(
        "series", ERRORS,
        [{"dataset": d} for d in ("sines", "walk", "chaos", "sunspots", "temperature", "airline")]
        + [{"dataset": "airline", **more} for more in (
            {"learns": "change"}, {"learns": "change", "log": True}, {"learns": "season"})],
        (0, 1),
    ),
    "reading": Table(
        "reading", ("test_accuracy", "bag_accuracy", "majority_accuracy", "seconds"),
        [{"task": "names", "dataset": "real"}, {"task": "sentiment", "dataset": "real"},
         {"task": "sentiment", "language": "zh", "dataset": "real"}, {"task": "names", "dataset": "built_in"}],
    ),
    "attention": Table(
        "attention", ("test_accuracy/dot", "test_accuracy/none", "seconds"),
        [{}, {"length": 0}, {"task": "numerals", "length": 0}], (0, 1, 2),
    ),
}  # fmt: skip


def measured(table: Table, row: Mapping[str, Any], seed: int, steps: int | None) -> str:
    """The numbers of one run; or why there is none."""
    module = experiment(table.lesson)
    given = {**row, "seed": seed, "threads": 1, "device": "cpu", **({"steps": steps} if steps else {})}
    try:
        *_, last = module.run(build(module.Config, given))
    except Problem as problem:
        return str(problem)
    if not isinstance(last, Finished):
        return "diverged"
    return ", ".join(f"{name} {last.metrics[name]:.4g}" for name in table.numbers if name in last.metrics)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(TABLES)}")
    parser.add_argument("--quick", action="store_true", help="one run of 20 steps of each table")
    arguments = parser.parse_args()
    for name in arguments.names or TABLES:
        table = TABLES[name]
        for row in table.rows[:1] if arguments.quick else table.rows:
            for seed in table.seeds[:1] if arguments.quick else table.seeds:
                what = " ".join(f"{k}={v}" for k, v in row.items()) or "defaults"
                told = measured(table, row, seed, 20 if arguments.quick else None)
                print(f"{table.lesson} {what} seed={seed}: {told}", flush=True)


if __name__ == "__main__":
    main()
