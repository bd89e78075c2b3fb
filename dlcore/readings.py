"""What training steps leave on the device to be read later, many at once, so that no step waits for its own numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

MOST_GROWTH = 1e4  # a loss this many times the first (or 1) is not coming back: relus may die before it overflows

Measure = Callable[[Tensor, Tensor], Tensor]  # outputs (B, …), targets (B, …) → (B,), each row by itself


class Unread(NamedTuple):
    """One update whose numbers are still on the device."""

    rate: float
    outputs: Tensor  # (B, …)
    targets: Tensor  # (B, …)
    scalars: dict[str, Tensor]  # () each


def hits(outputs: Tensor, targets: Tensor) -> Tensor:
    """Whether each row's largest logit is the target's: ``(B, C)``, ``(B,)`` → ``(B,)`` bool. Its mean is accuracy."""
    return outputs.argmax(1) == targets


def read(steps: Sequence[Unread], measures: Mapping[str, Measure]) -> dict[str, list[float]]:
    """A column for each scalar and for the batch means of each measure: one transfer and one kernel a name."""
    columns = {name: torch.stack([s.scalars[name] for s in steps]).tolist() for name in steps[0].scalars}
    sizes = np.array([s.targets.shape[0] for s in steps])
    starts = np.cumsum(sizes) - sizes
    if measures:
        outputs, targets = torch.cat([s.outputs for s in steps]), torch.cat([s.targets for s in steps])
    for name, measure in measures.items():
        rows = measure(outputs, targets).float().cpu().numpy()
        columns[name] = (np.add.reduceat(rows, starts, dtype=np.float64) / sizes).tolist()
    return columns


def bound_on(first_loss: float) -> float:
    """The loss above which a run that began at ``first_loss`` counts as diverged."""
    return MOST_GROWTH * max(1.0, abs(first_loss))


def first_beyond(losses: Sequence[float], bound: float) -> int | None:
    """Which loss is the first that is not finite, or larger than ``bound``; None if there is none."""
    return next((i for i, loss in enumerate(losses) if not abs(loss) <= bound or math.isinf(loss)), None)
