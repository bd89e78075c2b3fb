"""What the evaluation lesson says and checks: numbers for its prose, and how far a challenge is achieved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from dlcore.figures.evaluation import amount
from dlcore.history import History
from dlcore.thresholds import Counts, Curves, area_under_roc, average_precision, cheapest, counts

GOAL_RECALL, GOAL_PRECISION = 0.9, 0.043  # of the screening challenge; docs/teaching.md has what is possible
FEW_ERRORS, OVERCONFIDENT = 0.05, 0.1  # calibration errors: wanted, and what it must have been before
DASH = "–"


@dataclass(frozen=True, eq=False)
class Scene:
    """A classifier, one class against the rest, and where the sliders stand.

    Attributes:
        source: its name in the address.
        threshold, ratio: the score from which on it is called positive; what a miss costs, in false alarms.
        prevalence: the share of positives that is imagined, or None: as measured.
    """

    source: str
    curves: Curves
    threshold: float = 0.5
    ratio: float = 1.0
    prevalence: float | None = None

    @cached_property
    def counts(self) -> Counts:
        """The confusion matrix at the threshold."""
        return counts(self.curves, self.threshold, self.prevalence)

    @cached_property
    def best(self) -> float:
        """The cheapest threshold; ∞ where it is cheapest never to say "positive"."""
        return cheapest(self.curves, self.ratio, self.prevalence)

    @property
    def share(self) -> float:
        """The share of positives that is assumed."""
        return self.curves.prevalence if self.prevalence is None else self.prevalence

    @property
    def always(self) -> float:
        """The accuracy of whoever always gives the more frequent answer."""
        return max(self.share, 1 - self.share)


def percent(share: float) -> str:
    """A share as a percentage with one decimal, more where it is nearly all or nothing; a dash for 0/0."""
    if np.isnan(share):
        return DASH
    rest = min(share, 1 - share)
    return f"{share:.2%}" if 0 < rest < 0.01 else f"{share:.1%}"


def alike(measured: float, low: float, high: float, *, as_percent: bool) -> list[str]:
    """A number and the ends of its interval, all with as many digits as the interval's width is worth."""
    factor = 100 if as_percent else 1
    width = factor * (high - low)
    digits = int(np.clip(1 - np.floor(np.log10(width)), 1, 4)) if width > 0 else (1 if as_percent else 3)
    return [f"{factor * value:.{digits}f}" + "%" * as_percent for value in (measured, low, high)]


def ratio_text(above: Iterable[float], below: Iterable[float]) -> str:
    """A fraction of sums as it is printed: ``82 / (82 + 410)``."""
    upper, lower = ([amount(n) for n in numbers] for numbers in (above, below))
    top, bottom = (parts[0] if len(parts) == 1 else f"({' + '.join(parts)})" for parts in (upper, lower))
    return f"{top} / {bottom}"


def fractions(c: Counts) -> dict[str, tuple[str, float]]:
    """Each measure by name: its formula with the numbers of the matrix, and its value."""
    recall, specificity = percent(c.recall), percent(c.specificity)
    return {
        "accuracy": (ratio_text((c.tp, c.tn), (c.total,)), c.accuracy),
        "precision": (ratio_text((c.tp,), (c.tp, c.fp)), c.precision),
        "recall": (ratio_text((c.tp,), (c.tp, c.fn)), c.recall),
        "specificity": (ratio_text((c.tn,), (c.tn, c.fp)), c.specificity),
        "f1": (f"2 · {amount(c.tp)} / (2 · {amount(c.tp)} + {amount(c.fp)} + {amount(c.fn)})", c.f1),
        "balanced": (f"({recall} + {specificity}) / 2", c.balanced_accuracy),
    }


def numbers(scene: Scene | None) -> dict[str, str]:
    """The numbers in the prose, ready to print; dots where there is nothing to examine yet."""
    names = ("tp", "fp", "fn", "tn", "n", "accuracy", "precision", "recall", "specificity", "f1", "balanced", "always",
             "auc", "ap", "threshold", "ratio", "bayes", "share")  # fmt: skip
    if scene is None:
        return dict.fromkeys(names, "…")
    c = scene.counts
    values = {name: value for name, (_formula, value) in fractions(c).items()}
    shares = {name: percent(value).replace("%", r"\%") for name, value in {**values, "always": scene.always}.items()}
    return {
        **{name: amount(getattr(c, name)).replace(",", r"{,}") for name in ("tp", "fp", "fn", "tn")},
        **shares,
        "n": amount(c.total).replace(",", r"{,}"),
        "auc": f"{area_under_roc(scene.curves):.3f}",
        "ap": f"{average_precision(scene.curves, scene.prevalence):.3f}",
        "threshold": f"{scene.threshold:.3g}",
        "ratio": f"{scene.ratio:.3g}",
        "bayes": f"{1 / (1 + scene.ratio):.3g}",
        "share": percent(scene.share).replace("%", r"\%"),
    }


def worthless(scene: Scene | None) -> bool:
    """Accuracy above 98 % without finding a single positive, where there are some."""
    return bool(scene and scene.curves.positives and scene.counts.accuracy > 0.98 and scene.counts.tp == 0)


def screens(scene: Scene | None) -> float:
    """How far: nine of ten ill people found, at a precision near the best possible; the disease as rare as it is."""
    if scene is None or scene.source != "rare" or scene.prevalence is not None:
        return 0.0
    c = scene.counts
    if not c.recall >= GOAL_RECALL:
        return 0.5 * min(1.0, c.recall / GOAL_RECALL)
    return 0.5 + 0.5 * min(1.0, c.precision / GOAL_PRECISION)


def believable(scene: Scene | None) -> float:
    """The rare-disease test, where four of five alarms are right and at least half of the ill are found."""
    if scene is None or scene.source != "rare" or not scene.counts.recall >= 0.5:
        return 0.0
    return min(1.0, scene.counts.precision / 0.8)


def calibrated(before: float | None, after: float | None) -> float:
    """How far a calibration error of at least 0.1 has been brought below 0.05."""
    if before is None or after is None or before < OVERCONFIDENT:
        return 0.0
    return 1.0 if after < FEW_ERRORS else min(0.99, (before - after) / (before - FEW_ERRORS)) if after < before else 0.0


def really_better(histories: Iterable[History]) -> float:
    """Whether a finished comparison has an interval of the difference without zero; half for any comparison."""
    shares = [_apart(history.metrics) for history in histories if history.state == "finished"]
    return max(shares, default=0.0)


def _apart(metrics: dict[str, Any]) -> float:
    low, high = metrics.get("difference_low"), metrics.get("difference_high")
    if low is None or high is None or metrics.get("a") == metrics.get("b"):
        return 0.0
    return 1.0 if low > 0 or high < 0 else 0.5
