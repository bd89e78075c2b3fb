"""The loss of a real network, seen in a plane: a 2-6-1 network, trained three times, and what lies between.

A plane through three trained networks (Garipov et al. 2018) has three valleys that were really found, with the barriers
between them; a plane of random directions (Li et al. 2018) mostly shows one. All in NumPy, 30 ms for the whole.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dlcore.surfaces import Array, Surface, hessian
from dlcore.update_rules import adam

HIDDEN, POINTS, DECAY = 6, 40, 1e-3
SIZES = ((2, HIDDEN), (HIDDEN,), (HIDDEN,), ())  # the weights and biases of the network, in this order
ENDS = np.cumsum([int(np.prod(size)) for size in SIZES])  # the last is P, the number of parameters
STEPS, RATE = 400, 0.05
ASPECT, MARGIN = 1.6, 1.45  # of the window: width to height, and how much wider than the triangle


def moons(n: int = POINTS, seed: int = 0) -> tuple[Array, Array]:
    """Two half-moons that interlock: X (n, 2), y (n,) of 0 and 1."""
    rng = np.random.default_rng(seed)
    t, y = np.pi * rng.uniform(size=n), np.arange(n) % 2
    X = np.stack([np.cos(t) * (1 - 2 * y) + y - 0.5, np.sin(t) * (1 - 2 * y) + 0.5 * y - 0.25], axis=-1)
    return X + 0.1 * rng.normal(size=(n, 2)), y.astype(float)


def network_loss(weights: Array, X: Array, y: Array, decay: float = DECAY) -> tuple[Array, Array]:
    """Cross-entropy of the network (tanh, then a sigmoid) with a little weight decay, and its gradient.

    Args:
        weights: (..., P) all parameters of a network in a row; many networks at once.
        X: (N, 2), y: (N,) of 0 and 1.

    Returns:
        loss (...) and gradient (..., P).
    """
    many = weights.shape[:-1]
    parts = zip(np.split(weights, ENDS[:-1], axis=-1), SIZES, strict=True)
    W, b, w, c = (part.reshape(many + size) for part, size in parts)
    hidden = np.tanh(X @ W + b[..., None, :])  # (..., N, H)
    logit = (hidden @ w[..., None])[..., 0] + c[..., None]  # (..., N)
    loss = np.logaddexp(0, logit) - y * logit
    delta = (0.5 * (1 + np.tanh(logit / 2)) - y) / len(y)  # (..., N), the sigmoid without overflow
    back = delta[..., None] * w[..., None, :] * (1 - hidden**2)  # (..., N, H)
    slopes = [X.T @ back, back.sum(-2), (delta[..., None] * hidden).sum(-2), delta.sum(-1)]
    gradient = np.concatenate([g.reshape((*many, -1)) for g in slopes], axis=-1)
    return loss.mean(-1) + decay / 2 * (weights**2).sum(-1), gradient + decay * weights


def trained(seed: int = 0) -> Array:
    """Three networks (3, P) that Adam trained from different first weights, all at once: a rule takes any shape."""
    X, y = moons()
    weights, memory = np.random.default_rng(seed).normal(size=(3, ENDS[-1])), {}
    for step in range(STEPS):
        gradient = network_loss(weights, X, y)[1]
        weights, memory = adam(weights, gradient, memory, RATE * (1 - step / STEPS))
    return weights


@lru_cache(maxsize=1)
def network() -> Surface:
    """The plane through the three networks, in the units of the weights, the triangle's centre at the origin."""
    X, y = moons()
    corners = trained()
    centre = corners.mean(0)
    axes = np.linalg.qr((corners[1:] - corners[0]).T)[0]  # (P, 2), orthonormal

    def value(theta: Array) -> Array:
        return network_loss(centre + theta @ axes.T, X, y)[0]

    def slope(theta: Array) -> Array:
        return network_loss(centre + theta @ axes.T, X, y)[1] @ axes

    found = (corners - centre) @ axes  # (3, 2)
    low, high = found.min(0), found.max(0)
    half = MARGIN * (high - low) / 2
    half = np.maximum(half, [ASPECT * half[1], half[0] / ASPECT])
    middle = (low + high) / 2
    wide, tall = ((float(m - h), float(m + h)) for m, h in zip(middle, half, strict=True))
    rough = Surface(("network",), value, slope, (wide, tall), (0.0, 0.0), found)
    minima = np.array([_settled(rough, place) for place in found])
    return Surface(("network",), value, slope, (wide, tall), (6.0, 3.0), minima)


def _settled(surface: Surface, place: Array) -> Array:
    """The lowest point of the plane near a trained network, by Newton's method."""
    for _ in range(6):
        place = place - np.linalg.solve(hessian(surface, place), surface.slope(place))
    return place
