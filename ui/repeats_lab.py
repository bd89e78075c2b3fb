"""The same training again and again: folds, seeds, sizes, complexities; and whether A is really better than B."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.evaluation_story import percent
from dlcore.experiments.evaluation import COLUMNS, Config
from dlcore.figures import DATA, GREY, MODEL, certainty
from dlcore.figures.curves import Curve, Level, curves
from dlcore.history import History
from dlcore.small_models import DIALS
from dlcore.texts import N_
from ui.i18n import _, sentences
from ui.live_plot import live_plot
from ui.session import owner

LABELS = {
    "folds": N_("Folds"), "seeds": N_("Seeds"), "learning_curve": N_("Sizes"), "complexity": N_("Complexity"),
    "logistic": N_("Logistic regression"), "knn": N_("Nearest neighbours"), "tree": N_("Decision tree"),
    "mlp": N_("Small network"), "none": N_("none"), "moons": N_("Two moons"), "rare": N_("Rare disease"),
    "breast_cancer": N_("Real tumours"), "digits": N_("Real digits"), "accuracy": N_("accuracy"),
    "balanced_accuracy": N_("balanced accuracy"), "roc_auc": "AUC",
}  # fmt: skip
DIAL_NAMES = {
    "logistic": N_("C from 0.0001 to 100"), "knn": N_("neighbours from 101 to 1"), "tree": N_("depth from 1 to 20"),
    "mlp": N_("hidden units from 1 to 64"),
}  # fmt: skip
TALL = 300


def view(history: History) -> None:
    """What the run has found so far; the space is kept before there is anything."""
    config = {**vars(Config()), **history.config}
    rows = _rows(history)
    task = config["task"]
    if task in ("learning_curve", "complexity"):
        _curves(config, rows, history)
    else:
        left, right = st.columns([1, 1.25] if task == "folds" else [0.001, 1], gap="small")
        if task == "folds":
            with left:
                _folds(config, history)
        with right:
            _dots(config, rows, history)
    st.markdown(_said(config, rows, history))


def _rows(history: History) -> np.ndarray:
    """The scores so far, ``(n, columns)`` as in ``COLUMNS``."""
    snapshot = history.snapshots.get("scores")
    return np.zeros((0, len(COLUMNS))) if snapshot is None else snapshot.arrays["rows"]


def _of(rows: np.ndarray, model: int, column: str) -> np.ndarray:
    return rows[rows[:, 0] == model][:, COLUMNS.index(column)]


def _models(config: dict[str, Any]) -> list[str]:
    return [config["model"], *([] if config["rival"] == "none" else [config["rival"]])]


def _titles(config: dict[str, Any]) -> list[str]:
    return [f"{letter}: {_(LABELS[name])}" for letter, name in zip("AB", _models(config), strict=False)]


def _folds(config: dict[str, Any], history: History) -> None:
    """Who is tested on when."""
    snapshot = history.snapshots.get("folds")
    arrays = snapshot.arrays if snapshot else {"fold": np.arange(100) % config["folds"], "labels": np.zeros(100, int)}
    live_plot(
        certainty.folds(arrays["fold"], arrays["labels"], config["folds"], label=_), key="folds", height=TALL,
        alt=_("The samples of each round; those left out and tested on are vermilion. Light and dark are classes."),
        table={_("sample"): np.arange(len(arrays["fold"])), _("round"): arrays["fold"] + 1},
    )  # fmt: skip


def _dots(config: dict[str, Any], rows: np.ndarray, history: History) -> None:
    """Every test score as a dot, with mean and standard deviation."""
    groups = [_of(rows, place, "test") for place in range(len(_models(config)))]
    level = history.info.get("always") if config["score"] == "accuracy" else 0.5
    live_plot(
        certainty.strips(groups, _titles(config), level, title=LABELS[config["score"]], label=_), key="strips",
        height=TALL, alt=_("The score of every training on its test samples, one row for each model."),
        table=dict(zip(_titles(config), [g.round(4) for g in groups], strict=True)),
    )  # fmt: skip


def _curves(config: dict[str, Any], rows: np.ndarray, history: History) -> None:
    """Mean training score (dashed) and test score (solid) against the number of samples or the model's freedom."""
    growing = config["task"] == "learning_curve"
    lines = []
    for place, (name, color) in enumerate(zip(_models(config), (DATA, MODEL), strict=False)):
        x = _of(rows, place, "size" if growing else "dial")
        x = x if growing else np.array([DIALS[name].index(dial) for dial in x.tolist()], float)
        for column, dash in (("train", "dot"), ("test", "solid")):
            at, mean = _means(x, _of(rows, place, column))
            word = _("{model}, training") if column == "train" else _("{model}, test")
            lines.append(Curve(at, mean, word.format(model="AB"[place]), color, dash, markers=True))
    span = (18.0, float(history.info.get("samples", 400))) if growing else (-0.2, 7.2)
    x_title = N_("samples to learn from") if growing else N_("from stiff to pliant")
    low = float(np.nanmin([line.y.min() for line in lines if len(line.y)], initial=0.9))
    level = history.info.get("always") if config["score"] == "accuracy" else 0.5
    live_plot(
        curves(
            lines, x_title=x_title, y_title=LABELS[config["score"]], log_x=growing,
            y_range=(max(0.0, low - 0.05), 1.01), x_range=span,
            levels=[Level(level, N_("never looks"), GREY)] if level else [], label=_,
        ), key="learning", height=TALL,
        alt=_("Score on the training samples (dotted) and on test samples (solid) for each model."),
    )  # fmt: skip


def _means(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct x in rising order and the mean of the finite y at each (NaN without one)."""
    places = np.unique(x)
    known = np.isfinite(y)
    means = [float(y[(x == place) & known].mean()) if ((x == place) & known).any() else np.nan for place in places]
    return places, np.array(means)


def _said(config: dict[str, Any], rows: np.ndarray, history: History) -> str:
    """What has been seen, in a sentence of the run's own numbers; a line that is always there."""
    if not len(rows):
        return _("Blue is model A, vermilion model B. Nothing has been trained yet.")
    if config["task"] in ("learning_curve", "complexity"):
        return _gaps(config, rows)
    parts = []
    for place, title in enumerate(_titles(config)):
        scores = _of(rows, place, "test")
        scores = scores[np.isfinite(scores)]
        if len(scores) > 1:
            words = _("{model}: {mean} ± {sd} ({n} trainings, lowest {low}, highest {high}).")
            parts.append(words.format(
                model=title, mean=f"{scores.mean():.3f}", sd=f"{scores.std(ddof=1):.3f}", n=len(scores),
                low=f"{scores.min():.3f}", high=f"{scores.max():.3f}"))  # fmt: skip
    return "  \n".join(parts)


def _gaps(config: dict[str, Any], rows: np.ndarray) -> str:
    """Between training and test at the right end of the curves: too much freedom, or too little."""
    parts = []
    for place, (name, title) in enumerate(zip(_models(config), _titles(config), strict=True)):
        column = "size" if config["task"] == "learning_curve" else "dial"
        x = _of(rows, place, column)
        if not len(x):
            continue
        last = x == (x.max() if column == "size" else x[-1])
        train, test = (np.nanmean(_of(rows, place, kind)[last]) for kind in ("train", "test"))
        words = _("{model}: {train} on what it learned from and {test} on the rest, at the right end.")
        if column == "dial":
            title = f"{title} ({_(DIAL_NAMES[name])})"
        parts.append(words.format(model=title, train=f"{train:.3f}", test=f"{test:.3f}"))
    return "  \n".join(parts)


def verdict(history: History) -> None:
    """Is A really better than B? The difference on the same samples, with its interval; an invitation before that."""
    with st.container(key="prose-better"):
        _verdict_drawn(history)


def _verdict_drawn(history: History) -> None:
    snapshot, found = history.snapshots.get("differences"), history.metrics
    st.subheader(_("Is A really better than B?"), anchor="better")
    if snapshot is None or "difference" not in found:
        st.markdown(_("Train two models on folds above. Both then answer every sample, and can be compared in pairs."))
        return
    span = (found["difference_low"], found["difference_high"])
    left, right = st.columns([1.3, 1], gap="large")
    with left:
        live_plot(
            certainty.resamples(snapshot.arrays["resamples"], span, found["difference"],
                                N_("accuracy of A less that of B"), zero=True, label=_), key="difference", height=260,
            alt=_("Histogram of the difference in accuracy over 2,000 resamples, with its 95% interval and zero."),
        )  # fmt: skip
    right.markdown(_verdict(found, history.config))


def _verdict(found: dict[str, Any], config: dict[str, Any]) -> str:
    low, high = found["difference_low"], found["difference_high"]
    titles = _titles(config)
    numbers = {
        "a": titles[0], "b": titles[1], "difference": _points(found["difference"]), "low": _points(low),
        "high": _points(high), "only_a": found["only_a"], "only_b": found["only_b"],
    }  # fmt: skip
    words = _(
        "A has {difference} points more than B, with a 95% interval from {low} to {high}. A was right where B was not "
        "on {only_a} samples, B where A was not on {only_b}."
    ).format(**numbers)
    if low > 0:
        return sentences(
            words, _("**The interval lies above zero: {a} is better on data like these.**").format(**numbers)
        )
    if high < 0:
        return sentences(
            words, _("**The interval lies below zero: {b} is better on data like these.**").format(**numbers)
        )
    return sentences(words, _("**Zero lies within it: nobody can say yet which is better.**"))


def _points(share: float) -> str:
    """A difference of shares in points, with a true minus."""
    return f"{100 * share:+.1f}".replace("-", "−")


def finished() -> list[History]:
    """The histories of this browser's finished comparisons, newest first."""
    found = [run for run in jobs.runs(owner(), "evaluation") if run.state == "finished"]
    return [jobs.history(run.run_id, owner=owner()) for run in found[:10]]


def share_text(history: History) -> str:
    """The accuracy of who never looks, for the prose."""
    always = history.info.get("always")
    return "…" if always is None else percent(always)
