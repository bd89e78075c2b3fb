"""What the series lesson says of a forecast and of a run, in sentences made of their numbers; and its challenges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dlcore.data.series import REAL
from dlcore.figures.cells import NAMES
from dlcore.forecasting import Forecasting
from dlcore.history import History
from dlcore.sequence_training import best_of
from dlcore.series_views import BASELINES
from dlcore.texts import N_

Label = Callable[[str], str]
DRAW = 0.03  # errors that differ by a smaller share count as equal: another seed changes more


def number(value: float) -> str:
    """To three digits, without an exponent where that can be."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def ranking(errors: Mapping[str, float], unit: str, label: Label) -> str:
    """Who is off by how much, the best first."""
    ordered = sorted(errors.items(), key=lambda pair: (np.isnan(pair[1]), pair[1]))  # what diverged comes last
    return label(N_(", ")).join(f"**{label(name)}** {number(error)}{unit and ' ' + unit}" for name, error in ordered)


def without_network(made: Forecasting, label: Label) -> str:
    """What a network will have to beat."""
    errors = {BASELINES[name][0]: float(error.mean()) for name, error in made.baselines.items()}
    words = N_("What a network has to beat on {n} held-out values, mean absolute error: {ranking}.")
    return label(words).format(n=f"{len(made.z) - made.split:,}", ranking=ranking(errors, made.series.unit, label))


def verdict(made: Forecasting, metrics: Mapping[str, Any], cells: Sequence[str], label: Label) -> tuple[str, str, str]:
    """How the run ended: a kind ("best", "even", "beaten", "worse"), and two sentences of its numbers.

    "beaten": by something else than “as yesterday”; "worse": than even that. The second sentence says how the best
    network stands to each forecast without one.
    """
    others = {
        title: float(made.baselines[name].mean()) for name, (title, _) in BASELINES.items() if name in made.baselines
    }
    nets = {NAMES[cell]: float(metrics[f"mae/{cell}"]) for cell in cells}
    rival = min(others, key=lambda name: others[name])
    net = best_of(nets, lower=True)
    words = N_("Mean absolute error on the held-out end: {ranking}.")
    told = label(words).format(ranking=ranking(others | nets, made.series.unit, label))
    kind = standing(nets[net], others[rival], others[BASELINES["naive"][0]])
    against = label(N_(", ")).join(_against(nets[net], error, label(name), label) for name, error in others.items())
    return kind, told, label(N_("The error of the {net} is {against}.")).format(net=net, against=against)


def _against(mae: float, rival: float, name: str, label: Label) -> str:
    """A network's error beside one without a network."""
    if abs(mae - rival) <= DRAW * rival:
        return label(N_("as large as that of “{name}” (another seed changes more)")).format(name=name)
    words = N_("{share} smaller than that of “{name}”") if mae < rival else N_("{share} larger than that of “{name}”")
    return label(words).format(share=f"{abs(1 - mae / rival):.0%}" if rival else "∞", name=name)


def standing(mae: float, rival: float, naive_mae: float) -> str:
    """How a network's error stands to the best without a network and to “as yesterday”; see ``verdict``."""
    if abs(mae - rival) <= DRAW * rival:
        return "even"
    if mae < rival:
        return "best"
    return "worse" if mae > naive_mae else "beaten"


def running_free(made: Forecasting, metrics: Mapping[str, Any], label: Label) -> str:
    """One step ahead against its own outputs fed back, of the same points."""
    words = N_(
        "From true values, one step ahead, it is off by **{one}**. Fed only its own forecasts, for {k} steps, it is "
        "off by **{free}** on the same points."
    )
    unit = made.series.unit and " " + made.series.unit
    one, free = (number(metrics[name]) + unit for name in ("one_step_mae", "free_mae"))
    return label(words).format(one=one, free=free, k=made.free_steps)


def training_part(made: Forecasting, metrics: Mapping[str, Any], label: Label) -> str:
    """The error on what it learned from, beside the held-out one."""
    words = N_("On the part that it learned from, its error is {train}; on the held-out end {held}.")
    unit = made.series.unit and " " + made.series.unit
    train, held = (number(metrics[name]) + unit for name in (f"train_mae/{metrics['cell']}", "mae"))
    return label(words).format(train=train, held=held)


def what_is_left(residuals: np.ndarray, unit: str, label: Label) -> str:
    """Whether the errors of neighbouring values are related: what a better forecast could still use."""
    e = residuals - residuals.mean()
    r = float(e[:-1] @ e[1:] / (e @ e)) if len(e) > 2 and e.any() else 0.0
    values = {"mean": number(float(residuals.mean())) + (unit and " " + unit), "r": f"{r:.2f}",
              "bound": f"{2 / np.sqrt(max(len(e), 1)):.2f}"}  # fmt: skip
    if abs(r) * np.sqrt(len(e)) > 2:
        return label(N_(
            "On average it is off by {mean}, and an error says something about the next (correlation {r}, where chance "
            "stays below {bound} in 95 of 100 cases): there is something left to learn, or the series has changed."
        )).format(**values)  # fmt: skip
    return label(N_(
        "On average it is off by {mean}, and an error says nothing about the next (correlation {r}, within the {bound} "
        "that chance makes in 95 of 100 cases): of this kind nothing is left to learn."
    )).format(**values)  # fmt: skip


# -- challenges: how far a finished run has achieved them, 0 to 1 ------------------------------------------------------


def half_of_linear(history: History) -> float:
    """An error of at most half of the linear model's."""
    end = history.metrics
    return min(1.0, 0.5 * end["linear_mae"] / max(end["mae"], 1e-12))


def fooled(history: History) -> float:
    """On the random walk half the error of “as yesterday” on the training part, and more of it on the held-out end."""
    end = history.metrics
    if history.config["dataset"] != "walk" or end["mae"] < end["naive_mae"]:
        return 0.0
    return min(1.0, 0.5 * end["naive_mae"] / max(end[f"train_mae/{end['cell']}"], 1e-12))


def wins_on(dataset: str, history: History) -> float:
    """A smaller error than “as a season ago” on a series."""
    end = history.metrics
    if history.config["dataset"] != dataset or "seasonal_naive_mae" not in end:
        return 0.0
    return min(1.0, end["seasonal_naive_mae"] / max(end["mae"], 1e-12))


def none_better(history: History) -> float:
    """On a real series, or one of somebody's own, the smallest error of all."""
    end = history.metrics
    if history.config["dataset"] not in (*REAL, "csv"):
        return 0.0
    others = [end[name] for name in ("naive_mae", "seasonal_naive_mae", "linear_mae") if name in end]
    return min(1.0, min(others) / max(end["mae"], 1e-12))
