"""How big may a step be? Gradient descent on the mean squared error of a line (its bowl: ``dlcore.quadratic``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dlcore.data import own, tabular
from dlcore.data.tabular import Tabular
from dlcore.descent import Task, batch_rows, comfortable_rate, is_batched, standardized, start, update
from dlcore.events import Checkpoint, Diverged, Event, Finished, Started, Step
from dlcore.knobs import knob, knobs_of
from dlcore.quadratic import growth, mse_and_gradient, noise_limit
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

LANE = "light"
CHECKPOINT_SECONDS = 5.0
DATASETS = ("diabetes", "line", "points", "csv")
EXAMPLE_POINTS = "1_2.1~2_2.8~3.5_4.2~5_4.1~6.5_6.2~8_6.6~9_8.1"
ROUND = 10.0  # a bowl with a smaller condition number is round enough to be crossed in few steps
ABOVE_LIMIT = N_(
    "The learning rate {learning_rate:.4g} is above the limit {limit:.4g} of this data: each step makes the error "
    "along the steepest direction {growth:.3g} times as large. Choose a smaller one."
)
TOO_NOISY = N_(
    "The learning rate {learning_rate:.4g} is too large for batches of {batch_size}: their gradients differ so much "
    "from one another that the steps grow. The limit for this batch size is about {limit:.4g}."
)


@dataclass(frozen=True)
class Config:
    """The settings of the lesson. The learning rate that nobody sets follows the data (``recipe``)."""

    dataset: str = knob(
        "diabetes", choices=DATASETS, label=N_("Data"),
        help=N_("What the line is fitted to: 442 patients, a generated line, points you click, or your own CSV file."),
    )  # fmt: skip
    feature: str = knob(
        "bmi", choices=(*tabular.DIABETES, "all"), label=N_("Feature"),
        help=N_("Which measurement predicts the progression of the disease, or all ten at once."),
    )  # fmt: skip
    standardize: bool = knob(
        True, label=N_("Standardize the features"),
        help=N_("Subtract each feature's mean and divide by its standard deviation: the long valley becomes a bowl."),
    )  # fmt: skip
    learning_rate: float = knob(
        0.05, low=1e-30, high=1e3, log=True, live=True, label=N_("Learning rate η"),
        help=N_("How far one step goes along the negative gradient. The limit and the best rate come from the data."),
    )  # fmt: skip
    steps: int = knob(80, low=1, high=2000, label=N_("Steps"), help=N_("How many updates the descent makes."))
    momentum: float = knob(
        0.0, low=0.0, high=0.99, step=0.01, live=True, label=N_("Momentum β"),
        help=N_("How much of the last step is kept in the next one. 0 is plain gradient descent."),
    )  # fmt: skip
    batch_size: int = knob(
        0, low=0, high=100_000, label=N_("Batch size"), zero=N_("all"),
        help=N_("How many rows each gradient is averaged over; 0 means all of them. Small batches make noisy steps."),
    )  # fmt: skip
    theta0: float = knob(
        0.0, low=-1e9, high=1e9, label=N_("Start θ₀"), advanced=True,
        help=N_("Where the intercept starts. Or click on the map."),
    )  # fmt: skip
    theta1: float = knob(
        0.0, low=-1e9, high=1e9, label=N_("Start θ₁"), advanced=True,
        help=N_("Where every slope starts. Or click on the map."),
    )  # fmt: skip
    noise: float = knob(
        1.0, low=0.0, high=10.0, step=0.1, label=N_("Noise"), help=N_("Spread of the points around the generated line.")
    )
    outliers: int = knob(
        0, low=0, high=20, label=N_("Outliers"), help=N_("Points of the generated line that lie far above it.")
    )
    seed: int = knob(
        0, low=0, high=9999, label=N_("Seed"), help=N_("Draws other points and other batches."), advanced=True
    )
    points: str = knob("", label=N_("Points"), help=N_("Your own points, x_y~x_y."), advanced=True)
    data_hash: str = knob("", label=N_("Data fingerprint"), help=N_("Names your own table."), advanced=True)
    x_column: str = knob("", label=N_("Column x"), help=N_("The column that predicts."), advanced=True)
    y_column: str = knob("", label=N_("Column y"), help=N_("The column to predict."), advanced=True)

    @classmethod
    def recipe(cls, given: dict[str, Any]) -> dict[str, Any]:
        """The learning rate that suits the data in ``given``; nothing where that data cannot be read."""
        names = knobs_of(cls)
        brought: dict[str, Any] = {"points": EXAMPLE_POINTS} if given.get("dataset") == "points" else {}
        config = cls(**{**brought, **{name: value for name, value in given.items() if name in names}})
        try:
            brought["learning_rate"] = comfortable_rate(task(config), config)
            brought["steps"] = 80 if task(config).spectrum.condition_number < ROUND else 200
        except Problem:
            pass  # it is told where the data is drawn
        return brought


def data(config: Config) -> Tabular:
    """The data that the config names, in its own units. Raises ``Problem`` where it is missing or no line fits it."""
    match config.dataset:
        case "diabetes":
            return tabular.diabetes(config.feature)
        case "line":
            return tabular.line(config.noise, config.outliers, config.seed)
        case "points":
            return tabular.points(config.points)
        case _:
            return own.columns(config.data_hash, config.x_column, config.y_column)


def task(config: Config) -> Task:
    """The regression that the config describes."""
    return standardized(data(config), config.standardize)


def resolve(config: Config) -> Config:
    """The config with the data named by its fingerprint. Raises ``Problem`` where own data is not here."""
    return config if config.dataset == "csv" else replace(config, data_hash=data(config).digest)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """The descent as events, one ``Step`` per state; ``values`` holds theta (d floats) and gradient_norm."""
    config, steering = resolve(config), steering or Steering()
    regression = task(config)
    X, y = regression.X, regression.y
    theta, velocity, step, seconds = start(config, X.shape[1]), np.zeros(X.shape[1]), 0, 0.0
    if resume:
        theta, velocity = resume["theta"], resume["velocity"]
        step, seconds = resume["step"], resume["seconds"]
        config = replace(config, learning_rate=resume["learning_rate"], momentum=resume["momentum"])
    yield Started(step, asdict(config), config.steps, {"params": X.shape[1], "rows": len(y)})
    saved = began = time.perf_counter()
    while True:
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradient = mse_and_gradient(theta, X, y)
        if not np.isfinite(loss):
            yield diverged(step, config, regression)
            return
        now = seconds + time.perf_counter() - began
        if not resume or step > resume["step"]:  # what was told before the pause is not told again
            yield Step(step, loss, now, {"theta": theta.tolist(), "gradient_norm": float(np.linalg.norm(gradient))})
        if step == config.steps:
            break
        for change in steering.due(step):
            config = replace(config, **{change.name: change.value})
            yield change
        if steering.wants_checkpoint() or time.perf_counter() - saved > CHECKPOINT_SECONDS:
            saved = time.perf_counter()
            yield Checkpoint(step, state(theta, velocity, step, now, config))
        if is_batched(config, len(y)):
            rows = batch_rows(config, len(y), step)
            gradient = mse_and_gradient(theta, X[rows], y[rows])[1]
        theta, velocity = update(theta, velocity, gradient, config.learning_rate, config.momentum)
        step += 1
    yield Checkpoint(step, state(theta, velocity, step, now, config), final=True)
    yield Finished(step, metrics(theta, loss, regression, config))


def state(theta: np.ndarray, velocity: np.ndarray, step: int, seconds: float, config: Config) -> dict[str, Any]:
    """All that ``run`` needs to go on from here bit for bit."""
    rates = {"learning_rate": config.learning_rate, "momentum": config.momentum}
    return {"theta": theta, "velocity": velocity, "step": step, "seconds": seconds, **rates}


def diverged(step: int, config: Config, regression: Task) -> Diverged:
    """Why the run left the finite numbers, with its own numbers."""
    bowl, rate = regression.spectrum, config.learning_rate
    if rate > bowl.limit(config.momentum):
        factor = growth(rate, bowl.lambda_max, config.momentum)
        return Diverged(
            step, ABOVE_LIMIT, {"learning_rate": rate, "limit": bowl.limit(config.momentum), "growth": factor}
        )
    limit = noise_limit(regression.X, config.batch_size, bowl)
    return Diverged(step, TOO_NOISY, {"learning_rate": rate, "batch_size": config.batch_size, "limit": limit})


def metrics(theta: np.ndarray, loss: float, regression: Task, config: Config) -> dict[str, Any]:
    """What the run ended with, beside the closed form; ``raw_theta`` is in the data's own units."""
    bowl = regression.spectrum
    return {
        "theta": theta.tolist(),
        "loss": loss,
        "optimum": bowl.optimum.tolist(),
        "optimum_loss": bowl.optimum_loss,
        "raw_theta": regression.raw(theta).tolist(),
        "lambda_max": bowl.lambda_max,
        "learning_rate_limit": bowl.limit(config.momentum),
        "best_learning_rate": bowl.best(config.momentum),
        "condition_number": bowl.condition_number,
    }


def sklearn_optimum(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """scikit-learn's parameters (d,) for X (N, d) with its column of ones and y (N,). Imports it: for a worker."""
    from sklearn.linear_model import LinearRegression

    fitted = LinearRegression().fit(X[:, 1:], y)
    return np.array([fitted.intercept_, *fitted.coef_])
