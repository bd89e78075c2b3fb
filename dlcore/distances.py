"""A run that trains anew at several distances, one after the other, told as one run.

Each part is a run of its own with the same number of steps; its events are moved behind those of the parts before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Event, Finished, Snapshot, Started, Step
from dlcore.sequence_training import cells_of
from dlcore.steering import Shifted, Steering

if TYPE_CHECKING:
    from dlcore.experiments.sequences import Config

Part = Callable[..., Iterator[Event]]  # (config, resume=, steering=) → the events of a run at one distance
SHORTEST = 2


def distances_of(config: Config) -> list[int]:
    """The distances that a run trains at, rising: evenly spaced up to ``length``, each once."""
    count = config.distances
    return sorted({max(SHORTEST, round(config.length * (place + 1) / count)) for place in range(count)})


class Sweep:
    """The run at all distances. What is done so far is kept in each checkpoint's ``state["sweep"]``."""

    def __init__(self, config: Config, part: Part, steering: Steering | None, resume: Mapping[str, Any] | None) -> None:
        self.config, self.part, self.steering = config, part, steering or Steering()
        self.lengths = distances_of(config)
        self.total = config.steps * len(self.lengths)
        known = dict(resume["sweep"]) if resume else {}
        self.rows: list[dict[str, Any]] = list(known.get("rows", ()))  # one for each distance that is done
        self.seconds: float = known.get("seconds", 0.0)  # of training, in the parts that are done
        self.learning_rate: float = known.get("learning_rate", config.learning_rate)
        self.inner = resume  # the state of the part that is under way
        self.started = False
        self.last: Event | None = None  # how the newest part ended
        self.state: dict[str, Any] = {}  # its trained models

    @property
    def offset(self) -> int:
        """Steps of the parts that are done."""
        return len(self.rows) * self.config.steps

    def run(self) -> Iterator[Event]:
        """All events, from ``Started`` on; the scores so far come as Snapshot "by_distance"."""
        while len(self.rows) < len(self.lengths):
            length = self.lengths[len(self.rows)]
            one = replace(self.config, length=length, distances=1, learning_rate=self.learning_rate)
            clock = 0.0
            for event in self.part(
                one, resume=self.inner, steering=cast(Steering, Shifted(self.steering, self.offset))
            ):
                clock = event.seconds if isinstance(event, Step) else clock
                yield from self._told(event)
            self.seconds += clock
            self.rows.append({"length": length, **self._scores()})
            self.inner = None
            yield Snapshot(self.offset, "by_distance", {k: np.array(v) for k, v in self._columns().items()})
        if isinstance(self.last, Finished):
            yield Checkpoint(self.total, {**self.state, "sweep": self._kept()}, final=True)
            yield Finished(self.total, {**self.last.metrics, "seconds": self.seconds, "by_distance": self._columns()})
        elif isinstance(self.last, Diverged):
            yield replace(self.last, step=self.total - self.config.steps + self.last.step)

    def _told(self, event: Event) -> Iterator[Event]:
        """The event as one of the whole run."""
        at = event.step + self.offset
        match event:
            case Started():
                if not self.started:
                    yield replace(event, step=at, config=asdict(self.config), total_steps=self.total)
                self.started = True
            case Changed():  # its step is the run's already
                if event.name == "learning_rate":
                    self.learning_rate = event.value
                yield event
            case Checkpoint(final=True):
                self.state = event.state
            case Checkpoint():
                yield replace(event, step=at, state={**event.state, "sweep": self._kept()})
            case Finished() | Diverged():
                self.last = event
            case Step() | Epoch():
                yield replace(event, step=at, seconds=event.seconds + self.seconds)
            case Snapshot(name="frames"):
                moved = {**event.arrays, "step": event.arrays["step"] + self.offset}
                yield replace(event, step=at, arrays=moved)
            case _:
                yield replace(event, step=at)

    def _kept(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "seconds": self.seconds, "learning_rate": self.learning_rate}

    def _scores(self) -> dict[str, float]:
        """Each cell's score in the part that has ended; NaN where it diverged."""
        metrics = self.last.metrics if isinstance(self.last, Finished) else {}
        return {cell: metrics.get(f"test_accuracy/{cell}", float("nan")) for cell in cells_of(self.config)}

    def _columns(self) -> dict[str, list[Any]]:
        """The rows as columns: length (n,), and each cell's score (n,)."""
        return {name: [row[name] for row in self.rows] for name in self.rows[0]}
