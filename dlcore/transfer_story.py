"""What the transfer lesson says with numbers: who wins with how many pictures, and where the lines cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.experiments.transfer import Config, sizes_of
from dlcore.figures.transfer import TITLES
from dlcore.history import History
from dlcore.texts import N_
from dlcore.transfer_methods import (
    DRAWN,
    FROZEN,
    IMAGENET,
    PUPIL_LAYERS,
    PUPILS,
    SHAPES,
    SHIPPED,
    Method,
    base_name,
    batch_size,
    blocks_for,
    blocks_of,
    methods_of,
)

Scores = dict[str, tuple[np.ndarray, np.ndarray]]  # by method: mean (n,), spread (n,)
MILLISECONDS = {DRAWN: 0.4, SHIPPED: 6.0, IMAGENET: 25.0}  # for a picture, forward and back, examined now and then
NEAR = 0.02  # shares of right answers nearer than this are called the same
WORDS = {
    "empty": N_("The network knows some shapes and has never seen the new ones. Which way to learn them will win with "
                "2 pictures of each, which with 20? Say so before you train."),
    "empty_backbone": N_("The network knows the ten classes of CIFAR-10, {what} not among them. Which way to learn "
                         "them will win with few pictures?"),
    "empty_mobilenet_v2": N_("The network has seen 1.2 million photographs of 1,000 kinds. Which way to learn {what} "
                             "from it will win with few pictures?"),
    "own_backbone": N_("The network knows the ten classes of CIFAR-10. Which way to learn your classes from it will "
                       "win with few pictures?"),
    "insects": N_("ants and bees"),
    "album": N_("your classes"),
    "source": N_("First it learns the old classes; so far it gets {share} of their held-out pictures right."),
    "few": N_("Now {n} of each new class, all ways side by side."),
    "pupils": N_("Now the teacher, which gets {share} right, has pupils with {times} times fewer weights."),
    "won": N_("With {few} of each class: frozen {frozen} right, fine-tuned {finetuned}, from scratch {scratch}. With "
              "{many}: {frozen_many}, {finetuned_many} and {scratch_many}. {crossing}"),
    "crossed": N_("Freezing wins with few pictures, training on with many."),
    "ahead": N_("Frozen features stay ahead all the way here."),
    "behind": N_("Training on is at least as good from the first picture on here."),
    "level": N_("In the end freezing and training on come to the same."),
    "layers": N_("With {n} of each class, from scratch: {scratch} right. The first {k} blocks taken over and frozen: "
                 "{best}, the most of all; all {count}: {all}."),
    "distil": N_("With the labels alone a pupil gets {alone} right, with the teacher’s answers {hard}, with its doubts "
                 "{soft}. The teacher gets {teacher}."),
}  # fmt: skip


def scores_of(history: History) -> tuple[np.ndarray, Scores]:
    """Pictures of each class (n,) of the trainings that are done, and of every method its scores there."""
    told = history.snapshots.get("stages")
    if told is None or not len(told.arrays["images"]):
        return np.zeros(0), {}
    accuracy = told.arrays["accuracy"]  # (n, methods, repetitions)
    names = history.info["methods"]
    return told.arrays["images"], {
        name: (accuracy[:, i].mean(1), accuracy[:, i].std(1)) for i, name in enumerate(names)
    }


def under_way(history: History) -> tuple[str, np.ndarray, dict[str, np.ndarray]]:
    """The newest training: its name, its steps from 0 (n,), and right answers by method (n,)."""
    stages = history.info.get("stages", [])
    if not len(history.epochs):
        return "", np.zeros(0), {}
    stage = history.epochs.column("stage")
    place = int(stage[-1])
    rows = stage == place
    steps = history.epochs.column("step")[rows]
    if stages[place] == "source":
        return "source", steps - steps[0], {"old": history.epochs.column("test_accuracy")[rows]}
    names = PUPILS if stages[place] == "pupils" else history.info["methods"]
    columns = {name: history.epochs.column(f"accuracy/{name}")[rows] for name in names}
    return stages[place], steps - steps[0], columns


def by_blocks(scores: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Scores:
    """Of a run on layers: "scratch" (1,), "frozen" and "tuned" (blocks,), each with its spread."""
    if "scratch" not in scores:
        return {}
    count = sum(name.startswith("frozen") for name in scores)
    joined = {
        kind: tuple(np.concatenate([scores[f"{kind}{k + 1}"][part] for k in range(count)]) for part in (0, 1))
        for kind in ("frozen", "tuned")
    }
    return {"scratch": scores["scratch"], **joined}  # pyright: ignore[reportReturnType]


def crossing(scores: Scores) -> str:
    """How freezing and training on compare from few pictures to many: a key of ``WORDS``."""
    lead = scores["frozen"][0] - scores["finetuned"][0]
    if lead[0] <= 0:
        return "behind"
    if lead[-1] < -NEAR:
        return "crossed"
    return "ahead" if lead[-1] > NEAR else "level"


def said(config: Config, history: History) -> tuple[str, dict[str, str]]:
    """A sentence for the state of the run, and the numbers for its braces; texts in them are marked for translation."""
    if history.state == "empty" or not history.info:
        base = base_name(config)
        if base == SHIPPED and config.dataset == "album":  # which may be among those of CIFAR-10
            return WORDS["own_backbone"], {}
        return (WORDS["empty"], {}) if base == DRAWN else (WORDS[f"empty_{base}"], {"what": WORDS[config.dataset]})
    if history.state == "finished":
        return _result(history)
    name, _steps, shares = under_way(history)
    if name in ("", "source"):
        share = shares["old"][-1] if shares else np.nan
        return WORDS["source"], {"share": percent(share)}
    if name == "pupils":
        _images, scores = scores_of(history)
        return WORDS["pupils"], {"share": percent(scores["teacher"][0][0]), "times": pupil_times(config)}
    return WORDS["few"], {"n": name}


def minutes(config: Config, classes: int = 2) -> float:
    """About how long a run takes on two cores without a GPU (``benchmarks/transfer.py`` measures it).

    Args:
        config: of an album, with no more ``images`` than its rarest class has.
        classes: of photographs; there are 4 shapes.
    """
    base, methods = base_name(config), methods_of(config)
    count = len(methods[0].blocks)
    full = sum(1 - _untouched(method) / count for method in methods) * config.seeds  # networks, by what moves in them
    classes = 4 if base == DRAWN else classes
    learned = sum(config.steps * min(batch_size(config), size * classes) for size in sizes_of(config))
    return full * learned * MILLISECONDS[base] / 60_000


def _untouched(method: Method) -> int:
    """Blocks that are computed once, before any that moves."""
    return 0 if method.rank else len(method.blocks) - len(method.blocks.lstrip(FROZEN))


def pupil_times(config: Config) -> str:
    """How many times more numbers the teacher has than a pupil."""
    base = base_name(config)
    both = blocks_for(base, 4), blocks_of(PUPIL_LAYERS, SHAPES[base], 4)
    sizes = [sum(row.params for block in blocks for row in block) for blocks in both]
    return f"{sizes[0] / sizes[1]:.0f}"


def _result(history: History) -> tuple[str, dict[str, str]]:
    images, scores = scores_of(history)
    metrics = history.metrics
    if "soft_accuracy" in metrics:
        return WORDS["distil"], {n: percent(metrics[f"{n}_accuracy"]) for n in (*PUPILS, "teacher")}
    if "frozen1" in scores:
        joined = by_blocks(scores)
        frozen = joined["frozen"][0]
        best = int(np.argmax(frozen))
        return WORDS["layers"], {
            "n": str(int(images[0])), "scratch": percent(joined["scratch"][0][0]), "k": str(best + 1),
            "best": percent(frozen[best]), "count": str(len(frozen)), "all": percent(frozen[-1]),
        }  # fmt: skip
    shown = int(np.argmin(np.abs(images - 2)))  # with 2 pictures of each class, if the run had such
    values = {"few": str(int(images[shown])), "many": str(int(images[-1])), "crossing": WORDS[crossing(scores)]}
    for name in ("frozen", "finetuned", "scratch"):
        values |= {name: percent(scores[name][0][shown]), f"{name}_many": percent(scores[name][0][-1])}
    return WORDS["won"], values


def percent(share: float) -> str:
    """A share as a whole percentage, a dash where there is none."""
    return "–" if not np.isfinite(share) else f"{share:.0%}"


def table(history: History) -> list[dict[str, Any]]:
    """A row for each method of a finished run: name, trained, step_ms, and its share of right answers by pictures."""
    images, scores = scores_of(history)
    if history.state != "finished" or not scores or "scratch" not in scores or "frozen1" in scores:
        return []
    return [
        {
            "name": name, "trained": history.metrics[f"trained/{name}"], "step_ms": history.metrics[f"step_ms/{name}"],
            "accuracy": dict(zip(images.tolist(), mean.tolist(), strict=True)),
        }
        for name, (mean, _spread) in scores.items() if name in TITLES
    ]  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """A finished run: its settings and metrics (``dlcore.experiments.transfer.run``)."""

    config: Config
    metrics: Mapping[str, Any]

    def accuracy(self, name: str, images: int) -> float:
        """What a method reached with so many pictures of each class; NaN if it was not asked."""
        table = self.metrics.get("by_images", {})
        return dict(zip(table.get("images", ()), table.get(name, ()), strict=False)).get(images, np.nan)


def ended(config: Config, metrics: Mapping[str, Any]) -> Ended:
    """What is kept of a finished run."""
    return Ended(config, dict(metrics))


def gap(runs: Sequence[Ended], images: int) -> float:
    """By how much frozen was ahead of scratch in the newest run that tried both with so many; NaN if none did."""
    leads = (run.accuracy("frozen", images) - run.accuracy("scratch", images) for run in runs)
    return next((lead for lead in leads if np.isfinite(lead)), np.nan)


def own_lead(runs: Sequence[Ended], images: int, most: float) -> float:
    """By how much a method of the reader's own that trains less than ``most`` of all numbers beat training all.

    In the best run; -inf where there is none.
    """
    found = [
        run.accuracy("own", images) - run.accuracy("finetuned", images) for run in runs
        if run.metrics.get("trained/own", np.inf) < most * run.metrics.get("trained/finetuned", 0)
    ]  # fmt: skip
    return max((lead for lead in found if np.isfinite(lead)), default=-np.inf)


def doubts_worth(runs: Sequence[Ended]) -> float:
    """By how much a pupil with the teacher's doubts was ahead of one with labels alone, in the best run; else -inf."""
    return max(
        (
            run.metrics["soft_accuracy"] - run.metrics["alone_accuracy"]
            for run in runs
            if "soft_accuracy" in run.metrics
        ),
        default=-np.inf,
    )
