"""Does it beat “as yesterday”? A recurrent network forecasts a series, beside forecasts that need no network.

The end of the series is held out, and nothing of it reaches the training: scale, season, the linear model and the
network know the training part alone. All errors are mean absolute errors on the held-out end, in the series' units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcore import forecasting
from dlcore.data import own
from dlcore.data.series import MADE, REAL
from dlcore.events import Event, Finished
from dlcore.experiments.sequence_settings import SequenceConfig
from dlcore.forecasting import Forecasting, Question, posed
from dlcore.knobs import knob
from dlcore.steering import Steering
from dlcore.step_memory import check_step
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dlcore.models.together import Together
    from dlcore.sequence_training import Exercise, Look

LANE = "train"
LEARNS = ("value", "change", "season")
PRESETS: dict[str, dict[str, Any]] = {  # what suits each series; measured for the lesson's table
    "sines": {},
    "walk": {"window": 24, "horizon": 6, "learns": "change"},
    "chaos": {"window": 24, "horizon": 12, "noise": 0.0},
    "sunspots": {"window": 48, "horizon": 12},
    "temperature": {"window": 30, "horizon": 7},
    "airline": {"window": 24, "horizon": 12},
}
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class Config(SequenceConfig):
    """The settings of a forecast. Window, horizon and noise that nobody sets follow the series (``PRESETS``)."""

    dataset: str = knob(
        "sines", choices=(*MADE, *REAL, "csv"), label=N_("Series"),
        help=N_("What is to be forecast. The made ones show what can be learned and what cannot; the others are real."),
    )  # fmt: skip
    window: int = knob(
        36, low=1, high=400, log=True, step=1, label=N_("Window"),
        help=N_("How many values the network reads before it forecasts. The linear model reads the same."),
    )  # fmt: skip
    horizon: int = knob(
        12, low=1, high=60, step=1, label=N_("Horizon"), help=N_("How many steps ahead are forecast, all at once.")
    )  # fmt: skip
    learns: str = knob(
        "value", choices=LEARNS, label=N_("What it says"),
        help=N_(
            "The values themselves; or by how much they differ from the last value; or from the value one season ago. "
            "So “as yesterday” or “as last year” does its part of the work, and the network learns the rest."
        ),
    )  # fmt: skip
    log: bool = knob(
        False, label=N_("Logarithm"),
        help=N_("Forecast the logarithm, so that growth by 10 % is the same step everywhere. Errors stay in units."),
    )  # fmt: skip
    noise: float = knob(
        0.2, low=0.0, high=1.0, step=0.01, label=N_("Noise"),
        help=N_("Standard deviation of what is added to each value of a made series and depends on nothing."),
    )  # fmt: skip
    period: float = knob(
        24.0, low=4.0, high=100.0, step=0.5, advanced=True, label=N_("First period"),
        help=N_("Steps for one turn of the larger wave."),
    )  # fmt: skip
    second_period: float = knob(
        7.0, low=3.0, high=100.0, step=0.5, advanced=True, label=N_("Second period"),
        help=N_("Steps for one turn of the smaller wave."),
    )  # fmt: skip
    season: int = knob(
        0, low=0, high=1000, step=1, advanced=True, zero=N_("by itself"), label=N_("Season"),
        help=N_("How many steps ago it was the same time of year; 0: by the calendar, or found in the training part."),
    )  # fmt: skip
    held_out: float = knob(
        0.2, low=0.05, high=0.5, step=0.01, advanced=True, label=N_("Held out"),
        help=N_("The share at the end that is only for testing."),
    )  # fmt: skip
    ridge: float = knob(
        1.0, low=0.0, high=1000.0, advanced=True, label=N_("Ridge of the linear model"),
        help=N_("How strongly the linear model’s weights are pulled towards 0."),
    )  # fmt: skip
    series_seed: int = knob(
        0, low=0, high=9999, advanced=True, label=N_("Which series"), help=N_("Draws another made series.")
    )
    column: str = knob("", advanced=True, label=N_("Column"), help=N_("Of your own table: which one is forecast."))

    @classmethod
    def recipe(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Defaults for the series in ``given``; a short one of somebody's own gets a short window."""
        usual = {"hidden": 32, "steps": 400, "learning_rate": 5e-3}
        dataset = given.get("dataset", "sines")
        if dataset != "csv":
            return {**usual, **PRESETS.get(dataset, {})}
        try:
            length = len(own.load(given.get("data_hash", "")).values)
        except Problem:
            return usual  # it is told where the run begins
        return {**usual, "window": max(1, min(36, length // 6)), "horizon": max(1, min(12, length // 12))}


def question(config: Config) -> Question:
    """What of the config decides on the data and on the forecasts without a network."""
    asked = Question(**{f.name: getattr(config, f.name) for f in fields(Question)})
    return asked if config.dataset == "csv" else replace(asked, data_hash="", column="")


def forecasting_of(config: Config) -> Forecasting:
    """The series, scaled and split, as the config asks. Raises ``Problem`` where that cannot be done."""
    return posed(question(config))


def resolve(config: Config) -> Config:
    """See ``dlcore.experiments``. Raises ``Problem``, also where a step would take too much memory."""
    from dlcore.sequence_training import cells_of, resolve_on

    made = forecasting_of(config)
    check_step(config.batch_size, config.window, config.hidden, models=len(cells_of(config)))
    return resolve_on(config, config.data_hash if config.dataset == "csv" else made.series.digest)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """See ``dlcore.experiments``. ``Finished.metrics``: mae, rmse, one_step_mae, free_mae (by cell, and the best's),
    and of the same points naive_mae, linear_mae, seasonal_naive_mae (where there is a season)."""
    from dlcore.device import reproducible
    from dlcore.sequence_training import prepare, train

    config = resolve(config)
    made = forecasting_of(config)
    reproducible(config.seed, threads=config.threads, device=config.device)
    exercise = make_exercise(config, made)
    task, plan = prepare(config, exercise)
    plan = replace(plan, look_seconds=LOOK_SECONDS)
    for event in train(task, plan, config, exercise, info=info(made), resume=resume, steering=steering):
        if isinstance(event, Finished):
            event = replace(event, metrics={**event.metrics, **made.baseline_metrics()})
        yield event


def info(made: Forecasting) -> dict[str, Any]:
    """What ``Started`` tells of the data."""
    return {
        "train_size": len(made.train_origins), "test_size": len(made.test_origins), "split": made.split,
        "season": made.season, "free_steps": made.free_steps, **made.baseline_metrics(),
    }  # fmt: skip


def make_exercise(config: Config, made: Forecasting) -> Exercise:
    """What is to be learned, for ``dlcore.sequence_training``. Targets (B, 2, horizon): what is said, and its base."""
    import torch

    from dlcore.models.forecaster import Forecaster
    from dlcore.sequence_training import Exercise

    past = made.past(made.train_origins)
    base = made.base(past, made.horizon)
    said = made.truth(made.train_origins, made.horizon) - base
    X, T = (
        torch.tensor(array, dtype=torch.float32, device=config.device)
        for array in (made.inputs(past), np.stack([said, base], 1))
    )
    measured: dict[str, dict[str, np.ndarray]] = {}  # by cell: errors at each step ahead, of the last evaluation

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        chosen = indices % len(X)
        return X[chosen], T[chosen]

    def evaluate(model: nn.Module) -> dict[str, float]:
        numbers, by_step = errors(made, model)
        assert isinstance(model, Forecaster)
        measured[model.cell] = by_step
        return numbers

    start = {"forget_bias": config.forget_bias, "start": config.start, "radius": config.radius}
    return Exercise(
        make=lambda cell: Forecaster(cell, config.hidden, config.horizon, **start),
        batch=batch,
        losses=lambda out, target: (out - target[:, 0]).square().mean(1),
        evaluate=evaluate,
        measures={"mae": _in_units(made)},
        look=lambda models: look(made, models, measured),
        best="mae", lower=True, tokens=config.window,
        about={"config": asdict(config)},
    )  # fmt: skip


def _in_units(made: Forecasting) -> Callable[[Tensor, Tensor], Tensor]:
    """The mean absolute error of each example of a batch (B,), in the units of the series."""

    def units(z: Tensor) -> Tensor:
        plain = z * made.std + made.mean
        return plain.exp() if made.question.log else plain

    return lambda out, target: (units(target[:, 1] + out) - units(target[:, 1] + target[:, 0])).abs().mean(1)


def errors(made: Forecasting, model: nn.Module) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The model's errors on the held-out end, in units: mae, rmse, one_step_mae, free_mae; and by steps ahead.

    ``direct`` (horizon,): of the forecasts of the whole horizon. ``free`` and ``one_step`` (free_steps,): at the k-th
    value after a start, its own outputs fed back, or each value said from the true ones before; of the same points.
    """
    off = made.units(direct(made, model, made.test_origins)) - made.units(made.truth(made.test_origins, made.horizon))
    starts, steps = made.free_origins, made.free_steps
    truth = made.units(made.truth(starts, steps))
    free = np.abs(made.units(free_run(made, model, starts, steps)) - truth).mean(0)
    ahead = np.arange(starts[0], starts[-1] + steps)  # origins of all one-step forecasts that are needed
    one = made.units(direct(made, model, ahead)[:, 0])[starts[:, None] - starts[0] + np.arange(steps)]
    one_step = np.abs(one - truth).mean(0)
    numbers = {
        "mae": float(np.abs(off).mean()), "rmse": float(np.sqrt((off**2).mean())),
        "one_step_mae": float(one_step.mean()), "free_mae": float(free.mean()),
    }  # fmt: skip
    return numbers, {"direct": np.abs(off).mean(0), "free": free, "one_step": one_step}


def direct(made: Forecasting, model: nn.Module, origins: np.ndarray) -> np.ndarray:
    """The forecasts of the whole horizon at each origin (B,), from true values: (B, horizon), scaled."""
    from dlcore.models.forecaster import apply

    past = made.past(origins)
    return apply(model, made.inputs(past)) + made.base(past, made.horizon)


def free_run(made: Forecasting, model: nn.Module, origins: np.ndarray, steps: int) -> np.ndarray:
    """From each origin (B,) on only its own one-step forecasts are read: (B, steps), scaled."""
    from dlcore.models.forecaster import apply

    return forecasting.free_run(made, lambda X: apply(model, X)[:, 0], origins, steps)


def look(made: Forecasting, models: Together, measured: Mapping[str, dict[str, np.ndarray]]) -> Look:
    """A frame of the film, from the end of the training part on, and the errors by steps ahead as last measured.

    By cell, in units: "direct/lstm" (shown origins × horizon,), "one_step/lstm" and "free/lstm" (free_steps,).
    """
    frame, origin = {}, np.array([made.split - 1])
    true = np.arange(made.split - 1, made.split - 1 + made.free_steps)
    for cell, model in models.items():
        drawn = {
            "direct": direct(made, model, made.shown_origins).ravel(),
            "one_step": direct(made, model, true)[:, 0],
            "free": free_run(made, model, origin, made.free_steps)[0],
        }
        frame |= {f"{name}/{cell}": made.units(z).astype(np.float32)[None] for name, z in drawn.items()}
    by_step = {f"{name}/{cell}": array for cell, found in measured.items() for name, array in found.items()}
    return {"frames": frame} | ({"by_step": by_step} if by_step else {})  # none yet where a run has just gone on
