"""Why can a deeper network do worse? Plain and residual networks from the same first weights and the same batches.

While they train, Snapshots named "frames" tell of each block, first one first: ``gradient/<network>``,
``weights/<network>`` and ``activation/<network>`` (1, L), see ``dlcore.depth_film.by_block``. The networks are called
"plain" and "residual"; numbers carry the name (``train_accuracy/plain``), and without one they are those of the network
that ``Config.residual`` names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from dlcore.augmentation_settings import Strengths
from dlcore.data.images import ImageData, pixel_statistics, proportional_order
from dlcore.device import reproducible
from dlcore.events import Event, Finished, Started
from dlcore.experiments.settings import PictureConfig
from dlcore.image_training import around, infer, load_data, resolve_on, train
from dlcore.knobs import knob, knob_like
from dlcore.optimizers import USUAL
from dlcore.steering import Steering
from dlcore.texts import N_

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.training import Plan, Task

LANE = "train"
NETWORKS = ("stack", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet18")
PLAIN, RESIDUAL = "plain", "residual"
ASKED = 2000  # training images, each class in proportion, that the training error is measured on
PROBED = {"stack": 64}  # held-out images that the film looks at; of other networks FEW
FEW = 16
MOST_GROWTH = 1e3  # of two networks one whose loss has grown so much has diverged; the other goes on without it

EPOCHS = {"digits": 15, "shapes": 10, "mnist": 3, "fashion_mnist": 3, "cifar10": 5}  # of stacks
EPOCHS_REAL = {"digits": 20, "shapes": 15, "mnist": 3, "fashion_mnist": 8, "cifar10": 15}


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
        32, low=4, high=256, log=True, step=1, advanced=True, label=N_("Width"),
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
    """Train and tell (see ``dlcore.image_training.train``).

    ``Finished.metrics`` has, of the network that ``residual`` names and by name: train_accuracy and train_loss, of the
    network at rest on ``ASKED`` training images as they are; test_accuracy, test_loss; gradient_ratio, the first
    block's ``weights`` by the last one's before the first step; and params, seconds (training alone), device, epochs.
    """
    data = load_data(config)
    config = resolved(config, data)
    reproducible(config.seed, threads=config.threads, device=config.device)
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

    from dlcore.depth_film import DepthFilm
    from dlcore.models.stacks import build
    from dlcore.models.together import each_measured, together
    from dlcore.readings import hits

    names = names_of(config)
    builds = {name: arguments(config, data, residual=name == RESIDUAL) for name in names}
    models = together(names, lambda name: build(**builds[name]), config.seed)
    torch.manual_seed(config.seed)
    task, plan = around(models, config, data, {"network": config.network, "main": main_of(config), "builds": builds})
    losses: dict[str, Tensor] = {}
    few = proportional_order(data.y_test)[: PROBED.get(config.network, FEW)]
    X, y = (torch.tensor(array[few], device=config.device) for array in (data.X_test, data.y_test))
    film = DepthFilm(dict(models.items()), X, y)
    measures = each_measured({"accuracy": hits}, names)
    task = replace(
        task, batch=partial(_batch, task.batch, config), loss=_loss_of(config, film, losses), parts_of_loss=losses,
        measures={**measures, "accuracy": measures[f"accuracy/{main_of(config)}"]}, look=film,
        evaluate=_evaluation(models, config, data), parts=film.models,
    )  # fmt: skip
    return task, plan


def arguments(config: Config, data: ImageData, *, residual: bool) -> dict[str, Any]:
    """The arguments of ``dlcore.models.stacks.build``; they travel in each checkpoint's ``state["builds"]``."""
    mean, std = pixel_statistics(data.X_train)
    return {
        "network": config.network, "shape": tuple(data.X_train.shape[1:]), "classes": len(data.classes),
        "blocks": config.blocks, "depth": config.depth, "width": config.width, "mean": mean, "std": std,
        "residual": residual, "norm": config.norm, "order": config.order, "shortcut": config.shortcut,
        "start": config.init, "drop_path": config.drop_path,
    }  # fmt: skip


def _batch(clean: Any, config: Config, indices: Tensor) -> tuple[Tensor, Tensor]:
    """A batch, moved and mirrored where the config says so."""
    from dlcore.augmentation import augment
    from dlcore.device import torch_format

    X, y = clean(indices)
    if config.flip or config.shift:
        moved = augment(X, Strengths(flip=config.flip, shift=config.shift))
        X = moved.contiguous(memory_format=torch_format(config.memory_format))
    return X, y


def _loss_of(config: Config, film: Any, told: dict[str, Tensor]) -> Any:
    """The sum of the networks' losses, without those that have left all bounds. Each goes into ``told``."""
    import torch
    from torch.nn.functional import cross_entropy

    from dlcore.depth_film import by_block
    from dlcore.models.together import summed

    first = torch.stack([by_block(model, film.X, film.y)[0] for model in film.models.values()])
    bounds = MOST_GROWTH * first.clamp(min=1)

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        each = [cross_entropy(one, y, label_smoothing=config.label_smoothing) for one in outputs.unbind(1)]
        losses = torch.stack(each)
        told.update(zip((f"loss/{name}" for name in film.models), losses.detach().unbind(), strict=True))
        return summed(losses, losses.detach() <= bounds)

    return loss


def _evaluation(models: Any, config: Config, data: ImageData) -> Any:
    """What is measured on held-out and on training images, of each network and of the one that the config is about."""
    import torch
    from torch.nn.functional import cross_entropy

    from dlcore.models.together import is_finite
    from dlcore.readings import hits

    seen = proportional_order(data.y_train)[:ASKED]
    arrays = {"test": (data.X_test, data.y_test), "train": (data.X_train[seen], data.y_train[seen])}
    sets = {kind: tuple(torch.tensor(a, device=config.device) for a in pair) for kind, pair in arrays.items()}

    def evaluate() -> dict[str, float]:
        found: dict[str, float] = {}
        for kind, (X, y) in sets.items():
            for (name, model), logits in zip(models.items(), infer(models, X, config).unbind(1), strict=True):
                sound = is_finite(model)
                found[f"{kind}_loss/{name}"] = cross_entropy(logits, y).item() if sound else float("nan")
                found[f"{kind}_accuracy/{name}"] = hits(logits, y).float().mean().item() if sound else float("nan")
        main = f"/{main_of(config)}"
        return {**found, **{name.removesuffix(main): value for name, value in found.items() if name.endswith(main)}}

    return evaluate


def gradient_ratios(task: Task, main: str) -> dict[str, float]:
    """How much less the first block learns from than the last, by network and of the one called ``main``."""
    assert task.look is not None
    frame = task.look()["frames"]
    found = {name: frame[f"weights/{name}"][0] for name in task.parts}
    ratios = {name: float(norms[0] / norms[-1]) for name, norms in found.items()}
    return {**{f"gradient_ratio/{name}": ratio for name, ratio in ratios.items()}, "gradient_ratio": ratios[main]}


def described(task: Task) -> dict[str, Any]:
    """What ``Started.info`` says of the networks: their names, parameters by name, and the names of the blocks."""
    from dlcore.models.cnn import parameter_count
    from dlcore.models.stacks import blocks_of

    first: nn.Module = next(iter(task.parts.values()))
    return {
        "networks": list(task.parts),
        "params_by_network": {name: parameter_count(model) for name, model in task.parts.items()},
        "blocks": [name.removeprefix("network.") for name, _ in blocks_of(first)],
    }
