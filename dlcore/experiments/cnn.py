"""A convolutional network learns handwritten digits (or clothes, or shapes), live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dlcore.data.images import EMBEDDED
from dlcore.data.own_images import FORMS
from dlcore.device import reproducible
from dlcore.events import Event
from dlcore.experiments.settings import ImageConfig
from dlcore.image_training import load_data, prepare, resolve_on, train
from dlcore.knobs import knob, knobs_of
from dlcore.optimizers import USUAL
from dlcore.steering import Steering
from dlcore.texts import N_

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.training import Task

LANE = "train"

DATASETS = (*knobs_of(ImageConfig)["dataset"].choices, "own")
FEW = (*EMBEDDED, "own")  # datasets of some hundred to 2,000 images; their epochs are short

# What the networks ask for instead of the usual: in any case, with Adam, and where there are few images.
ASKS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "fast": (
        {"epochs": 1, "batch_size": 256, "schedule": "linear", "label_smoothing": 0.1},
        {"learning_rate": 1e-2, "momentum": 0.7, "beta2": 0.9},
        {"epochs": 12, "batch_size": 64},  # 1,442 images are six batches of 256: too few to learn from
    ),
    "small": ({"schedule": "one_cycle"}, {"learning_rate": 5e-3}, {}),
    "norm": (
        {"epochs": 5, "batch_size": 256, "schedule": "one_cycle", "label_smoothing": 0.1},
        {"learning_rate": 1e-2},
        {"epochs": 12, "batch_size": 32},
    ),
    "wide": (
        {"epochs": 9, "batch_size": 256, "schedule": "linear", "label_smoothing": 0.1},
        {"learning_rate": 5e-3, "beta2": 0.95},
        {"epochs": 12, "batch_size": 32},
    ),
}
# What datasets ask for of a network: clothes and photographs are harder than digits.
HARDER: dict[tuple[str, str], dict[str, Any]] = {
    ("fashion_mnist", "fast"): {"epochs": 6},
    ("cifar10", "fast"): {"epochs": 8},
    ("cifar10", "norm"): {"epochs": 8},
    ("cifar10", "wide"): {"flip": 0.5},
    ("shapes", "mlp"): {"epochs": 25},
}


@dataclass(frozen=True)
class Config(ImageConfig):
    """The settings of the CNN lesson."""

    dataset: str = knob(
        "digits",
        choices=DATASETS,
        label=N_("Dataset"),
        help=N_(
            "Small scanned digits; drawn shapes (anywhere, in the middle, or learned in the middle and asked for "
            "anywhere); MNIST, the clothes of Fashion-MNIST, the photographs of CIFAR-10, or your own pictures."
        ),
    )
    own_form: str = knob(
        "colour32",
        choices=tuple(FORMS),
        advanced=True,
        label=N_("Your pictures become"),
        help=N_(
            "The size that all your pictures are brought to. Smaller ones are learned faster, larger ones show more."
        ),
    )

    flip: float = knob(
        0.0,
        low=0.0,
        high=0.5,
        step=0.05,
        advanced=True,
        label=N_("Mirror, left and right"),
        help=N_("How likely an image is mirrored for a step. A mirrored cat is a cat; a mirrored 3 is no 3."),
    )

    push: float = knob(
        0.0,
        low=0.0,
        high=0.3,
        step=0.01,
        advanced=True,
        label=N_("Pushed images, ε"),
        help=N_(
            "Every pixel of the training images is moved by up to ε (1 is from black to white), anew in each step. It "
            "makes the network harder to fool, and the training about three times as long."
        ),
    )
    pushes: str = knob(
        "attack",
        choices=("attack", "noise"),
        advanced=True,
        label=N_("Pushed by"),
        help=N_("By an attack on the network as it is at that step, or by random noise of the same size."),
    )

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the dataset, the network and the optimizer asked for."""
        optimizer, dataset = given.get("optimizer", "adam"), given.get("dataset", "digits")
        network, few = given.get("network", "article"), dataset in FEW
        passes = {"epochs": 12, "batch_size": 32} if few else {"epochs": 5, "batch_size": 64}
        always, with_adam, where_few = ASKS.get(network, ({}, {}, {}))
        defaults = {**passes, **USUAL[optimizer], **always}
        if optimizer == "adam":
            defaults |= with_adam
        if few:
            defaults |= where_few
        return defaults | HARDER.get((dataset, network), {})


def resolve(config: Config) -> Config:
    """The config with device, precision, memory format and the data's fingerprint made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing.
    """
    return resolve_on(config, load_data(config))


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and tell (see ``dlcore.training.fit``); at the end the test images' probabilities and the trained model.

    ``Finished.metrics``: test_accuracy, test_loss, train_accuracy, seconds (training alone), device, params,
    examples_per_second, epochs.
    """
    data = load_data(config)
    config = resolve_on(config, data)
    reproducible(config.seed, threads=config.threads, device=config.device)
    task, plan = prepare(config, data)
    task = pushing(mirroring(task, config.flip), config.push, config.pushes)
    yield from train(task, plan, config, data, resume=resume, steering=steering)


def mirroring(task: Task, share: float) -> Task:
    """The task with that share of each batch mirrored; at 0 the task itself, which draws nothing."""
    from dlcore.augmentation import mirrored

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        X, y = task.batch(indices)
        return mirrored(X, share), y

    return replace(task, batch=batch) if share else task


def pushing(task: Task, epsilon: float, by: str) -> Task:
    """The task with every image of a batch pushed by up to ``epsilon`` (of black to white); at 0 the task itself."""
    from dlcore.vision.hardening import pushed

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        X, y = task.batch(indices)
        return pushed(task.model, X, y, epsilon, by), y

    return replace(task, batch=batch) if epsilon else task
