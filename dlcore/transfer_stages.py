"""The trainings of the transfer experiment: the old classes, then the new ones by every method, then a pupil.

All methods and repetitions stand side by side in one ``Together``; each has its own pictures and shares no weight with
the others, so each learns what it would learn alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlcore.checkpoints import load_model, to_plain
from dlcore.data.few_shot import NewClasses, new_classes
from dlcore.data.images import ImageData, load
from dlcore.device import device_name
from dlcore.experiments.cnn import Config as SourceConfig
from dlcore.experiments.transfer import Config, sizes_of
from dlcore.image_training import prepare
from dlcore.knobs import build as build_config
from dlcore.models.cnn import build
from dlcore.models.together import Together
from dlcore.models.transferred import Base, Seat, first_trained, laid_out, seat
from dlcore.readings import hits
from dlcore.stages import Kept, Stage, Stages
from dlcore.steering import Steering
from dlcore.training import Plan, Task
from dlcore.transfer_methods import (
    BASE_LAYERS,
    DRAWN,
    IMAGENET,
    PUPIL_LAYERS,
    PUPILS,
    SHAPES,
    SHIPPED,
    Method,
    base_name,
    batch_size,
    blocks_for,
    blocks_of,
    methods_of,
    trained_parameters,
)

EVALUATIONS = {DRAWN: 4, SHIPPED: 4, IMAGENET: 2}  # of each training, beside the one before its first step
PART = 100  # pictures that go through a network together when it is asked
PROBED, PATIENCE = 5, 1.0  # steps of each method whose time is taken, fewer where all take more than so many seconds


def stages(config: Config, *, resume: Mapping[str, Any] | None, steering: Steering | None) -> Stages:
    """The run of a resolved config."""
    new, methods = news(config), methods_of(config)
    planned = [few_stage(config, new, methods, images) for images in sizes_of(config)]
    if config.dataset == "shapes":
        planned.insert(0, source_stage(config))
    if config.question == "distil":
        from dlcore.transfer_pupils import pupil_stage

        planned.append(pupil_stage(config, new, methods[0]))
    info = {
        "methods": [m.name for m in methods], "blocks": {m.name: m.blocks for m in methods},
        "images": list(sizes_of(config)), "classes": list(new.classes), "tested": len(new.y_test),
        "device": device_name(config.device, threads=False),
    }  # fmt: skip
    finish = partial(finished, config, methods)
    return Stages(config, planned, info, tell=told, finish=finish, resume=resume, steering=steering)


def news(config: Config) -> NewClasses:
    """The new classes, in pictures as large as the network takes."""
    return new_classes(config.dataset, SHAPES[base_name(config)][1], config.data_hash)


# -- the classes that are known before ---------------------------------------------------------------------------------


def source_config(config: Config) -> SourceConfig:
    """How the first network is trained: a run of the CNN lesson."""
    return build_config(SourceConfig, {
        "dataset": "shapes", "network": "own", "layers": BASE_LAYERS, "epochs": max(1, config.source_epochs),
        "batch_size": 32, "learning_rate": 3e-3, "seed": config.seed, "threads": config.threads,
        "device": config.device, "precision": "float32", "memory_format": "channels_last",
    })  # fmt: skip


def source_data(config: Config) -> ImageData:
    """The shapes of the first so many classes."""
    data, count = load("shapes"), config.source_classes
    learned, asked = data.y_train < count, data.y_test < count
    return replace(
        data, X_train=data.X_train[learned], y_train=data.y_train[learned], X_test=data.X_test[asked],
        y_test=data.y_test[asked], classes=data.classes[:count],
    )  # fmt: skip


def source_stage(config: Config) -> Stage:
    """Learn the old classes."""
    data, how = source_data(config), source_config(config)
    steps = -(-len(data.y_train) // how.batch_size) * how.epochs

    def make(_kept: list[Kept]) -> tuple[Task, Plan]:
        task, plan = prepare(how, data)
        return replace(task, look=None), plan

    def leave(task: Task, metrics: dict[str, float]) -> Kept:
        return {"base": to_plain(task.model.state_dict()), "about": dict(task.about["build"]), **metrics}

    return Stage("source", steps, make, leave)


def base_of(config: Config, kept: list[Kept]) -> Base:
    """The network that knows other classes, on the CPU: what the first stage has left, or one that comes trained."""
    name = base_name(config)
    if name == IMAGENET:
        from dlcore.models import mobilenet

        about = {"network": "own", "shape": SHAPES[name], "mean": 0.449, "std": 0.226}  # of a pupil, over all colours
        return Base(mobilenet.trained(), about, mobilenet.build)
    if name == SHIPPED:
        from dlcore.models.backbone import shipped

        model, about = shipped()
        return Base(model, about["build"])
    model = build(**kept[0]["about"])
    load_model(model, kept[0]["base"])
    return Base(model.eval(), kept[0]["about"])


# -- new classes, from a few pictures ----------------------------------------------------------------------------------


def few_stage(config: Config, new: NewClasses, methods: Sequence[Method], images: int) -> Stage:
    """Learn the new classes from ``images`` pictures of each, by all methods and with all repetitions."""

    def make(kept: list[Kept]) -> tuple[Task, Plan]:
        return few_task(config, new, methods, images, base_of(config, kept))

    def leave(task: Task, metrics: dict[str, float]) -> Kept:
        names = [m.name for m in methods]
        score = np.array([[metrics[f"each/{name}/{s}"] for s in range(config.seeds)] for name in names])
        left = {"images": images, "accuracy": score}
        if config.question == "distil":
            seats: Any = task.model
            left["models"] = [to_plain(seats[f"{names[0]}-{s}"].rest.state_dict()) for s in range(config.seeds)]
        return {**left, "step_ms": np.array(step_times(task, names, batch_size(config)))}

    return Stage(f"{images}", config.steps, make, leave)


def few_task(config: Config, new: NewClasses, methods: Sequence[Method], images: int, base: Base) -> tuple[Task, Plan]:
    """The networks side by side, and all that ``fit`` needs to train them."""
    count = images * len(new.classes)
    seats: dict[str, Seat] = {}
    for s in range(config.seeds):
        X, y = (torch.from_numpy(a) for a in new.learn(images, 100 * config.seed + s))
        for method in methods:
            seats[f"{method.name}-{s}"] = seat(base, method, X, y, len(new.classes), 1000 * config.seed + s)
    for one in seats.values():
        one.to(config.device)
    torch.manual_seed(config.seed)
    models = Together(seats)
    losses: dict[str, Tensor] = {}
    task = Task(
        models, optimizer_of(config, methods, models), partial(batch, count, batch_size(config), config.device),
        loss_of(models, [m.name for m in methods], losses), measures={}, parts_of_loss=losses,
        evaluate=evaluation(config, new, methods, base, models),
    )  # fmt: skip
    size = min(batch_size(config), count)
    return task, Plan(
        count=config.steps * size, batch_size=size, epochs=1, learning_rate=config.learning_rate, schedule="cosine",
        device=config.device, evaluations=EVALUATIONS[base_name(config)],
    )  # fmt: skip


def batch(count: int, most: int, device: str, indices: Tensor) -> tuple[Tensor, Tensor]:
    """The examples of a step, by number: all where they fit into one batch, else those that chance has drawn."""
    rows = torch.arange(count, device=device) if count <= most else indices % count
    return rows, rows


def optimizer_of(config: Config, methods: Sequence[Method], models: Together) -> torch.optim.Optimizer:
    """Adam, each layer at its share of the rate (``scale``, see ``fit``): the heads faster, lower blocks slower."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, parameter in models.named_parameters():
        if not parameter.requires_grad:
            continue
        seat_name, _rest, layer = name.split(".")[:3]
        method = next(m for m in methods if m.name == seat_name.split("-")[0])
        groups.setdefault(scale_of(config, method, layer), []).append(parameter)
    rate = config.learning_rate
    return torch.optim.Adam([{"params": p, "lr": rate * scale, "scale": scale} for scale, p in groups.items()], lr=rate)


def scale_of(config: Config, method: Method, layer: str) -> float:
    """The share of the learning rate at which a layer of that name learns."""
    if layer == "logits":
        return config.head_rate
    block = int("".join(c for c in layer if c.isdigit())) - 1
    return method.slower ** (len(method.blocks) - 1 - block)


def loss_of(models: Together, methods: Sequence[str], losses: dict[str, Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """The sum of all networks' losses; the mean of each method's goes into ``losses``."""
    names: list[str] = list(models)
    seats: list[Any] = list(models.values())
    of_method = {m: [i for i, name in enumerate(names) if name.split("-")[0] == m] for m in methods}

    def loss(outputs: Tensor, rows: Tensor) -> Tensor:
        each = torch.stack([one.loss(outputs[:, i], rows) for i, one in enumerate(seats)])
        losses.update({f"loss/{method}": each.detach()[mine].mean() for method, mine in of_method.items()})
        return each.sum()

    return loss


def evaluation(
    config: Config, new: NewClasses, methods: Sequence[Method], base: Base, models: Together
) -> Callable[[], dict[str, float]]:
    """What ``fit`` asks for: each network's right answers on the held-out pictures, by method."""
    X, y = (torch.from_numpy(a) for a in (new.X_test, new.y_test))
    starts = {m.name: first_trained(base, m) for m in methods}
    with torch.no_grad():
        parts = {at: [base.model[:at](part.float()) for part in X.split(PART)] for at in set(starts.values())}
    entered = {at: laid_out(torch.cat(found)).to(config.device) for at, found in parts.items()}
    y = y.to(config.device)

    def share(method: Method, s: int) -> float:
        rest: Any = models[f"{method.name}-{s}"].rest
        logits = torch.cat([rest(part) for part in entered[starts[method.name]].split(PART)])
        return hits(logits, y).float().mean().item()

    return lambda: scores({m.name: [share(m, s) for s in range(config.seeds)] for m in methods})


def scores(shares: Mapping[str, list[float]]) -> dict[str, float]:
    """By method: ``accuracy/``, the mean of its repetitions; ``spread/``, their deviation; ``each/<method>/<s>``."""
    found: dict[str, float] = {}
    for name, values in shares.items():
        found |= {f"accuracy/{name}": float(np.mean(values)), f"spread/{name}": float(np.std(values))}
        found |= {f"each/{name}/{s}": value for s, value in enumerate(values)}
    return found


def step_times(task: Task, methods: Sequence[str], most: int) -> list[float]:
    """Milliseconds that one network of each method needs for a step, forward and backward; the quickest of some.

    They take turns, so that a machine that is slow for a moment is slow for all.
    """
    seats: Any = task.model
    best, began = dict.fromkeys(methods, math.inf), time.perf_counter()
    for turn in range(PROBED):
        if turn >= 2 and time.perf_counter() - began > PATIENCE:
            break
        for method in methods:
            one = seats[f"{method}-0"]
            rows = torch.arange(min(most, len(one.entered)), device=one.entered.device)
            start = time.perf_counter()
            one.loss(one(rows), rows).backward()
            best[method] = min(best[method], 1e3 * (time.perf_counter() - start))
    return list(best.values())


# -- what is told ------------------------------------------------------------------------------------------------------


def told(kept: list[Kept]) -> dict[str, Any]:
    """What is known so far.

    Of each size ``images`` (n,), ``accuracy`` (n, methods, repetitions), ``step_ms`` (n, methods); ``pupils`` (3,
    repetitions).
    """
    rows = [row for row in kept if "images" in row]
    return {
        "images": np.array([row["images"] for row in rows]),
        **{name: np.array([row[name] for row in rows]) for name in ("accuracy", "step_ms")},
        **({"pupils": kept[-1]["pupils"]} if "pupils" in kept[-1] else {}),
    }  # fmt: skip


def finished(config: Config, methods: Sequence[Method], kept: list[Kept]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The run's metrics, and what its last checkpoint has beside."""
    arrays, pupils = told(kept), [row for row in kept if "pupils" in row]
    names, base, classes = [m.name for m in methods], base_name(config), len(news(config).classes)
    by_images: dict[str, Any] = {"images": arrays["images"].tolist()}
    for i, name in enumerate(names):
        scores = arrays["accuracy"][:, i]  # (n, repetitions)
        by_images |= {name: scores.mean(1).tolist(), f"{name}_spread": scores.std(1).tolist()}
    blocks = blocks_for(base, classes)
    metrics: dict[str, Any] = {
        "by_images": by_images, **{f"{name}_accuracy": by_images[name][0] for name in names},
        **({"source_accuracy": kept[0]["test_accuracy"]} if "test_accuracy" in kept[0] else {}),
        "device": device_name(config.device),
        **{f"trained/{m.name}": trained_parameters(m, blocks) for m in methods},
        **{f"step_ms/{name}": float(arrays["step_ms"][-1, i]) for i, name in enumerate(names)},
    }  # fmt: skip
    for row in pupils:
        metrics |= {f"{name}_accuracy": float(row["pupils"][i].mean()) for i, name in enumerate(PUPILS)}
        small = blocks_of(PUPIL_LAYERS, SHAPES[base], classes)
        metrics["pupil_parameters"] = sum(layer.params for block in small for layer in block)
    return metrics, {}
