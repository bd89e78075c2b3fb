"""Why is training slow? The plain loop and what makes it fast, each trained anew to the same accuracy and timed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dlcore.device import choose_device
from dlcore.events import Event
from dlcore.experiments.settings import Descent, Images, Place
from dlcore.image_training import load_data
from dlcore.knobs import knob, knob_like
from dlcore.ladder import COMPARISONS, image_config, rungs
from dlcore.steering import Steering
from dlcore.texts import N_

LANE = "train"
FASHION = {"target": 0.85, "passes": 3, "most_passes": 4}
MNIST = {"target": 0.98, "passes": 1, "most_passes": 4}


@dataclass(frozen=True)
class Config(Place):
    """The settings of the lesson on speed. Every switch that is off is as in the plain loop."""

    dataset: str = knob_like(
        Images, "dataset", choices=("digits", "mnist", "fashion_mnist"),
        help=N_("1,442 scanned digits; 60,000 of MNIST; 60,000 pictures of clothes."),
    )  # fmt: skip
    compare: str = knob(
        "ladder", choices=COMPARISONS, label=N_("What is timed"),
        help=N_(
            "The plain loop, and then: one switch more each time; each switch alone; all but one; or all at once."
        ),
    )  # fmt: skip
    target: float = knob(
        0.97, low=0.5, high=0.995, step=0.005, label=N_("Target"),
        help=N_("The share of right answers on test images at which the clock stops."),
    )  # fmt: skip
    whole_set: bool = knob(
        True, label=N_("Whole set in memory"),
        help=N_("A batch is cut from one tensor. Off: a DataLoader that transforms one image after the other."),
    )  # fmt: skip
    small_network: bool = knob(
        True, label=N_("Smaller network"),
        help=N_(
            "16 and 32 filters, the first in steps of 2. Off: 32 and 64, dropout, and 1.2 million weights in a dense "
            "layer."
        ),
    )  # fmt: skip
    large_batch: bool = knob(
        True, label=N_("Larger batch"),
        help=N_("More images for each step, and a rate that grows with the root of their number. Off: 64."),
    )  # fmt: skip
    channels_last: bool = knob(
        True, label=N_("Channels last"),
        help=N_("The numbers of one pixel lie side by side in memory. Off: those of one channel."),
    )  # fmt: skip
    bfloat16: bool = knob(
        True, label=N_("bfloat16"),
        help=N_("Layers compute with 16 bits a number (autocast). Off: 32 bits. Processors without it are slower."),
    )  # fmt: skip
    fused: bool = knob(
        True, label=N_("Fused optimizer"),
        help=N_("One kernel updates a weight tensor. Off: a kernel for each operation of Adam."),
    )  # fmt: skip
    falling_rate: bool = knob(
        True, label=N_("High, falling rate"),
        help=N_(
            "The rate rises to the peak, then falls to 0 by the last planned step; Adam averages over fewer steps "
            "(β 0.7 and 0.9). Off: a constant rate (β 0.9 and 0.999)."
        ),
    )  # fmt: skip
    smoothing: bool = knob(
        True, label=N_("Label smoothing"),
        help=N_("A tenth of the target is spread over all classes. Off: no smoothing."),
    )  # fmt: skip
    compiled: bool = knob(
        False, label=N_("torch.compile"),
        help=N_("The network is translated to machine code first, which takes long and needs a C++ compiler."),
    )  # fmt: skip
    batch_size: int = knob(
        128, low=65, high=2048, log=True, step=1, advanced=True, label=N_("Batch size"),
        help=N_("Of the switch “Larger batch”: how many images are looked at for one step."),
    )  # fmt: skip
    peak: float = knob(
        1e-2, low=1e-4, high=0.1, log=True, advanced=True, label=N_("Peak of the rate"),
        help=N_("Of the switch “High, falling rate”: the largest learning rate."),
    )  # fmt: skip
    course: str = knob_like(
        Descent, "schedule", default="linear", choices=("linear", "one_cycle", "cosine"), advanced=True,
        label=N_("Course of the rate"), help=N_("Of the switch “High, falling rate”: how it gets to 0."),
    )  # fmt: skip
    passes: int = knob(
        4, low=1, high=30, advanced=True, label=N_("Planned passes"),
        help=N_("Of the switch “High, falling rate”: after how many passes over the images the rate is 0."),
    )  # fmt: skip
    most_passes: int = knob(
        20, low=1, high=60, advanced=True, label=N_("Most passes"),
        help=N_("Where the rate does not fall, a training that has not reached the target by then is given up."),
    )  # fmt: skip
    limit: float = knob(
        60.0, low=1.0, high=900.0, log=True, unit="s", advanced=True, label=N_("Most seconds"),
        help=N_("How long one training may take before it is given up."),
    )  # fmt: skip
    train_size: int = knob_like(Images, "train_size")
    evaluations: int = knob_like(Descent, "evaluations", default=4)
    seed: int = knob_like(Descent, "seed")

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """What the large sets ask for."""
        if given.get("dataset", "digits") == "digits":
            return {}
        large = {"batch_size": 256, "evaluations": 10, "limit": 240.0}
        return large | (MNIST if given["dataset"] == "mnist" else FASHION)


def resolve(config: Config) -> Config:
    """The config with the device and the data's fingerprint made definite.

    Raises:
        Problem: the data is not here, is not the data that the config names, or the device is missing.
    """
    data = load_data(image_config(config, rungs(config)[0]))
    return replace(config, device=choose_device(config.device), data_hash=data.hash)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Train every rung to the target and time it (``dlcore.rungs.Climb``).

    ``Finished.metrics``: seconds (of all trainings), factor (plain loop over the last), and ``rungs``, the columns of
    Snapshot "rungs" as lists.
    """
    from dlcore.rungs import Climb

    yield from Climb(resolve(config), steering, resume).run()
