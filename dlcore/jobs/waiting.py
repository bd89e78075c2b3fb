"""How long a run that waits will wait: the queue played forward with what is known of the runs before it."""

from __future__ import annotations

import heapq
import statistics
from collections import defaultdict, deque
from collections.abc import Sequence

FIRST_GUESS = 20.0  # seconds that a run takes, before any has ended here
REMEMBERED = 40


class Typical:
    """How long runs of a lane keep a worker: the median of the newest."""

    def __init__(self) -> None:
        self._seconds: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=REMEMBERED))

    def note(self, lane: str, seconds: float) -> None:
        """A run of this lane had its worker for so long."""
        self._seconds[lane].append(seconds)

    def __call__(self, lane: str) -> float:
        """Seconds that the next one will probably take."""
        known = self._seconds[lane]
        return statistics.median(known) if known else FIRST_GUESS


def seconds_until(place: int, slots: int, left: Sequence[float], each: float) -> float | None:
    """Seconds until the run at ``place`` begins; None where its lane has no worker.

    Args:
        place: 1 for the next in the queue.
        slots: runs that the lane computes at once.
        left: seconds that each run in hand will keep its slot.
        each: seconds that each of those before it will take.
    """
    if slots < 1:
        return None
    free = [*left, *[0.0] * (slots - len(left))]
    heapq.heapify(free)
    for _ in range(place - 1):
        heapq.heappush(free, heapq.heappop(free) + each)
    return free[0]


def seconds_left(had: float, guess: float | None, typical: float, turn: float) -> float:
    """Seconds that a run in hand will keep its worker where others wait.

    Args:
        had: seconds that it has had it.
        guess: seconds that its training still takes, where it knows.
        typical: seconds that a run usually takes.
        turn: seconds after which it makes room; 0: it goes on to its end.
    """
    left = max(1.0, typical - had) if guess is None else guess
    return max(0.0, min(left, turn - had)) if turn else left
