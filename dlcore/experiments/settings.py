"""Knobs that lessons with a training loop have in common; each Config takes those that it means.

``class Config(Machine, Training)`` has all of them; its own come first on the page.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcore.device import DEVICES, MEMORY_FORMATS, PRECISIONS, THREADS
from dlcore.knobs import knob
from dlcore.models.layers import FIRST
from dlcore.optimizers import USUAL
from dlcore.schedules import SCHEDULES
from dlcore.texts import N_


@dataclass(frozen=True)
class Descent:
    """How weights follow the gradient; how long is said by the classes built on it."""

    optimizer: str = knob(
        "adam",
        choices=tuple(USUAL),
        label=N_("Optimizer"),
        help=N_("How a gradient becomes a step."),
    )
    learning_rate: float = knob(
        1e-3,
        low=1e-5,
        high=10.0,
        log=True,
        live=True,
        label=N_("Learning rate"),
        help=N_("The size of a step; with a schedule, the largest one. Can be changed while the network trains."),
    )
    batch_size: int = knob(
        32,
        low=8,
        high=2048,
        log=True,
        step=1,
        label=N_("Batch size"),
        help=N_("How many images are looked at for one step."),
    )
    schedule: str = knob(
        "cosine",
        choices=tuple(SCHEDULES),
        advanced=True,
        label=N_("Schedule"),
        help=N_("How the learning rate moves during the run."),
    )
    momentum: float = knob(
        0.9,
        low=0.0,
        high=0.999,
        advanced=True,
        label=N_("Momentum"),
        help=N_("How much of the last step is kept in the next (Adam calls it beta 1)."),
    )
    beta2: float = knob(
        0.999,
        low=0.0,
        high=0.9999,
        advanced=True,
        label=N_("Memory of squared gradients"),
        help=N_("How slowly Adam (beta 2) and RMSProp forget the size of past gradients."),
    )
    weight_decay: float = knob(
        0.0,
        low=0.0,
        high=0.1,
        advanced=True,
        label=N_("Weight decay"),
        help=N_("Pulls the weights towards zero a little at each step."),
    )
    seed: int = knob(
        0,
        low=0,
        high=9999,
        advanced=True,
        label=N_("Seed"),
        help=N_("Fixes the first weights and the order of the images."),
    )
    gradient_norms: bool = knob(
        False,
        advanced=True,
        label=N_("Gradient norms"),
        help=N_("Record how large each layer's gradient is at each step."),
    )
    evaluations: int = knob(
        1,
        low=1,
        high=20,
        advanced=True,
        label=N_("Tests per epoch"),
        help=N_("How often the network is tried on the test images. Its time is not counted as training."),
    )


@dataclass(frozen=True)
class Training(Descent):
    """How a network is trained in passes over a set of images."""

    epochs: int = knob(
        12, low=1, high=50, label=N_("Epochs"), help=N_("How many times the network sees every training image.")
    )


@dataclass(frozen=True)
class Place:
    """What it is computed on, and which data exactly. "auto" is made definite by ``resolve``."""

    device: str = knob(
        "auto",
        choices=DEVICES,
        advanced=True,
        label=N_("Device"),
        help=N_("Where to compute; “auto” takes a GPU if there is one."),
    )
    threads: int = knob(
        THREADS,
        low=1,
        high=64,
        advanced=True,
        label=N_("Threads"),
        help=N_("How many processor cores to use. Another count gives slightly different numbers."),
    )
    data_hash: str = knob(
        "",
        advanced=True,
        label=N_("Fingerprint of the data"),
        help=N_("Names the exact images; a run is repeated only with the same."),
    )


@dataclass(frozen=True)
class Machine(Place):
    """The same, and in which layout images are computed."""

    precision: str = knob(
        "auto",
        choices=PRECISIONS,
        advanced=True,
        label=N_("Precision"),
        help=N_("Number type of the layers' arithmetic; “auto” tries which is faster here."),
    )
    memory_format: str = knob(
        "auto",
        choices=MEMORY_FORMATS,
        advanced=True,
        label=N_("Memory format"),
        help=N_("Order of an image's numbers in memory; “auto” tries which is faster here."),
    )


@dataclass(frozen=True)
class Pictures:
    """What an image classifier learns from."""

    dataset: str = knob(
        "digits",
        choices=("digits", "shapes", "shapes_centred", "shapes_moved", "mnist", "fashion_mnist", "cifar10"),
        label=N_("Dataset"),
        help=N_(
            "Small scanned digits; drawn shapes (anywhere, in the middle, or learned in the middle and asked for "
            "anywhere); the digits of MNIST, the clothes of Fashion-MNIST, or the colour photographs of CIFAR-10."
        ),
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


@dataclass(frozen=True)
class Images(Pictures):
    """The same, and which network of ``dlcore.models.cnn`` it is."""

    network: str = knob(
        "article",
        choices=("article", "fast", "small", "norm", "wide", "mlp", "own"),
        label=N_("Network"),
        help=N_(
            "Three convolutions, the classic; two, tuned for speed; three with few weights, which ask what is in the "
            "picture and not where; three with batch normalisation, for photographs; four wider ones, also for "
            "photographs; dense layers only; or one that you build."
        ),
    )
    layers: str = knob(
        FIRST,
        advanced=True,
        label=N_("Layers"),
        help=N_("The layers of your own network, for example: conv 16 3; relu; pool 2; flatten; dense 64; relu; dense"),
    )
    pixels: str = knob(
        "in_order",
        choices=("in_order", "shuffled"),
        advanced=True,
        label=N_("Pixels"),
        help=N_("Shuffled: every picture’s pixels change places, in all pictures in the same way."),
    )
    dropout: float = knob(
        0.0,
        low=0.0,
        high=0.9,
        advanced=True,
        label=N_("Dropout"),
        help=N_("The share of the last hidden layer that is switched off at random in each step."),
    )


@dataclass(frozen=True)
class PictureConfig(Machine, Training, Pictures):
    """All that ``dlcore.image_training`` reads of any lesson; their configs are classes of it."""


@dataclass(frozen=True)
class ImageConfig(PictureConfig, Images):
    """The same for the networks of ``dlcore.models.cnn``."""
