"""Is a gradient right? Ours, torch's and the difference quotient side by side, and how the quotient errs with its step.

The central difference (f(x + ε) − f(x − ε)) / 2ε errs in two ways: by truncation, |f‴| ε²/6, and by rounding, about
u |f| / ε with u = 2⁻⁵³, since two numbers nearly equal are subtracted (Higham 2002, sections 1.11 and 1.14; u is the
unit roundoff of float64). The sum of the two is smallest at ε = (3 u |f| / |f‴|)^⅓.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dlcore.autograd import Value
from dlcore.expressions import Expression, parse

UNIT = 2.0**-53
SMALLEST, LARGEST = 1e-14, 1.0  # steps ε that are tried
POINTS = 141  # ten a decade
NEAR = 1e-3  # at which f‴ is estimated from gradients
NOISE = 100.0  # roundings of a gradient; what is below is not told from 0


@dataclass(frozen=True)
class Check:
    """One leaf's gradient from several sides; arrays are (POINTS,) over ``epsilon``.

    Attributes:
        ours: by our own backpropagation.
        quotient: the central difference at the step asked for; ``error`` is its distance from ``ours``.
        epsilon, errors: the steps tried, and the distance for each.
        truncation, rounding: what theory says of the two errors.
        best: the step at which theory's sum is smallest; NaN where |f‴| is 0 or not finite.
    """

    ours: float
    quotient: float
    error: float
    epsilon: np.ndarray
    errors: np.ndarray
    truncation: np.ndarray
    rounding: np.ndarray
    best: float


def central_difference(
    expression: Expression, leaves: Mapping[str, float], name: str, epsilon: np.ndarray
) -> np.ndarray:
    """(f(x + ε) − f(x − ε)) / 2ε in one leaf x, for every ε of an array."""
    x = leaves[name]
    above, below = (expression(**{**leaves, name: x + sign * epsilon}) for sign in (1, -1))
    with np.errstate(all="ignore"):
        return (above - below) / (2 * epsilon)


def gradient(expression: Expression, leaves: Mapping[str, float], name: str, x: np.ndarray) -> np.ndarray:
    """∂f/∂name by our own backpropagation, at every place of an array at once."""
    leaf = Value(x)
    expression(**{**leaves, name: leaf}).backward()
    return np.broadcast_to(leaf.grad, np.shape(x))


def check(expression: Expression, leaves: Mapping[str, float], name: str, epsilon: float) -> Check:
    """Compare our gradient by ``name`` with the difference quotient at ``epsilon``, and over all steps."""
    x = float(leaves[name])
    steps = np.geomspace(SMALLEST, LARGEST, POINTS)
    near = NEAR * max(1.0, abs(x))
    before, ours, after = (float(g) for g in gradient(expression, leaves, name, np.array([x - near, x, x + near])))
    f = abs(float(expression(**leaves)))
    with np.errstate(all="ignore"):
        third = abs(after - 2 * ours + before) / near**2  # f‴, from the gradients beside x
        third = third if third > NOISE * UNIT * abs(ours) / near**2 else 0.0  # a parabola has none
        best = np.cbrt(3 * UNIT * f / third) if 0 < third < np.inf else np.nan
        errors = np.abs(central_difference(expression, leaves, name, steps) - ours)
        quotient = float(central_difference(expression, leaves, name, np.array([epsilon]))[0])
        return Check(
            ours, quotient, abs(quotient - ours), steps, errors, third * steps**2 / 6, UNIT * f / steps, float(best)
        )


def torch_gradients(text: str, leaves: dict[str, float]) -> dict[str, float]:
    """The gradient by every leaf as ``torch.autograd`` finds it, in float64. Imports torch: for a worker."""
    import torch

    expression = parse(text)
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in leaves.items()}
    F = torch.nn.functional
    do = {
        "+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div, "**": torch.pow, "neg": torch.neg,
        "softplus": lambda x: F.softplus(x, threshold=60), "gelu": F.gelu, "max": torch.maximum, "min": torch.minimum,
    }  # fmt: skip
    results = []
    for node in expression.nodes:
        if node.op == "leaf":
            results.append(tensors[node.name])
        elif node.op == "number":
            results.append(torch.tensor(node.number, dtype=torch.float64))
        else:
            operation = do[node.op] if node.op in do else getattr(torch, node.op)
            results.append(operation(*(results[i] for i in node.inputs)))
    results[-1].backward()
    return {name: float(t.grad) if t.grad is not None else 0.0 for name, t in tensors.items()}
