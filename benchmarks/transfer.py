"""The figures that the transfer lesson tells: ways to learn, blocks, distillation, photographs; over several seeds.

    python -m benchmarks.transfer [--check] [--quick] [--seeds N] [--only NAME …]

Each line is a run of the lesson with its default settings (one thread) for every seed: another first network, other
pictures and other heads; the mean over seeds and repetitions, and the deviation of the seeds' means. Photographs (ants
and bees) where they are here, with MobileNetV2 where its weights are. ``--check`` ends with status 1 where frozen is
not ahead of scratch by 0.2 with two shapes of each class, or a run takes more than twice
as long on one core as the page says for two, and more than a minute.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

import numpy as np

from dlcore.data.few_shot import insects_folder
from dlcore.events import Finished
from dlcore.experiments import transfer
from dlcore.knobs import build
from dlcore.transfer_story import minutes
from dlcore.vision.networks import here

SEEDS = 3
GAP, LONGER = 0.2, 2.0
RUNS: dict[str, dict[str, Any]] = {
    "ways": {},
    "two classes before": {"source_classes": 2, "images": 5},
    "no epochs before": {"source_epochs": 0, "images": 5},
    "blocks, 5 pictures": {"question": "layers", "images": 5},
    "distillation, 5 pictures": {"question": "distil", "images": 5},
    "ants and bees": {"dataset": "insects"},
    "ants and bees, MobileNetV2": {"dataset": "insects", "base": "mobilenet_v2"},
}
LEFT_OUT = ("images", "_spread")


def runs(name: str, seeds: int, quick: bool) -> tuple[list[dict[str, Any]], float, float]:
    """The metrics of a run for each seed, the processor's seconds for the longest, and those that the page tells."""
    given = {**RUNS[name], "threads": 1, **({"seeds": 1, "steps": 10, "images": 2} if quick else {})}
    found, slowest, told = [], 0.0, 0.0
    for seed in range(seeds):
        config = build(transfer.Config, {**given, "seed": seed})
        began, last = time.process_time(), None
        for event in transfer.run(config):
            last = event
        assert isinstance(last, Finished)
        found.append(last.metrics)
        slowest, told = max(slowest, time.process_time() - began), 60 * minutes(config)
    return found, slowest, told


def report(metrics: list[dict[str, Any]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """By method the means (sizes,) over the seeds, and the seeds' deviation; of pupils (1,)."""
    methods = [name for name in metrics[0]["by_images"] if not name.endswith(LEFT_OUT)]
    rows = {name: np.array([m["by_images"][name] for m in metrics]) for name in methods}
    pupils = [name for name in ("alone", "hard", "soft") if f"{name}_accuracy" in metrics[0]]
    rows |= {name: np.array([[m[f"{name}_accuracy"]] for m in metrics]) for name in pupils}
    return {name: (values.mean(0), values.std(0)) for name, values in rows.items()}


def possible(name: str) -> bool:
    """Whether this machine has the pictures and weights for it."""
    given = RUNS[name]
    return (given.get("dataset") != "insects" or insects_folder() is not None) and (
        "base" not in given or here(given["base"]) is not None
    )


def main() -> int:
    """Print the tables; the exit status says whether ``--check`` holds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", action="store_true", help="one seed, few steps: that it runs, not what it finds")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--only", nargs="*", choices=list(RUNS), default=list(RUNS))
    asked = parser.parse_args()
    holds = True
    for name in filter(possible, asked.only):
        metrics, slowest, told = runs(name, 1 if asked.quick else asked.seeds, asked.quick)
        rows = report(metrics)
        sizes = ", ".join(str(size) for size in metrics[0]["by_images"]["images"])
        count = f"{len(metrics)} seeds, at most {slowest:.0f} s of one processor core"
        print(f"{name}: {sizes} of each class; {count}; the page tells {told:.0f} s on two", flush=True)
        for method, (mean, spread) in rows.items():
            print(f"  {method:10}", "  ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True)))
        if name == "ways":
            holds &= bool(rows["frozen"][0][0] - rows["scratch"][0][0] >= GAP)
        holds &= slowest <= max(LONGER * told, 60.0)
    return 0 if holds or asked.quick or not asked.check else 1


if __name__ == "__main__":
    sys.exit(main())
