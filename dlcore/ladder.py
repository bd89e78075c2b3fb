"""Which trainings the lesson on speed times: the plain loop, and what the switches make of it. No torch in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlcore.experiments.settings import ImageConfig
from dlcore.texts import N_

if TYPE_CHECKING:
    from dlcore.experiments.speed import Config

# In the order in which the ladder turns them on: what is cheap to write first, what changes the numbers after it.
SWITCHES: Mapping[str, str] = {
    "whole_set": N_("whole set in memory"),
    "small_network": N_("smaller network"),
    "large_batch": N_("larger batch"),
    "channels_last": N_("channels last"),
    "bfloat16": N_("bfloat16"),
    "fused": N_("fused optimizer"),
    "falling_rate": N_("high, falling rate"),
    "smoothing": N_("label smoothing"),
    "compiled": N_("torch.compile"),
}
# The network of ``dlcore.plain_loop``: PyTorch's own MNIST example has these layers.
PLAIN_LAYERS = "conv 32 3; relu; conv 64 3; relu; pool 2; dropout 0.25; flatten; dense 128; relu; dropout 0.5; dense"
PLAIN_BATCH, PLAIN_RATE, SMOOTHING = 64, 1e-3, 0.1
PLAIN, FAST = "plain", "fast"  # rungs that no switch names
OUTCOMES = ("reached", "limit", "passes", "diverged", "not_compiled")  # how a rung ends
PARTS = ("data", "forward", "backward", "optimizer")  # of a step
COMPARISONS = ("ladder", "alone", "without", "ends")
SIGNS = {"ladder": "+ {name}", "alone": N_("only {name}"), "without": N_("all but {name}"), "ends": "{name}"}


@dataclass(frozen=True)
class Rung:
    """One training: the switches that are on, and the rung that it is measured against (its place, or None)."""

    name: str  # the switch that it differs in, PLAIN or FAST
    on: frozenset[str]
    against: int | None


def chosen(config: Config) -> list[str]:
    """The switches that the config has on, in the ladder's order."""
    return [name for name in SWITCHES if getattr(config, name)]


def rungs(config: Config) -> list[Rung]:
    """The trainings of one run, the plain loop first.

    "ladder" adds one switch at a time, "alone" has one on at a time, "without" has all on but one at a time, "ends"
    is the plain loop and all at once.
    """
    on = chosen(config)
    plain = Rung(PLAIN, frozenset(), None)
    everything = Rung(FAST, frozenset(on), 0)
    if not on:
        return [plain]
    if config.compare == "ladder":
        return [plain, *(Rung(name, frozenset(on[: k + 1]), k) for k, name in enumerate(on))]
    if config.compare == "alone":
        return [plain, *(Rung(name, frozenset([name]), 0) for name in on)]
    if config.compare == "without":
        return [plain, everything, *(Rung(name, frozenset(on) - {name}, 1) for name in on)]
    return [plain, everything]


def image_config(config: Config, rung: Rung) -> ImageConfig:
    """The settings of one rung's training, as the image lessons have them."""
    on, large = rung.on, "large_batch" in rung.on
    batch_size = config.batch_size if large else PLAIN_BATCH
    rate = PLAIN_RATE * math.sqrt(batch_size / PLAIN_BATCH)
    falling = {"schedule": config.course, "learning_rate": config.peak, "momentum": 0.7, "beta2": 0.9}
    constant = {"schedule": "constant", "learning_rate": rate, "momentum": 0.9, "beta2": 0.999}
    return ImageConfig(
        dataset=config.dataset, train_size=config.train_size, data_hash=config.data_hash, seed=config.seed,
        network="fast" if "small_network" in on else "own", layers=PLAIN_LAYERS,
        batch_size=batch_size, optimizer="adam", **(falling if "falling_rate" in on else constant),
        epochs=config.passes if "falling_rate" in on else config.most_passes,
        label_smoothing=SMOOTHING if "smoothing" in on else 0.0,
        memory_format="channels_last" if "channels_last" in on else "contiguous",
        precision="bfloat16" if "bfloat16" in on else "float32",
        device=config.device, threads=config.threads, evaluations=config.evaluations,
    )  # fmt: skip
