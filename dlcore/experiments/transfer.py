"""What can two pictures teach? A network that knows other classes learns new ones, in several ways side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dlcore.data.few_shot import NAMES, new_classes
from dlcore.device import choose_device
from dlcore.events import Event
from dlcore.experiments.settings import Descent, Place
from dlcore.knobs import knob, knob_like
from dlcore.steering import Steering
from dlcore.texts import N_, Problem
from dlcore.transfer_methods import DRAWN, IMAGENET, SHAPES, SHIPPED, base_name

LANE = "train"
SIZES = (2, 5, 20, 50)  # pictures of each class that a run learns from, one after the other
QUESTIONS = ("methods", "layers", "distil")


@dataclass(frozen=True)
class Config(Place):
    """The settings of the transfer lesson."""

    question: str = knob(
        "methods", choices=QUESTIONS, label=N_("Question"),
        help=N_("Which way to learn is best with how many pictures; which blocks are worth taking over; or whether a "
                "small network can learn from a large one."),
    )  # fmt: skip
    dataset: str = knob(
        "shapes", choices=NAMES, label=N_("New classes"),
        help=N_("Four shapes for a network that knows eight others; or photographs for one that knows other "
                "photographs: ants and bees, or the classes that you have made yourself."),
    )  # fmt: skip
    base: str = knob(
        SHIPPED, choices=(SHIPPED, IMAGENET), label=N_("The network before"),
        help=N_("A small one that knows CIFAR-10 (32 × 32 pixels), or MobileNetV2, which knows ImageNet (96 × 96 here) "
                "and takes its time."),
    )  # fmt: skip
    images: int = knob(
        50, low=2, high=50, log=True, step=1, label=N_("Pictures of each class, at most"),
        help=N_("From how many the networks learn: 2, 5, 20 and 50 up to this number, one after the other."),
    )  # fmt: skip
    own: str = knob(
        "fftt", label=N_("Your method"),
        help=N_("A letter for each block: f frozen, t taken over and trained on, n drawn anew."),
    )  # fmt: skip
    source_classes: int = knob(
        8, low=2, high=8, step=1, label=N_("Classes known before"),
        help=N_("How many shapes the network has learned before the new ones come."),
    )  # fmt: skip
    source_epochs: int = knob(
        12, low=0, high=40, step=1, advanced=True, label=N_("Epochs before"), zero=N_("none"),
        help=N_("How long it has learned them; 0 leaves the weights as they were drawn."),
    )  # fmt: skip
    seeds: int = knob(
        4, low=1, high=8, step=1, advanced=True, label=N_("Repetitions"),
        help=N_("How often each training is repeated, with other pictures and another head; the mean is drawn, and how "
                "far they lie apart."),
    )  # fmt: skip
    steps: int = knob(
        60, low=10, high=500, log=True, step=1, advanced=True, label=N_("Steps"),
        help=N_("Steps of each training on the new classes."),
    )  # fmt: skip
    learning_rate: float = knob_like(
        Descent,
        "learning_rate",
        default=3e-3,
        low=1e-4,
        high=0.1,
        live=False,
        help=N_("The size of a step on the new classes, with Adam."),
    )
    head_rate: float = knob(
        5.0, low=0.5, high=20.0, log=True, advanced=True, label=N_("Rate of the head"),
        help=N_("How many times faster the new last layer learns than the blocks below it."),
    )  # fmt: skip
    slower: float = knob(
        0.3, low=0.05, high=1.0, advanced=True, label=N_("Slower below"),
        help=N_("In the method of that name each block learns at this share of the rate of the block above it."),
    )  # fmt: skip
    rank: int = knob(
        2, low=0, high=8, step=1, advanced=True, label=N_("Rank of LoRA"), zero=N_("nothing added"),
        help=N_("How large the two small matrices are whose product is added to frozen weights."),
    )  # fmt: skip
    temperature: float = knob(
        4.0, low=1.0, high=20.0, log=True, advanced=True, label=N_("Temperature"),
        help=N_("In distillation: the teacher’s logits are divided by this, so that its doubts can be seen."),
    )  # fmt: skip
    seed: int = knob_like(Descent, "seed")

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Where one size is asked for, a middle one; photographs need a larger network, which takes its time."""
        fewer = {"images": 20} if given.get("question") in ("layers", "distil") else {}
        if given.get("dataset", DRAWN) != DRAWN:
            fewer |= {"seeds": 2, "own": "ffffftt", "steps": 40, "images": 20}
            if given.get("base") == IMAGENET:
                fewer |= {"seeds": 1, "steps": 30, "learning_rate": 3e-4}
        return fewer


def sizes_of(config: Config) -> tuple[int, ...]:
    """From how many pictures of each class a run learns, one training after the other."""
    if config.question != "methods":
        return (config.images,)
    last = (config.images,) if config.dataset == "album" else ()  # however few somebody has
    return tuple(sorted({*(size for size in SIZES if size <= config.images), *last}))


def resolve(config: Config) -> Config:
    """The config with device and the data's fingerprint made definite; no more pictures than an album has.

    Raises:
        Problem: the pictures are not here, or are others than the config names, or the device is missing.
    """
    found = new_classes(config.dataset, SHAPES[base_name(config)][1], config.data_hash)
    config = replace(config, device=choose_device(config.device))
    if config.dataset == "album":
        return replace(config, images=min(config.images, found.most))
    if config.data_hash not in ("", found.hash):
        raise Problem(
            N_("This run was made with other images (fingerprint {wanted}) than those found here ({found}). Clear the "
               "fingerprint to train on these."),
            kind="data_hash", wanted=config.data_hash[:16], found=found.hash,
        )  # fmt: skip
    return replace(config, data_hash=found.hash)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """Learn the old classes, then the new ones, from more and more pictures; each method and repetition by itself.

    Epoch events have ``accuracy/<method>``, the mean over the repetitions on held-out pictures, and
    ``spread/<method>``, their standard deviation; Snapshots "stages" what is known of all sizes so far.
    ``Finished.metrics``: by_images (columns "images", and by method its accuracies and spreads),
    ``<method>_accuracy`` with the fewest pictures, source_accuracy, ``trained/<method>`` (numbers that it may change),
    ``step_ms/<method>``, seconds (training alone), device.
    """
    from dlcore.transfer_stages import stages

    yield from stages(resolve(config), resume=resume, steering=steering).run()
