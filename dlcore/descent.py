"""A descent on the mean squared error of a line, whole: the regression, the update, the path, a rate to begin with.

``config`` is one of ``experiments.linear_regression``: steps, learning_rate, momentum, batch_size, start, seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from dlcore.data.tabular import Tabular
from dlcore.quadratic import Spectrum, compress, mse_and_gradient, noise_limit, optimum, spectrum


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


@lru_cache(maxsize=64)
def standardized(data: Tabular, standardize: bool) -> Task:
    """The regression of ``data``, each feature at mean 0 and deviation 1 if ``standardize``; computed once."""
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


def start(config: Any, d: int) -> np.ndarray:
    """The initial parameters, (d,): θ₀, then θ₁ for every slope."""
    return np.array([config.theta0] + [config.theta1] * (d - 1))


def is_batched(config: Any, n: int) -> bool:
    """Whether gradients are averaged over fewer than all n rows."""
    return 0 < config.batch_size < n


def batch_rows(config: Any, n: int, step: int) -> slice | np.ndarray:
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


def descend(X: np.ndarray, y: np.ndarray, config: Any) -> Path:
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


def comfortable_rate(task: Task, config: Any) -> float:
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
