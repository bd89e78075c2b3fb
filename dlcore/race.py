"""Several update rules on the same surface from the same start, step by step together; branches, arrival, ranking.

A racer is a list of legs: which rule with which settings holds from which step on. So a branch ("the same run, but from
step 57 with another rate") is one racer more, which shares its first legs with the one that it left.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlcore.schedules import SCHEDULES
from dlcore.surfaces import Surface
from dlcore.update_rules import RULES, Memory, handed_over

FAR = 1e9  # a racer further out than this, in widths of the window, is not followed any longer
MOST_KEPT = 300  # tracks: about 20 kB each at 250 steps, 200 kB at 2000


@dataclass(frozen=True)
class Leg:
    """From ``step`` on this rule, with these settings beside the rate as (name, value) pairs."""

    step: int
    rule: str
    learning_rate: float
    settings: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Racer:
    """Who runs: a name that is unique in the race, and its legs in the order of their steps (the first at 0)."""

    name: str
    legs: tuple[Leg, ...]
    parent: str = ""  # whose branch it is

    @property
    def rule(self) -> str:
        """The rule that it ends with."""
        return self.legs[-1].rule

    @property
    def since(self) -> int:
        """The step from which on it is itself: that of its last leg."""
        return self.legs[-1].step

    def leg(self, step: int) -> Leg:
        """The leg that update ``step`` (from 0) belongs to."""
        return next(leg for leg in reversed(self.legs) if leg.step <= step)


@dataclass
class State:
    """Where a racer is between two steps: all that is needed to go on bit for bit."""

    theta: np.ndarray  # (2,)
    memory: Memory = field(default_factory=dict)
    rule: str = ""


@dataclass(frozen=True, eq=False)
class Track:
    """A racer's way; row k is the state after k updates. Cut before the first row that is out of all bounds.

    Attributes:
        theta: (n + 1, 2); value, distance: (n + 1,) height and way to the nearest minimum.
        gradient: (n, 2) what update k + 1 was told; rate: (n,) its learning rate, schedule and all.
        memory: what the rule remembered after k updates, (n + 1, 2) by name, NaN where its rule has no such thing.
        scale: (n, 2) the rate that each parameter really had in update k + 1: η itself, or η / √ of what is remembered.
        diverged: whether it was cut.
    """

    theta: np.ndarray
    value: np.ndarray
    distance: np.ndarray
    gradient: np.ndarray
    rate: np.ndarray
    memory: Mapping[str, np.ndarray]
    scale: np.ndarray
    diverged: bool

    @property
    def steps(self) -> int:
        """How many updates it made."""
        return len(self.rate)

    @property
    def step_lengths(self) -> np.ndarray:
        """How far each parameter went in each update, |Δθ|, (n, 2)."""
        return np.abs(np.diff(self.theta, axis=0))

    def arrival(self, near: float) -> int | None:
        """The first step from which on the distance stays within ``near`` of the first one; None if it does not."""
        if self.diverged:
            return None
        above = np.flatnonzero(~(self.distance <= near * self.distance[0]))
        first = int(above[-1]) + 1 if len(above) else 0
        return first if first < len(self.distance) else None


def advance(state: State, leg: Leg, gradient: np.ndarray, factor: float) -> State:
    """One update of one racer; ``factor`` is the schedule's."""
    memory = handed_over(state.memory, state.rule, leg.rule) if state.rule else {}
    update = RULES[leg.rule].update
    theta, memory = update(state.theta, gradient, memory, leg.learning_rate * factor, **dict(leg.settings))
    return State(theta, memory, leg.rule)


_kept: OrderedDict[tuple, Track] = OrderedDict()
_lock = threading.Lock()  # of _kept: the pages of all sessions are threads of one process


def race(
    surface: Surface, racers: Sequence[Racer], start: tuple[float, float], steps: int, schedule: str = "constant"
) -> dict[str, Track]:
    """The tracks of all racers by name. Those that have run before on the same course are remembered.

    Five racers over 200 steps take about 15 ms together, and one whose slider is moved a fifth of that.
    """
    keys = {racer: (surface.key, start, steps, schedule, racer.legs) for racer in racers}
    with _lock:
        found = {racer: _kept[key] for racer, key in keys.items() if key in _kept}
    missing = [racer for racer in racers if racer not in found]
    if missing:
        found |= zip(missing, _run(surface, missing, start, steps, schedule), strict=True)
    with _lock:
        for racer, key in keys.items():
            _kept[key] = found[racer]
            _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return {racer.name: found[racer] for racer in racers}


def _run(
    surface: Surface, racers: Sequence[Racer], start: tuple[float, float], steps: int, schedule: str
) -> list[Track]:
    """All of them step by step, so that the slope is asked for once a step."""
    n = len(racers)
    theta, gradients = np.empty((steps + 1, n, 2)), np.empty((steps, n, 2))
    rates = np.empty((steps, n))
    names = list(dict.fromkeys(name for r in racers for leg in r.legs for name in RULES[leg.rule].memory))
    memories = {name: np.full((n, steps + 1, 2), np.nan) for name in names}
    states = [State(np.array(start, dtype=float)) for _ in racers]
    legs = [r.leg(0) for r in racers]
    changes = {leg.step for r in racers for leg in r.legs}
    factor = SCHEDULES[schedule]
    theta[0] = start
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(steps):
            if k in changes:
                legs = [r.leg(k) for r in racers]
            gradients[k] = surface.gradient(theta[k], k)  # (n, 2)
            share = factor(k, steps)
            for i, leg in enumerate(legs):
                state = states[i] = advance(states[i], leg, gradients[k, i], share)
                theta[k + 1, i], rates[k, i] = state.theta, leg.learning_rate * share
                for name in RULES[leg.rule].memory:
                    memories[name][i, k + 1] = state.memory[name]
        value, distance = surface.value(theta), surface.distance(theta)  # (steps + 1, n)
    return [_track(surface, r, theta[:, i], value[:, i], distance[:, i], gradients[:, i], rates[:, i],
                   {name: memories[name][i] for name in names}) for i, r in enumerate(racers)]  # fmt: skip


def _track(
    surface: Surface, racer: Racer, theta: np.ndarray, value: np.ndarray, distance: np.ndarray,
    gradient: np.ndarray, rate: np.ndarray, memory: dict[str, np.ndarray],
) -> Track:  # fmt: skip
    """Cut where it left all bounds; keep only what its rules remember."""
    widest = max(high - low for low, high in surface.domain)
    lost = ~(np.isfinite(value) & (distance < FAR * widest))
    end = int(np.argmax(lost)) if lost.any() else len(value)
    end = max(end, 1)
    own = {name for leg in racer.legs for name in RULES[leg.rule].memory}
    kept = {}
    for name in memory:
        if name in own:
            rows = memory[name][:end].copy()
            if name in RULES[racer.legs[0].rule].memory:
                rows[0] = 0.0
            kept[name] = rows
    scale = _scale(racer, rate, memory)[: end - 1]
    last = end - 1
    return Track(theta[:end], value[:end], distance[:end], gradient[:last], rate[:last], kept, scale, bool(lost.any()))


def _scale(racer: Racer, rate: np.ndarray, memory: Mapping[str, np.ndarray]) -> np.ndarray:
    """The rate of each parameter in each update, (n, 2), from what was remembered after it."""
    scale = np.repeat(rate[:, None], 2, axis=1)
    began = 0  # where the memory that a leg goes on with was empty
    with np.errstate(all="ignore"):
        for i, leg in enumerate(racer.legs):
            own, until = RULES[leg.rule].memory, racer.legs[i + 1].step if i + 1 < len(racer.legs) else len(rate)
            if i and own != RULES[racer.legs[i - 1].rule].memory:
                began = leg.step
            rows = slice(leg.step, until)
            if "total" in own:
                scale[rows] /= np.sqrt(memory["total"][1:][rows])
            elif "square" in own:
                square = memory["square"][1:][rows]
                if "mean" in own:  # freed of its start at zero
                    age = np.arange(leg.step, until)[: len(square), None] - began + 1
                    square = square / (1 - dict(leg.settings).get("beta2", 0.999) ** age)
                scale[rows] /= np.sqrt(square)
    return scale


def ranking(racers: Sequence[Racer], tracks: Mapping[str, Track], near: float) -> list[tuple[Racer, int | None]]:
    """The racers with the step of their arrival, first come first; then the others, nearest first, diverged last."""

    def place(entry: tuple[Racer, int | None]) -> tuple[Any, ...]:
        racer, arrived = entry
        track = tracks[racer.name]
        return (arrived is None, track.diverged, arrived if arrived is not None else float(track.distance[-1]))

    return sorted(((r, tracks[r.name].arrival(near)) for r in racers), key=place)
