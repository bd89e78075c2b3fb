"""What telling costs: ``fit`` with all its events, against the same steps in a loop that tells nothing.

``python -m benchmarks.loop_overhead [--check] [--quick]``. Both do the same steps of the same model in turns, so that
what else the machine does falls on both; the figure is the mean of the middle half of the ratios of their times.
``--check`` holds it to the bound (on an otherwise idle machine); ``--quick`` takes few and short turns and a bound that
noise cannot reach.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.turns import asked, compare, judge
from dlcore.data.images import ImageData
from dlcore.device import THREADS, reproducible
from dlcore.experiments.cnn import Config
from dlcore.image_training import prepare
from dlcore.knobs import build

CASES = (
    ("article", 64, 40, 8),
    ("fast", 256, 40, 8),
    ("mlp", 256, 200, 100),
)  # batch size, steps of a turn, of a short one


def random_images(count: int) -> ImageData:
    """Images of MNIST's form: what is on them does not change the time of a step."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (count, 1, 28, 28), np.uint8), rng.integers(0, 10, count)
    return ImageData("random", X, y, X[:10], y[:10], tuple("0123456789"), "", "")


def ratio(network: str, batch_size: int, turns: int, steps: int) -> tuple[float, float]:
    """Ratio of the times, and the median seconds of a bare step."""
    given = {"network": network, "batch_size": batch_size, "device": "cpu", "memory_format": "channels_last"}
    config = build(Config, {**given, "precision": "float32", "schedule": "one_cycle", "epochs": 1})
    data = random_images(batch_size * steps)
    task, plan = prepare(config, data)
    task = replace(task, evaluate=None)
    return compare(task, plan, turns)


def main() -> None:
    arguments = asked(__doc__)
    turns = 4 if arguments.quick else 30
    reproducible(0, threads=1 if arguments.quick else THREADS)
    worst = 0.0
    print(f"{'network':8} {'batch':>5} {'bare step':>10} {'with events':>12}")
    for network, batch_size, long, short in CASES:
        found, step = ratio(network, batch_size, turns, short if arguments.quick else long)
        worst = max(worst, found)
        print(f"{network:8} {batch_size:5} {step * 1e3:7.2f} ms {(found - 1) * 100:+10.1f} %", flush=True)
    judge(worst, arguments)


if __name__ == "__main__":
    main()
