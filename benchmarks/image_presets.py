"""What the presets for clothes and photographs reach, and how long they train: the limits are absolute.

``python -m benchmarks.image_presets [--check] [--quick]``; needs Fashion-MNIST and CIFAR-10 under ``DLCORE_DATA``.

Test accuracy on all 10,000 test images; seconds of training alone, with a look at the test images after each epoch as
the lesson has it. CIFAR-10 may be the original or decoded from JPEG copies; which, is printed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any

from dlcore.data import catalogue
from dlcore.events import Finished
from dlcore.experiments import cnn
from dlcore.knobs import build

PLAIN = {"memory_format": "channels_last", "precision": "float32", "threads": 1}  # in short: nothing is tried out first


@dataclass(frozen=True)
class Claim:
    """A dataset, its preset network, and what must hold on two idle cores; ``quick``: settings and floor in CI."""

    dataset: str
    network: str
    least_accuracy: float
    most_seconds: float
    quick: dict[str, Any] | None = None
    quick_accuracy: float = 0.0


CLAIMS = (
    Claim("fashion_mnist", "fast", 0.90, 60.0, {"epochs": 1, "train_size": 5_000}, 0.60),
    Claim("cifar10", "norm", 0.70, 300.0),  # in short by benchmarks/cifar10.py
)


def measure(claim: Claim, *, quick: bool) -> list[str]:
    """Train once, print what was reached, and return what was missed."""
    place = catalogue.locate(claim.dataset)
    if place is None:
        print(f"{claim.dataset}: not on this machine, left out", flush=True)
        return []
    settings = {
        "dataset": claim.dataset,
        "network": claim.network,
        **({**PLAIN, **(claim.quick or {})} if quick else {}),
    }
    *_, last = cnn.run(build(cnn.Config, settings))
    if not isinstance(last, Finished):
        return [f"{claim.dataset}: the run did not finish"]
    accuracy, seconds = last.metrics["test_accuracy"], last.metrics["seconds"]
    note = catalogue.note(claim.dataset, place)
    print(
        f"{claim.dataset} with “{claim.network}”: {accuracy:.4f} in {seconds:.1f} s "
        f"({last.metrics['epochs']} epochs, {last.metrics['params']:,} weights, {last.metrics['device']})"
        + (f"; {note}" if note else ""),
        flush=True,
    )
    floor, most = (claim.quick_accuracy, float("inf")) if quick else (claim.least_accuracy, claim.most_seconds)
    faults = [] if accuracy >= floor else [f"{claim.dataset}: {accuracy:.4f} is below {floor}"]
    return faults + ([f"{claim.dataset}: {seconds:.0f} s are more than {most:.0f} s"] if seconds > most else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a limit is missed; wants an idle machine")
    parser.add_argument("--quick", action="store_true", help="a part of the images; holds a low accuracy only")
    arguments = parser.parse_args()
    claims = [claim for claim in CLAIMS if claim.quick or not arguments.quick]
    faults = [fault for claim in claims for fault in measure(claim, quick=arguments.quick)]
    if faults and (arguments.check or arguments.quick):
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main()
