"""Distillation in the transfer experiment: small networks learn what a large one answers to pictures without labels.

Hinton, Vinyals and Dean 2015, arXiv 1503.02531. The teacher has learned from a few labelled pictures; its pupils have
the same ones and ``UNLABELLED`` more of each class that nobody has named.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.checkpoints import load_model
from dlcore.data.few_shot import NewClasses
from dlcore.experiments.transfer import Config
from dlcore.models.cnn import build
from dlcore.models.together import Together
from dlcore.models.transferred import Seat, begin
from dlcore.readings import hits
from dlcore.stages import Kept, Stage
from dlcore.training import Plan, Task
from dlcore.transfer_methods import PUPIL_LAYERS, PUPILS, Method, batch_size
from dlcore.transfer_stages import PART, base_of, loss_of, scores, step_times

UNLABELLED = 50  # pictures of each class that only the teacher has judged
LONGER = 5  # a pupil begins from nothing: so many times the teacher's steps
EVALUATIONS = 10
RATE = 1e-2


def pupil_stage(config: Config, new: NewClasses, teacher: Method) -> Stage:
    """Three small networks of each repetition: labels only, the teacher's answers, and its doubts, too."""

    def make(kept: list[Kept]) -> tuple[Task, Plan]:
        models = Together(pupils(config, new, teacher, kept))
        losses: dict[str, Tensor] = {}
        rows = partial(_batch, config.device)
        task = Task(
            models, torch.optim.Adam(models.parameters(), lr=RATE), rows, loss_of(models, PUPILS, losses), measures={},
            parts_of_loss=losses, evaluate=_evaluation(config, new, models),
        )  # fmt: skip
        steps, size = LONGER * config.steps, batch_size(config)
        return task, Plan(count=steps * size, batch_size=size, epochs=1, learning_rate=RATE, schedule="cosine",
                          device=config.device, evaluations=EVALUATIONS)  # fmt: skip

    def leave(task: Task, metrics: dict[str, float]) -> Kept:
        accuracy = np.array([[metrics[f"each/{name}/{s}"] for s in range(config.seeds)] for name in PUPILS])
        return {"pupils": accuracy, "pupils_ms": np.array(step_times(task, PUPILS, batch_size(config)))}

    return Stage("pupils", LONGER * config.steps, make, leave)


def pupils(config: Config, new: NewClasses, teacher: Method, kept: list[Kept]) -> dict[str, nn.Module]:
    """The small networks by name and repetition, each before its examples and what it is to say of them."""
    base, classes = base_of(config, kept), len(new.classes)
    seats: dict[str, nn.Module] = {}
    for s, weights in enumerate(next(row["models"] for row in kept if "models" in row)):
        seed = 1000 * config.seed + s
        large = begin(base, teacher, classes, seed)
        load_model(large, weights)
        labelled, y = (torch.from_numpy(a) for a in new.learn(config.images, 100 * config.seed + s))
        more = torch.from_numpy(new.learn(min(UNLABELLED, new.most), 100 * config.seed + s + 50)[0])
        X = torch.cat([labelled, more]).float()
        with torch.no_grad():
            logits = torch.cat([large.eval()(part) for part in X.split(PART)])
        given = {
            "alone": (labelled.float(), F.one_hot(y, classes).float(), 1.0),
            "hard": (X, F.one_hot(logits.argmax(1), classes).float(), 1.0),
            "soft": (X, (logits / config.temperature).softmax(1), config.temperature),
        }
        for name, (pictures, answers, temperature) in given.items():
            torch.manual_seed(seed)
            small = build(**{**base.about, "layers": PUPIL_LAYERS, "classes": classes})
            seats[f"{name}-{s}"] = Seat(small, [], pictures, answers, temperature).to(config.device)
    torch.manual_seed(config.seed)
    return seats


def _batch(device: str, indices: Tensor) -> tuple[Tensor, Tensor]:
    return indices.to(device), indices.to(device)


def _evaluation(config: Config, new: NewClasses, models: Together) -> Any:
    X, y = (torch.from_numpy(a).to(config.device) for a in (new.X_test, new.y_test))
    parts = X.float().split(PART)

    def share(name: str, s: int) -> float:
        rest: Any = models[f"{name}-{s}"].rest
        return hits(torch.cat([rest(part) for part in parts]), y).float().mean().item()

    return lambda: scores({name: [share(name, s) for s in range(config.seeds)] for name in PUPILS})
