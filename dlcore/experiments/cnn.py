"""A convolutional network learns handwritten digits (or clothes), live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data.images import ImageData, load
from dlcore.device import (
    Layout,
    autocast,
    choose_device,
    choose_layout,
    device_name,
    reproducible,
    torch_format,
)
from dlcore.events import Event, Finished, Snapshot, Started
from dlcore.experiments.settings import Machine, Training
from dlcore.knobs import knob
from dlcore.optimizers import USUAL, make_optimizer
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.training import Plan, Task

LANE = "train"

# What the fast network asks for instead of the usual.
FAST = {"epochs": 1, "batch_size": 256, "schedule": "linear", "label_smoothing": 0.1}
FAST_ADAM = {"learning_rate": 1e-2, "momentum": 0.7, "beta2": 0.9}
FAST_DIGITS = {"epochs": 12, "batch_size": 64}  # 1,442 images are six batches of 256: too few to learn from


@dataclass(frozen=True)
class Config(Machine, Training):
    """The settings of the CNN lesson."""

    dataset: str = knob(
        "digits",
        choices=("digits", "mnist", "fashion_mnist"),
        label=N_("Dataset"),
        help=N_("Small scanned digits, the 70,000 digits of MNIST, or the clothes of Fashion-MNIST."),
    )
    network: str = knob(
        "article",
        choices=("article", "fast", "mlp"),
        label=N_("Network"),
        help=N_("Three convolutions, the classic; two, tuned for speed; or dense layers only, for comparison."),
    )
    train_size: int = knob(
        0,
        low=0,
        high=60000,
        advanced=True,
        label=N_("Training images"),
        zero=N_("all"),
        help=N_("How many images to learn from; 0 takes all there are."),
    )
    label_smoothing: float = knob(
        0.0,
        low=0.0,
        high=0.5,
        advanced=True,
        label=N_("Label smoothing"),
        help=N_("The share of the target that is spread over all classes, so that no answer has to be quite certain."),
    )
    dropout: float = knob(
        0.0,
        low=0.0,
        high=0.9,
        advanced=True,
        label=N_("Dropout"),
        help=N_("The share of the last hidden layer that is switched off at random in each step."),
    )

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the dataset, the network and the optimizer asked for."""
        optimizer, digits = given.get("optimizer", "adam"), given.get("dataset", "digits") == "digits"
        passes = {"epochs": 12, "batch_size": 32} if digits else {"epochs": 5, "batch_size": 64}
        defaults = {**passes, **USUAL[optimizer]}
        if given.get("network") == "fast":
            defaults |= FAST
            if optimizer == "adam":
                defaults |= FAST_ADAM
            if digits:
                defaults |= FAST_DIGITS
        return defaults


def resolve(config: Config) -> Config:
    """The config with device, precision, memory format and the data's fingerprint made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing.
    """
    return _resolve(config, _data(config))


def _data(config: Config) -> ImageData:
    data = load(config.dataset, train_size=config.train_size or None)
    if config.data_hash not in ("", data.hash):
        raise Problem(
            N_(
                "This run was made with other images (fingerprint {wanted}) than those found here ({found}). "
                "Clear the fingerprint to train on these."
            ),
            kind="data_hash",
            wanted=config.data_hash[:16],
            found=data.hash,
        )
    return data


def _resolve(config: Config, data: ImageData) -> Config:
    where = choose_device(config.device)
    config = replace(config, device=where, data_hash=data.hash)
    size = min(1 << (config.batch_size.bit_length() - 1), len(data.y_train))  # a power of two: few measurements serve

    def trial(layout: Layout) -> Callable[[], object]:
        from dlcore.training import stepper

        tried = replace(config, memory_format=layout.memory_format, precision=layout.precision)
        task, plan = prepare(tried, data)
        return stepper(task, replace(plan, count=size, batch_size=size))

    layout = choose_layout(
        f"cnn/{config.network}/{data.X_train.shape[1:]}/{size}",
        trial,
        wanted=Layout(config.memory_format, config.precision),
        device=where,
        threads=config.threads,
    )
    return replace(config, memory_format=layout.memory_format, precision=layout.precision)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and tell (see ``dlcore.training.fit``); at the end the test images' probabilities and the trained model.

    ``Finished.metrics``: test_accuracy, test_loss, train_accuracy, seconds (training alone), device, params,
    examples_per_second, epochs.
    """
    from dlcore.models.cnn import parameter_count
    from dlcore.training import fit

    data = _data(config)
    config = _resolve(config, data)
    reproducible(config.seed, threads=config.threads, device=config.device)
    task, plan = prepare(config, data)
    info = {
        "params": parameter_count(task.model),
        "train_size": len(data.y_train),
        "test_size": len(data.y_test),
        "classes": list(data.classes),
        "steps_per_epoch": plan.steps_per_epoch,
        "device": device_name(config.device),
    }
    yield Started(resume["step"] if resume else 0, asdict(config), plan.total_steps, info)
    result = yield from fit(task, plan, resume=resume, steering=steering)
    if result is None:
        return
    yield Snapshot(plan.total_steps, "test_predictions", predictions(task.model, data, config))
    metrics = {
        **result.metrics,
        "seconds": result.seconds,
        "device": info["device"],
        "params": info["params"],
        "examples_per_second": len(data.y_train) * config.epochs / result.seconds,
        "epochs": config.epochs,
    }
    yield Finished(plan.total_steps, metrics)


def prepare(config: Config, data: ImageData) -> tuple[Task, Plan]:
    """The model and all that ``fit`` needs to train it, for a resolved config. Draws the first weights."""
    import torch
    from torch.nn.functional import cross_entropy

    from dlcore.models.cnn import build
    from dlcore.readings import hits
    from dlcore.training import Plan, Task

    about = model_arguments(config, data)
    order = torch_format(config.memory_format)
    model = build(**about).to(config.device).to(memory_format=order)
    optimizer = make_optimizer(
        config.optimizer,
        model.parameters(),
        learning_rate=config.learning_rate,
        momentum=config.momentum,
        beta2=config.beta2,
        weight_decay=config.weight_decay,
    )
    X_train, y_train, X_test, y_test = (
        torch.tensor(a, device=config.device) for a in (data.X_train, data.y_train, data.X_test, data.y_test)
    )

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        X = X_train.index_select(0, indices).to(torch.float32).to(memory_format=order)
        return X, y_train.index_select(0, indices)

    def loss(logits: Tensor, y: Tensor) -> Tensor:
        return cross_entropy(logits, y, label_smoothing=config.label_smoothing)

    def evaluate() -> dict[str, float]:
        logits = infer(model, X_test, config)
        right = hits(logits, y_test).float().mean()
        return {"test_loss": cross_entropy(logits, y_test).item(), "test_accuracy": right.item()}

    task = Task(
        model,
        optimizer,
        batch,
        loss,
        evaluate=evaluate,
        look=lambda: first_filters(model),
        about={"network": config.network, "classes": list(data.classes), "build": about},
    )
    plan = Plan(
        count=len(data.y_train),
        batch_size=config.batch_size,
        epochs=config.epochs,
        learning_rate=config.learning_rate,
        schedule=config.schedule,
        device=config.device,
        precision=config.precision,
        gradient_norms=config.gradient_norms,
        evaluations=config.evaluations,
    )
    return task, plan


def model_arguments(config: Config, data: ImageData) -> dict[str, Any]:
    """The arguments of ``dlcore.models.cnn.build``; they travel in each checkpoint's ``state["build"]``."""
    scaled = config.network != "article"  # the article brings pixels to 0..1 and leaves it at that
    return {
        "network": config.network,
        "shape": tuple(data.X_train.shape[1:]),
        "classes": len(data.classes),
        "mean": float(data.X_train.mean() / 255) if scaled else 0.0,
        "std": float(data.X_train.std() / 255) if scaled else 1.0,
        "dropout": config.dropout,
    }


def infer(model: nn.Module, X: Tensor, config: Config, size: int = 1000) -> Tensor:
    """Logits of many images, float32 ``(N, K)``, computed in the run's own layout, ``size`` at a time."""
    import torch

    order = torch_format(config.memory_format)
    with torch.no_grad(), autocast(config.device, config.precision):
        parts = [model(part.to(torch.float32).to(memory_format=order)).float() for part in X.split(size)]
    return torch.cat(parts)


def predictions(model: nn.Module, data: ImageData, config: Config) -> dict[str, np.ndarray]:
    """What the model says of the test images: ``probabilities`` (N, K) float32 and ``labels`` (N,) uint8."""
    import torch

    model.eval()
    logits = infer(model, torch.tensor(data.X_test, device=config.device), config)
    return {"probabilities": logits.softmax(1).cpu().numpy(), "labels": data.y_test.astype(np.uint8)}


def first_filters(model: nn.Module) -> dict[str, dict[str, np.ndarray]]:
    """The first convolution's weights ``(filters, C, h, w)`` as the Snapshot "filters"; nothing where there is none."""
    from torch import nn as layers

    first = next((m for m in model.modules() if isinstance(m, layers.Conv2d)), None)
    if first is None:
        return {}
    return {"filters": {"weight": first.weight.detach().float().cpu().contiguous().numpy().copy()}}
