"""How much of a score is chance? Small classifiers trained again and again: other seeds, folds, sizes, complexities.

Every fit is a step. Its scores join the Snapshot "scores", one row for each fit (``COLUMNS``).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dlcore.data.images import proportional_order
from dlcore.events import Checkpoint, Event, Finished, Snapshot, Started, Step
from dlcore.knobs import knob
from dlcore.small_models import DIALS, NAMES, SCORES, USUAL
from dlcore.steering import Steering
from dlcore.texts import N_

LANE = "train"  # one fit may take a second and cannot be cut into slices
TASKS = ("folds", "seeds", "learning_curve", "complexity")
COLUMNS = ("model", "dial", "size", "repeat", "fold", "train", "test")  # model: 0 the first, 1 the rival
CHECKPOINT_SECONDS = 5.0
SHARES = 8  # sizes of a learning curve
HELD_OUT = 0.3  # share of each class for the test, where there are no folds


@dataclass(frozen=True)
class Config:
    """The settings of the repeated trainings."""

    task: str = knob(
        "folds", choices=TASKS, label=N_("What varies"),
        help=N_("The part that is left out, everything random, the number of samples, or the model’s freedom."),
    )  # fmt: skip
    dataset: str = knob(
        "breast_cancer", choices=("moons", "rare", "breast_cancer", "digits"), label=N_("Data"),
        help=N_("Generated half moons, a generated rare disease, real tumours (two measurements), or real digits."),
    )  # fmt: skip
    model: str = knob(
        "logistic", choices=NAMES, label=N_("Model A"), help=N_("A classifier of scikit-learn, with its usual setting.")
    )
    rival: str = knob(
        "tree", choices=(*NAMES, "none"), label=N_("Model B"),
        help=N_("Is trained on the very same samples, so that the two can be compared in pairs."),
    )  # fmt: skip
    score: str = knob(
        "accuracy", choices=SCORES, label=N_("Score"), help=N_("What is measured on the samples that were held back.")
    )
    size: int = knob(
        400, low=60, high=1500, log=True, step=1, label=N_("Samples"),
        help=N_("How many samples there are in all; a set that has fewer gives all it has."),
    )  # fmt: skip
    folds: int = knob(
        5, low=2, high=20, label=N_("Folds"), advanced=True,
        help=N_("Into how many parts the samples are cut; each part is left out once and tested on."),
    )  # fmt: skip
    repeats: int = knob(
        2, low=1, high=50, label=N_("Repeats"), advanced=True, help=N_("How often all of it is done with other chance.")
    )
    prevalence: float = knob(
        0.05, low=0.01, high=0.5, log=True, label=N_("Share of positives"), advanced=True,
        help=N_("How rare the rare disease is; the other sets are as they are."),
    )  # fmt: skip
    seed: int = knob(0, low=0, high=9999, label=N_("Seed"), help=N_("Draws samples, folds and weights."), advanced=True)

    @classmethod
    def recipe(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Folds are repeated seldom, seeds often: so many dots as say something."""
        return {"repeats": {"folds": 2, "seeds": 20}.get(given.get("task", "folds"), 5)}


@dataclass(frozen=True)
class Fit:
    """One training to be done: the model's place (0 or 1), its dial, and the rows to learn from and to test on."""

    model: int
    dial: float
    repeat: int
    fold: int
    learn: np.ndarray
    test: np.ndarray


def resolve(config: Config) -> Config:
    """The config itself: nothing in it depends on the machine."""
    return config


def contenders(config: Config) -> list[str]:
    """The models that are trained, one or two of ``dlcore.small_models.NAMES``."""
    return [config.model] if config.rival == "none" else [config.model, config.rival]


def plan(config: Config, y: np.ndarray) -> list[Fit]:
    """Every fit of the run, in order: both models get the same rows each time."""
    fits = {"folds": _folds, "seeds": _splits, "learning_curve": _sizes, "complexity": _dials}[config.task]
    return list(fits(config, y))


def _both(config: Config, repeat: int, fold: int, learn: np.ndarray, test: np.ndarray) -> Iterator[Fit]:
    for place, name in enumerate(contenders(config)):
        yield Fit(place, USUAL[name], repeat, fold, learn, test)


def _folds(config: Config, y: np.ndarray) -> Iterator[Fit]:
    for repeat in range(config.repeats):
        folds = fold_of(y, config.folds, config.seed + repeat)
        for fold in range(config.folds):
            yield from _both(config, repeat, fold, np.flatnonzero(folds != fold), np.flatnonzero(folds == fold))


def _splits(config: Config, y: np.ndarray) -> Iterator[Fit]:
    for repeat in range(config.repeats):
        yield from _both(config, repeat, 0, *split(y, config.seed + repeat))


def _sizes(config: Config, y: np.ndarray) -> Iterator[Fit]:
    for size in sizes(len(split(y, 0)[0])):
        for repeat in range(config.repeats):
            learn, test = split(y, config.seed + repeat)
            yield from _both(config, repeat, 0, learn[:size], test)


def _dials(config: Config, y: np.ndarray) -> Iterator[Fit]:
    for place, name in enumerate(contenders(config)):
        for dial in DIALS[name]:
            for repeat in range(config.repeats):
                yield Fit(place, dial, repeat, 0, *split(y, config.seed + repeat))


def sizes(most: int) -> list[int]:
    """Sizes of a learning curve, evenly spaced in their logarithm, from 20 to all."""
    return sorted({round(size) for size in np.geomspace(min(20, most), most, SHARES)})


def fold_of(y: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Which fold each sample is left out in, ``(N,)``: at random, every class spread evenly (stratified)."""
    order = np.random.default_rng(seed).permutation(len(y))
    order = order[np.argsort(y[order], kind="stable")]
    folded = np.empty(len(y), int)
    folded[order] = np.arange(len(y)) % folds
    return folded


def split(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and to test on, at random: ``HELD_OUT`` of each class is for the test.

    Of the rows to learn from, any number of the first holds each class in proportion.
    """
    order, test = np.random.default_rng(seed).permutation(len(y)), np.zeros(len(y), bool)
    for label in np.unique(y):
        where = order[y[order] == label]
        test[where[: round(len(where) * HELD_OUT)]] = True
    learn = order[~test[order]]
    return learn[proportional_order(y[learn])], np.flatnonzero(test)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """The trainings as events; the loss of a ``Step`` is 1 − the test score (0.5 where that has no meaning)."""
    from dlcore.data import labelled
    from dlcore.small_models import fitted, score

    steering = steering or Steering()
    X, y = labelled.load(config.dataset, config.size, config.seed, config.prevalence)
    fits, names = plan(config, y), contenders(config)
    rows: list[list[float]] = [list(row) for row in resume["rows"]] if resume else []
    right = resume["right"].copy() if resume else np.full((len(names), config.repeats, len(y)), -1, np.int8)
    seconds = float(resume["seconds"]) if resume else 0.0
    yield Started(len(rows), asdict(config), len(fits), _info(config, y))
    if config.task == "folds":
        yield Snapshot(len(rows), "folds", {"fold": fold_of(y, config.folds, config.seed), "labels": y})
    saved = time.perf_counter()
    while len(rows) < len(fits):
        fit, began = fits[len(rows)], time.perf_counter()
        model = fitted(names[fit.model], fit.dial, config.seed + fit.repeat, X[fit.learn], y[fit.learn])
        train, test = (score(model, X[part], y[part], config.score) for part in (fit.learn, fit.test))
        right[fit.model, fit.repeat, fit.test] = model.predict(X[fit.test]) == y[fit.test]
        rows.append([fit.model, fit.dial, len(fit.learn), fit.repeat, fit.fold, train, test])
        seconds += time.perf_counter() - began
        step = len(rows)
        yield Step(step, float(np.nan_to_num(1 - test, nan=0.5)), seconds, {"train": train, "test": test})
        yield Snapshot(step, "scores", {"rows": np.array(rows)})
        yield from steering.due(step)
        if steering.wants_checkpoint() or time.perf_counter() - saved > CHECKPOINT_SECONDS:
            saved = time.perf_counter()
            yield Checkpoint(step, _state(rows, right, seconds))
    yield Checkpoint(len(rows), _state(rows, right, seconds), final=True)
    yield from _end(config, np.array(rows), right)


def _state(rows: list[list[float]], right: np.ndarray, seconds: float) -> dict[str, Any]:
    return {"rows": [list(row) for row in rows], "right": right.copy(), "seconds": seconds}


def _info(config: Config, y: np.ndarray) -> dict[str, Any]:
    counts = np.bincount(y)
    return {"samples": len(y), "classes": len(counts), "always": float(counts.max() / len(y)), "rows": len(y)}


def _end(config: Config, rows: np.ndarray, right: np.ndarray) -> Iterator[Event]:
    """The comparison, where there are two models, and the metrics."""
    metrics: dict[str, Any] = {}
    for place, name in enumerate(contenders(config)):
        mine = rows[rows[:, 0] == place]
        letter, chosen = "ab"[place], _told_of(config, mine)
        metrics |= {letter: name, f"mean_{letter}": _mean(chosen[:, 6]), f"sd_{letter}": _deviation(chosen[:, 6])}
        if config.task == "complexity":
            metrics[f"best_dial_{letter}"] = float(chosen[0, 1])
    if len(right) == 2 and config.task == "folds":
        differences = _differences(right)
        yield Snapshot(len(rows), "differences", {"resamples": differences})
        metrics |= _verdict(right, differences)
    yield Finished(len(rows), metrics)


def _told_of(config: Config, mine: np.ndarray) -> np.ndarray:
    """The rows of one model that its mean is taken over: of a curve its end, or its highest place; else all."""
    if config.task == "learning_curve":
        return mine[mine[:, 2] == mine[:, 2].max()]
    if config.task == "complexity":
        means = {dial: _mean(mine[mine[:, 1] == dial][:, 6]) or 0.0 for dial in mine[:, 1].tolist()}
        return mine[mine[:, 1] == max(means, key=lambda dial: means[dial])]
    return mine


def _differences(right: np.ndarray) -> np.ndarray:
    """Paired bootstrap: accuracy of A less that of B on the same resampled samples, ``(RESAMPLES,)``."""
    from dlcore.resampling import bootstrap_means

    both = right.mean(1, dtype=float)  # (2, N): share of the repeats in which a sample was answered right
    return bootstrap_means(both[0] - both[1])


def _verdict(right: np.ndarray, differences: np.ndarray) -> dict[str, Any]:
    """Accuracy of A less that of B with its interval, and on how many samples they disagree."""
    from dlcore.resampling import interval

    low, high = interval(differences)
    both = right.mean(1, dtype=float)
    return {
        "difference": float(both[0].mean() - both[1].mean()),
        "difference_low": low,
        "difference_high": high,
        "only_a": int((both[0] > both[1]).sum()),
        "only_b": int((both[1] > both[0]).sum()),
    }


def _mean(scores: np.ndarray) -> float | None:
    known = scores[np.isfinite(scores)]
    return float(known.mean()) if len(known) else None


def _deviation(scores: np.ndarray) -> float | None:
    known = scores[np.isfinite(scores)]
    return float(known.std(ddof=1)) if len(known) > 1 else None
