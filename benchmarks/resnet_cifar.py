"""ResNet-20 on CIFAR-10 through the workers, looked at as the page does, stopped half way and resumed from its file.

``python -m benchmarks.resnet_cifar [--check] [--quick]``; needs CIFAR-10 under ``DLCORE_DATA``.

The run is ``train resnet --set network=resnet20 --set dataset=cifar10`` with the recipe's own settings. Its history is
read and the curves are made from it twice a second; at half of the steps it is paused and goes on from its checkpoint.
The clock runs from the submission to the end, the pause and all reading of files included. ``--check`` holds a test
accuracy of 0.80 within 900 s on two idle cores. ``--quick``: 200 digits, two passes, no time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dlcore import jobs
from dlcore.data import catalogue
from dlcore.experiments.resnet import Config
from dlcore.figures.curves import Curve, curves
from dlcore.history import History
from dlcore.knobs import build

TARGET, MOST_SECONDS = 0.80, 900.0
TICK = 0.5  # s, the page's
OWNER = "benchmark"
REAL = {"network": "resnet20", "dataset": "cifar10"}
QUICK = {"network": "resnet20", "dataset": "digits", "train_size": 200, "epochs": 2, "threads": 1,
         "memory_format": "channels_last", "precision": "float32"}  # fmt: skip


@dataclass
class Watched:
    """A run as a page sees it."""

    run: str
    looks: int = 0
    told: int = 0

    def look(self) -> History:
        """The run's history now; its curves are made, and new epochs printed."""
        history = jobs.history(self.run, owner=OWNER)
        steps, epochs = history.steps, history.epochs
        curves([Curve(steps.column("step"), steps.column("loss"))], log_y=True).to_plotly_json()
        curves([Curve(epochs.column("step"), epochs.column("test_accuracy"))]).to_plotly_json()
        for row in epochs.rows[self.told :]:
            print(f"  step {row['step']}: test accuracy {row['test_accuracy']:.4f}, {row['seconds']:.0f} s", flush=True)
        self.looks, self.told = self.looks + 1, len(epochs.rows)
        return history

    def until(self, reached: Callable[[History], bool]) -> History:
        """Look twice a second until it is so. Raises ``RuntimeError`` where the run has failed."""
        while not reached(history := self.look()):
            if history.state in ("failed", "diverged"):
                raise RuntimeError(f"{history.state}: {history.problem or history.diverged}")
            time.sleep(TICK)
        return history


def measure(settings: dict[str, Any]) -> tuple[float, float]:
    """Test accuracy at the end, and seconds from the submission to it."""
    began = time.perf_counter()
    watched = Watched(jobs.submit("resnet", build(Config, settings), owner=OWNER))
    watched.until(lambda history: history.total_steps > 0 and history.step >= history.total_steps / 2)
    jobs.pause(watched.run, owner=OWNER)
    half = watched.until(lambda history: history.state in ("paused", "finished"))
    size = jobs.checkpoint(watched.run, owner=OWNER).stat().st_size
    print(f"{half.state} at step {half.step} of {half.total_steps}, checkpoint {size / 1e6:.2f} MB", flush=True)
    if half.state == "paused":
        jobs.resume(watched.run, owner=OWNER)
    history = watched.until(lambda history: history.state == "finished")
    seconds, metrics = time.perf_counter() - began, history.metrics
    config = history.config
    print(
        f"{config['dataset']} with {config['network']}: {metrics['test_accuracy']:.4f} after {seconds:.0f} s "
        f"({metrics['seconds']:.0f} s of training; {metrics['epochs']} passes, {metrics['params']:,} weights, "
        f"{config['precision']}, {config['memory_format']}, {metrics['device']}; {watched.looks} looks)",
        flush=True,
    )
    return metrics["test_accuracy"], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a limit is missed; wants an idle machine")
    parser.add_argument("--quick", action="store_true", help="200 digits; holds that it learns, stops and goes on")
    arguments = parser.parse_args()
    if not arguments.quick and (place := catalogue.locate("cifar10")) is None:
        sys.exit("CIFAR-10 is not on this machine")
    elif not arguments.quick:
        print(catalogue.note("cifar10", place) or "CIFAR-10 as published", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("DLCORE_STATE", folder)
        jobs.start(jobs.Sizes(train_workers=1))
        try:
            accuracy, seconds = measure(QUICK if arguments.quick else REAL)
        finally:
            jobs.shutdown()
    faults = [] if arguments.quick or accuracy >= TARGET else [f"test accuracy {accuracy:.4f} is too low"]
    if seconds > MOST_SECONDS and not arguments.quick:
        faults.append(f"{seconds:.0f} s are more than {MOST_SECONDS:.0f} s")
    if faults and (arguments.check or arguments.quick):
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main()
