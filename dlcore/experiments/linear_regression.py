"""How big may a step be? Gradient descent on the mean squared error of a line (its bowl: ``dlcore.quadratic``)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from dlcore.data import own, tabular
from dlcore.data.tabular import Tabular
from dlcore.events import Checkpoint, Diverged, Event, Finished, Started, Step
from dlcore.knobs import knob, knobs_of
from dlcore.quadratic import Spectrum, compress, growth, mse_and_gradient, noise_limit, optimum, spectrum
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


@dataclass(frozen=True, eq=False)
class Task:
    """The regression as the descent sees it.

    Attributes:
        X: design matrix, (N, d): a column of ones, then the (standardized) features.
        y: target, (N,).
        data: the same in its own units.
        mean, scale: (d − 1,) what was subtracted from and divided out of each feature (0 and 1 if not standardized).
    """

    X: np.ndarray
    y: np.ndarray
    data: Tabular
    mean: np.ndarray
    scale: np.ndarray

    @cached_property
    def spectrum(self) -> Spectrum:
        """Eigenvalues, limits and closed-form optimum."""
        return spectrum(self.X, self.y)

    def raw(self, theta: np.ndarray) -> np.ndarray:
        """Parameters (…, d) in the units of the data: intercept and slopes per unit of each feature."""
        slopes = theta[..., 1:] / self.scale
        return np.concatenate([theta[..., :1] - (slopes * self.mean).sum(-1, keepdims=True), slopes], axis=-1)


@dataclass(frozen=True)
class Path:
    """A descent, row by row: row k is the state after k updates. Cut before the first row that is not finite.

    Attributes:
        theta: (n + 1, d) parameters.
        loss: (n + 1,) mean squared error over all rows of the data, whatever the batch size.
        excess: (n + 1,) loss above the closed-form optimum's, computed without subtracting the two.
        gradient: (n, d) what update k + 1 was made with: the gradient of its batch at theta[k].
        diverged: whether it was cut.
    """

    theta: np.ndarray
    loss: np.ndarray
    excess: np.ndarray
    gradient: np.ndarray
    diverged: bool


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
    """The regression that the config describes; computed once per data set."""
    return _task(data(config), config.standardize)


@lru_cache(maxsize=64)
def _task(data: Tabular, standardize: bool) -> Task:
    d = data.X.shape[1]
    mean, scale = (data.X.mean(0), data.X.std(0)) if standardize else (np.zeros(d), np.ones(d))
    X = np.column_stack([np.ones(len(data.y)), (data.X - mean) / scale])  # (N, d + 1)
    return Task(X, data.y, data, mean, scale)


def update(
    theta: np.ndarray, velocity: np.ndarray, gradient: np.ndarray, learning_rate: float, momentum: float
) -> tuple[np.ndarray, np.ndarray]:
    """One step: velocity ← β velocity − η gradient; θ ← θ + velocity. With β = 0 it is θ ← θ − η gradient."""
    velocity = momentum * velocity - learning_rate * gradient
    return theta + velocity, velocity


def start(config: Config, d: int) -> np.ndarray:
    """The initial parameters, (d,): θ₀, then θ₁ for every slope."""
    return np.array([config.theta0] + [config.theta1] * (d - 1))


def is_batched(config: Config, n: int) -> bool:
    """Whether gradients are averaged over fewer than all n rows."""
    return 0 < config.batch_size < n


def batch_rows(config: Config, n: int, step: int) -> slice | np.ndarray:
    """Rows of the gradient of update ``step`` (from 0): all, or a part of a permutation drawn anew for each epoch."""
    if not is_batched(config, n):
        return slice(None)
    per_epoch = -(-n // config.batch_size)
    epoch, part = divmod(step, per_epoch)
    return _permutation(config.seed, epoch, n)[part * config.batch_size : (part + 1) * config.batch_size]


@lru_cache(maxsize=4)
def _permutation(seed: int, epoch: int, n: int) -> np.ndarray:
    """A generator of its own for each epoch, so that a resumed run needs no saved state."""
    return np.random.default_rng((seed, epoch)).permutation(n)


def descend(X: np.ndarray, y: np.ndarray, config: Config) -> Path:
    """The whole path at once, for a page that is redrawn while a slider moves: 2000 steps in about 10 ms.

    A full-batch descent runs on the compressed rows (``compress``), whose loss and gradient are those of all rows.
    """
    X_all, y_all = compress(X, y)
    batches = is_batched(config, len(y))
    theta, velocity = start(config, X.shape[1]), np.zeros(X.shape[1])
    path, gradients = np.empty((config.steps + 1, X.shape[1])), np.empty((config.steps, X.shape[1]))
    path[0] = theta
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(config.steps):
            if batches:
                rows = batch_rows(config, len(y), step)
                gradient = mse_and_gradient(theta, X[rows], y[rows])[1]
            else:
                gradient = mse_and_gradient(theta, X_all, y_all)[1]
            theta, velocity = update(theta, velocity, gradient, config.learning_rate, config.momentum)
            path[step + 1], gradients[step] = theta, gradient
        loss = ((y_all[:, None] - X_all @ path.T) ** 2).mean(0)  # (steps + 1,)
        excess = ((X_all @ (path - optimum(X, y)).T) ** 2).mean(0)
    finite = np.isfinite(loss)
    end = len(loss) if finite.all() else int(np.argmin(finite))
    return Path(path[:end], loss[:end], excess[:end], gradients[: end - 1], diverged=end < len(loss))


def comfortable_rate(task: Task, config: Config) -> float:
    """A first rate at which the descent is seen to move, on any data: two significant digits.

    A tenth of the flattest direction's error is taken off per step where the limit allows it; in a long valley it is
    close enough to the limit to zigzag. Small batches get less, since their noise grows with the rate.
    """
    bowl = task.spectrum
    rate = 0.9 * bowl.limit(config.momentum)
    if bowl.lambda_min > 0:
        rate = min(rate, 0.1 / bowl.lambda_min)
    if is_batched(config, len(task.y)):
        rate = min(rate, 0.3 * (1 - config.momentum) * noise_limit(task.X, config.batch_size, bowl))
    return float(f"{rate:.1e}")


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
