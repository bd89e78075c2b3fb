"""The playground's cards: settings under which one thing can be seen. Tests measure that it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dlcore.texts import N_


@dataclass(frozen=True)
class Preset:
    """A card: its name in links, title and one line (marked), and what it sets; all else is at its default."""

    slug: str
    title: str
    text: str
    settings: Mapping[str, Any]


PRESETS = (
    Preset(
        "xor_line",
        N_("XOR without a hidden layer"),
        N_("One straight line cannot part opposite corners: the network does not get past guessing. Add a layer of 4."),
        {"dataset": "xor", "layers": "", "learning_rate": 0.1, "epochs": 200},
    ),
    Preset(
        "spiral",
        N_("The spiral, from x₁ and x₂ alone"),
        N_("Three layers of sines wind themselves around the arms within seconds. Try tanh instead."),
        {
            "dataset": "spiral", "layers": "8,8,8", "activation": "sin", "optimizer": "adam", "learning_rate": 0.005,
            "loss": "mse", "l2": 1e-4, "epochs": 300, "epochs_per_second": 100.0,
        },
    ),
    Preset(
        "overfitting",
        N_("Learning the noise by heart"),
        N_("1,185 parameters, 60 noisy points: the training loss falls towards 0 while the test loss climbs."),
        {
            "dataset": "circle", "noise": 0.5, "count": 200, "train_share": 0.3, "layers": "32,32",
            "optimizer": "adam", "learning_rate": 0.01, "epochs": 400,
        },
    ),
    Preset(
        "dead_relus",
        N_("Dead ReLUs"),
        N_("A few steps that are too long push both units of the second layer below 0 for every point, and there the "
           "gradient is 0: they never come back. Leaky ReLU does."),
        {"dataset": "plane", "layers": "4,2", "activation": "relu", "learning_rate": 0.3, "epochs": 200, "seed": 1},
    ),
    Preset(
        "zeros",
        N_("All weights zero"),
        N_("Units that begin alike get the same gradient and stay alike: six units, and nothing is learned."),
        {"dataset": "circle", "initialization": "zeros", "epochs": 150},
    ),
    Preset(
        "too_fast",
        N_("Too high a rate"),
        N_("Every step overshoots the valley by more than it came: the run ends in numbers too large to write."),
        {"dataset": "plane", "learning_rate": 1.0, "epochs": 100, "epochs_per_second": 2.0},
    ),
)  # fmt: skip


def preset(slug: str) -> Preset:
    """The card of that name. Raises ``KeyError``."""
    return {card.slug: card for card in PRESETS}[slug]
