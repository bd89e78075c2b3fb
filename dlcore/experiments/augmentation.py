"""The same network, the same few images, with and without random changes to them; tried on images of several kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dlcore.augmentation_settings import Strengths
from dlcore.data.images import ImageData, pixel_statistics, proportional_order
from dlcore.device import reproducible
from dlcore.events import Event, Finished
from dlcore.experiments.settings import ImageConfig
from dlcore.image_training import infer, load_data, resolve_on, train
from dlcore.image_training import prepare as prepare_plain
from dlcore.knobs import knob
from dlcore.optimizers import USUAL
from dlcore.steering import Steering
from dlcore.texts import N_

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.training import Plan, Task

LANE = "train"
SCALINGS = ("raw", "unit", "normalised", "per_image")
KINDS = ("shifted", "rotated", "noisy", "blurred")  # the test images once more, each made harder in one way
SHIFT, ROTATE, NOISE, BLUR = 4.0, 30.0, 0.25, 1.5  # px and degrees at most; share of white and px, the same for all
MOST = 1000  # images of each kind, and training images that are asked again: enough for a percent or so
KINDS_SEED = 1  # of what is done to them: the same for every run
FEW = {"train_size": 300, "network": "fast", "batch_size": 32, "epochs": 30}
HAND = {"shift": 3.0, "rotate": 15.0}  # what another hand might do


@dataclass(frozen=True)
class Config(Strengths, ImageConfig):
    """The settings of the augmentation lesson."""

    train_size: int = knob(
        300,
        low=20,
        high=60000,
        log=True,
        step=1,
        label=N_("Training images"),
        help=N_("How many images to learn from. The fewer there are, the more their random variants matter."),
    )
    scaling: str = knob(
        "normalised",
        choices=SCALINGS,
        advanced=True,
        label=N_("Scaling of the pixels"),
        help=N_("What is done to the numbers 0 to 255 before the first layer."),
    )
    views: int = knob(
        8,
        low=1,
        high=32,
        advanced=True,
        label=N_("Views at test time"),
        help=N_("Test-time augmentation: so many variants of a test image are asked, and their answers averaged."),
    )

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the optimizer asked for; a small training set is seen many times."""
        return {**USUAL[given.get("optimizer", "adam")], **FEW, **HAND}


def resolve(config: Config) -> Config:
    """The config with device, precision, memory format and the data's fingerprint made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing.
    """
    return resolve_on(config, load_data(config))


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and tell (see ``dlcore.image_training.train``).

    ``Finished.metrics`` has besides: shifted_accuracy, rotated_accuracy, noisy_accuracy, blurred_accuracy;
    train_accuracy, here of the network at rest on training images **without** augmentation; and tta_accuracy, on the
    test images with the answers to ``views`` variants of each averaged.
    """
    data = load_data(config)
    config = resolve_on(config, data)
    reproducible(config.seed, threads=config.threads, device=config.device)
    task, plan = prepare(config, data)
    for event in train(task, plan, config, data, resume=resume, steering=steering):
        if isinstance(event, Finished):
            event = replace(event, metrics={**event.metrics, **measured(task.model, config, data)})
        yield event


def prepare(config: Config, data: ImageData) -> tuple[Task, Plan]:
    """``dlcore.image_training.prepare`` with augmented batches, and targets that may be shares of two classes."""
    from dlcore.augmentation import augment, mixed, soft_hits

    task, plan = prepare_plain(config, data, preprocessing(config, data))
    clean, classes = task.batch, len(data.classes)

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        X, y = clean(indices)
        if not config.probability:
            return X, y
        X = augment(X, config)
        return mixed(X, y, classes, config) if config.mix != "none" else (X, y)

    return replace(task, batch=batch, measures={"accuracy": soft_hits}), plan


def measured(model: nn.Module, config: Config, data: ImageData) -> dict[str, float]:
    """Right answers of a trained network on each of ``KINDS``, on training images as they are, and with many views."""
    import torch

    test, seen = few(data.y_test), few(data.y_train)
    X = {"train": torch.tensor(data.X_train[seen], device=config.device)}
    X |= kinds(torch.tensor(data.X_test[test], device=config.device))
    truth = {**dict.fromkeys(KINDS, data.y_test[test]), "train": data.y_train[seen]}
    model.eval()
    said = {kind: infer(model, images, config).argmax(1).cpu().numpy() for kind, images in X.items()}
    shares = {f"{kind}_accuracy": float((answers == truth[kind]).mean()) for kind, answers in said.items()}
    return {**shares, "tta_accuracy": tta_accuracy(model, config, data)}


def preprocessing(config: Config, data: ImageData) -> dict[str, Any]:
    """How the network's first layer takes pixels: arguments of ``dlcore.models.cnn.build``."""
    mean, std = pixel_statistics(data.X_train)
    known = {"raw": (0.0, 1 / 255), "unit": (0.0, 1.0), "normalised": (mean, std), "per_image": (0.0, 1.0)}
    mean, std = known[config.scaling]
    return {"mean": mean, "std": std, "per_image": config.scaling == "per_image"}


def few(y: Any) -> Any:
    """The numbers of at most ``MOST`` images, each class in proportion."""
    return proportional_order(y)[:MOST]


def kinds(X: Tensor) -> dict[str, Tensor]:
    """Test images ``(B, C, H, W)`` uint8 shifted, rotated, noisy and blurred, float 0 to 255; always alike."""
    import torch

    from dlcore import augmentation as a

    X = X.to(torch.float32)
    with aside(KINDS_SEED):
        return {
            "shifted": a.augment(X, Strengths(shift=SHIFT)),
            "rotated": a.augment(X, Strengths(rotate=ROTATE)),
            "noisy": a.noise(X, torch.full((len(X),), NOISE)),
            "blurred": a.blur(X, torch.full((len(X),), BLUR)),
        }


def tta_accuracy(model: nn.Module, config: Config, data: ImageData) -> float:
    """Test accuracy where each image is asked in ``config.views`` variants and the probabilities are averaged."""
    import torch

    from dlcore.augmentation import augment

    X = torch.tensor(data.X_test, device=config.device).to(torch.float32)
    total = torch.zeros(len(X), len(data.classes), device=config.device)
    model.eval()
    with aside(KINDS_SEED):
        for _ in range(config.views):
            views = torch.cat([augment(part, config) for part in X.split(MOST)])
            total += infer(model, views, config).softmax(1)
    return float((total.argmax(1).cpu().numpy() == data.y_test).mean())


@contextmanager
def aside(seed: int) -> Iterator[None]:
    """Draw from torch's generators as after ``manual_seed(seed)``, and leave them as they were."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
