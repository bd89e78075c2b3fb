"""Training an image classifier: what the image lessons share. A config of theirs becomes a ``Task`` and a ``Plan``.

The whole set lies on the device as one tensor of bytes; a batch is cut out of it and turned to floats there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dlcore.data.images import ImageData, load, name_of, pixel_statistics
from dlcore.device import Layout, autocast, choose_device, choose_layout, device_name, torch_format
from dlcore.events import Event, Finished, Snapshot, Started
from dlcore.experiments.settings import ImageConfig, PictureConfig
from dlcore.models.layer_shapes import shapes
from dlcore.models.layers import PRESETS, parse
from dlcore.optimizers import chosen
from dlcore.probe import Probe
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.training import Plan, Task

C = TypeVar("C", bound=PictureConfig)
CHANNELS = 64  # at full size, of networks that are no list of layers: ResNet-18's
MOST_NUMBERS = 1 << 25  # that one layer puts out for the images asked together: 128 MiB


def load_data(config: PictureConfig) -> ImageData:
    """The images that the config names. Raises ``Problem`` where they are not here, or are others than it names."""
    data = load(name_of(asdict(config)), train_size=config.train_size or None)
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


def resolve_on(
    config: C, data: ImageData, *, name: str = "", prepared: Callable[[C, ImageData], tuple[Task, Plan]] | None = None
) -> C:
    """The config with device, memory format, precision and the data's fingerprint made definite.

    Args:
        name: of the network, as its speed on this machine is remembered, if ``dlcore.models.cnn`` does not know it.
        prepared: makes its task and plan, in the place of ``prepare``.
    """
    where = choose_device(config.device)
    config = replace(config, device=where, data_hash=data.hash)
    size = min(1 << (config.batch_size.bit_length() - 1), len(data.y_train))  # a power of two: few measurements serve

    def trial(layout: Layout) -> Callable[[], object]:
        from dlcore.training import stepper

        tried = replace(config, memory_format=layout.memory_format, precision=layout.precision)
        task, plan = (prepared or prepare)(tried, data)  # pyright: ignore[reportArgumentType]
        return stepper(task, replace(plan, count=size, batch_size=size))

    layout = choose_layout(
        f"{name or _name(config)}/{data.X_train.shape[1:]}/{size}",
        trial,
        wanted=Layout(config.memory_format, config.precision),
        device=where,
        threads=config.threads,
    )
    return replace(config, memory_format=layout.memory_format, precision=layout.precision)


def _name(config: PictureConfig) -> str:
    if not isinstance(config, ImageConfig):
        raise TypeError("a network that is no list of layers needs a name")
    return f"cnn/{config.layers if config.network == 'own' else config.network}"


def prepare(config: ImageConfig, data: ImageData, arguments: Mapping[str, Any] | None = None) -> tuple[Task, Plan]:
    """The model and all that ``fit`` needs to train it, for a resolved config. Draws the first weights.

    Args:
        arguments: of ``dlcore.models.cnn.build``, in the place of those that go with the network.
    """
    from dlcore.models.cnn import build

    about = {**model_arguments(config, data), **(arguments or {})}
    model = build(**about)
    task, plan = around(model, config, data, {"network": config.network, "build": about})
    return replace(task, look=Probe(model, data.X_test[0], config.device)), plan


def around(model: nn.Module, config: PictureConfig, data: ImageData, about: Mapping[str, Any]) -> tuple[Task, Plan]:
    """What ``fit`` needs to train a model, which is moved to the config's device; ``about`` goes to checkpoints."""
    import torch
    from torch.nn.functional import cross_entropy

    from dlcore.readings import hits
    from dlcore.training import Plan, Task

    order = torch_format(config.memory_format)
    model = model.to(config.device).to(memory_format=order)
    optimizer = chosen(config, model.parameters())
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
        about={"classes": list(data.classes), **about},
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


def train(
    task: Task,
    plan: Plan,
    config: PictureConfig,
    data: ImageData,
    *,
    model: nn.Module | None = None,
    resume: Mapping[str, Any] | None = None,
    steering: Steering | None = None,
) -> Iterator[Event]:
    """Train and tell, from ``Started`` to ``Finished``; the answers to the test images as Snapshot "test_predictions".

    Args:
        model: whose parameters and answers are told, where the task trains several side by side.

    ``Finished.metrics``: what ``fit`` measured last (test_accuracy, test_loss, train_accuracy, …), seconds (training
    alone), device, params, examples_per_second, epochs.
    """
    from dlcore.models.cnn import parameter_count
    from dlcore.training import fit

    info = {
        "params": parameter_count(model or task.model),
        "train_size": len(data.y_train),
        "test_size": len(data.y_test),
        "classes": list(data.classes),
        **({"data_note": data.note} if data.note else {}),
        "steps_per_epoch": plan.steps_per_epoch,
        "device": device_name(config.device),
    }
    yield Started(resume["step"] if resume else 0, asdict(config), plan.total_steps, info)
    result = yield from fit(task, plan, resume=resume, steering=steering)
    if result is None:
        return
    yield Snapshot(plan.total_steps, "test_predictions", predictions(model or task.model, data, config))
    metrics = {
        **result.metrics,
        "seconds": result.seconds,
        "device": info["device"],
        "params": info["params"],
        "examples_per_second": len(data.y_train) * config.epochs / result.seconds,
        "epochs": config.epochs,
    }
    yield Finished(plan.total_steps, metrics)


def model_arguments(config: ImageConfig, data: ImageData) -> dict[str, Any]:
    """The arguments of ``dlcore.models.cnn.build``; they travel in each checkpoint's ``state["build"]``."""
    plain = config.network == "article"  # the article brings pixels to 0..1 and leaves it at that
    mean, std = (0.0, 1.0) if plain else pixel_statistics(data.X_train)
    return {
        "network": config.network,
        "shape": tuple(data.X_train.shape[1:]),
        "classes": len(data.classes),
        "mean": mean,
        "std": std,
        "dropout": config.dropout,
        "layers": config.layers if config.network == "own" else "",
        "shuffled": config.pixels == "shuffled",
    }


def at_once(config: PictureConfig, shape: tuple[int, ...]) -> int:
    """How many images ``(C, H, W)`` are asked together: 1000, fewer where a layer would fill the memory with them."""
    if isinstance(config, ImageConfig):
        text = config.layers if config.network == "own" else PRESETS[config.network]
        widest = max((math.prod(row.shape) for row in shapes(parse(text), shape, 1)), default=1)
    else:
        widest = CHANNELS * math.prod(shape[1:])
    return max(1, min(1000, MOST_NUMBERS // max(1, widest)))


def infer(model: nn.Module, X: Tensor, config: PictureConfig) -> Tensor:
    """Logits of many images, float32 ``(N, K)``, computed in the run's own layout, ``at_once`` at a time.

    Of models side by side (``dlcore.models.together``): ``(N, models, K)``.
    """
    import torch

    order, size = torch_format(config.memory_format), at_once(config, tuple(X.shape[1:]))
    with torch.no_grad(), autocast(config.device, config.precision):
        parts = [model(part.to(torch.float32).to(memory_format=order)).float() for part in X.split(size)]
    return torch.cat(parts)


def predictions(model: nn.Module, data: ImageData, config: PictureConfig) -> dict[str, np.ndarray]:
    """What the model says of the test images: ``probabilities`` (N, K) float32 and ``labels`` (N,) uint8."""
    import torch

    model.eval()
    logits = infer(model, torch.tensor(data.X_test, device=config.device), config)
    return {"probabilities": logits.softmax(1).cpu().numpy(), "labels": data.y_test.astype(np.uint8)}
