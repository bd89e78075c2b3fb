"""How the learning rate moves: each schedule is a factor for a step of a run of ``total`` steps, between 0 and 1.

Functions of the step alone, so a run can be resumed, and its rate changed on the way, with nothing to remember.
"""

from __future__ import annotations

import math
from collections.abc import Callable


def constant(step: int, total: int) -> float:
    """The same rate throughout."""
    return 1.0


def cosine(step: int, total: int) -> float:
    """From 1 to 0 along half a cosine (Loshchilov and Hutter 2017, without restarts)."""
    return (1 + math.cos(math.pi * step / total)) / 2


def one_cycle(step: int, total: int) -> float:
    """Up from 1/25 to 1 in the first 30 % of the steps, down to almost 0 in the rest, along cosines.

    Smith and Topin 2018; the numbers are those of ``torch.optim.lr_scheduler.OneCycleLR``.
    """
    top, end = 0.3 * total - 1, total - 1
    if step <= top:
        return _between(1 / 25, 1.0, step / top)
    return _between(1.0, 1 / 25e4, (step - top) / (end - top))


def linear(step: int, total: int) -> float:
    """Straight up to 1 in the first tenth of the steps, straight down towards 0 in the rest."""
    return min(1.0, (step + 1) / (0.1 * total), (total - step) / (0.9 * total))


def step(step: int, total: int) -> float:
    """1 for the first half, a tenth of it until three quarters, then a hundredth (He et al. 2016)."""
    return 1.0 if 2 * step < total else 0.1 if 4 * step < 3 * total else 0.01


def warm_up(step: int, total: int) -> float:
    """Straight up to 1 in the first tenth of the steps, and there it stays (Goyal et al. 2017)."""
    return min(1.0, (step + 1) / (0.1 * total))


def _between(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


SCHEDULES: dict[str, Callable[[int, int], float]] = {
    "constant": constant,
    "cosine": cosine,
    "linear": linear,
    "one_cycle": one_cycle,
    "step": step,
    "warm_up": warm_up,
}
