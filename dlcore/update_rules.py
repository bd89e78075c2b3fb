"""How a gradient becomes a step: seven rules in plain NumPy, each as short as its formula.

A rule is a function ``(theta, gradient, memory, learning_rate, **settings) -> (theta, memory)``. θ and the gradient
have any shape, the memory is a dict of arrays of that shape (empty before the first step), and nothing is changed in
place. The conventions are those of ``torch.optim``; in particular the velocity is a sum of gradients, ``v ← βv + g``,
which the rate multiplies afterwards (others put the rate inside: the same path, as long as the rate stays).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.texts import N_

Memory = dict[str, Any]  # arrays of θ's shape by name; "count" is the number of steps remembered


def gradient_descent(theta, gradient, memory: Memory, learning_rate: float):
    """θ ← θ − η g (Cauchy 1847)."""
    return theta - learning_rate * gradient, {}


def momentum(theta, gradient, memory: Memory, learning_rate: float, beta: float = 0.9):
    """The heavy ball of Polyak 1964: v ← βv + g, θ ← θ − ηv."""
    velocity = beta * memory.get("velocity", 0.0) + gradient
    return theta - learning_rate * velocity, {"velocity": velocity}


def nesterov(theta, gradient, memory: Memory, learning_rate: float, beta: float = 0.9):
    """Nesterov 1983, written for the gradient at θ (Sutskever et al. 2013): v ← βv + g, θ ← θ − η(g + βv)."""
    velocity = beta * memory.get("velocity", 0.0) + gradient
    return theta - learning_rate * (gradient + beta * velocity), {"velocity": velocity}


def adagrad(theta, gradient, memory: Memory, learning_rate: float, epsilon: float = 1e-10):
    """Duchi, Hazan and Singer 2011: s ← s + g², θ ← θ − η g / (√s + ε). Its steps can only become shorter."""
    total = memory.get("total", 0.0) + gradient**2
    return theta - learning_rate * gradient / (np.sqrt(total) + epsilon), {"total": total}


def rmsprop(theta, gradient, memory: Memory, learning_rate: float, beta2: float = 0.99, epsilon: float = 1e-8):
    """Tieleman and Hinton 2012: s ← β₂s + (1 − β₂)g², θ ← θ − η g / (√s + ε)."""
    square = beta2 * memory.get("square", 0.0) + (1 - beta2) * gradient**2
    return theta - learning_rate * gradient / (np.sqrt(square) + epsilon), {"square": square}


def adam(
    theta, gradient, memory: Memory, learning_rate: float,
    beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
):  # fmt: skip
    """Kingma and Ba 2015: averages m of g and s of g², both freed of their start at zero; θ ← θ − η m̂ / (√ŝ + ε)."""
    count = memory.get("count", 0) + 1
    mean = beta1 * memory.get("mean", 0.0) + (1 - beta1) * gradient
    square = beta2 * memory.get("square", 0.0) + (1 - beta2) * gradient**2
    fair_mean, fair_square = mean / (1 - beta1**count), square / (1 - beta2**count)
    step = learning_rate * fair_mean / (np.sqrt(fair_square) + epsilon)
    return theta - step, {"mean": mean, "square": square, "count": count}


def adamw(
    theta, gradient, memory: Memory, learning_rate: float,
    beta1: float = 0.9, beta2: float = 0.999, weight_decay: float = 0.01, epsilon: float = 1e-8,
):  # fmt: skip
    """Loshchilov and Hutter 2019: Adam, and apart from it θ is drawn towards zero by the share η·decay."""
    shrunk = theta * (1 - learning_rate * weight_decay)
    return adam(shrunk, gradient, memory, learning_rate, beta1, beta2, epsilon)


@dataclass(frozen=True)
class Rule:
    """A rule with its name for readers, and what it is given and remembers.

    Attributes:
        settings: its knobs beside the learning rate, with their usual values.
        memory: the arrays that it keeps from step to step. A rule that takes over from one with the same memory goes
            on with it; any other begins with none.
    """

    title: str
    update: Callable[..., tuple[Any, Memory]]
    settings: Mapping[str, float]
    memory: tuple[str, ...]


RULES: dict[str, Rule] = {
    "gd": Rule(N_("Gradient descent"), gradient_descent, {}, ()),
    "momentum": Rule(N_("Momentum"), momentum, {"beta": 0.9}, ("velocity",)),
    "nesterov": Rule(N_("Nesterov"), nesterov, {"beta": 0.9}, ("velocity",)),
    "adagrad": Rule(N_("AdaGrad"), adagrad, {}, ("total",)),
    "rmsprop": Rule(N_("RMSProp"), rmsprop, {"beta2": 0.99}, ("square",)),
    "adam": Rule(N_("Adam"), adam, {"beta1": 0.9, "beta2": 0.999}, ("mean", "square")),
    "adamw": Rule(N_("AdamW"), adamw, {"beta1": 0.9, "beta2": 0.999, "weight_decay": 0.01}, ("mean", "square")),
}


def handed_over(memory: Memory, before: str, after: str) -> Memory:
    """What the rule ``after`` keeps of the memory that the rule ``before`` left."""
    return memory if RULES[before].memory == RULES[after].memory else {}


# --- what theory says of a quadratic bowl with curvatures from lambda_min to lambda_max ------------------------------


def limit(rule: str, lambda_max: float, beta: float = 0.0) -> float | None:
    """The rate below which the rule converges on quadratics with this largest curvature; None where none is known.

    Gradient descent 2/λmax; heavy ball 2(1 + β)/λmax (Polyak 1964); Nesterov 2(1 + β)/((1 + 2β)λmax), where the root of
    r² − (1 + β)(1 − ηλ)r + β(1 − ηλ) passes −1.
    """
    if rule == "gd":
        return 2 / lambda_max
    if rule == "momentum":
        return 2 * (1 + beta) / lambda_max
    return 2 * (1 + beta) / ((1 + 2 * beta) * lambda_max) if rule == "nesterov" else None


def best_rate(lambda_min: float, lambda_max: float, beta: float = 0.0) -> float:
    """The rate of gradient descent (or, for a given β, of the heavy ball) whose slowest direction is fastest."""
    return 2 * (1 + beta) / (lambda_min + lambda_max)


def best_pair(lambda_min: float, lambda_max: float) -> tuple[float, float]:
    """Rate and β of the fastest heavy ball: 4/(√λmin + √λmax)² and ((√κ − 1)/(√κ + 1))² (Polyak 1964)."""
    low, high = lambda_min**0.5, lambda_max**0.5
    return 4 / (low + high) ** 2, ((high - low) / (high + low)) ** 2


def steps_needed(lambda_min: float, lambda_max: float, learning_rate: float, beta: float, near: float = 1e-6) -> int:
    """Steps of the heavy ball (β = 0: gradient descent) from (1, 1) until the distance stays below ``near`` of it.

    Counted on plain numbers, direction by direction; for a pair that converges.
    """
    errors, memories, far, step = [1.0, 1.0], [{}, {}], 2 * near**2, 0
    last = 0
    while step < last + 50 or step < 1.2 * last:  # an oscillation may come back over the line once more
        step += 1
        for i, curvature in enumerate((lambda_min, lambda_max)):
            gradient = curvature * errors[i]
            errors[i], memories[i] = momentum(errors[i], gradient, memories[i], learning_rate, beta)
        if errors[0] ** 2 + errors[1] ** 2 > far:
            last = step
    return last + 1
