"""The lesson on speed, timed: seconds to the target from the plain loop to all switches, a training for each.

``python -m benchmarks.speed_ladder [--check] [--quick] [--set KNOB=VALUE …]``; ``--set`` takes the lesson's settings
(``dataset=mnist`` needs the data, ``compiled=true`` a C++ compiler, ``compare=alone`` is another comparison).
"""

from __future__ import annotations

import argparse
import sys
import time

from dlcore.experiments import speed
from dlcore.history import History
from dlcore.knobs import parse
from dlcore.speed_story import Timed, factor, fastest, timed

LEAST, LEAST_QUICK = 10.0, 3.0  # how many times as fast as the plain loop the fastest training is
QUICK = {"train_size": "400", "target": "0.8", "compare": "ends", "threads": "1"}


def climb(texts: dict[str, str]) -> list[Timed]:
    """Run the lesson with these settings; prints each training, with its processor time, as it ends."""
    history, clock, told = History(), time.process_time(), 0
    for event in speed.run(parse(speed.Config, texts)):
        history.add(event)
        rows = timed(history)
        if len(rows) > told:
            told, now = len(rows), time.process_time()
            print(line(rows, told - 1), f"{now - clock:6.1f} s of CPU with tests", flush=True)
            clock = now
    return timed(history)


def line(rows: list[Timed], place: int) -> str:
    """One training in numbers."""
    row, gain = rows[place], factor(rows, place)
    parts = " ".join(f"{name} {1e3 * seconds:.2f}" for name, seconds in row.parts.items())
    return (
        f"{place + 1:2d} {row.rung.name:14s} {row.outcome:8s} {row.seconds:7.2f} s + {row.compiling:.1f}"
        f"  {row.steps:5d} steps of {1e3 * row.step_seconds:6.2f} ms ({parts})  {row.accuracy:.4f}"
        f"  {'' if gain is None else f'{gain:.2f} times'}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a bound is missed; wants an idle machine")
    parser.add_argument("--quick", action="store_true", help="400 digits, plain loop and all switches; holds little")
    parser.add_argument("--set", action="append", default=[], metavar="KNOB=VALUE")
    arguments = parser.parse_args()
    settings = dict(text.split("=", 1) for text in arguments.set)
    rows = climb({**(QUICK if arguments.quick else {}), **settings})
    best, least = fastest(rows), LEAST_QUICK if arguments.quick else LEAST
    times = factor(rows, best, against=0) if best is not None else None
    print("the target was not reached" if times is None else f"{times:.1f} times as fast as the plain loop")
    if (arguments.check or arguments.quick) and (times is None or times < least):
        sys.exit(f"less than {least} times")


if __name__ == "__main__":
    main()
