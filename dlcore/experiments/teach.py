"""Classes of one's own: a network that others have trained looks at the pictures, and a new last layer learns them."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore.data import album, album_sources
from dlcore.data.album import Album
from dlcore.device import THREADS, reproducible
from dlcore.events import Event, Finished, Snapshot, Started
from dlcore.experiments.settings import Descent, Place, Training
from dlcore.knobs import knob, knob_like
from dlcore.own_features import VIEWS
from dlcore.steering import Steering
from dlcore.texts import N_, Problem
from dlcore.vision.networks import KNOWN, available

if TYPE_CHECKING:
    from torch import Tensor

    from dlcore.training import Plan, Task

LANE = "train"

AUTO = "auto"
BACKBONES = (*(name for name in KNOWN if name != "squeezenet1_0"), "backbone")  # SqueezeNet ends with no dense layer
OWN = "album"


@dataclass(frozen=True)
class Config:
    """The settings of the lesson on classes of one's own."""

    dataset: str = knob(
        OWN,
        choices=(OWN, *album_sources.READY),
        label=N_("Pictures"),
        help=N_("Your own classes, or a set to try: photographs of ants and bees (where they are here), drawn shapes."),
    )
    backbone: str = knob(
        AUTO,
        choices=(AUTO, *BACKBONES),
        label=N_("The eyes"),
        help=N_("Which trained network looks at the pictures. Its weights stay as they are; only a new last layer "
                "learns."),
    )  # fmt: skip
    augment: str = knob(
        "mirror",
        choices=tuple(VIEWS),
        label=N_("Each picture is seen"),
        help=N_("As it is; also mirrored; or in six ways (mirrored, and two parts of it larger). Mirrored letters are "
                "other letters: then leave it."),
    )  # fmt: skip
    epochs: int = knob_like(Training, "epochs", default=30, high=300, log=True, step=1)
    learning_rate: float = knob_like(Descent, "learning_rate", default=1e-3, high=1.0)
    batch_size: int = knob_like(Descent, "batch_size", default=16, low=1, high=256, advanced=True)
    weight_decay: float = knob_like(Descent, "weight_decay")
    seed: int = knob_like(Descent, "seed")
    threads: int = knob_like(Place, "threads", default=THREADS)
    data_hash: str = knob_like(Place, "data_hash")


def best_backbone() -> str:
    """What "auto" stands for: MobileNetV2 where its weights are here, else any other, else the shipped network.

    Raises:
        Problem: kind "weights_missing": none is here.
    """
    there = [name for name in ("mobilenet_v2", *available()) if name in BACKBONES and name in available()]
    if not there:
        raise Problem(
            N_("No trained network is on this machine. Run: python -m dlcore download mobilenet_v2."),
            kind="weights_missing",
        )
    return there[0]


def resolve(config: Config) -> Config:
    """The config with the network and the album's fingerprint made definite; a ready set is laid out as an album.

    Raises:
        Problem: the pictures or the network's weights are not here, or there are too few classes.
    """
    if config.backbone == AUTO:
        config = replace(config, backbone=best_backbone())
    if config.dataset != OWN and not config.data_hash:
        config = replace(config, data_hash=album.keep(album.from_plain(album_sources.ready(config.dataset))))
    if not album.load(config.data_hash).ready:
        raise Problem(album.NONE_HERE, kind="data_missing")
    return config


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Look at every picture once (Snapshot "looking": ``done`` of ``total``), then train the last layer and tell.

    At the end the held-out pictures' probabilities (Snapshot "test_predictions").

    ``Finished.metrics``: test_accuracy and test_loss on held-out pictures (absent where none is held out),
    train_accuracy, seconds (training alone), look_seconds (for the features), device, params, examples_per_second,
    epochs.
    """
    from dlcore.device import device_name
    from dlcore.training import fit

    config = resolve(config)
    reproducible(config.seed, threads=config.threads)
    pictures = album.load(config.data_hash)
    names, y, test = pictures.samples()
    size = int((~test).sum())
    steps = -(-size // config.batch_size)
    info = {
        "classes": pictures.names, "train_size": size, "test_size": int(test.sum()), "steps_per_epoch": steps,
        "device": device_name("cpu"),
    }  # fmt: skip
    yield Started(resume["step"] if resume else 0, asdict(config), steps * config.epochs, info)
    X, X_test, seconds = yield from _looked(names, test, config, resume)
    task, plan = prepare(config, pictures, (X, y[~test]), (X_test, y[test]))
    params = sum(p.numel() for p in task.model.parameters())
    result = yield from fit(task, plan, resume=resume, steering=steering)
    if result is None:
        return
    if test.any():
        said = answers(task.model, task.about["own"], X_test)
        yield Snapshot(
            plan.total_steps, "test_predictions", {"probabilities": said, "labels": y[test].astype(np.uint8)}
        )
    metrics = {
        **result.metrics, "seconds": result.seconds, "look_seconds": seconds, "device": info["device"],
        "params": params, "examples_per_second": size * config.epochs / result.seconds, "epochs": config.epochs,
    }  # fmt: skip
    yield Finished(plan.total_steps, metrics)


def _looked(
    names: list[str], test: np.ndarray, config: Config, resume: dict[str, Any] | None
) -> Generator[Event, None, tuple[np.ndarray, np.ndarray, float]]:
    """Features of what is learned from (N, views, D) and of what is held out (M, D), and how many seconds they took."""
    from dlcore.own_features import features

    step, began, found, before = resume["step"] if resume else 0, time.perf_counter(), [], 0
    for held, views in ((False, VIEWS[config.augment]), (True, 1)):
        part = [name for name, out in zip(names, test.tolist(), strict=True) if out == held]
        looking = features(part, config.backbone, views)
        while True:
            try:
                done = next(looking)
            except StopIteration as end:
                found.append(end.value)
                break
            yield Snapshot(step, "looking", {"done": np.array(before + done), "total": np.array(len(names))})
        before = len(part)
    return found[0], found[1][:, 0], time.perf_counter() - began


def prepare(
    config: Config, pictures: Album, train: tuple[np.ndarray, np.ndarray], held: tuple[np.ndarray, np.ndarray]
) -> tuple[Task, Plan]:
    """The last layer and all that ``fit`` needs to train it; draws its first weights.

    Args:
        train: features (N, views, D) and labels (N,).
        held: those of the held-out pictures, (M, D) and (M,); M may be 0.
    """
    import torch
    from torch.nn.functional import cross_entropy

    from dlcore.optimizers import make_optimizer
    from dlcore.training import Plan, Task

    X = train[0]
    own = {"backbone": config.backbone, "mean": float(X.mean()), "std": float(X.std()) or 1.0}
    head = torch.nn.Linear(X.shape[2], len(pictures.kinds))
    X_train, X_test = (torch.from_numpy((part - own["mean"]) / own["std"]) for part in (X, held[0]))
    y_train, y_test = torch.from_numpy(train[1]), torch.from_numpy(held[1])

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        seen = torch.randint(X_train.shape[1], indices.shape)  # in one of the ways each, drawn anew
        return X_train[indices, seen], y_train[indices]

    def evaluate() -> dict[str, float]:
        logits = head(X_test)
        right = (logits.argmax(1) == y_test).float().mean()
        return {"test_loss": cross_entropy(logits, y_test).item(), "test_accuracy": right.item()}

    optimizer = make_optimizer(
        "adam", head.parameters(), learning_rate=config.learning_rate, weight_decay=config.weight_decay
    )
    about = {"classes": pictures.names, "own": own}
    task = Task(head, optimizer, batch, evaluate=evaluate if len(y_test) else None, about=about)
    plan = Plan(len(y_train), config.batch_size, config.epochs, config.learning_rate, "cosine")
    return task, plan


def answers(head: Any, own: dict[str, Any], X: np.ndarray) -> np.ndarray:
    """What the trained layer says of features ``(N, D)``: probabilities ``(N, K)`` float32."""
    import torch

    with torch.no_grad():
        return head((torch.from_numpy(X) - own["mean"]) / own["std"]).softmax(1).numpy()
