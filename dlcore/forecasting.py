"""What is forecast from what: windows of a series, a horizon, an end held out; and the answers that need no network.

Everything here is NumPy. Scale, season and the linear model come from the training part alone. A forecast is made at
an origin t, the last value that is known: it reads z[t − window + 1 … t] and says z[t + 1 … t + horizon].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from dlcore.data import series as data
from dlcore.data.series import Series
from dlcore.plain_forecasts import autocorrelation, naive, ridge, season_of, seasonal
from dlcore.texts import N_, Problem

FREE, STARTS = 60, 16  # steps of a free run at most, and how many of them are measured
LEAST = 8  # training examples


@dataclass(frozen=True)
class Question:
    """Which series, and what of it is to be forecast from what; the knobs of the same names say more."""

    dataset: str
    data_hash: str
    column: str
    period: float
    second_period: float
    noise: float
    series_seed: int
    held_out: float
    window: int
    horizon: int
    learns: str
    log: bool
    season: int
    ridge: float


@dataclass(frozen=True, eq=False)
class Forecasting:
    """A series on one scale, split in time.

    Attributes:
        z: (N,) the values, logarithms of them where asked for, less the mean and over the standard deviation of the
            training part.
        split: rows of the training part; z[split:] is held out.
        season: steps in a season, 0 where none was found.
    """

    series: Series
    question: Question
    z: np.ndarray
    mean: float
    std: float
    split: int
    season: int

    @property
    def window(self) -> int:
        """Values that are read."""
        return self.question.window

    @property
    def horizon(self) -> int:
        """Steps that are forecast."""
        return self.question.horizon

    @property
    def first(self) -> int:
        """The first origin: what it reads begins at row 0."""
        return self.window - 1 + (self.season if self.question.learns == "season" else 0)

    @property
    def train_origins(self) -> np.ndarray:
        """(n,) origins whose window and horizon lie in the training part."""
        return np.arange(self.first, self.split - self.horizon)

    @property
    def test_origins(self) -> np.ndarray:
        """(m,) origins whose horizon lies in the held-out end; the window may reach back before it."""
        return np.arange(self.split - 1, len(self.z) - self.horizon)

    @property
    def free_steps(self) -> int:
        """How long a free run is: three quarters of the held-out end, so that there are several, and at most FREE."""
        held = len(self.z) - self.split
        return max(1, min(FREE, held - held // 4))

    @property
    def free_origins(self) -> np.ndarray:
        """(s,) origins of the free runs that are measured, evenly over the held-out end."""
        last = len(self.z) - 1 - self.free_steps
        return np.unique(np.linspace(self.split - 1, last, STARTS).round().astype(int))

    @property
    def shown_steps(self) -> int:
        """How much of the held-out end is drawn: a free run, or two horizons."""
        return min(max(self.free_steps, 2 * self.horizon), len(self.z) - self.split)

    @property
    def shown_origins(self) -> np.ndarray:
        """(b,) origins of the forecasts that are drawn: horizon after horizon from the end of the training part on."""
        return np.arange(self.split - 1, self.split + self.shown_steps - self.horizon, self.horizon)

    def units(self, z: np.ndarray) -> np.ndarray:
        """Scaled values in the units of the series."""
        with np.errstate(over="ignore"):
            plain = z * self.std + self.mean
            return np.exp(plain) if self.question.log else plain

    def inputs(self, past: np.ndarray) -> np.ndarray:
        """What a model reads, (B, window), of the past (B, ≥ first + 1) that ends at the origin.

        The values; less the last one where the change is learned; less those of a season ago where that is.
        """
        X = past[:, -self.window :]
        if self.question.learns == "change":
            return X - X[:, -1:]
        if self.question.learns == "season":
            end = past.shape[1] - self.season
            return X - past[:, end - self.window : end]
        return X

    def base(self, past: np.ndarray, steps: int) -> np.ndarray:
        """What a model's output is added to, (B, steps): nothing, the last value, or the value a season ago."""
        if self.question.learns == "change":
            return np.repeat(past[:, -1:], steps, 1)
        if self.question.learns == "season":
            return seasonal(past, self.season, steps)
        return np.zeros((len(past), steps))

    def past(self, origins: np.ndarray, least: int = 1) -> np.ndarray:
        """The values up to each origin that a forecast may read, (B, reach), at least so many of them."""
        reach = max(self.first + 1, least)
        return self.z[origins[:, None] + np.arange(1 - reach, 1)]

    def truth(self, origins: np.ndarray, steps: int) -> np.ndarray:
        """(B, steps) what came, scaled."""
        return self.z[origins[:, None] + np.arange(1, steps + 1)]

    @cached_property
    def weights(self) -> np.ndarray:
        """The linear model's (window + 1, horizon), by the normal equations of the training part; intercept last."""
        t = self.train_origins
        past = self.past(t)
        return ridge(
            self.inputs(past), self.truth(t, self.horizon) - self.base(past, self.horizon), self.question.ridge
        )

    def linear(self, past: np.ndarray) -> np.ndarray:
        """The linear model's forecasts, (B, horizon), scaled."""
        return self.inputs(past) @ self.weights[:-1] + self.weights[-1] + self.base(past, self.horizon)

    @cached_property
    def baselines(self) -> dict[str, np.ndarray]:
        """Mean absolute error of each forecast without a network at each step ahead, (horizon,), in units.

        "naive", "seasonal_naive" (where there is a season) and "linear", all at the same held-out points.
        """
        t = self.test_origins
        past, truth = self.past(t, self.season), self.units(self.truth(t, self.horizon))
        said = {"naive": naive(past, self.horizon), "linear": self.linear(past)}
        if self.season:
            said["seasonal_naive"] = seasonal(past, self.season, self.horizon)
        return {name: np.abs(self.units(z) - truth).mean(0) for name, z in said.items()}

    def linear_free(self, origins: np.ndarray) -> np.ndarray:
        """The linear model's free run from each origin (B,), (B, free_steps), scaled."""
        one = self.weights[:, 0]
        return free_run(self, lambda X: X @ one[:-1] + one[-1], origins, self.free_steps)

    @cached_property
    def free_baselines(self) -> dict[str, np.ndarray]:
        """Mean absolute errors (free_steps,) at each step after the starts of the free runs: "naive" and "linear"."""
        t, steps = self.free_origins, self.free_steps
        truth = self.units(self.truth(t, steps))
        said = {"naive": naive(self.past(t), steps), "linear": self.linear_free(t)}
        return {name: np.abs(self.units(z) - truth).mean(0) for name, z in said.items()}

    def baseline_metrics(self) -> dict[str, float]:
        """Their means over the horizon: naive_mae, linear_mae and, with a season, seasonal_naive_mae."""
        return {f"{name}_mae": float(error.mean()) for name, error in self.baselines.items()}


def load(question: Question) -> Series:
    """The series itself. Raises ``Problem`` where it is not here."""
    match question.dataset:
        case "sines":
            return data.sines(question.period, question.second_period, question.noise, question.series_seed)
        case "walk":
            return data.walk(question.series_seed)
        case "chaos":
            return data.chaos(question.noise, question.series_seed)
        case "csv":
            return data.from_table(question.data_hash, question.column)
        case name:
            return data.real(name)


@lru_cache(maxsize=32)
def posed(question: Question) -> Forecasting:
    """The question with its data: scaled and split.

    Raises:
        Problem: the data is missing, too short for window and horizon, constant where it is learned, or has no
            logarithm; or the season is asked for and there is none.
    """
    series = load(question)
    z = _logarithm(series.values) if question.log else series.values
    split = len(z) - max(round(question.held_out * len(z)), question.horizon + 1)
    season = question.season or series.season or season_of(autocorrelation(z[: max(split, 3)]))
    if season >= split:
        season = 0
    _check(question, len(z), split, season)
    mean, std = float(z[:split].mean()), float(z[:split].std())
    if not std > 1e-12 * max(1.0, abs(mean)):
        raise Problem(
            N_("What is left to learn from is always {value}, so nothing can be learned. Hold out less of the end."),
            kind="data", value=f"{series.values[0]:g}",
        )  # fmt: skip
    return Forecasting(series, question, (z - mean) / std, mean, std, split, season)


def _logarithm(values: np.ndarray) -> np.ndarray:
    if values.min() <= 0:
        raise Problem(
            N_("A logarithm needs values above 0, and this series goes down to {low}. Switch it off."),
            kind="data", low=f"{values.min():g}",
        )  # fmt: skip
    return np.log(values)


def _check(question: Question, length: int, split: int, season: int) -> None:
    if question.learns == "season" and not season:
        raise Problem(
            N_("No season is known for this series. Give its length yourself, or learn the values or their change."),
            kind="data",
        )
    reach = question.window + (season if question.learns == "season" else 0)
    if split - reach - question.horizon < LEAST:
        raise Problem(
            N_(
                "{n} values are too few: {known} of them are to learn from, and each example takes {reach} for what is "
                "read and {horizon} for what is forecast. Choose a smaller window or horizon, or hold out less."
            ),
            kind="data", n=length, known=max(split, 0), reach=reach, horizon=question.horizon,
        )  # fmt: skip


def skill(mae: float, naive_mae: float) -> float:
    """An error as a share of the naive forecast's (below 1: better); NaN where that makes none."""
    return mae / naive_mae if naive_mae > 0 else math.nan


def free_run(
    made: Forecasting, one_step: Callable[[np.ndarray], np.ndarray], origins: np.ndarray, steps: int
) -> np.ndarray:
    """What comes if only forecasts are read from each origin (B,) on: (B, steps), scaled.

    Args:
        one_step: inputs (B, window) → what is added to the base of the next value, (B,).
    """
    known = made.past(origins)
    reach = known.shape[1]
    past = np.concatenate([known, np.empty((len(origins), steps))], 1)
    for k in range(steps):
        so_far = past[:, k : k + reach]
        past[:, reach + k] = one_step(made.inputs(so_far)) + made.base(so_far, 1)[:, 0]
    return past[:, reach:]
