"""``mlp_training.advance`` in machine code: the same steps on the same arrays, 7 to 18 times as fast.

What makes small networks slow in NumPy is not arithmetic but the calls. Here one call does thousands of updates,
without Python's lock, so that runs in other threads go on beside it. The kernels follow ``dlcore.mlp`` line by line,
and tests hold them to it. Imports numba: for workers only.
Compiled code is kept in ``DLCORE_STATE/cache/numba`` (or where numba's own ``NUMBA_CACHE_DIR`` says); the first process
on a machine compiles for seconds (``warm``).
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numba
import numpy as np

from dlcore.jobs.store import state_dir
from dlcore.mlp import ACTIVATIONS, EPSILON, GELU, LEAK, LOSSES, MOMENTUM, Architecture, Layer
from dlcore.mlp_training import BLOCK, OPTIMIZERS, Rates, Setup, State, batches, orders, start, uniform


def _cache() -> bool:
    """Point numba's cache to our state folder, unless it has a place; whether it can be written."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or state_dir() / "cache" / "numba")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    numba.config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    return os.access(folder, os.W_OK)


CACHED = _cache()
# Sums may be reordered, so that they are done eight at a time; NaN and infinity keep their meaning.
fast = numba.njit(nogil=True, cache=CACHED, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})

LINEAR, SIGMOID, TANH, RELU, LEAKY, GELU_FORM, SIN = range(7)
assert tuple(ACTIVATIONS) == ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "gelu", "sin")
MSE, CROSS_ENTROPY, HINGE = range(3)
assert LOSSES == ("mse", "cross_entropy", "hinge")
SGD, HEAVY_BALL, NESTEROV, ADAGRAD, RMSPROP, ADAM, ADAMW = range(7)
assert tuple(OPTIMIZERS) == ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
N_IN, UNITS, ACTIVATION, NORM, LINKED, START_W, START_B = range(7)  # columns of the layout
ETA, L1, L2, DECAY, BETA1, BETA2, EPS, FIX1, FIX2 = range(9)  # places in the constants of a step


@fast
def activate(kind, u, h, slope, n):  # pragma: no cover
    """The activation h = f(u) and its slope f′(u) for n numbers."""
    one, half = u.dtype.type(1), u.dtype.type(0.5)
    if kind == LINEAR:
        for k in range(n):
            h[k] = u[k]
            slope[k] = one
    elif kind == TANH:
        for k in range(n):
            t = math.tanh(u[k])
            h[k] = t
            slope[k] = one - t * t
    elif kind == SIGMOID:
        for k in range(n):
            s = half * math.tanh(half * u[k]) + half
            h[k] = s
            slope[k] = s * (one - s)
    elif kind == SIN:
        for k in range(n):
            h[k] = math.sin(u[k])
            slope[k] = math.cos(u[k])
    elif kind == GELU_FORM:
        c, d = u.dtype.type(GELU), u.dtype.type(0.044715)
        for k in range(n):
            v = u[k]
            t = math.tanh(c * (v + d * v * v * v))
            h[k] = half * v * (one + t)
            slope[k] = half * (one + t) + half * v * (one - t * t) * c * (one + u.dtype.type(3) * d * v * v)
    else:
        leak = u.dtype.type(LEAK) if kind == LEAKY else u.dtype.type(0)
        for k in range(n):
            s = one if u[k] > 0 else leak
            h[k] = s * u[k]
            slope[k] = s


@fast
def normalize(flat, start_b, units, u, z_hat, deviation, n):  # pragma: no cover
    """Batch normalization of u (n, units) in place, keeping z_hat and the deviation; moves the running statistics."""
    gamma, beta, mean, var = start_b + units, start_b + 2 * units, start_b + 3 * units, start_b + 4 * units
    tenth, count = flat.dtype.type(MOMENTUM), flat.dtype.type(n)
    fair = count / flat.dtype.type(max(n - 1, 1))
    for k in range(units):
        m = flat.dtype.type(0)
        for r in range(n):
            m += u[r, k]
        m /= count
        v = flat.dtype.type(0)
        for r in range(n):
            v += (u[r, k] - m) * (u[r, k] - m)
        v /= count
        deviation[k] = math.sqrt(v + flat.dtype.type(EPSILON))
        for r in range(n):
            z_hat[r, k] = (u[r, k] - m) / deviation[k]
            u[r, k] = flat[gamma + k] * z_hat[r, k] + flat[beta + k]
        flat[mean + k] += tenth * (m - flat[mean + k])
        flat[var + k] += tenth * (v * fair - flat[var + k])


@fast
def forward(flat, layout, drop, chances, at, a, u, z_hat, deviation, slope, n):  # pragma: no cover
    """``mlp.forward`` in training, for the n rows in a[0]; ``slope`` is the derivative of the layer's a by its u."""
    one = flat.dtype.type(1)
    for i in range(len(layout)):
        n_in, units, start_w, start_b = layout[i, N_IN], layout[i, UNITS], layout[i, START_W], layout[i, START_B]
        for r in range(n):
            row = u[r]
            for k in range(units):
                row[k] = flat[start_b + k]
            for j in range(n_in):
                x, w = a[i, r, j], start_w + j * units
                for k in range(units):
                    row[k] += x * flat[w + k]
        if layout[i, NORM]:
            normalize(flat, start_b, units, u, z_hat[i], deviation[i], n)
        for r in range(n):
            activate(layout[i, ACTIVATION], u[r], a[i + 1, r], slope[i, r], units)
            if drop[i] > 0:
                for k in range(units):
                    kept = one / (one - drop[i]) if chances[at] >= drop[i] else flat.dtype.type(0)
                    a[i + 1, r, k] *= kept
                    slope[i, r, k] *= kept
                    at += 1
            if layout[i, LINKED]:
                for k in range(units):
                    a[i + 1, r, k] += a[i, r, k]


@fast
def loss_slopes(kind, f, y, rows, upstream, n):  # pragma: no cover
    """The derivative of the mean loss by each output, into upstream[:, 0]; False where an output is not a number."""
    one, half, two = f.dtype.type(1), f.dtype.type(0.5), f.dtype.type(2)
    finite = True
    for r in range(n):
        target, answer = y[rows[r]], f[r, 0]
        finite = finite and math.isfinite(answer)
        if kind == MSE:
            d = two * (answer - target)
        elif kind == CROSS_ENTROPY:
            d = -target * (half - half * math.tanh(half * target * answer))
        else:
            d = -target if target * answer < one else f.dtype.type(0)
        upstream[r, 0] = d / f.dtype.type(n)
    return finite


@fast
def denormalize(flat, start_b, units, delta, z_hat, deviation, grad, n):  # pragma: no cover
    """``mlp.denormalize`` in place of delta (n, units)."""
    count = flat.dtype.type(n)
    for k in range(units):
        by_gamma, by_beta = flat.dtype.type(0), flat.dtype.type(0)
        for r in range(n):
            by_gamma += delta[r, k] * z_hat[r, k]
            by_beta += delta[r, k]
        grad[start_b + units + k], grad[start_b + 2 * units + k] = by_gamma, by_beta
        scale = flat[start_b + units + k] / deviation[k]
        for r in range(n):
            delta[r, k] = scale * (delta[r, k] - by_beta / count - z_hat[r, k] * by_gamma / count)


@fast
def backward(flat, layout, a, z_hat, deviation, slope, delta, upstream, grad, n):  # pragma: no cover
    """``mlp.backward`` from ``upstream`` (n, 1), the derivative by the output; writes ``grad`` (P,)."""
    for i in range(len(layout) - 1, -1, -1):
        n_in, units, start_w, start_b = layout[i, N_IN], layout[i, UNITS], layout[i, START_W], layout[i, START_B]
        for r in range(n):
            for k in range(units):
                delta[r, k] = upstream[r, k] * slope[i, r, k]
        if layout[i, NORM]:
            denormalize(flat, start_b, units, delta, z_hat[i], deviation[i], grad, n)
        for p in range(start_w, start_b + units):
            grad[p] = 0
        for r in range(n):
            for j in range(n_in):
                x, w = a[i, r, j], start_w + j * units
                for k in range(units):
                    grad[w + k] += x * delta[r, k]
            for k in range(units):
                grad[start_b + k] += delta[r, k]
        if i > 0:
            carry(flat, layout[i], delta, upstream, n)


@fast
def carry(flat, layer, delta, upstream, n):  # pragma: no cover
    """delta Wᵀ into upstream (n, n_in), beside what is there where it came by the link."""
    n_in, units, start_w = layer[N_IN], layer[UNITS], layer[START_W]
    for r in range(n):
        for j in range(n_in):
            total, w = flat.dtype.type(0), start_w + j * units
            for k in range(units):
                total += delta[r, k] * flat[w + k]
            upstream[r, j] = upstream[r, j] + total if layer[LINKED] else total


@fast
def update(rule, flat, memory, moves, weights, grad, c):  # pragma: no cover
    """One step of the optimizer (``dlcore.update_rules``) on the parameters that move, penalties included."""
    one, zero = flat.dtype.type(1), flat.dtype.type(0)
    first, second = memory[0], memory[1]
    for p in range(len(flat)):
        if not moves[p]:
            continue
        g, w = grad[p], flat[p]
        if weights[p]:
            sign = one if w > 0 else (-one if w < 0 else zero)
            g += c[L1] * sign + c[L2] * w
            w -= c[DECAY] * w
        if rule == SGD:
            g *= c[ETA]
        elif rule in (HEAVY_BALL, NESTEROV):
            first[p] = c[BETA1] * first[p] + g
            g = c[ETA] * (first[p] if rule == HEAVY_BALL else g + c[BETA1] * first[p])
        elif rule in (ADAGRAD, RMSPROP):
            first[p] = first[p] + g * g if rule == ADAGRAD else c[BETA2] * first[p] + (one - c[BETA2]) * g * g
            g = c[ETA] * g / (math.sqrt(first[p]) + c[EPS])
        else:
            first[p] = c[BETA1] * first[p] + (one - c[BETA1]) * g
            second[p] = c[BETA2] * second[p] + (one - c[BETA2]) * g * g
            g = c[ETA] * (first[p] / c[FIX1]) / (math.sqrt(second[p] / c[FIX2]) + c[EPS])
        flat[p] = w - g


@fast
def train(flat, memory, moves, weights, layout, drop, X, y, order, chances, kinds, c, begin, steps):  # pragma: no cover
    """``steps`` updates from the one numbered ``begin``; returns how many were done before an output was no number.

    Args:
        order: (epochs, n), the rows of the epochs that are gone through, the first of them that of ``begin``.
        chances: (epochs, n · drops), what dropout draws in them.
        kinds: loss, optimizer and batch size.
        c: constants of the step, by ETA, L1, …
    """
    loss, rule, batch = kinds
    n_all, inputs, depth, widest = len(y), X.shape[1], len(layout), layout[:, :2].max()
    a = np.empty((depth + 1, batch, widest), flat.dtype)
    z_hat, slope = np.empty((depth, batch, widest), flat.dtype), np.empty((depth, batch, widest), flat.dtype)
    u, delta, upstream = np.empty_like(a[0]), np.empty_like(a[0]), np.empty_like(a[0])
    deviation, grad = np.empty((depth, widest), flat.dtype), np.zeros_like(flat)
    per_epoch = (n_all + batch - 1) // batch
    drops = chances.shape[1] // n_all
    first = begin // per_epoch
    for step in range(begin, begin + steps):
        epoch, at = step // per_epoch - first, (step % per_epoch) * batch
        rows = order[epoch, at : min(at + batch, n_all)]
        n = len(rows)
        for r in range(n):
            for k in range(inputs):
                a[0, r, k] = X[rows[r], k]
        forward(flat, layout, drop, chances[epoch], at * drops, a, u, z_hat, deviation, slope, n)
        if not loss_slopes(loss, a[depth], y, rows, upstream, n):
            return step - begin
        backward(flat, layout, a, z_hat, deviation, slope, delta, upstream, grad, n)
        if rule in (ADAM, ADAMW):
            c[FIX1], c[FIX2] = 1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)
        update(rule, flat, memory, moves, weights, grad, c)
    return steps


@dataclass(frozen=True)
class Tables:
    """A network as the kernels read it: layout (L, 7) and each layer's share of dropped units (L,)."""

    layout: np.ndarray
    drop: np.ndarray


@lru_cache(maxsize=32)
def tables(architecture: Architecture, dtype: str) -> Tables:
    """The tables of a network, for parameters of that type."""
    rows, at = [], 0
    for i, layer in enumerate(architecture.layers):
        n_in, kind = architecture.inputs_of(i), tuple(ACTIVATIONS).index(layer.activation)
        rows.append([n_in, layer.units, kind, layer.batch_norm, architecture.is_linked(i), at, at + n_in * layer.units])
        at += sum(int(np.prod(shape)) for shape in architecture.shapes(i).values())
    return Tables(np.array(rows, np.int64), np.array([layer.dropout for layer in architecture.layers], dtype))


def constants(setup: Setup, rates: Rates) -> np.ndarray:
    """What ``update`` multiplies with, by ETA, L1, … (the usual settings of ``dlcore.update_rules``)."""
    decoupled = setup.optimizer == "adamw"
    found = np.zeros(9, setup.X.dtype)
    found[ETA], found[L1], found[L2] = rates.learning_rate, rates.l1, 0.0 if decoupled else rates.l2
    found[DECAY] = rates.learning_rate * rates.l2 if decoupled else 0.0
    found[BETA1], found[BETA2] = 0.9, 0.99 if setup.optimizer == "rmsprop" else 0.999
    found[EPS] = 1e-10 if setup.optimizer == "adagrad" else 1e-8
    return found


def drawn(setup: Setup, first: int, last: int) -> np.ndarray:
    """What dropout draws in the epochs ``first`` to ``last``, (epochs, n · drops) float32."""
    if not setup.drops:
        return np.zeros((last - first + 1, 0), np.float32)
    return np.stack([uniform(setup.seed, e, len(setup.y) * setup.drops) for e in range(first, last + 1)])


def advance(setup: Setup, state: State, rates: Rates, steps: int) -> bool:
    """``mlp_training.advance``, compiled."""
    network, n = tables(setup.architecture, setup.X.dtype.str), len(setup.y)
    kinds = (LOSSES.index(setup.loss), list(OPTIMIZERS).index(setup.optimizer), setup.batch_size)
    moves, c = setup.learned & ~state.frozen, constants(setup, rates)
    for step, count in batches(setup, state.step, steps):
        first, last = step // setup.steps_per_epoch, (step + count - 1) // setup.steps_per_epoch
        order = orders(setup.seed, first // BLOCK, n)[first % BLOCK : first % BLOCK + last - first + 1]
        chances = drawn(setup, first, last)
        done = train(
            state.flat, state.memory, moves, setup.weights, network.layout, network.drop,
            setup.X, setup.y, order, chances, kinds, c, step, count,
        )  # fmt: skip
        state.step += done
        if done < count:
            return False
    return True


@cache
def warm() -> None:
    """Compile, or load what was compiled before, once a process: before the first run, or before it is timed."""
    setup = Setup(Architecture(2, (Layer(1),)), np.zeros((2, 2), "f4"), np.ones(2, "f4"), "mse", "sgd", 1, 0)
    advance(setup, start(setup, "xavier"), Rates(0.1), 1)
