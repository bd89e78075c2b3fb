"""A convolutional network learns handwritten digits (or clothes, or shapes), live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlcore.device import reproducible
from dlcore.events import Event
from dlcore.experiments.settings import ImageConfig
from dlcore.image_training import load_data, prepare, resolve_on, train
from dlcore.optimizers import USUAL
from dlcore.steering import Steering

LANE = "train"

# What the fast network asks for instead of the usual.
FAST = {"epochs": 1, "batch_size": 256, "schedule": "linear", "label_smoothing": 0.1}
FAST_ADAM = {"learning_rate": 1e-2, "momentum": 0.7, "beta2": 0.9}
FAST_DIGITS = {"epochs": 12, "batch_size": 64}  # 1,442 images are six batches of 256: too few to learn from
SMALL = {"schedule": "one_cycle"}
SMALL_ADAM = {"learning_rate": 5e-3}
FEW = ("digits", "shapes")  # datasets of some hundred to 2,000 images


@dataclass(frozen=True)
class Config(ImageConfig):
    """The settings of the CNN lesson."""

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the dataset, the network and the optimizer asked for."""
        optimizer, few = given.get("optimizer", "adam"), given.get("dataset", "digits") in FEW
        passes = {"epochs": 12, "batch_size": 32} if few else {"epochs": 5, "batch_size": 64}
        defaults = {**passes, **USUAL[optimizer]}
        if given.get("network") == "fast":
            defaults |= FAST
            if optimizer == "adam":
                defaults |= FAST_ADAM
            if few:
                defaults |= FAST_DIGITS
        if given.get("network") == "small":
            defaults |= SMALL
            if optimizer == "adam":
                defaults |= SMALL_ADAM
        return defaults


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
    yield from train(*prepare(config, data), config, data, resume=resume, steering=steering)
