"""A neural network by hand: forward pass and backpropagation in plain NumPy, small enough to be read on the page.

A layer computes, for a batch of n rows,

    z = a_in W + b                                 (n, units)
    u = γ (z − mean) / √(var + ε) + β, or z        batch normalization, where it is on (Ioffe, Szegedy 2015)
    h = f(u)                                       activation
    a = h ⊙ mask / (1 − p) (+ a_in)                dropout (Srivastava et al. 2014), identity link (He et al. 2016)

and backpropagation (Rumelhart, Hinton, Williams 1986) goes through the same four lines from the bottom up. The last
layer is the output: one unit, linear. Labels are ±1 for two classes, numbers for a regression.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

EPSILON, MOMENTUM = 1e-5, 0.1  # of batch normalization; the share of a new batch in the running mean and variance
LEAK = 0.01
INITIALIZATIONS = ("xavier", "he", "small", "zeros")
LOSSES = ("mse", "cross_entropy", "hinge")


class Random(Protocol):
    """What dropout needs of a generator: numbers uniform in [0, 1)."""

    def random(self, size: tuple[int, int]) -> np.ndarray:
        """An array of that shape."""
        ...


@dataclass(frozen=True)
class Layer:
    """One layer: how many units, which activation (a key of ``ACTIVATIONS``), share of units dropped in training."""

    units: int
    activation: str = "linear"
    dropout: float = 0.0
    batch_norm: bool = False


@dataclass(frozen=True)
class Architecture:
    """All layers, the output last. With ``residual``, neighbouring hidden layers of equal width are linked."""

    num_inputs: int
    layers: tuple[Layer, ...]
    residual: bool = False

    def inputs_of(self, i: int) -> int:
        """How many numbers layer i takes."""
        return self.layers[i - 1].units if i else self.num_inputs

    def is_linked(self, i: int) -> bool:
        """Whether the input of layer i is added to its output."""
        hidden = 0 < i < len(self.layers) - 1
        return self.residual and hidden and self.layers[i - 1].units == self.layers[i].units

    @property
    def size(self) -> int:
        """P, the length of the flat parameters."""
        return sum(math.prod(shape) for i in range(len(self.layers)) for shape in self.shapes(i).values())

    def shapes(self, i: int) -> dict[str, tuple[int, ...]]:
        """The arrays of layer i in flat order: W, b and, with batch normalization, gamma, beta, mean, var."""
        units = (self.layers[i].units,)
        found: dict[str, tuple[int, ...]] = {"W": (self.inputs_of(i), *units), "b": units}
        return {**found, **dict.fromkeys(NORM, units)} if self.layers[i].batch_norm else found


NORM = ("gamma", "beta", "mean", "var")


@dataclass
class Parameters:
    """Of one layer: W (n_in, n_out), b (n_out,); with batch normalization scale, shift, running mean and variance."""

    W: np.ndarray
    b: np.ndarray
    gamma: Any = None  # an array (n_out,) like the following, or None
    beta: Any = None
    mean: Any = None
    var: Any = None


def unflatten(flat: np.ndarray, architecture: Architecture) -> list[Parameters]:
    """The layers' arrays as views into ``flat`` (P,): what is written into one is seen in the other."""
    layers, start = [], 0
    for i in range(len(architecture.layers)):
        arrays = {}
        for name, shape in architecture.shapes(i).items():
            size = math.prod(shape)
            arrays[name] = flat[start : start + size].reshape(shape)
            start += size
        layers.append(Parameters(**arrays))
    return layers


def flatten(layers: Sequence[Parameters]) -> np.ndarray:
    """All arrays in one vector (P,): layer by layer W row by row, b, then gamma, beta, mean, var where they are."""
    arrays = [a for layer in layers for a in vars(layer).values() if a is not None]
    return np.concatenate([a.ravel() for a in arrays])


def initialize(architecture: Architecture, rng: np.random.Generator, init: str = "xavier") -> list[Parameters]:
    """Fresh parameters in float64; biases are 0.

    Args:
        init: ``xavier`` (uniform with variance 2 / (n_in + n_out); Glorot, Bengio 2010), ``he`` (normal with variance
            2 / n_in; He et al. 2015), ``small`` (normal, deviation 0.01) or ``zeros``.
    """
    layers = unflatten(np.zeros(architecture.size), architecture)
    for layer in layers:
        n_in, n_out = layer.W.shape
        if init == "xavier":
            limit = math.sqrt(6 / (n_in + n_out))
            layer.W[...] = rng.uniform(-limit, limit, (n_in, n_out))
        elif init != "zeros":
            deviation = math.sqrt(2 / n_in) if init == "he" else 0.01
            layer.W[...] = rng.normal(0, deviation, (n_in, n_out))
        if layer.gamma is not None and layer.var is not None:
            layer.gamma[...] = layer.var[...] = 1
    return layers


def sigmoid(u: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−u)), by the half-angle of tanh, which never overflows."""
    return 0.5 * np.tanh(0.5 * u) + 0.5


GELU = math.sqrt(2 / math.pi)  # the tanh form of the GELU (Hendrycks, Gimpel 2016): a browser has tanh, but no erf


def gelu(u: np.ndarray) -> np.ndarray:
    """u/2 (1 + tanh(√(2/π) (u + 0.044715 u³)))."""
    return 0.5 * u * (1 + np.tanh(GELU * (u + 0.044715 * u * u * u)))  # u**3 takes ten times as long


def gelu_slope(u: np.ndarray) -> np.ndarray:
    """The derivative of ``gelu``."""
    t = np.tanh(GELU * (u + 0.044715 * u * u * u))
    return 0.5 * (1 + t) + 0.5 * u * (1 - t**2) * GELU * (1 + 3 * 0.044715 * u**2)


ACTIVATIONS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[[np.ndarray], np.ndarray]]] = {
    # name: f(u) and its derivative f′(u)
    "linear": (lambda u: u, np.ones_like),
    "sigmoid": (sigmoid, lambda u: sigmoid(u) * (1 - sigmoid(u))),
    "tanh": (np.tanh, lambda u: 1 - np.tanh(u) ** 2),
    "relu": (lambda u: np.maximum(u, 0), lambda u: (u > 0).astype(u.dtype)),
    "leaky_relu": (lambda u: np.where(u > 0, u, LEAK * u), lambda u: np.where(u > 0, 1, LEAK).astype(u.dtype)),
    "gelu": (gelu, gelu_slope),
    "sin": (np.sin, np.cos),
}


@dataclass
class Cache:
    """What the forward pass leaves for the backward pass; list entry i belongs to layer i.

    Attributes:
        a: activations, a[0] = X (n, num_inputs), a[i + 1] (n, units) is the output of layer i.
        z: weighted sums, (n, units).
        z_hat: z normalized, or None.
        deviation: √(var + ε) that z was divided by, (units,), or None.
        u: what the activation is applied to: z, or γ z_hat + β.
        mask: 0 where dropout struck and 1 / (1 − p) elsewhere, or None.
        trained: whether statistics and masks are those of training.
    """

    architecture: Architecture
    params: list[Parameters]
    trained: bool
    a: list[np.ndarray]
    z: list[np.ndarray] = field(default_factory=list)
    z_hat: list[Any] = field(default_factory=list)
    deviation: list[Any] = field(default_factory=list)
    u: list[np.ndarray] = field(default_factory=list)
    mask: list[np.ndarray | None] = field(default_factory=list)

    @property
    def output(self) -> np.ndarray:
        """The network's answer for each row, (n,): a logit for classes."""
        return self.a[-1][:, 0]


def forward(
    params: list[Parameters], architecture: Architecture, X: np.ndarray, train: bool = False, rng: Random | None = None
) -> Cache:
    """The network's answers for X (n, num_inputs), with everything on the way.

    Args:
        train: normalize with the batch's own mean and variance, and drop units.
        rng: where dropout takes its chances from, layer by layer; needed with ``train`` and dropout.
    """
    cache = Cache(architecture, params, train, [X])
    for i, (layer, p) in enumerate(zip(architecture.layers, params, strict=True)):
        z = cache.a[-1] @ p.W + p.b  # (n, units)
        u, z_hat, deviation = normalize(z, p, train) if layer.batch_norm else (z, None, None)
        a, mask = ACTIVATIONS[layer.activation][0](u), None
        if train and layer.dropout and rng is not None:
            mask = (rng.random(a.shape) >= layer.dropout).astype(a.dtype) / a.dtype.type(1 - layer.dropout)
            a = a * mask
        if architecture.is_linked(i):
            a = a + cache.a[-1]
        cache.z.append(z)
        cache.z_hat.append(z_hat)
        cache.deviation.append(deviation)
        cache.u.append(u)
        cache.mask.append(mask)
        cache.a.append(a)
    return cache


def normalize(z: np.ndarray, p: Parameters, train: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Batch normalization of z (n, units): u, z_hat and the deviation that z was divided by."""
    mean, var = (z.mean(0), z.var(0)) if train else (p.mean, p.var)
    deviation = np.sqrt(var + z.dtype.type(EPSILON))
    z_hat = (z - mean) / deviation
    return p.gamma * z_hat + p.beta, z_hat, deviation


def track(cache: Cache) -> None:
    """Move the running mean and (unbiased) variance a tenth of the way to those of the batch, in place."""
    for p, z in zip(cache.params, cache.z, strict=True):
        if p.mean is not None and p.var is not None:
            p.mean += MOMENTUM * (z.mean(0) - p.mean)
            p.var += MOMENTUM * (z.var(0) * len(z) / max(len(z) - 1, 1) - p.var)


def losses(output: np.ndarray, y: np.ndarray, loss: str) -> np.ndarray:
    """The loss of each row, (n,): (f − y)², log(1 + exp(−y f)) or max(0, 1 − y f)."""
    if loss == "mse":
        return (output - y) ** 2
    return np.logaddexp(0, -y * output) if loss == "cross_entropy" else np.maximum(0, 1 - y * output)


def loss_slope(output: np.ndarray, y: np.ndarray, loss: str) -> np.ndarray:
    """The derivative of each row's loss by the output f, (n,); cross-entropy's is σ(f) − t for labels t of 0 and 1."""
    if loss == "mse":
        return 2 * (output - y)
    return -y * sigmoid(-y * output) if loss == "cross_entropy" else np.where(y * output < 1, -y, 0)


@dataclass
class Gradients:
    """Derivatives of the mean loss of the batch (penalties included in ``layers``).

    Attributes:
        layers: by each parameter, in the same shapes; 0 by the running mean and variance.
        deltas: by each layer's weighted sums z, (n, units).
        inputs: by the network's inputs X, (n, num_inputs).
    """

    layers: list[Parameters]
    deltas: list[np.ndarray]
    inputs: np.ndarray


def backward(cache: Cache, y: np.ndarray, loss: str, l1: float = 0.0, l2: float = 0.0) -> Gradients:
    """Backpropagation: the gradient of mean loss + l1 Σ|W| + l2/2 Σ W² for the batch that the cache has seen.

    Args:
        cache: of ``forward``; y (n,) are its rows' labels.
        loss: one of ``LOSSES``.
    """
    architecture, params = cache.architecture, cache.params
    grads = unflatten(np.zeros(architecture.size, cache.a[0].dtype), architecture)
    deltas = list(cache.z)
    upstream = (loss_slope(cache.output, y, loss) / len(y)).astype(cache.a[0].dtype)[:, None]  # (n, 1)
    for i in reversed(range(len(params))):
        p, g = params[i], grads[i]
        delta = upstream * ACTIVATIONS[architecture.layers[i].activation][1](cache.u[i])  # by u: (n, units)
        if (mask := cache.mask[i]) is not None:
            delta = delta * mask
        if architecture.layers[i].batch_norm:
            delta = denormalize(delta, cache, i, g)
        g.W[...] = cache.a[i].T @ delta + l1 * np.sign(p.W) + l2 * p.W
        g.b[...] = delta.sum(0)
        link = upstream if architecture.is_linked(i) else 0
        upstream = delta @ p.W.T + link  # (n, units of layer i − 1)
        deltas[i] = delta
    return Gradients(grads, deltas, upstream)


def denormalize(delta: np.ndarray, cache: Cache, i: int, g: Parameters) -> np.ndarray:
    """The derivative by u (n, units) carried to z; writes those by gamma and beta into ``g``."""
    p, z_hat, deviation = cache.params[i], cache.z_hat[i], cache.deviation[i]
    g.gamma[...], g.beta[...] = (delta * z_hat).sum(0), delta.sum(0)
    by_hat = delta * p.gamma
    if not cache.trained:  # mean and variance were constants
        return by_hat / deviation
    return (by_hat - by_hat.mean(0) - z_hat * (by_hat * z_hat).mean(0)) / deviation
