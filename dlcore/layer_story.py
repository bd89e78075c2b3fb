"""A small network on four points, as matrices: what runs forward, what flows back, and how the two make a gradient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dlcore.mlp import ACTIVATIONS, Architecture, Cache, Gradients, Layer, backward, forward, initialize, losses

X = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])  # the four cases of XOR
y = np.array([-1.0, 1.0, 1.0, -1.0])
WIDTHS = (4, 3)
CHOICES = ("tanh", "sigmoid", "relu")
LOSS = "mse"


@dataclass(frozen=True, eq=False)
class Layers:
    """One forward and backward pass of the network, with what the page shows of it."""

    activation: str
    cache: Cache
    grads: Gradients
    loss: float

    def largest(self) -> tuple[int, int, int]:
        """Layer, row and column of the weight whose gradient is largest in size."""
        sizes = [np.abs(g.W) for g in self.grads.layers]
        layer = int(np.argmax([s.max() for s in sizes]))
        i, j = np.unravel_index(int(sizes[layer].argmax()), sizes[layer].shape)
        return layer, int(i), int(j)

    def payload(self) -> dict[str, Any]:
        """All matrices by layer, for the component: a_in, W, b, z, slope f′(z), delta, gradient of W, and a (out)."""
        slope = ACTIVATIONS[self.activation][1]
        layers = []
        for i, (p, g) in enumerate(zip(self.cache.params, self.grads.layers, strict=True)):
            last = i == len(self.cache.params) - 1
            z = self.cache.z[i]
            layers.append(
                {
                    "a_in": self.cache.a[i], "W": p.W, "b": p.b[None], "z": z, "a": self.cache.a[i + 1],
                    "slope": np.ones_like(z) if last else slope(z), "delta": self.grads.deltas[i], "dW": g.W,
                    "db": g.b[None],
                }
            )  # fmt: skip
        return {"layers": layers, "y": y[:, None], "loss": self.loss, "activation": self.activation}


@lru_cache(maxsize=32)
def layers(activation: str, seed: int) -> Layers:
    """The network 2–4–3–1 with Xavier's weights, ``activation`` in its hidden layers, loss mean (f − y)² over X."""
    network = Architecture(2, (*(Layer(n, activation) for n in WIDTHS), Layer(1)))
    rng = np.random.default_rng(seed)
    params = initialize(network, rng, "xavier")
    for p in params:
        p.b[...] = rng.uniform(-0.3, 0.3, p.b.shape)  # zero biases would hide that they have gradients of their own
    cache = forward(params, network, X)
    return Layers(activation, cache, backward(cache, y, LOSS), float(losses(cache.output, y, LOSS).mean()))
