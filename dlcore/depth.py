"""How gradients travel through a deep network at its beginning: measured by backpropagation, and what theory says.

The theory is that of wide networks with random weights (Glorot and Bengio 2010; He et al. 2015; in this form Poole et
al. 2016 and Schoenholz et al. 2017): forward, the variance of the weighted sums goes q → n Var(W) E[f(√q g)²] with g
standard normal; backward, the mean square of δ goes v → n Var(W) E[f′(√q g)²] v.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dlcore.data import points2d
from dlcore.mlp import ACTIVATIONS, Architecture, Cache, Gradients, Layer, Parameters, backward, forward, initialize

ROWS = 40  # points in the batch
GRID, WEIGHTS = np.polynomial.hermite_e.hermegauss(24)  # even: a node at 0 would fall on relu's kink
WEIGHTS = WEIGHTS / WEIGHTS.sum()
STEEPEST = {"sigmoid": 0.25, "tanh": 1.0, "relu": 1.0, "gelu": 1.13}  # the largest slope of each
LOSS = "cross_entropy"


@dataclass(frozen=True)
class Profile:
    """Sizes (root mean squares) by hidden layer, the first layer first; (depth,) each.

    Attributes:
        deltas: of ∂loss/∂z.
        signals: of the activations.
        theory: what theory expects of ``deltas``, from the last hidden layer's on.
        limit: what theory would expect if every unit stood where its activation is steepest (a quarter for the
            sigmoid): the last layer's size times slope · √(n Var W) for each layer before it.
        loss: of the network as it begins.
    """

    deltas: np.ndarray
    signals: np.ndarray
    theory: np.ndarray
    limit: np.ndarray
    loss: float

    @property
    def ratio(self) -> float:
        """First hidden layer's δ over the last one's; NaN where both are 0."""
        with np.errstate(all="ignore"):
            return float(self.deltas[0] / self.deltas[-1])


def architecture(depth: int, width: int, activation: str) -> Architecture:
    """``depth`` hidden layers of ``width`` units each between two inputs and one logit."""
    return Architecture(2, (*[Layer(width, activation)] * depth, Layer(1)))


def batch(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The points that are learned, a disc in a ring: X (ROWS, 2) of variance about 1, y (ROWS,) of ±1."""
    made = points2d.generate("circle", ROWS, 0.0, seed)
    return made.X / made.X.std(), made.y


def beginning(depth: int, width: int, activation: str, init: str, seed: int) -> list[Parameters]:
    """Fresh parameters. ``zeros`` and ``small`` are meant for the hidden layers; the last one always gets Xavier's.

    With an output layer of zeros every δ would be zero, whatever the hidden layers do.
    """
    network, rng = architecture(depth, width, activation), np.random.default_rng(seed)
    params = initialize(network, rng, init)
    params[-1].W[...] = initialize(network, np.random.default_rng((seed, 1)), "xavier")[-1].W
    return params


def passes(params: list[Parameters], network: Architecture, seed: int) -> tuple[Cache, Gradients]:
    """Forward and backward on the batch."""
    X, y = batch(seed)
    cache = forward(params, network, X)
    return cache, backward(cache, y, LOSS)


def profile(depth: int, width: int, activation: str, init: str, seed: int = 0) -> Profile:
    """Measure a fresh network once, and say what theory expects. About 5 ms at depth 50 and width 32."""
    network = architecture(depth, width, activation)
    params = beginning(depth, width, activation, init, seed)
    cache, grads = passes(params, network, seed)
    deltas, signals = sizes(grads.deltas[:-1]), sizes(cache.a[1:-1])
    last = grads.deltas[-2]  # (ROWS, width), of the last hidden layer
    gains, bound = _expected(depth, width, activation, init, (cache.z[0] ** 2).mean(1))
    back = np.append(np.cumprod(gains[::-1], 0)[::-1], np.ones((1, len(last))), 0)  # (depth, ROWS): from l to the last
    theory = np.sqrt((back * (last * last).mean(1)).mean(1))
    limit = deltas[-1] * bound ** np.arange(depth - 1, -1, -1)
    _X, y = batch(seed)
    loss = float(np.logaddexp(0, -y * cache.output).mean())
    return Profile(deltas, signals, theory, limit, loss)


def sizes(arrays: list[np.ndarray]) -> np.ndarray:
    """Root mean square of each array."""
    return np.array([math.sqrt(float((a * a).mean())) for a in arrays])


def spread(width: int, init: str) -> float:
    """n Var(W) of a square layer: 1 for Xavier, 2 for He, tiny for small weights."""
    return {"zeros": 0.0, "small": width * 1e-4, "xavier": 1.0, "he": 2.0}[init]


def _expected(depth: int, width: int, activation: str, init: str, q: np.ndarray) -> tuple[np.ndarray, float]:
    """For each step from hidden layer l + 1 back to l: the factor of δ's mean square, (depth − 1, ROWS); and the bound.

    q (ROWS,) is the mean square of the first layer's weighted sums, which the data decide, row by row.
    """
    f, slope = ACTIVATIONS[activation]
    gain, gains = spread(width, init), np.zeros((depth - 1, len(q)))
    for layer in range(depth - 1):
        u = np.sqrt(q)[:, None] * GRID  # (ROWS, nodes)
        gains[layer] = gain * (slope(u) ** 2 @ WEIGHTS)
        q = np.minimum(gain * (f(u) ** 2 @ WEIGHTS), 1e200)
    return gains, STEEPEST[activation] * math.sqrt(gain)
