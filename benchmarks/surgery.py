"""Blocks taken out of trained stacks: the figures that the depth lesson tells below its surgery table.

``python -m benchmarks.surgery [--seeds N] [--check] [--quick]``. Stacks of 20 dense blocks on digits, trained as the
lesson trains them, one thread: without normalisation and with the relu after the sum, and with batch normalisation and
the relu before each layer. Told are the share of right answers on all test images; by how much it falls with one block
out, in the mean over the blocks, for the first two and at most for the others; and what is left with ten out, the mean
of ``ORDERS`` random orders. ``--check`` ends with status 1 where that is not what the page says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from dlcore import surgery_story as story
from dlcore.events import Checkpoint, pack
from dlcore.experiments import resnet, surgery_look
from dlcore.knobs import build

ORDERS, OUT = 5, 10
KINDS: dict[str, dict[str, Any]] = {
    "no normalisation, relu after": {"norm": "none", "order": "post"},
    "batch normalisation, relu before": {"norm": "batch", "order": "pre"},
}
TOLD = {  # what one block costs in the mean, and what is left with ten out: lowest and highest
    "no normalisation, relu after": ((0.04, 0.08), (0.22, 0.33)),
    "batch normalisation, relu before": ((0.005, 0.007), (0.58, 0.83)),
}
ROUNDING = 0.0051  # the page tells whole points, or tenths of one


def checkpoint_of(folder: Path, given: dict[str, Any]) -> str:
    """Train; the path of the last checkpoint."""
    config = build(resnet.Config, {"depth": 20, "threads": 1, "device": "cpu", "twin": False, **given})
    states = [event.state for event in resnet.run(config) if isinstance(event, Checkpoint)]
    path = folder / "checkpoint.bin"
    path.write_bytes(pack(states[-1]))
    return str(path)


def measured(given: dict[str, Any]) -> tuple[float, np.ndarray, float]:
    """Right answers with all blocks in; what each block costs (n,); what is left with ``OUT`` out."""
    with tempfile.TemporaryDirectory() as folder:
        path = checkpoint_of(Path(folder), given)
        count = surgery_look.describe(path, "digits")["count"]
        found = surgery_look.lesions(path, "digits", 0, count)
        shares = story.accuracies(found["residual"], found["labels"])
        orders = [surgery_look.at_random(path, "digits", count, "residual", draw) for draw in range(ORDERS)]
    return float(shares[0]), shares[0] - shares[1:], float(np.mean([order[OUT] for order in orders]))


def main() -> int:
    """Print the figures; the exit status says whether ``--check`` holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="how many, from 0 on")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs: that it runs, not what it finds")
    asked = parser.parse_args()
    faults = []
    for name, given in KINDS.items():
        for seed in range(1 if asked.quick else asked.seeds):
            whole, cost, left = measured({**given, "seed": seed, **({"epochs": 2} if asked.quick else {})})
            print(f"{name}, seed {seed}: {whole:.3f} right; one block costs {cost.mean():.4f}, the first two "
                  f"{cost[0]:.3f} and {cost[1]:.3f}, the others up to {cost[2:].max():.3f}; {OUT} out: {left:.3f} left",
                  flush=True)  # fmt: skip
            for what, value, (low, high) in zip(("one out", "ten out"), (cost.mean(), left), TOLD[name], strict=True):
                if not low - ROUNDING <= value <= high + ROUNDING:
                    faults.append(f"{name}, seed {seed}, {what}: {value:.3f}, told are {low} to {high}")
    print("\n".join(faults) or "as told")
    return int(bool(faults) and asked.check)


if __name__ == "__main__":
    sys.exit(main())
