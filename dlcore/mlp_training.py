"""Mini-batch training of ``dlcore.mlp``, step by step, in arrays that can be handed over, saved and resumed.

``advance`` is the readable engine; ``dlcore.mlp_fast`` does the same in machine code. Both draw their batches and their
dropout from generators made anew for a place in the run, so any step can be repeated without what came before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from dlcore.mlp import INITIALIZATIONS, LOSSES, Architecture, backward, flatten, forward, initialize, track, unflatten
from dlcore.update_rules import RULES

__all__ = ["INITIALIZATIONS", "LOSSES", "OPTIMIZERS", "Rates", "Setup", "State", "advance", "start"]

OPTIMIZERS = {"sgd": "gd", **{name: name for name in RULES if name != "gd"}}  # by name: its rule
BLOCK = 16  # epochs whose orders come from one generator: making one takes as long as a small epoch
NONE = np.zeros(0, np.float32)
ORDER, DROPOUT, INITIAL = 11, 12, 13  # what a generator is for, so that no two draw the same numbers


@dataclass(frozen=True, eq=False)
class Setup:
    """What does not change in a run: network, data, and how to go through it.

    Attributes:
        X: inputs, (n, num_inputs), float32 or float64: everything is computed in this type.
        y: labels, (n,), of the same type.
        optimizer: a key of ``OPTIMIZERS``.
    """

    architecture: Architecture
    X: np.ndarray
    y: np.ndarray
    loss: str
    optimizer: str
    batch_size: int
    seed: int

    @cached_property
    def steps_per_epoch(self) -> int:
        """How many batches a pass has; the last may be smaller."""
        return -(-len(self.y) // self.batch_size)

    @cached_property
    def drops(self) -> int:
        """Chances that dropout takes for one row."""
        return sum(layer.units for layer in self.architecture.layers if layer.dropout)

    @cached_property
    def weights(self) -> np.ndarray:
        """Which of the flat parameters are weights and not biases or normalization, (P,) bool."""
        return self._marked("W")

    @cached_property
    def learned(self) -> np.ndarray:
        """Which of the flat parameters the optimizer moves, (P,) bool.

        Not running means and variances; nor biases that a normalization subtracts again: their gradient is 0 but for
        rounding, which Adam and its like would blow up into steps of full size.
        """
        marks = self._marked("W", "b", "gamma", "beta")
        for layer in unflatten(marks, self.architecture):
            if layer.gamma is not None:
                layer.b[...] = False
        return marks

    def _marked(self, *names: str) -> np.ndarray:
        marks = np.zeros(self.architecture.size, bool)
        for layer in unflatten(marks, self.architecture):
            for name in names:
                if (array := getattr(layer, name)) is not None:
                    array[...] = True
        return marks

    def rows(self, step: int) -> np.ndarray:
        """Rows of the batch of update ``step`` (from 0)."""
        epoch, part = divmod(step, self.steps_per_epoch)
        order = orders(self.seed, epoch // BLOCK, len(self.y))[epoch % BLOCK]
        return order[part * self.batch_size : (part + 1) * self.batch_size]

    def chances(self, step: int) -> Chances:
        """Where the dropout of update ``step`` takes its numbers from."""
        if not self.drops:
            return Chances(NONE)
        epoch, part = divmod(step, self.steps_per_epoch)
        return Chances(uniform(self.seed, epoch, len(self.y) * self.drops)[part * self.batch_size * self.drops :])


@lru_cache(maxsize=32)
def orders(seed: int, block: int, n: int) -> np.ndarray:
    """The orders of the rows in ``BLOCK`` epochs, (BLOCK, n) int64, each a permutation."""
    rng = np.random.default_rng((ORDER, seed, block))
    return rng.permuted(np.tile(np.arange(n), (BLOCK, 1)), axis=1)


@lru_cache(maxsize=32)
def uniform(seed: int, epoch: int, count: int) -> np.ndarray:
    """What dropout draws in an epoch, (count,) float32 in [0, 1), batch by batch and in it layer by layer."""
    return np.random.default_rng((DROPOUT, seed, epoch)).random(count, dtype=np.float32)


@dataclass
class Chances:
    """Numbers drawn before, handed out in order (``mlp.Random``)."""

    numbers: np.ndarray
    used: int = 0

    def random(self, size: tuple[int, int]) -> np.ndarray:
        """The next ones, in this shape."""
        self.used += size[0] * size[1]
        return self.numbers[self.used - size[0] * size[1] : self.used].reshape(size)


@dataclass
class State:
    """What a run is at a step: all that is needed to go on bit for bit.

    Attributes:
        step: updates done.
        flat: parameters, (P,).
        memory: what the optimizer remembers, (2, P): the arrays of ``RULES[…].memory`` in order, rest zeros.
        frozen: parameters that are held, (P,) bool; the optimizer passes them over.
    """

    step: int
    flat: np.ndarray
    memory: np.ndarray
    frozen: np.ndarray

    def copy(self) -> State:
        """A state of its own."""
        return replace(self, flat=self.flat.copy(), memory=self.memory.copy(), frozen=self.frozen.copy())


@dataclass(frozen=True)
class Rates:
    """What may change at any step."""

    learning_rate: float
    l1: float = 0.0
    l2: float = 0.0


def start(setup: Setup, init: str) -> State:
    """The state before the first step: the same for the same seed."""
    rng = np.random.default_rng((INITIAL, setup.seed))
    flat = flatten(initialize(setup.architecture, rng, init)).astype(setup.X.dtype)
    return State(0, flat, np.zeros((2, len(flat)), flat.dtype), np.zeros(len(flat), bool))


def advance(setup: Setup, state: State, rates: Rates, steps: int) -> bool:
    """Do ``steps`` updates in place; False where the network's output is no longer a number, at ``state.step``."""
    params = unflatten(state.flat, setup.architecture)
    for step in range(state.step, state.step + steps):
        rows = setup.rows(step)
        cache = forward(params, setup.architecture, setup.X[rows], train=True, rng=setup.chances(step))
        if not np.isfinite(cache.output).all():
            return False
        # AdamW takes the decay out of the gradient (see ``dlcore.update_rules``)
        l2 = 0.0 if setup.optimizer == "adamw" else rates.l2
        gradient = flatten(backward(cache, setup.y[rows], setup.loss, rates.l1, l2).layers)
        track(cache)
        update(setup, state, gradient, rates)
        state.step += 1
    return True


def update(setup: Setup, state: State, gradient: np.ndarray, rates: Rates) -> None:
    """One step of the optimizer, in place; AdamW draws weights, and nothing else, towards zero by the share η · l2."""
    rule = RULES["adam" if setup.optimizer == "adamw" else OPTIMIZERS[setup.optimizer]]
    theta = state.flat
    if setup.optimizer == "adamw":
        theta = np.where(setup.weights, theta * theta.dtype.type(1 - rates.learning_rate * rates.l2), theta)
    memory = {name: state.memory[k] for k, name in enumerate(rule.memory)}
    theta, memory = rule.update(theta, gradient, {**memory, "count": state.step}, rates.learning_rate)
    moves = setup.learned & ~state.frozen
    state.flat[moves] = theta[moves]
    for k, name in enumerate(rule.memory):
        state.memory[k, moves] = memory[name][moves]


def batches(setup: Setup, step: int, steps: int) -> Iterator[tuple[int, int]]:
    """``steps`` updates from ``step`` on, as (step, how many) that share one block of orders."""
    while steps > 0:
        end = (step // (BLOCK * setup.steps_per_epoch) + 1) * BLOCK * setup.steps_per_epoch
        count = min(steps, end - step)
        yield step, count
        step, steps = step + count, steps - count
