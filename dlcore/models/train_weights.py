"""Makes the weights that are shipped: ``python -m dlcore.models.train_weights``. Needs MNIST; a few minutes.

The network of the preset "fast", trained for longer on digits that are turned, sheared, scaled, moved, thickened and
dimmed a little, since people do not draw as the writers of MNIST did.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from dlcore import warps
from dlcore.augmentation import brightness, moved
from dlcore.data.images import load
from dlcore.device import reproducible
from dlcore.events import Epoch
from dlcore.experiments.cnn import Config, resolve
from dlcore.image_training import infer, prepare
from dlcore.knobs import build
from dlcore.models.weights import FOLDER, load_shipped, save
from dlcore.readings import hits
from dlcore.training import fit
from dlcore.warps import uniform

SETTINGS = {"dataset": "mnist", "network": "fast", "epochs": 24, "label_smoothing": 0.05, "precision": "float32"}


def augment(X: Tensor) -> Tensor:
    """Digits ``(B, 1, H, W)`` 0 to 255 as another hand might have drawn them: same shape and range."""
    count = len(X)
    X = moved(
        X,
        warps.none(count)._replace(
            angle=uniform(-15, 15, count),
            shear=uniform(-14, 14, count),  # degrees: a slant of a quarter
            scale=uniform(0.8, 1.15, count, 2),
            shift=uniform(-2, 2, count, 2),
        ),
    )
    thicker = F.max_pool2d(X, 3, stride=1, padding=1)
    X = X.lerp(thicker, uniform(-0.5, 0.7, count).clamp(min=0).view(-1, 1, 1, 1))
    return brightness(X, uniform(0.7, 1.4, count))


def main() -> None:
    """Train, save, load again, and print the accuracy of what was saved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--epochs", type=int, default=SETTINGS["epochs"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER / "mnist_fast.safetensors")
    arguments = parser.parse_args()
    given = {**SETTINGS, "epochs": arguments.epochs, "seed": arguments.seed}
    config = resolve(build(Config, given))
    data = load(config.dataset)
    reproducible(config.seed, threads=config.threads, device=config.device)
    task, plan = prepare(config, data)
    plain = task.batch

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        X, y = plain(indices)
        return augment(X), y

    for event in fit(replace(task, batch=batch), plan):
        if isinstance(event, Epoch):
            print(event.epoch, {name: round(value, 4) for name, value in event.metrics.items()}, flush=True)
    save(task.model, arguments.out, {"build": task.about["build"], "classes": list(data.classes), "settings": given})
    model, _ = load_shipped(arguments.out.stem) if arguments.out.parent == FOLDER else (task.model.eval(), None)
    logits = infer(model, torch.tensor(data.X_test), config)
    print(f"test accuracy of the saved file: {hits(logits, torch.tensor(data.y_test)).float().mean():.4f}")


if __name__ == "__main__":
    main()
