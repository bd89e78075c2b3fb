"""A run that trains anew at several places (distances, depths), one after the other, told as one run.

Each part is a run of its own with the same number of steps; its events are moved behind those of the parts before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

import numpy as np

from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Event, Finished, Snapshot, Started, Step
from dlcore.steering import Shifted, Steering

Part = Callable[..., Iterator[Event]]  # (config, resume=, steering=) → the events of a run at one place


@dataclass(frozen=True)
class Places:
    """Where a sweep trains.

    Attributes:
        knob, values: the setting that differs, and its value in each part.
        count: the knob that asks for several parts; 1 in each of them.
        steps: of each part.
        told: name of the Snapshot with the scores so far, and of all of them in ``Finished.metrics``: columns by name.
        scores: which of a part's metrics are kept, and the name of each as a column; NaN where a part diverged.
        film: whether the frames of all parts are told, or only the last one's, where they differ in shape.
    """

    knob: str
    values: Sequence[int]
    count: str
    steps: int
    told: str
    scores: Mapping[str, str]
    film: bool = True


class Sweep:
    """The run at all places. What is done so far is kept in each checkpoint's ``state["sweep"]``."""

    def __init__(
        self, config: Any, places: Places, part: Part, steering: Steering | None, resume: Mapping[str, Any] | None
    ) -> None:
        self.config, self.places, self.part, self.steering = config, places, part, steering or Steering()
        self.total = places.steps * len(places.values)
        known = dict(resume["sweep"]) if resume else {}
        self.rows: list[dict[str, Any]] = list(known.get("rows", ()))  # one for each place that is done
        self.seconds: float = known.get("seconds", 0.0)  # of training, in the parts that are done
        self.learning_rate: float = known.get("learning_rate", config.learning_rate)
        self.inner = resume  # the state of the part that is under way
        self.started = False
        self.last: Event | None = None  # how the newest part ended
        self.state: dict[str, Any] = {}  # its trained models

    @property
    def offset(self) -> int:
        """Steps of the parts that are done."""
        return len(self.rows) * self.places.steps

    def run(self) -> Iterator[Event]:
        """All events, from ``Started`` on; the scores so far come as a Snapshot ``places.told``."""
        places = self.places
        while len(self.rows) < len(places.values):
            value = places.values[len(self.rows)]
            here = {places.knob: value, places.count: 1, "learning_rate": self.learning_rate}
            one = replace(self.config, **here)
            clock = 0.0
            for event in self.part(
                one, resume=self.inner, steering=cast(Steering, Shifted(self.steering, self.offset))
            ):
                clock = event.seconds if isinstance(event, Step) else clock
                yield from self._told(event)
            self.seconds += clock
            metrics = self.last.metrics if isinstance(self.last, Finished) else {}
            self.rows.append({places.knob: value, **{name: metrics.get(name, math.nan) for name in places.scores}})
            self.inner = None
            yield Snapshot(self.offset, places.told, {k: np.array(v) for k, v in self._columns().items()})
        if isinstance(self.last, Finished):
            yield Checkpoint(self.total, {**self.state, "sweep": self._kept()}, final=True)
            yield Finished(self.total, {**self.last.metrics, "seconds": self.seconds, places.told: self._columns()})
        elif isinstance(self.last, Diverged):
            yield replace(self.last, step=self.total - places.steps + self.last.step)

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
            case Snapshot(name="frames") if self.places.film or len(self.rows) == len(self.places.values) - 1:
                moved = {**event.arrays, "step": event.arrays["step"] + self.offset}
                yield replace(event, step=at, arrays=moved)
            case Snapshot(name="frames"):
                pass
            case _:
                yield replace(event, step=at)

    def _kept(self) -> dict[str, Any]:
        return {"rows": list(self.rows), "seconds": self.seconds, "learning_rate": self.learning_rate}

    def _columns(self) -> dict[str, list[Any]]:
        """The rows as columns: where (n,), and each score (n,)."""
        names = {name: self.places.scores.get(name, name) for name in self.rows[0]}
        return {told: [row[name] for row in self.rows] for name, told in names.items()}
