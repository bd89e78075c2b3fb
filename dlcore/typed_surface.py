"""A surface that somebody types: heights from the formula, slopes from our own autograd (``dlcore.autograd``)."""

from __future__ import annotations

import numpy as np

from dlcore.autograd import Value
from dlcore.expressions import TOO_MANY, parse, refuse
from dlcore.surfaces import Array, Surface, lowest
from dlcore.texts import N_, Problem

WINDOW, START = ((-5.0, 5.0), (-3.0, 3.0)), (-4.0, 2.0)
MOST_NODES = 100  # a race asks for up to 2000 slopes of a millisecond each; Ackley's function has 35


def typed(expression: str) -> Surface:
    """The surface of a formula in x and y, seen from −5 to 5 and −3 to 3; its minimum is the lowest point found there.

    Raises:
        Problem: the formula cannot be read, is too long for a race, or has no finite value anywhere in the window.
    """
    formula = parse(expression, names=("x", "y"))
    if len(formula.nodes) > MOST_NODES:
        refuse(TOO_MANY, most=MOST_NODES)

    def value(theta: Array) -> Array:
        given = {name: theta[..., i] for i, name in enumerate("xy") if name in formula.names}
        return np.broadcast_to(np.asarray(formula(**given), dtype=float), theta.shape[:-1])

    def slope(theta: Array) -> Array:
        leaves = {name: Value(theta[..., i].copy()) for i, name in enumerate("xy") if name in formula.names}
        gradient = np.zeros(theta.shape)
        if leaves:
            with np.errstate(all="ignore"):
                formula(**leaves).backward()
            for name, leaf in leaves.items():
                gradient[..., "xy".index(name)] = leaf.grad
        return gradient

    best = lowest(value, WINDOW)
    if not np.isfinite(value(best)):
        raise Problem(
            N_("“{text}” has no finite value between −5 and 5. Try another formula."),
            kind="expression", text=expression[:40],
        )  # fmt: skip
    return Surface(("typed", expression), value, slope, WINDOW, START, best[None])
