"""What the lesson on speed says with numbers: each training's cost, what a switch was worth, and where time goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlcore.experiments.speed import Config
from dlcore.history import History
from dlcore.ladder import OUTCOMES, PARTS, Rung, rungs

NOISE = 0.1  # a factor nearer to 1 than this cannot be told from chance


@dataclass(frozen=True)
class Timed:
    """One training that has ended."""

    rung: Rung
    outcome: str  # one of OUTCOMES
    seconds: float  # of training, tests not counted
    compiling: float  # seconds before it
    steps: int
    accuracy: float  # at the last test
    parts: Mapping[str, float]  # seconds of one step

    @property
    def reached(self) -> bool:
        """Whether it got to the target."""
        return self.outcome == "reached"

    @property
    def cost(self) -> float:
        """Seconds that one waits for it."""
        return self.seconds + self.compiling

    @property
    def step_seconds(self) -> float:
        """Of one step, on average."""
        return self.seconds / max(self.steps, 1)


def config_of(history: History, shown: Config) -> Config:
    """The settings of the run, or those on screen before there is one."""
    return Config(**history.config) if history.config else shown


def timed(history: History) -> list[Timed]:
    """The trainings of a run that have ended, in its order."""
    found = history.snapshots.get("rungs")
    if found is None or not history.config:
        return []
    columns = {name: np.asarray(values).tolist() for name, values in found.arrays.items()}
    return [
        Timed(
            rung, OUTCOMES[int(columns["outcome"][k])], columns["seconds"][k], columns["compiling"][k],
            int(columns["steps"][k]), columns["accuracy"][k], {part: columns[part][k] for part in PARTS},
        )
        for k, rung in enumerate(rungs(Config(**history.config))[: len(columns["seconds"])])
    ]  # fmt: skip


def curves_of(history: History) -> list[tuple[np.ndarray, np.ndarray]]:
    """Of each training so far: seconds (n,) and shares of right test answers (n,), also while it goes on."""
    epochs = history.epochs
    if not len(epochs):
        return []
    place, x, y = (epochs.column(name) for name in ("rung", "rung_seconds", "test_accuracy"))
    return [(x[place == k], y[place == k]) for k in range(int(place.max()) + 1)]


def factor(rows: Sequence[Timed], k: int, against: int | None = None) -> float | None:
    """How many times as fast training ``k`` was as the one that it is measured against; None where one did not arrive.

    In the comparison "all but one" that is below 1: so many times slower without the switch.
    """
    other = rows[k].rung.against if against is None else against
    if other is None or other >= len(rows) or not (rows[k].reached and rows[other].reached) or k == other:
        return None
    return rows[other].cost / rows[k].cost


def worth(rows: Sequence[Timed], compare: str) -> dict[str, float]:
    """What each switch was worth: how many times as long it takes where it is off, all else being the same."""
    found = {}
    for k, row in enumerate(rows):
        gain = factor(rows, k)
        if gain is not None and row.rung.name in row.rung.on and compare != "without":
            found[row.rung.name] = gain
        elif gain is not None and compare == "without" and k > 1:
            found[row.rung.name] = 1 / gain
    return found


def fastest(rows: Sequence[Timed]) -> int | None:
    """The place of the fastest training after the plain loop that arrived."""
    arrived = [k for k, row in enumerate(rows) if k and row.reached]
    return min(arrived, key=lambda k: rows[k].cost, default=None)


def compiled_pair(rows: Sequence[Timed], compare: str) -> tuple[Timed | None, Timed | None]:
    """The first training that was compiled, and the one that differs from it in that alone; None for what is not."""
    asked = next((row for row in rows if "compiled" in row.rung.on), None)
    if asked is None or compare == "ends":  # all switches against none
        return asked, None
    if compare == "without":
        return asked, next((row for row in rows if row.rung.name == "compiled"), None)
    return asked, rows[asked.rung.against or 0]


def breaks_even(before: Timed, compiled: Timed) -> float | None:
    """After how many steps compiling has earned what it cost; None where its steps are no faster."""
    saved = before.step_seconds - compiled.step_seconds
    return compiled.compiling / saved if saved > 0 else None


def numbers(rows: Sequence[Timed]) -> dict[str, str]:
    """What stands in the formulas: the plain loop's and the fastest training's two factors; letters until known."""
    best = fastest(rows)
    plain = rows[0] if rows and rows[0].steps else None
    fast = rows[best] if best is not None else None
    share = plain.parts["data"] / sum(plain.parts.values()) if plain and sum(plain.parts.values()) else None
    return {
        **_factors("plain", plain),
        **_factors("fast", fast),
        "share": "p" if share is None else f"{share:.3f}",
        "most": "…" if share is None else f"{1 / (1 - share):.2f}",
        "factor": f"{plain.cost / fast.cost:.1f}" if plain and fast and plain.reached else "…",
    }


def _factors(name: str, row: Timed | None) -> dict[str, str]:
    if row is None:
        return {f"{name}_steps": "n", f"{name}_ms": "t", f"{name}_seconds": "…"}
    return {
        f"{name}_steps": str(row.steps),
        f"{name}_ms": f"{1e3 * row.step_seconds:.2f}",
        f"{name}_seconds": f"{row.seconds:.2f}",
    }
