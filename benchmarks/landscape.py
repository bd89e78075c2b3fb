"""Loss landscapes: how long 25 × 25 points of the depth-20 dense pair take, and the reaches that the lesson tells.

python benchmarks/landscape.py [--check] [--quick]

``--quick`` measures 9 × 9 points and scales the time up. Process time of one thread counts, so that a busy machine does
not matter.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

from dlcore.events import Finished, Started, Step
from dlcore.experiments import landscape
from dlcore.experiments.landscape import Config
from dlcore.knobs import build

MOST_SECONDS = 60.0  # for 25 × 25 points of both networks, in one plane
REACHES = {  # by depth and epochs: plain, residual, as in assets/lessons/landscape.*.md
    (8, 15): (0.79, 0.99), (20, 15): (0.44, 0.83), (20, 40): (0.46, 0.84),
}  # fmt: skip
TOLERANCE = 0.08


def measured(**settings) -> tuple[dict, float]:
    """Metrics of a run, and the process seconds that one place took."""
    config = build(Config, {"threads": 1, **settings})
    first = last = 0
    began = ended = 0.0
    metrics: dict = {}
    for event in landscape.run(config):
        if isinstance(event, Started):
            first, last = event.info["training_steps"], event.total_steps
        elif isinstance(event, Step) and event.step == first:
            began = time.process_time()
        elif isinstance(event, Finished):
            ended, metrics = time.process_time(), event.metrics
    return metrics, (ended - began) / (last - first)


def main() -> None:
    """Print what was measured; with ``--check`` fail where it is too slow, or other than told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    bad = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLCORE_STATE"] = folder
        for (depth, epochs), reaches in REACHES.items() if not given.quick else {(20, 1): ()}.items():
            metrics, seconds = measured(depth=depth, epochs=epochs, **({"points": 9} if given.quick else {}))
            plane = 625 * seconds
            print(f"depth {depth}, {epochs} epochs: 25 × 25 points of both networks in {plane:.1f} s of processor time")
            if depth == 20 and plane > MOST_SECONDS:
                bad.append(f"{plane:.1f} s, allowed are {MOST_SECONDS:.0f}")
            for name, told in zip(("plain", "residual"), reaches, strict=False):
                found = metrics[f"reach/{name}"]
                print(f"  {name}: reach {found:.2f}, told {told}; right {metrics[f'train_accuracy/{name}']:.1%}")
                if abs(found - told) > TOLERANCE:
                    bad.append(f"depth {depth}, {epochs} epochs, {name}: reach {found:.2f}, told {told}")
    if (given.check or given.quick) and bad:
        raise SystemExit("\n".join(bad))


if __name__ == "__main__":
    main()
