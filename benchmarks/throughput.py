"""Images a second of every image preset: ``fit`` with all its events, against the bare best loop.

``python -m benchmarks.throughput [--check] [--quick] [--device auto]``. The bare loop is the best that we know to
write: the same network in the layout that was fastest here, the whole set on the device as one tensor, losses never
read. It tells nothing, shows nothing and cannot be paused. Both do the same steps of the same model in turns, so that
what else the machine does falls on both; a share is the mean of the middle half. Looks at held-out images are left out.
``--check`` asks for 97 % (on an otherwise idle machine); ``--quick`` takes few and short turns in a layout that is not
measured, and a bound that noise cannot reach.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.turns import asked, compare, judge
from dlcore.data.images import ImageData
from dlcore.device import THREADS, choose_device, reproducible
from dlcore.experiments import augmentation, cnn
from dlcore.image_training import prepare, resolve_on
from dlcore.knobs import build
from dlcore.models.layers import PRESETS
from dlcore.training import Plan, Task

QUICK = {"memory_format": "channels_last", "precision": "float32"}  # nothing is tried out first
QUICK_BATCH = 32  # images, of the convolutional ones
TURNS, QUICK_TURNS = 16, 4


@dataclass(frozen=True)
class Case:
    """A preset as its lesson trains it."""

    network: str
    batch_size: int
    steps: int  # of one turn: about a second, since a run packs its model once, at its end
    quick_steps: int
    shape: tuple[int, ...] = (1, 28, 28)
    strengths: dict[str, Any] = field(default_factory=dict)  # random changes, where there are any


PHOTOGRAPHS = (3, 32, 32)
CASES = (
    Case("article", 64, 100, 4),
    Case("fast", 256, 200, 4),
    Case("small", 64, 200, 4),
    Case("norm", 256, 12, 2, PHOTOGRAPHS),
    Case("wide", 256, 8, 2, PHOTOGRAPHS),
    Case("mlp", 256, 1000, 40),
    Case("fast", 32, 400, 8, strengths={"shift": 3.0, "rotate": 15.0}),
)


def random_images(count: int, shape: tuple[int, ...]) -> ImageData:
    """Images ``(C, H, W)``: what is on them does not change the time of a step."""
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (count, *shape), np.uint8), rng.integers(0, 10, count)
    return ImageData("random", X, y, X[:10], y[:10], tuple("0123456789"), "", "")


def posed(case: Case, device: str, *, quick: bool) -> tuple[Task, Plan, str]:
    """What ``fit`` trains for a case, and the name of its layout."""
    lesson = augmentation if case.strengths else cnn
    batch_size = min(case.batch_size, QUICK_BATCH) if quick and case.network != "mlp" else case.batch_size
    given = {"network": case.network, "batch_size": batch_size, "device": device, "epochs": 1, **case.strengths}
    config = build(lesson.Config, {**given, "schedule": "one_cycle", **(QUICK if quick else {})})
    data = random_images(batch_size * (case.quick_steps if quick else case.steps), case.shape)
    config = resolve_on(replace(config, threads=1 if quick else THREADS), data)
    changed = isinstance(config, augmentation.Config)
    task, plan = augmentation.prepare(config, data) if changed else prepare(config, data)
    return replace(task, evaluate=None), plan, f"{config.memory_format}, {config.precision}"


def main() -> None:
    arguments = asked(__doc__, device=True)
    device = choose_device(arguments.device)
    reproducible(0, threads=1 if arguments.quick else THREADS)
    assert {case.network for case in CASES} == set(PRESETS), "a preset is missing"
    worst = 0.0
    print(f"{'network':18} {'batch':>5} {'bare, images/s':>14} {'with events':>12}  layout")
    for case in CASES:
        task, plan, layout = posed(case, device, quick=arguments.quick)
        ratio, step = compare(task, plan, QUICK_TURNS if arguments.quick else TURNS)
        worst = max(worst, ratio)
        name = case.network + (" augmented" if case.strengths else "")
        print(
            f"{name:18} {case.batch_size:5} {case.batch_size / step:14,.0f} {100 / ratio:10.1f} %  {layout}", flush=True
        )
    judge(worst, arguments)


if __name__ == "__main__":
    main()
