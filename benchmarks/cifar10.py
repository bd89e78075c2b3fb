"""CIFAR-10 to 80 %: the preset "wide" against one pass of the ResNet-18 that most people would train.

``python -m benchmarks.cifar10 [--check] [--quick] [--steps 12] [--device auto]``; needs CIFAR-10 under ``DLCORE_DATA``.

Ours is the CNN lesson with its own recipe: seconds of training alone (all its events included), accuracy on all 10,000
test images at the end. The other is torchvision's ResNet-18 with the usual stem for small images (3 x 3, no pooling),
trained as its public recipes do: SGD with momentum 0.9, rate 0.1 along a cosine, weight decay 5e-4, batches of 128 from
a ``DataLoader`` that pads, crops and mirrors image by image. That would take hours on two cores. So some steps of it
are measured and **one pass** is told, which is a lower bound: by published logs of such recipes it stands far below
80 % after its first pass. That is known from there and not measured here.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from dataclasses import replace
from itertools import islice
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision.models import resnet18
from torchvision.transforms import v2

from dlcore.data import catalogue
from dlcore.data.images import load
from dlcore.device import DEVICES, THREADS, choose_device, synchronize
from dlcore.events import Finished
from dlcore.experiments import cnn
from dlcore.knobs import build

TARGET, LEAST_RATIO = 0.80, 3.0  # the second against a single pass of the other
QUICK: dict[str, Any] = {"network": "norm", "train_size": 1_000, "epochs": 1, "batch_size": 32, "threads": 1,
                         "memory_format": "channels_last", "precision": "float32"}  # fmt: skip # nothing is tried out
QUICK_TARGET = 0.15  # guessing has 0.10
MEAN, STD, BATCH = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616), 128


class Photographs(Dataset):
    """The training images one by one, as a recipe's ``DataLoader`` takes them."""

    def __init__(self) -> None:
        data = load("cifar10")
        self.X, self.y = torch.tensor(data.X_train), data.y_train.tolist()
        flips = (v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip())
        self.change = v2.Compose([*flips, v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])

    def __len__(self) -> int:
        return len(self.y)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.change(self.X[index]), self.y[index]


def ours(device: str, seeds: int, **other: Any) -> tuple[float, float]:
    """Lowest test accuracy and median seconds of training over the seeds."""
    asked = {"dataset": "cifar10", "network": "wide", "device": device, **other}
    config = cnn.resolve(build(cnn.Config, asked))
    layout = f"{config.memory_format}, {config.precision}, {config.threads} threads"
    print(f"{config.network}: {layout}, {config.epochs} passes", flush=True)
    reached, times = [], []
    for seed in range(seeds):
        *_, last = cnn.run(replace(config, seed=seed))
        assert isinstance(last, Finished), "the run did not come to its end"
        reached.append(last.metrics["test_accuracy"])
        times.append(last.metrics["seconds"])
        print(f"  seed {seed}: {reached[-1]:.4f} in {times[-1]:.1f} s ({last.metrics['device']})", flush=True)
    return min(reached), statistics.median(times)


def one_pass(device: str, steps: int, batch_size: int) -> float:
    """Seconds that one pass of the ResNet-18 would take, by the median of ``steps`` steps after a first one."""
    torch.manual_seed(0)
    model: Any = resnet18(num_classes=10)
    model.conv1, model.maxpool = nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.Identity()
    model = model.to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    loader = DataLoader(Photographs(), batch_size=batch_size, shuffle=True, drop_last=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
    seconds, start = [], time.perf_counter()
    for X, y in islice(loader, steps + 1):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X.to(device)), y.to(device)).backward()
        optimizer.step()
        synchronize(device)
        now = time.perf_counter()
        seconds.append(now - start)
        start = now
    schedule.step()
    step, count = statistics.median(seconds[1:]), len(loader)
    print(f"ResNet-18: {step:.2f} s a step, so {step * count:.0f} s for one pass of {count} steps", flush=True)
    return step * count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a bound is missed; wants an idle machine")
    parser.add_argument(
        "--quick", action="store_true", help="a smaller network, 1,000 images, one step; holds a low accuracy only"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12, help="of the ResNet-18")
    parser.add_argument("--device", choices=DEVICES, default="auto")
    arguments = parser.parse_args()
    place = catalogue.locate("cifar10")
    if place is None:
        sys.exit("CIFAR-10 is not on this machine: python -m dlcore download cifar10")
    print(catalogue.note("cifar10", place) or "the original images")
    device, quick = choose_device(arguments.device), arguments.quick
    torch.set_num_threads(1 if quick else THREADS)
    # The ResNet goes first: a run of ours changes how the process keeps its memory, which would help it too.
    theirs = one_pass(device, *((1, 8) if quick else (arguments.steps, BATCH)))
    accuracy, seconds = ours(device, 1 if quick else arguments.seeds, **(QUICK if quick else {}))
    times = theirs / seconds
    print(f"wide: at least {accuracy:.4f} in {seconds:.1f} s; one pass of the ResNet-18 is {times:.1f} times that")
    least = QUICK_TARGET if quick else TARGET
    faults = [] if accuracy >= least else [f"{accuracy:.4f} is below {least}"]
    if not quick and device == "cpu" and times < LEAST_RATIO:
        faults.append(f"one pass of the ResNet-18 is only {times:.1f} times as long")
    if faults and (arguments.check or quick):
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main()
