"""What does one filter see? A hidden filter, learned back from pictures and its answers by gradient descent.

The loss is the mean squared error over all output numbers, so it is a bowl in the k² weights, and a rate has the limit
2/λmax of the first lesson. Where the pictures say nothing about a weight, it stays as it began.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from dlcore.convolution import correlate, kernel_gradient
from dlcore.events import Checkpoint, Diverged, Event, Finished, Snapshot, Started, Step
from dlcore.filters import TITLES, preset, read_filter
from dlcore.kernel_data import KINDS, Examples, examples
from dlcore.knobs import knob, knobs_of
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

LANE = "light"
CHECKPOINT_SECONDS = 5.0
OWN = "own"
FOUND = 0.01  # a filter none of whose weights is off by more counts as found
FLUSH, FRAMES = 0.1, 240  # seconds between two parts of the film; of longer runs it has about so many frames
START = 0.3  # standard deviation of the first weights
ABOVE_LIMIT = N_(
    "The learning rate {learning_rate:.3g} is above the limit {limit:.3g} of these pictures (2/λmax), so every step "
    "made the error larger. Choose a smaller one."
)


@dataclass(frozen=True)
class Config:
    """The settings of learning a filter back. The learning rate that nobody sets follows the pictures (``recipe``)."""

    target: str = knob(
        "sobel_x", choices=(*TITLES, OWN), label=N_("Hidden filter"),
        help=N_("The filter that made the answers. The learner never sees it."),
    )  # fmt: skip
    size: int = knob(3, low=2, high=7, label=N_("Filter size"), help=N_("Weights along a side of the filter."))
    images: str = knob(
        "shapes", choices=tuple(KINDS), label=N_("Pictures"),
        help=N_("What the filter is shown: its answers to these pictures are all that is known of it."),
    )  # fmt: skip
    count: int = knob(8, low=1, high=64, label=N_("Number of pictures"), help=N_("Each has 12 × 12 pixels."))
    noise: float = knob(
        0.0, low=0.0, high=0.5, step=0.01, label=N_("Noise"),
        help=N_("Standard deviation of the error in the answers that are to be met."),
    )  # fmt: skip
    learning_rate: float = knob(
        0.5, low=1e-4, high=100.0, log=True, live=True, label=N_("Learning rate η"),
        help=N_("Step size of gradient descent. The limit 2/λmax comes from the pictures."),
    )  # fmt: skip
    steps: int = knob(300, low=1, high=5000, label=N_("Steps"), help=N_("How many updates."))
    seed: int = knob(
        0, low=0, high=9999, label=N_("Seed"), help=N_("Draws other pictures and first weights."), advanced=True
    )
    weights: str = knob(
        "", label=N_("Weights of your own filter"), help=N_("Row by row, with _ between them."), advanced=True
    )

    @classmethod
    def recipe(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Half the limit of the pictures in ``given``; nothing where the filter cannot be read."""
        names = knobs_of(cls)
        try:
            made = task(cls(**{name: value for name, value in given.items() if name in names}))
        except Problem:
            return {}  # it is told where the run begins
        return {"learning_rate": float(f"{made.limit / 2:.1e}")}


def resolve(config: Config) -> Config:
    """The config itself: nothing in it depends on the machine. Raises ``Problem`` where the filter cannot be read."""
    task(config)
    return config


def hidden(config: Config) -> np.ndarray:
    """The filter that is to be found, ``(k, k)``. Raises ``Problem`` where the text of an own one cannot be read."""
    if config.target != OWN:
        return preset(config.target, config.size)
    return read_filter(config.weights or "0_0_0_0_1_0_0_0_0")[0]


def task(config: Config) -> Examples:
    """The examples that the config describes; kept, since a page asks often."""
    W = tuple(tuple(row) for row in hidden(config).tolist())
    return examples(config.images, config.count, config.noise, config.seed, W)


def start(config: Config) -> np.ndarray:
    """The first weights, ``(1, k, k)``: small random numbers."""
    k = hidden(config).shape[-1]
    return START * np.random.default_rng((config.seed, 20_000)).normal(size=(1, k, k))


def mse_and_gradient(W: np.ndarray, made: Examples) -> tuple[float, np.ndarray]:
    """L = 1/M Σ (z − ẑ)² over all M output numbers, and ∂L/∂W by δ = ∂L/∂ẑ = −2/M (z − ẑ)."""
    residual = made.Z - correlate(made.X, W, 0.0, made.geometry)  # (N, H_out, W_out)
    delta = -2 / residual.size * residual
    return float((residual**2).mean()), kernel_gradient(made.X, delta, made.geometry)


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """The descent as events; ``values`` of a ``Step`` are kernel_error and learning_rate. Its weights are a film:

    ``Snapshot``s named "frames" with step (F,), weights (F, k, k), loss (F,) and kernel_error (F,).
    """
    config, steering = resolve(config), steering or Steering()
    made, W, step, seconds, found = task(config), start(config), 0, 0.0, None
    if resume:
        W, step, seconds, found = resume["W"].copy(), resume["step"], resume["seconds"], resume["found"]
        config = replace(config, learning_rate=resume["learning_rate"])
    yield Started(step, asdict(config), config.steps, {"params": W.size, "rows": made.Z.size})
    saved = told = began = time.perf_counter()
    film: list[dict[str, Any]] = []
    while True:
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradient = mse_and_gradient(W, made)
        if not np.isfinite(loss):
            yield from flush(step, film)
            yield Diverged(step, ABOVE_LIMIT, {"learning_rate": config.learning_rate, "limit": made.limit})
            return
        clock, error = time.perf_counter(), float(np.abs(W - made.W).max())
        found = step if found is None and error <= FOUND else found
        if not resume or step > resume["step"]:  # what was told before the pause is not told again
            values = {"kernel_error": error, "learning_rate": config.learning_rate}
            yield Step(step, loss, seconds + clock - began, values)
            if in_film(step, config.steps):
                film.append({"step": step, "weights": W[0], "loss": loss, "kernel_error": error})
        if step == config.steps:
            break
        for change in steering.due(step):
            config = replace(config, **{change.name: change.value})
            yield change
        if clock - told > FLUSH:
            told = clock
            yield from flush(step, film)
        if steering.wants_checkpoint() or clock - saved > CHECKPOINT_SECONDS:
            saved = clock
            yield from flush(step, film)
            yield Checkpoint(step, state(W, step, seconds + clock - began, config, found))
        W = W - config.learning_rate * gradient
        step += 1
    yield from flush(step, film)
    yield Checkpoint(step, state(W, step, seconds + clock - began, config, found), final=True)
    yield Finished(step, metrics(W, loss, made, found))


def in_film(step: int, total: int) -> bool:
    """Whether the step is a frame: all of the first ones, where most happens, then every so many, and the last."""
    return step < FRAMES // 2 or step % max(1, total // FRAMES) == 0 or step == total


def flush(step: int, film: list[dict[str, Any]]) -> Iterator[Event]:
    """The frames so far as one event, if there are any; the list is emptied."""
    if film:
        yield Snapshot(step, "frames", {name: np.array([frame[name] for frame in film]) for name in film[0]})
        film.clear()


def state(W: np.ndarray, step: int, seconds: float, config: Config, found: int | None) -> dict[str, Any]:
    """All that ``run`` needs to go on from here bit for bit."""
    return {"W": W, "step": step, "seconds": seconds, "learning_rate": config.learning_rate, "found": found}


def metrics(W: np.ndarray, loss: float, made: Examples, found: int | None) -> dict[str, Any]:
    """What was found beside what was hidden, and what the pictures said about it.

    ``found_at`` is the first step at which no weight was off by more than ``FOUND``, or None.
    """
    return {
        "loss": loss,
        "weights": W.ravel().tolist(),
        "hidden": made.W.ravel().tolist(),
        "kernel_error": float(np.abs(W - made.W).max()),
        "found_at": found,
        "undetermined": made.undetermined,
        "condition_number": made.condition_number,
        "learning_rate_limit": made.limit,
    }
