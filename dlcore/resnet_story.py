"""What the depth lesson says with numbers: who learned, what arrives at the first block, and what the formulas show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlcore.graph_math import number
from dlcore.texts import N_

NETWORKS = ("plain", "residual")
DECIDES = (
    "dataset", "blocks", "norm", "init", "width", "order", "drop_path", "optimizer", "learning_rate", "schedule",
    "momentum", "beta2", "weight_decay", "label_smoothing", "batch_size", "epochs", "train_size", "flip", "shift",
)  # what two runs must share, beside the seed, to be points of one line against depth  # fmt: skip
LEARNED, LOST = 0.10, 0.60  # training error up to which a network has learned, and from which on it has not
CLASSES = {"shapes": 8}  # the other sets have ten
WORDS = {
    "plain_lost": N_(
        "Depth {depth}: the residual network gets {residual} of its training images wrong, the plain one {plain}. That "
        "is no overfitting: these are the very images that it was shown."
    ),
    "plain_behind": N_(
        "Depth {depth}: on the training images the plain network is wrong in {plain} of all cases, the residual one in "
        "{residual}. The same layers, first weights and batches; only the links differ."
    ),
    "both": N_(
        "Depth {depth}: both have learned ({plain} and {residual} of the training images wrong). A link changes little "
        "here. Go deeper."
    ),
    "neither": N_(
        "Depth {depth}: neither has learned ({plain} and {residual} of the training images wrong). Links alone are not "
        "enough here."
    ),
    "residual_lost": N_(
        "Depth {depth}: this time the plain network is ahead ({plain} of the training images wrong), the residual one "
        "is not ({residual})."
    ),
}
FRESH = {
    "vanishes": N_(
        "Before any training: of the gradient at the last block {plain} arrives at the first one of the plain network, "
        "{residual} in the residual one."
    ),
    "grows": N_(
        "Before any training: the first block’s gradient is {plain} times the last one’s in the plain network, and "
        "{residual} times in the residual one. Above 1 it grows on its way back."
    ),
}
IMAGES = {"digits": 1_442, "shapes": 1_200, "mnist": 60_000, "fashion_mnist": 60_000, "cifar10": 50_000}
MILLISECONDS = {  # of a run for each image of 32 x 32 pixels that it trains with, all told, on two processor cores:
    # ResNet-20 by benchmarks/resnet_cifar.py, the others by the processor time of their steps against its
    "resnet20": 1.8, "resnet32": 2.5, "resnet44": 3.2, "resnet56": 3.9, "resnet110": 7.0, "resnet18": 15.0,
}  # fmt: skip
BOUND = 10.0  # a gradient that grows by more than this on its way back counts as growing


@dataclass(frozen=True)
class Told:
    """A sentence, marked with ``N_``, with its kind and the numbers for its braces."""

    kind: str
    sentence: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Ended:
    """A finished run: its settings, and the training error of each network that it trained (0 to 1)."""

    config: Any
    errors: Mapping[str, float]

    def alike(self, config: Any) -> bool:
        """Whether a stack was trained with these settings, whatever its depth and its seed."""
        return config.network == "stack" and all(
            getattr(self.config, name) == getattr(config, name) for name in (*DECIDES, "network")
        )


def ended(config: Any, metrics: Mapping[str, Any]) -> list[Ended]:
    """What a finished run tells: one entry, or one for each depth of a sweep."""
    table = metrics.get("by_depth")
    if not table:
        return [Ended(config, errors(metrics))]
    columns = [name for name in table if name != "depth"]
    return [
        Ended(replace(config, depth=int(depth)), errors({name: table[name][i] for name in columns}))
        for i, depth in enumerate(table["depth"])
    ]


def guessing(dataset: str) -> float:
    """The error of one who guesses among the classes of a data set."""
    return 1 - 1 / CLASSES.get(dataset, 10)


def edge(runs: Sequence[Ended], within: int) -> bool:
    """Whether a plain network learned, and one at most so many layers deeper, else alike, got more than half wrong."""
    plain = [run for run in runs if run.config.network == "stack" and "plain" in run.errors]
    return any(
        learned.errors["plain"] <= LEARNED
        and lost.errors["plain"] > 0.5
        and 0 < lost.config.depth - learned.config.depth <= within
        and lost.alike(learned.config)
        for learned in plain
        for lost in plain
    )


def best(runs: Sequence[Ended], name: str, depth: int) -> float:
    """The smallest training error of a stack of at least this depth; infinite where there is none."""
    stacks = [run for run in runs if run.config.network == "stack" and run.config.depth >= depth]
    return min((run.errors.get(name, np.inf) for run in stacks), default=np.inf)


def ratio(row: np.ndarray) -> float:
    """The gradient at the first block over that at the last; NaN where none arrives at the last."""
    return float(row[0] / row[-1]) if len(row) and row[-1] else float("nan")


def per_block(row: np.ndarray) -> float:
    """By which factor the gradient changes at each block on its way back, in the (geometric) mean."""
    found = ratio(row)
    return float(found ** (1 / (len(row) - 1))) if len(row) > 1 and found > 0 else float("nan")


def fresh(gradients: Mapping[str, np.ndarray]) -> Told | None:
    """What to see before training, of both networks' gradients (L,); None where one is missing."""
    if not all(name in gradients for name in NETWORKS):
        return None
    found = {name: ratio(gradients[name]) for name in NETWORKS}
    kind = "grows" if max(found.values()) > BOUND else "vanishes"
    return Told(kind, FRESH[kind], {name: number(value, 2) for name, value in found.items()})


def minutes(config: Any) -> float | None:
    """About how long a run of one of the paper's networks takes on two cores without a GPU; None for a stack."""
    if config.network == "stack":
        return None
    images = config.train_size or IMAGES[config.dataset]
    pixels = 1.0 if config.dataset == "cifar10" else (28 / 32) ** 2
    each = MILLISECONDS[config.network] * pixels * (2 if config.twin else 1)
    return images * config.epochs * each / 60_000


def verdict(error: Mapping[str, float], depth: int) -> Told | None:
    """How a run ended, of the training errors of both (0 to 1); None where one is missing."""
    if not all(np.isfinite(error.get(name, np.nan)) for name in NETWORKS):
        return None
    kind = _kind(error["plain"], error["residual"])
    return Told(kind, WORDS[kind], {"depth": str(depth), **{name: share(error[name]) for name in NETWORKS}})


def _kind(plain: float, residual: float) -> str:
    if max(plain, residual) <= LEARNED:
        return "both"
    if min(plain, residual) >= LOST:
        return "neither"
    if plain < residual:
        return "residual_lost"
    return "plain_lost" if plain >= LOST and residual <= LEARNED else "plain_behind"


def share(value: float) -> str:
    """An error as it is said: whole percents, and tenths of one below 10."""
    return f"{value:.0%}" if value >= 0.0995 else f"{value:.1%}"


def numbers(film: Mapping[str, np.ndarray], blocks: int) -> dict[str, str]:
    """What stands in the formulas, of the frame before training (1, L); "…" until it is known."""
    told = {"blocks": str(blocks)}
    for name in NETWORKS:
        row = film[f"weights/{name}"][0] if f"weights/{name}" in film else None
        told[f"ratio_{name}"] = number(ratio(row), 2) if row is not None else "…"
        told[f"factor_{name}"] = number(per_block(row), 2) if row is not None else "…"
    sizes = film["x/residual"][0] if "x/residual" in film else None
    told["x_first"] = number(sizes[0], 2) if sizes is not None else "…"
    told["x_last"] = number(sizes[-1], 2) if sizes is not None else "…"
    told["grown"] = number(sizes[-1] / sizes[0], 2) if sizes is not None else "…"
    return told


def errors(metrics: Mapping[str, Any], part: str = "train") -> dict[str, float]:
    """By network, the error of a finished run on its training (or ``test``) images, where it was measured."""
    found = {name: metrics.get(f"{part}_accuracy/{name}") for name in NETWORKS}
    return {name: 1 - float(value) for name, value in found.items() if value is not None and np.isfinite(value)}
