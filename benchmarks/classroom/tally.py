"""What was counted: latencies by kind of action, and what went wrong."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` (0 to 1) of all do not exceed; NaN where there is none."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


class Tally:
    """Seconds by kind of action, and faults by what they were."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.faults: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()

    def took(self, kind: str, seconds: float) -> None:
        """One answer more."""
        self.seconds[kind].append(seconds)

    def fault(self, what: str) -> None:
        """Something that a student would have noticed."""
        self.faults[what[:160]] += 1

    def forget(self) -> None:
        """Begin to count: what came before was the way into the classroom."""
        self.seconds.clear()
        self.counted.clear()

    def p95(self, kind: str) -> float:
        """Seconds within which 95 % of this kind were answered; NaN where there was none."""
        return percentile(self.seconds.get(kind, ()), 0.95)

    def table(self) -> Iterable[str]:
        """One line for each kind: count and percentiles in milliseconds; then the faults."""
        yield f"{'answer':28} {'count':>7} {'p50':>8} {'p95':>8} {'p99':>8} {'longest':>8}  ms"
        for kind, values in sorted(self.seconds.items()):
            numbers = [1000 * percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)]
            yield f"{kind:28} {len(values):7d} " + " ".join(f"{number:8.0f}" for number in numbers)
        for what, count in sorted(self.counted.items()):
            yield f"{what}: {count}"
        yield f"errors: {sum(self.faults.values())}"
        for what, count in self.faults.most_common(12):
            yield f"  {count} x {what}"
