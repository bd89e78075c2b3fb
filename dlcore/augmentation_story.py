"""The augmentation lesson in words and in a run's own numbers: recipes, doubts about labels, results, challenges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from dlcore.augmentation_settings import Strengths
from dlcore.experiments.augmentation import Config
from dlcore.history import History
from dlcore.texts import N_

NONE = Strengths()
PRESETS: dict[str, tuple[str, Strengths]] = {  # by name: what the button says, and what it sets
    "nothing": (N_("Nothing"), NONE),
    "moved": (N_("Another hand"), Strengths(shift=3, rotate=15)),
    "any": (N_("Any way up"), Strengths(rotate=180)),
    "mirror": (N_("Mirrored"), Strengths(flip=0.5)),
    "photo": (N_("A bad camera"), Strengths(brightness=0.5, contrast=0.5, blur=1.2, noise=0.15)),
    "mixup": (N_("MixUp"), Strengths(mix="mixup")),
    "cutmix": (N_("CutMix"), Strengths(mix="cutmix")),
    "trivial": (N_("TrivialAugment"), Strengths(policy="trivial")),
}
WILD = Strengths(probability=0.45, rotate=180, flip=0.65)  # of the quiz: about half of the labels are gone
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {  # which knobs are shown together
    "move": (N_("Move"), ("shift", "rotate", "scale", "shear")),
    "cut": (N_("Cut, mirror"), ("crop", "erase", "flip", "upside_down")),
    "light": (N_("Light"), ("brightness", "contrast", "saturation", "hue", "blur", "noise")),
    "mix": (N_("Mix"), ("policy", "mix", "mix_alpha")),
}
COLOUR = ("saturation", "hue")
COLOURED = ("cifar10",)
DIGITS = ("digits", "mnist")
KINDS = {
    "train": N_("training images"), "test": N_("test images"), "tta": N_("test, several views"),
    "shifted": N_("shifted"), "rotated": N_("rotated"), "noisy": N_("noisy"), "blurred": N_("blurred"),
}  # fmt: skip


def group_of(strengths: Strengths) -> str:
    """The group that shows most of what these strengths use."""
    used = [f.name for f in fields(Strengths) if getattr(strengths, f.name) != getattr(NONE, f.name)]
    return max(GROUPS, key=lambda name: sum(knob in GROUPS[name][1] for knob in used))


def hidden(values: Mapping[str, Any], group: str) -> list[str]:
    """What is not drawn: the strengths of other groups, and what does nothing as things stand."""
    shown = set(GROUPS[group][1])
    if values["dataset"] not in COLOURED:
        shown -= set(COLOUR)
    if values["mix"] == "none":
        shown -= {"mix_alpha"}
    unused = ["pixels", "layers"]  # the editor has the layers
    return [*unused, *(f.name for f in fields(Strengths) if f.name not in shown | {"probability"})]


def twins(config: Config) -> tuple[Config, Config]:
    """The same training without and with augmentation: same images, first weights and order."""
    return replace(config, **{**asdict(NONE), "probability": 0.0}), config


def strengths(config: Config) -> dict[str, Any]:
    """The augmentation part of a config, by name."""
    return {f.name: getattr(config, f.name) for f in fields(Strengths)}


# --- when is the label still valid? -----------------------------------------------------------------------------------

HAND = "digits"
DOUBTS: tuple[tuple[str, Any, str], ...] = (  # on which data, when, and what to think of
    (HAND, lambda s: s.rotate > 120, N_("A 6 turned round is a 9. Above about 120° both of their labels are wrong.")),
    (HAND, lambda s: 45 < s.rotate <= 120, N_("A 7 lying on its side is hardly a 7; nobody writes so.")),
    (HAND, lambda s: s.flip > 0, N_("A mirrored digit is not one: a mirrored 2 looks like a 5, a 3 like an Ɛ.")),
    (HAND, lambda s: s.upside_down > 0, N_("Upside down in the water only 0, 1, 3 and 8 remain what they are.")),
    ("shapes", lambda s: s.flip + s.upside_down > 0 or s.rotate > 90,
     N_("These shapes have no right way up: mirroring and turning leave every label as it is.")),
    ("fashion_mnist", lambda s: s.flip > 0, N_("A mirrored shoe is a shoe: here mirroring is safe.")),
    ("fashion_mnist", lambda s: s.upside_down > 0 or s.rotate > 90,
     N_("A pullover upside down is still one, but no test image hangs so: the network learns what it will not need.")),
    ("cifar10", lambda s: s.flip > 0, N_("A car seen in a mirror is a car: here mirroring is safe.")),
    ("cifar10", lambda s: s.upside_down > 0 or s.rotate > 90,
     N_("Cars seldom drive on their roofs: the label stays, the use goes.")),
    ("", lambda s: s.crop > 0.5, N_("A crop of less than half of the picture may miss what the label speaks of.")),
    ("", lambda s: s.shift > 8, N_("Moved so far, a part of it leaves the picture.")),
    ("", lambda s: s.erase > 0.4, N_("The black window may cover what tells two classes apart.")),
    ("", lambda s: s.noise > 0.35 or s.blur > 2.5 or s.contrast > 0.9 or s.brightness > 0.9,
     N_("So strong that you would not read it yourself? Then the label teaches the network to guess.")),
    ("", lambda s: s.mix != "none",
     N_("Two things are in the picture, so the label says both, in shares: that is the target of the loss.")),
    ("", lambda s: s.policy != "none",
     N_("The policies were made for photographs. Inverted or turned by 30°, is it still what the label says?")),
)  # fmt: skip


def doubts(dataset: str, settings: Strengths) -> list[str]:
    """What to think of before these strengths are used on these images, marked for translation; at most three."""
    here = {HAND} if dataset in DIGITS else {dataset}
    if not settings.probability:
        return []
    return [words for on, when, words in DOUBTS if (not on or on in here) and when(settings)][:3]


# --- numbers for the formulas -----------------------------------------------------------------------------------------


def numbers(config: Config, made: Mapping[str, Any] | None) -> dict[str, str]:
    """What the formulas are filled with: the first variant's own map and shares; letters before there is one."""
    letters = {"a": "a", "b": "b", "c": "c", "d": "d", "tx": "t_x", "ty": "t_y", "alpha": f"{config.mix_alpha:.2g}",
               "share": r"\lambda", "rest": r"1 - \lambda", "mean": r"\mu", "std": r"\sigma"}  # fmt: skip
    if made is None:
        return letters
    (a, b, tx), (c, d, ty) = made["maps"][0, 0].tolist()
    places = {"a": a, "b": b, "c": c, "d": d, "tx": tx, "ty": ty}
    share = float(made["shares"][0, 0].max())
    mixed = {"share": f"{share:.2f}", "rest": f"{1 - share:.2f}"} if config.mix != "none" else {}
    return {**letters, **{name: f"{value:.2f}" for name, value in places.items()}, **mixed}


# --- results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """Two finished runs that differ in their augmentation alone."""

    without: History
    with_: History

    def gain(self, kind: str) -> float:
        """By how much the share of right answers on a kind of images is higher with augmentation."""
        return self.with_.metrics[f"{kind}_accuracy"] - self.without.metrics[f"{kind}_accuracy"]


def pairs(runs: Iterable[History]) -> list[Pair]:
    """Every augmented run with its twin, where both are finished."""
    done = [run for run in runs if run.state == "finished" and "tta_accuracy" in run.metrics]
    plain = {_common(run.config): run for run in reversed(done) if not run.config["probability"]}
    return [
        Pair(plain[_common(run.config)], run)
        for run in done
        if run.config["probability"] and _common(run.config) in plain
    ]


def _common(config: Mapping[str, Any]) -> tuple:
    """What twins share. Each chooses its layout for itself, by a measurement that may fall out either way."""
    own = {f.name for f in fields(Strengths)} | {"views", "memory_format", "precision"}
    return tuple(sorted((name, value) for name, value in config.items() if name not in own))


def accuracies(run: History | None) -> list[float]:
    """Right answers of a finished run on each of ``KINDS``; NaN where there are none."""
    metrics = run.metrics if run else {}
    return [metrics.get(f"{kind}_accuracy", float("nan")) for kind in KINDS]


def verdict(pair: Pair) -> tuple[str, dict[str, str]]:
    """What the two runs show, as a sentence marked for translation and its numbers."""
    gains = {kind: pair.gain(kind) for kind in ("test", "shifted", "rotated", "noisy", "blurred")}
    best = max(("shifted", "rotated", "noisy", "blurred"), key=gains.__getitem__)
    worst = min(gains, key=gains.__getitem__)
    gap = {name: run.metrics["train_accuracy"] - run.metrics["test_accuracy"]
           for name, run in (("before", pair.without), ("after", pair.with_))}  # fmt: skip
    words = {
        "best": KINDS[best], "worst": KINDS[worst],
        "best_gain": _points(gains[best]), "worst_gain": _points(gains[worst]), "clean": _points(gains["test"]),
        **{name: f"{100 * value:.1f}" for name, value in gap.items()},
    }  # fmt: skip
    text = N_(
        "Augmentation changed the clean test images by {clean} points. It helped most on the {best} ones "
        "({best_gain}) and least on the {worst} ones ({worst_gain}). The gap between training and test went from "
        "{before} to {after} points."
    )
    return text, words


def _points(gain: float) -> str:
    return f"{100 * gain:+.1f}".replace("-", "−")


# --- challenges -------------------------------------------------------------------------------------------------------

SHIFTED, COST = 0.80, 0.01  # right answers on shifted digits, and what it may cost on clean ones
HURT = 0.05


def robust(runs: Iterable[History]) -> float:
    """Whether a pair on the built-in digits has reached ``SHIFTED`` at no cost on clean ones; how far, 0 to 1."""
    found = [pair for pair in pairs(runs) if pair.with_.config["dataset"] == "digits"]
    reached = [pair.with_.metrics["shifted_accuracy"] / SHIFTED for pair in found if pair.gain("test") >= -COST]
    return min(1.0, max(reached, default=0.0))


def hurtful(runs: Iterable[History]) -> float:
    """Whether some augmentation has cost ``HURT`` of the clean accuracy; how far, 0 to 1."""
    return min(1.0, max((-pair.gain("test") / HURT for pair in pairs(runs)), default=0.0))


def agreement(marked: Sequence[int], labels: np.ndarray, probabilities: np.ndarray) -> tuple[int, list[int]]:
    """On how many samples reader and network agree whether the label still holds, and which the network doubts.

    Args:
        marked: the samples whose label the reader holds to be wrong.
        labels: ``(n,)``. probabilities: ``(n, K)`` of the network.
    """
    doubted = np.flatnonzero(probabilities.argmax(1) != labels).tolist()
    same = sum((k in marked) == (k in doubted) for k in range(len(labels)))
    return same, doubted
