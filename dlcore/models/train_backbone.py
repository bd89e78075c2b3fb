"""Makes the backbone that is shipped: ``python -m dlcore.models.train_backbone``. Needs CIFAR-10; minutes on two cores.

Trained by the loop of the lessons, on pictures that are mirrored and moved by some pixels. The state is kept beside the
file that is to be made, so that the same command goes on after an interruption.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.augmentation import mirrored
from dlcore.data.images import ImageData, load
from dlcore.device import reproducible
from dlcore.events import Checkpoint, Epoch, Step, pack, unpack
from dlcore.experiments.cnn import Config
from dlcore.image_training import infer, prepare
from dlcore.knobs import build
from dlcore.models.backbone import NAME
from dlcore.models.layers import BACKBONE
from dlcore.models.weights import FOLDER, load_shipped, save
from dlcore.readings import hits
from dlcore.training import Task, fit

SETTINGS: dict[str, Any] = {
    "dataset": "cifar10", "network": "own", "layers": BACKBONE, "optimizer": "nesterov", "learning_rate": 0.2,
    "momentum": 0.9, "weight_decay": 5e-4, "schedule": "one_cycle", "batch_size": 256, "epochs": 4,
    "label_smoothing": 0.1, "device": "cpu", "precision": "bfloat16", "memory_format": "channels_last",
}  # fmt: skip
SHIFT = 3  # pixels, in each direction at most


def shifted(X: Tensor, most: int) -> Tensor:
    """Images ``(B, C, H, W)``, each moved by up to ``most`` whole pixels; what is missing at an edge is mirrored."""
    count, _channels, height, width = X.shape
    wide = F.pad(X, [most] * 4, mode="reflect")
    down, right = torch.randint(0, 2 * most + 1, (2, count, 1))
    rows, columns = down + torch.arange(height), right + torch.arange(width)  # (B, H), (B, W)
    picked = wide[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]]  # (B, H, W, C)
    return picked.permute(0, 3, 1, 2)  # in memory as channels_last has it


def augmented(task: Task) -> Task:
    """The task with every batch mirrored half the time and moved, and nothing looked at meanwhile."""

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        X, y = task.batch(indices)
        return shifted(mirrored(X, 0.5), SHIFT), y

    return replace(task, batch=batch, look=None, evaluate=None)  # the test is for the end


def train(config: Config, data: ImageData, kept: Path) -> tuple[nn.Module, dict[str, Any]]:
    """Train, or go on from the state in ``kept``; returns the network and the arguments that rebuild it."""
    reproducible(config.seed, threads=config.threads, device=config.device)
    task, plan = prepare(config, data)
    plan = replace(plan, checkpoint_seconds=30.0)
    resume, told = unpack(kept.read_bytes()) if kept.exists() else None, time.perf_counter()
    for event in fit(augmented(task), plan, resume=resume):
        if isinstance(event, Epoch):
            numbers = {name: round(value, 4) for name, value in event.metrics.items()}
            print(f"pass {event.epoch}, {event.seconds:.0f} s: {numbers}", flush=True)
        elif isinstance(event, Checkpoint):
            kept.with_suffix(".new").write_bytes(pack(event.state))
            kept.with_suffix(".new").replace(kept)
        elif isinstance(event, Step) and time.perf_counter() - told > 10:
            told = time.perf_counter()
            print(f"step {event.step}, {event.seconds:.0f} s: loss {event.loss:.3f}", flush=True)
    return task.model.eval(), dict(task.about["build"])


def main() -> None:
    """Train, save, load again, and print the accuracy of what was saved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=SETTINGS["epochs"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--images", type=int, default=0, help="how many to train with; 0: all")
    parser.add_argument("--out", type=Path, default=FOLDER / f"{NAME}.safetensors")
    arguments = parser.parse_args()
    given = {**SETTINGS, "epochs": arguments.epochs, "seed": arguments.seed, "train_size": arguments.images}
    config = build(Config, given)
    data = load(config.dataset, train_size=arguments.images or None)
    kept = arguments.out.with_suffix(".state")
    model, about = train(config, data, kept)
    accuracy = tested(model, data, config)
    meta = {"build": about, "classes": list(data.classes), "settings": given, "test_accuracy": round(accuracy, 4)}
    save(model, arguments.out, {**meta, "data": data.note or "original files"})
    kept.unlink()
    saved = load_shipped(arguments.out.stem)[0] if arguments.out.parent == FOLDER else model.eval()
    plain = replace(config, precision="float32")
    print(f"test accuracy: as trained {accuracy:.4f}, of the saved file in float32 {tested(saved, data, plain):.4f}")


def tested(model: nn.Module, data: ImageData, config: Config) -> float:
    """The share of test images that the network gets right."""
    logits = infer(model, torch.tensor(data.X_test), config)
    return hits(logits, torch.tensor(data.y_test)).float().mean().item()


if __name__ == "__main__":
    main()
