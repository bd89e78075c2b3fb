"""Automatic differentiation in reverse, small enough to read: a graph of values that remembers how it was computed.

Each operation notes its local derivatives when it runs; ``backward`` walks the graph from the end to the beginning and
multiplies them with what arrives from above (reverse accumulation: Linnainmaa 1970; Griewank and Walther 2008, ch. 3).
Data are floats or NumPy arrays of float64, all operations elementwise with NumPy's broadcasting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dlcore.texts import N_, Problem

Number = Any  # float or array of float64
_erf = np.vectorize(math.erf, otypes=[float])
_normal = lambda x: np.exp(-x * x / 2) / np.sqrt(2 * np.pi)  # noqa: E731  density, whose integral is half of 1 + erf
_step = lambda x: np.heaviside(x, 0.5)  # noqa: E731  at a tie each side gets half, as in torch.maximum


def sigmoid(x: Number) -> Number:
    """1 / (1 + e⁻ˣ), without overflow on either side."""
    return np.exp(-np.logaddexp(0.0, -x))


class Operation(NamedTuple):
    """What it computes, and its derivatives by each input, from the inputs and the output ``y``."""

    forward: Callable[..., Number]
    derivatives: Callable[..., tuple[Number, ...]]


OPERATIONS = {
    "+": Operation(lambda a, b: a + b, lambda a, b, y: (1.0, 1.0)),
    "-": Operation(lambda a, b: a - b, lambda a, b, y: (1.0, -1.0)),
    "*": Operation(lambda a, b: a * b, lambda a, b, y: (b, a)),
    "/": Operation(lambda a, b: np.divide(a, b), lambda a, b, y: (np.divide(1.0, b), -np.divide(y, b))),
    "**": Operation(
        lambda a, b: np.power(a, b),
        lambda a, b, y: (
            np.where(b == 0, 0.0, b * np.power(a, b - 1.0)),
            np.where((a == 0) & (b >= 0), 0.0, y * np.log(a)),
        ),
    ),
    "neg": Operation(lambda x: -x, lambda x, y: (-1.0,)),
    "exp": Operation(np.exp, lambda x, y: (y,)),
    "log": Operation(np.log, lambda x, y: (np.divide(1.0, x),)),
    "sqrt": Operation(np.sqrt, lambda x, y: (np.divide(0.5, y),)),
    "sin": Operation(np.sin, lambda x, y: (np.cos(x),)),
    "cos": Operation(np.cos, lambda x, y: (-np.sin(x),)),
    "tanh": Operation(np.tanh, lambda x, y: (1.0 - y * y,)),
    "sigmoid": Operation(sigmoid, lambda x, y: (y * (1.0 - y),)),
    "relu": Operation(lambda x: np.maximum(x, 0.0), lambda x, y: (np.heaviside(x, 0.0),)),
    "softplus": Operation(lambda x: np.logaddexp(0.0, x), lambda x, y: (sigmoid(x),)),
    "gelu": Operation(
        lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
        lambda x, y: ((1 + _erf(x / math.sqrt(2))) / 2 + x * _normal(x),),
    ),
    "abs": Operation(np.abs, lambda x, y: (np.sign(x),)),
    "max": Operation(np.maximum, lambda a, b, y: (_step(a - b), _step(b - a))),
    "min": Operation(np.minimum, lambda a, b, y: (_step(b - a), _step(a - b))),
}
REASONS = {  # why an operation on finite numbers has no finite result; else it is too large
    "/": N_("Division by zero: what is below the fraction bar is 0."),
    "log": N_("log is defined for positive numbers only, and here it gets {inputs}."),
    "sqrt": N_("sqrt is defined from 0 on, and here it gets {inputs}."),
    "**": N_("{inputs}: this power has no finite real value."),
}
TOO_LARGE = N_("{op} of {inputs} is larger than a computer’s number can be (about 1.8·10³⁰⁸).")
STEEP = N_("Here {op} is infinitely steep: its value is finite, its derivative is not.")


class Value:
    """A number in a graph. ``edges`` are pairs (input, local derivative), one for each input of ``op``.

    Attributes:
        data: float64, any shape.
        grad: sum of all gradients that ``backward`` has brought so far, of the shape of ``data``; 0.0 before.
        op: key of ``OPERATIONS``, ``"leaf"``, or ``"number"`` for a constant, which gets no gradient.
    """

    __array_ufunc__ = None  # so that array * Value asks Value

    def __init__(self, data: Number, op: str = "leaf", edges: tuple[tuple[Value, Number], ...] = ()) -> None:
        self.data, self.op, self.edges = np.float64(data) if np.ndim(data) == 0 else np.asarray(data, float), op, edges
        self.grad: Number = 0.0

    @property
    def fault(self) -> Problem | None:
        """Why ``data`` or a local derivative is not finite, where it became so; else None."""
        return _fault(self) if self.edges and all(np.isfinite(x.data).all() for x, _local in self.edges) else None

    def backward(self) -> None:
        """Add to the ``grad`` of every value below the derivative of this one (of its sum, if it is an array)."""
        flow: dict[Value, Number] = {self: np.ones_like(self.data)}  # this call's gradients, apart from earlier ones
        with np.errstate(all="ignore"):
            for node in reversed(in_order(self)):
                if node not in flow:
                    continue  # a constant
                upstream = flow[node]
                node.grad = node.grad + upstream
                for parent, local in node.edges:
                    if parent.op != "number":
                        flow[parent] = flow.get(parent, 0.0) + _fit(upstream * local, parent.data)

    def zero_grad(self) -> None:
        """Forget the gradients of this value and all below it."""
        for node in in_order(self):
            node.grad = 0.0

    def __repr__(self) -> str:
        return f"Value({self.data}, {self.op!r}, grad={self.grad})"

    __add__, __radd__ = (lambda a, b: apply("+", a, b)), (lambda b, a: apply("+", a, b))
    __sub__, __rsub__ = (lambda a, b: apply("-", a, b)), (lambda b, a: apply("-", a, b))
    __mul__, __rmul__ = (lambda a, b: apply("*", a, b)), (lambda b, a: apply("*", a, b))
    __truediv__, __rtruediv__ = (lambda a, b: apply("/", a, b)), (lambda b, a: apply("/", a, b))
    __pow__, __rpow__ = (lambda a, b: apply("**", a, b)), (lambda b, a: apply("**", a, b))
    __neg__ = lambda a: apply("neg", a)  # noqa: E731


def apply(op: str, *inputs: Value | Number) -> Value:
    """The result of an operation as a new value of the graph; plain numbers among the inputs become constants."""
    values = tuple(x if isinstance(x, Value) else Value(x, "number") for x in inputs)
    data = [value.data for value in values]
    with np.errstate(all="ignore"):
        result = OPERATIONS[op].forward(*data)
        edges = tuple(zip(values, OPERATIONS[op].derivatives(*data, result), strict=True))
    return Value(result, op, edges)


def in_order(root: Value) -> list[Value]:
    """All values below ``root`` and itself, inputs before what is computed from them. A loop: no recursion limit."""
    order: list[Value] = []
    seen, stack = {root}, [(root, iter(root.edges))]
    while stack:
        node, edges = stack[-1]
        parent = next((p for p, _local in edges if p not in seen), None)
        if parent is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(parent)
            stack.append((parent, iter(parent.edges)))
    return order


def _fit(gradient: Number, data: Number) -> Number:
    """Undo broadcasting: a gradient of the shape of ``data``, summed over the places to which it was copied."""
    extra = np.ndim(gradient) - np.ndim(data)
    gradient = np.sum(gradient, axis=tuple(range(extra))) if extra > 0 else gradient
    stretched = tuple(i for i, n in enumerate(np.shape(data)) if n == 1 and np.shape(gradient)[i : i + 1] != (1,))
    gradient = np.sum(gradient, axis=stretched, keepdims=True) if stretched else gradient
    return gradient + np.zeros_like(data)


def _fault(value: Value) -> Problem | None:
    """Why the value, or a derivative that will be used, is not finite, though its inputs are."""
    bad = ~np.isfinite(value.data)
    if np.any(bad):
        first = [float(np.broadcast_to(p.data, np.shape(bad))[bad].flat[0]) for p, _local in value.edges]
        inputs = f" {value.op} ".join(f"{x:.4g}" for x in first) if len(first) > 1 else f"{first[0]:.4g}"
        at_zero = {"/": first[-1] == 0, "**": first[0] == 0, "log": True}.get(value.op, False)  # a pole, not a size
        too_large = np.isinf(np.asarray(value.data)[bad].flat[0]) and not at_zero
        reason = TOO_LARGE if too_large else REASONS.get(value.op, TOO_LARGE)
        return Problem(reason, kind="not_finite", op=value.op, inputs=inputs)
    if all(np.isfinite(local).all() for parent, local in value.edges if parent.op != "number"):
        return None
    return Problem(STEEP, kind="steep", op=value.op)
