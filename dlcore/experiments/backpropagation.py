"""Which weight is to blame? A deep network trained by the hand-written backpropagation of ``dlcore.mlp``.

Plain gradient descent on all points at once, so that nothing but depth, activation and initialization decides whether
it learns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dlcore import depth as deep
from dlcore.events import Checkpoint, Diverged, Event, Finished, Started, Step
from dlcore.knobs import knob
from dlcore.mlp import Gradients, Parameters, backward, flatten, forward, losses, unflatten
from dlcore.steering import Steering
from dlcore.texts import N_

LANE = "light"
CHECKPOINT_SECONDS = 5.0
INITS = ("zeros", "small", "xavier", "he")
BLOWN_UP = N_(
    "The loss is no finite number any more. The gradient of the first layer was {first:.2g}, the rate "
    "{learning_rate:.3g}: the steps were too large. Choose a smaller rate, fewer layers, or weights that begin smaller."
)


@dataclass(frozen=True)
class Config:
    """The settings of the deep network."""

    depth: int = knob(
        20,
        low=2,
        high=50,
        label=N_("Hidden layers"),
        help=N_("How many layers a gradient has to pass on its way back."),
    )
    activation: str = knob(
        "sigmoid", choices=("sigmoid", "tanh", "relu", "gelu"), label=N_("Activation"),
        help=N_("Its slope multiplies the gradient in every layer. The sigmoid’s is never more than a quarter."),
    )  # fmt: skip
    init: str = knob(
        "xavier", choices=INITS, label=N_("Initial weights"),
        help=N_("How large the weights begin: all zero, small (0.01), after Glorot (Xavier), or after He."),
    )  # fmt: skip
    width: int = knob(32, low=4, high=48, label=N_("Units per layer"), help=N_("Theory is exact for wide layers."))
    # At 0.1 twenty tanh layers are at the edge: the last bit of a product, not the same everywhere, decides their end.
    learning_rate: float = knob(
        0.05, low=1e-4, high=10.0, log=True, live=True, label=N_("Learning rate η"),
        help=N_("Step size of plain gradient descent; it can be moved while the network trains."),
    )  # fmt: skip
    steps: int = knob(400, low=10, high=5000, label=N_("Steps"), help=N_("How many updates."), advanced=True)
    seed: int = knob(0, low=0, high=9999, label=N_("Seed"), help=N_("Draws other weights and points."), advanced=True)


def resolve(config: Config) -> Config:
    """The config itself: nothing in it depends on the machine."""
    return config


def norms(gradients: Gradients) -> np.ndarray:
    """‖∂loss/∂W‖ of every layer, (depth + 1,), the output layer last."""
    return np.array([float(np.linalg.norm(layer.W)) for layer in gradients.layers])


def update(params: list[Parameters], gradients: Gradients, learning_rate: float) -> None:
    """θ ← θ − η ∂loss/∂θ for every weight and bias, in place."""
    for layer, gradient in zip(params, gradients.layers, strict=True):
        layer.W -= learning_rate * gradient.W
        layer.b -= learning_rate * gradient.b


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """The training as events; ``values`` of a ``Step`` are gradient_norms (depth + 1 floats), accuracy and the rate."""
    config, steering = resolve(config), steering or Steering()
    network = deep.architecture(config.depth, config.width, config.activation)
    params = deep.beginning(config.depth, config.width, config.activation, config.init, config.seed)
    (X, y), step, seconds, first = deep.batch(config.seed), 0, 0.0, None
    if resume:
        params, step, seconds = unflatten(resume["params"].copy(), network), resume["step"], resume["seconds"]
        config, first = replace(config, learning_rate=resume["learning_rate"]), resume["first"]
    yield Started(step, asdict(config), config.steps, {"params": network.size, "rows": len(y)})
    saved = began = time.perf_counter()
    while True:
        with np.errstate(over="ignore", invalid="ignore"):
            cache = forward(params, network, X)
            gradients = backward(cache, y, deep.LOSS)
            loss, sizes = float(losses(cache.output, y, deep.LOSS).mean()), norms(gradients)
        first = sizes.tolist() if first is None else first
        if not (np.isfinite(loss) and np.isfinite(sizes).all()):
            yield Diverged(step, BLOWN_UP, {"first": first[0], "learning_rate": config.learning_rate})
            return
        now = seconds + time.perf_counter() - began
        accuracy = float((np.sign(cache.output) == y).mean())
        if not resume or step > resume["step"]:  # what was told before the pause is not told again
            values = {"gradient_norms": sizes.tolist(), "accuracy": accuracy, "learning_rate": config.learning_rate}
            yield Step(step, loss, now, values)
        if step == config.steps:
            break
        for change in steering.due(step):
            config = replace(config, **{change.name: change.value})
            yield change
        if steering.wants_checkpoint() or time.perf_counter() - saved > CHECKPOINT_SECONDS:
            saved = time.perf_counter()
            yield Checkpoint(step, state(params, step, now, config, first))
        update(params, gradients, config.learning_rate)
        step += 1
    yield Checkpoint(step, state(params, step, now, config, first), final=True)
    yield Finished(step, metrics(loss, accuracy, first, sizes))


def state(params: list[Parameters], step: int, seconds: float, config: Config, first: list[float]) -> dict[str, Any]:
    """All that ``run`` needs to go on from here bit for bit."""
    rate = config.learning_rate
    return {"params": flatten(params), "step": step, "seconds": seconds, "learning_rate": rate, "first": first}


def metrics(loss: float, accuracy: float, first: list[float], last: np.ndarray) -> dict[str, Any]:
    """Loss and accuracy at the end, and the first hidden layer's gradient over the last one's, then and now."""
    ratios = [float(s[0] / s[-2]) if s[-2] else None for s in (first, last)]
    return {"loss": loss, "accuracy": accuracy, "first_last_ratio_at_start": ratios[0], "first_last_ratio": ratios[1]}
