"""Why can a deeper network do worse? Plain and residual networks from the same first weights and the same batches.

While they train, Snapshots named "frames" tell of each block, first one first: ``gradient/<network>``,
``weights/<network>``, ``activation/<network>`` and more, (1, L) each, see ``dlcore.depth_film.by_block``. The networks
are called "plain" and "residual"; numbers carry the name (``train_accuracy/plain``), and without one they are those of
the network that ``Config.residual`` names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dlcore.augmentation_settings import Strengths
from dlcore.data.images import ImageData, pixel_statistics, proportional_order
from dlcore.device import reproducible
from dlcore.events import Event, Finished, Started
from dlcore.experiments.settings import PictureConfig
from dlcore.image_training import around, load_data, resolve_on, train
from dlcore.knobs import knob, knob_like
from dlcore.optimizers import USUAL
from dlcore.steering import Steering
from dlcore.sweeps import Places, Sweep
from dlcore.texts import N_

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.depth_film import DepthFilm
    from dlcore.models.together import Together
    from dlcore.training import Plan, Task

LANE = "train"
NETWORKS = ("stack", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet18")
PLAIN, RESIDUAL = "plain", "residual"
SCORES = ("train_accuracy", "test_accuracy", "train_loss", "gradient_ratio")  # of each network at each depth
PROBED = {"stack": 64}  # held-out images that the film looks at; of other networks FEW
FEW = 16

EPOCHS = {"digits": 12, "shapes": 10, "mnist": 3, "fashion_mnist": 3, "cifar10": 5}  # of stacks
EPOCHS_REAL = {"digits": 20, "shapes": 15, "mnist": 3, "fashion_mnist": 8, "cifar10": 8}


@dataclass(frozen=True)
class Config(PictureConfig):
    """The settings of the depth lesson."""

    dataset: str = knob_like(
        PictureConfig, "dataset", choices=("digits", "shapes", "mnist", "fashion_mnist", "cifar10"),
        help=N_("Small scanned digits, drawn shapes, the digits of MNIST, clothes, or colour photographs."),
    )  # fmt: skip
    network: str = knob(
        "stack", choices=NETWORKS, label=N_("Network"),
        help=N_("A stack of equal blocks, as deep as you like; or one of the networks of the paper."),
    )  # fmt: skip
    blocks: str = knob(
        "dense", choices=("dense", "conv"), label=N_("Blocks"),
        help=N_("What a block of the stack is made of: one dense layer, or two 3×3 convolutions."),
    )  # fmt: skip
    depth: int = knob(
        20, low=2, high=110, log=True, step=1, label=N_("Depth"),
        help=N_("Layers with weights in the blocks of the stack; a convolutional block has two of them."),
    )  # fmt: skip
    residual: bool = knob(
        True, label=N_("Residual"),
        help=N_("Whether each block adds to what comes in (a link past it), or replaces it."),
    )  # fmt: skip
    twin: bool = knob(
        True, label=N_("Both side by side"),
        help=N_("Trains the same network with and without links, from the same first weights and batches."),
    )  # fmt: skip
    norm: str = knob(
        "none", choices=("none", "batch", "layer"), label=N_("Normalisation"),
        help=N_("Brings each block’s numbers back to mean 0 and variance 1: over the batch, over the layer, or not."),
    )  # fmt: skip
    init: str = knob(
        "default", choices=("default", "he"), label=N_("First weights"),
        help=N_("As PyTorch draws them, a little too small for relu; or by He’s rule, which keeps the variance."),
    )  # fmt: skip
    width: int = knob(
        64, low=4, high=256, log=True, step=1, advanced=True, label=N_("Width"),
        help=N_("Units, or channels, of each layer in a stack."),
    )  # fmt: skip
    order: str = knob(
        "post", choices=("post", "pre"), advanced=True, label=N_("Order in a block"),
        help=N_("relu after the sum, as in the first paper; or before each layer, so that nothing bars the link."),
    )  # fmt: skip
    shortcut: str = knob(
        "identity", choices=("identity", "projection"), advanced=True, label=N_("Link where the size changes"),
        help=N_("Pixels left out and channels of zeros added; or a 1×1 convolution. A stack changes no size."),
    )  # fmt: skip
    drop_path: float = knob(
        0.0, low=0.0, high=0.9, advanced=True, label=N_("Stochastic depth"), zero=N_("off"),
        help=N_("How likely the last block’s branch is left out in a training step; the first ones’ less."),
    )  # fmt: skip
    depths: int = knob(
        1, low=1, high=8, label=N_("Depths"),
        help=N_("Trains anew at so many depths, from 2 up to the one above, in one run. For stacks."),
    )  # fmt: skip
    flip: float = knob_like(Strengths, "flip", advanced=True)
    shift: float = knob_like(Strengths, "shift", advanced=True)

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults that go with the network, the dataset and the optimizer asked for."""
        dataset, network = given.get("dataset", "digits"), given.get("network", "stack")
        photographs = {"flip": 0.5, "shift": 4.0} if dataset == "cifar10" else {}
        if network == "stack":
            wide = {"width": 16} if given.get("blocks") == "conv" else {}
            size = {"train_size": 10_000} if dataset in ("mnist", "fashion_mnist", "cifar10") else {}
            usual = USUAL[given.get("optimizer", "adam")]
            return {**usual, "batch_size": 64, "epochs": EPOCHS[dataset], **wide, **size}
        optimizer = given.get("optimizer", "nesterov")
        fast = {"learning_rate": 0.1, "weight_decay": 5e-4} if optimizer in ("sgd", "nesterov") else {}
        few = dataset in ("digits", "shapes")
        return {
            "optimizer": optimizer, **USUAL[optimizer], **fast, "schedule": "one_cycle", "twin": False,
            "norm": "batch", "init": "he", "batch_size": 32 if few else 128, "epochs": EPOCHS_REAL[dataset],
            "shortcut": "projection" if network == "resnet18" else "identity", **photographs,
        }  # fmt: skip


def resolve(config: Config) -> Config:
    """The config with device, precision, memory format and the data's fingerprint made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing.
    """
    return resolved(config, load_data(config))


def resolved(config: Config, data: ImageData) -> Config:
    """The same for data that is there. A stack is computed alike on every machine; for the others speed decides."""
    if config.network == "stack":
        layout = {"precision": "float32", "memory_format": "contiguous"}
        config = replace(config, **{name: value for name, value in layout.items() if getattr(config, name) == "auto"})
    name = f"resnet/{config.network}/{config.residual}/{config.twin}/{config.norm}/{config.order}"
    return resolve_on(config, data, name=name, prepared=prepare)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train and tell (see ``dlcore.image_training.train``); at several depths one after the other.

    ``Finished.metrics`` has, of the network that ``residual`` names and by name: train_accuracy and train_loss, of the
    network at rest on at most 2,000 training images as they are; test_accuracy, test_loss; gradient_ratio, the first
    block's ``weights`` by the last one's before the first step; and params, seconds (training alone), device, epochs.
    With ``depths`` above 1 also by_depth: columns "depth" and ``SCORES`` by name, as in Snapshots "by_depth".
    """
    data = load_data(config)
    config = resolved(config, data)
    part = partial(at_one_depth, data=data)
    if config.depths > 1 and config.network == "stack":
        yield from Sweep(config, places_of(config, data), part, steering, resume).run()
    else:
        yield from part(config, resume=resume, steering=steering)


def depths_of(config: Config) -> list[int]:
    """The depths that a run trains at, rising by the same factor from 2 up to ``depth``, each once."""
    last = max(1, config.depths - 1)
    return sorted({round(config.depth * (2 / config.depth) ** (place / last)) for place in range(config.depths)})


def places_of(config: Config, data: ImageData) -> Places:
    """The same as ``Sweep`` wants it."""
    steps = math.ceil(len(data.y_train) / config.batch_size) * config.epochs
    names = [f"{score}/{name}" for name in names_of(config) for score in SCORES]
    return Places("depth", depths_of(config), "depths", steps, "by_depth", {n: n for n in names}, film=False)


def at_one_depth(
    config: Config, *, data: ImageData, resume: dict[str, Any] | None = None, steering: Steering | None = None
) -> Iterator[Event]:
    """Train at ``config.depth``; the config is resolved."""
    reproducible(config.seed, threads=config.threads, device=config.device)
    from dlcore.depth_training import described, gradient_ratios

    task, plan = prepare(config, data)
    ratios, info = gradient_ratios(task, main_of(config)), described(task)
    main = task.parts[main_of(config)]
    for event in train(task, plan, config, data, model=main, resume=resume, steering=steering):
        if isinstance(event, Started):
            event = replace(event, info={**event.info, **info, **ratios})
        elif isinstance(event, Finished):
            event = replace(event, metrics={**event.metrics, **ratios})
        yield event


def main_of(config: Config) -> str:
    """The network that the config is about."""
    return RESIDUAL if config.residual else PLAIN


def names_of(config: Config) -> tuple[str, ...]:
    """The networks that are trained."""
    return (PLAIN, RESIDUAL) if config.twin else (main_of(config),)


def prepare(config: Config, data: ImageData) -> tuple[Task, Plan]:
    """The networks (``Task.parts``, by name) and all that ``fit`` needs to train them, for a resolved config.

    Every network is drawn from the seed anew, and the batches after that, so that each learns what it would alone
    (unless ``drop_path`` draws in between).
    """
    import torch

    from dlcore.depth_training import batch, evaluation, loss_of
    from dlcore.models.together import each_measured
    from dlcore.readings import hits

    names = names_of(config)
    models, builds = networks(config, data)
    torch.manual_seed(config.seed)
    task, plan = around(models, config, data, {"network": config.network, "main": main_of(config), "builds": builds})
    losses: dict[str, Tensor] = {}
    film = film_of(models, config, data)
    measures = each_measured({"accuracy": hits}, names)
    task = replace(
        task, batch=partial(batch, task.batch, config), loss=loss_of(config, film, losses), parts_of_loss=losses,
        measures={**measures, "accuracy": measures[f"accuracy/{main_of(config)}"]}, look=film,
        evaluate=evaluation(models, config, data, main_of(config)), parts=film.models,
    )  # fmt: skip
    return task, plan


def networks(config: Config, data: ImageData) -> tuple[Together, dict[str, Any]]:
    """The networks as they begin, each drawn from the seed anew, and by name the arguments that they are built of."""
    from dlcore.models.stacks import build
    from dlcore.models.together import together

    builds = {name: arguments(config, data, residual=name == RESIDUAL) for name in names_of(config)}
    return together(builds, lambda name: build(**builds[name]), config.seed), builds


def film_of(models: Together, config: Config, data: ImageData) -> DepthFilm:
    """The film that a run of the config shoots, on a few held-out images."""
    import torch

    from dlcore.depth_film import DepthFilm

    few = proportional_order(data.y_test)[: PROBED.get(config.network, FEW)]
    X, y = (torch.tensor(array[few], device=config.device) for array in (data.X_test, data.y_test))
    return DepthFilm(dict(models.items()), X, y)


def arguments(config: Config, data: ImageData, *, residual: bool) -> dict[str, Any]:
    """The arguments of ``dlcore.models.stacks.build``; they travel in each checkpoint's ``state["builds"]``."""
    mean, std = pixel_statistics(data.X_train)
    return {
        "network": config.network, "shape": tuple(data.X_train.shape[1:]), "classes": len(data.classes),
        "blocks": config.blocks, "depth": config.depth, "width": config.width, "mean": mean, "std": std,
        "residual": residual, "norm": config.norm, "order": config.order, "shortcut": config.shortcut,
        "start": config.init, "drop_path": config.drop_path,
    }  # fmt: skip
