"""A run of several trainings of different kinds, one after the other, told as one.

Unlike ``dlcore.sweeps`` the stages need not be alike: each may begin with what those before have left.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from dlcore.device import reproducible
from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Event, Finished, Snapshot, Started, Step
from dlcore.steering import Shifted, Steering
from dlcore.training import Plan, Result, Task, fit

Kept = dict[str, Any]  # what a finished stage leaves to those after it: builtins and arrays


@dataclass(frozen=True)
class Stage:
    """One training.

    Attributes:
        name: goes into its Step and Epoch events as number ``stage``, and into ``Started.info["stages"]`` as a name.
        steps: how many it has.
        make: from what the stages before have left, its task and plan.
        leave: called at its end with the task and what was measured last; what it returns is kept.
    """

    name: str
    steps: int
    make: Callable[[list[Kept]], tuple[Task, Plan]]
    leave: Callable[[Task, dict[str, float]], Kept]


class Stages:
    """The run through all stages. What is done so far is kept in each checkpoint's ``state["stages"]``.

    Args:
        config: has ``seed``, ``threads`` and ``device``; every stage begins with the generators seeded anew.
        info: goes into ``Started``.
        tell: Snapshot arrays of what is kept so far, told under the name "stages" after each stage.
        finish: ``Finished.metrics`` and what the last checkpoint has beside, from all that was kept.
    """

    def __init__(
        self, config: Any, stages: Sequence[Stage], info: Mapping[str, Any], *,
        tell: Callable[[list[Kept]], dict[str, Any]],
        finish: Callable[[list[Kept]], tuple[dict[str, Any], dict[str, Any]]],
        resume: Mapping[str, Any] | None = None, steering: Steering | None = None,
    ) -> None:  # fmt: skip
        self.config, self.stages, self.info, self.tell, self.finish = config, stages, dict(info), tell, finish
        self.steering = steering or Steering()
        self.kept: list[Kept] = list(resume["stages"]) if resume else []
        self.seconds: float = resume["spent"] if resume else 0.0  # of training, in the stages that are done
        self.inner: Mapping[str, Any] | None = resume["stage"] if resume else None

    @property
    def offset(self) -> int:
        """Steps of the stages that are done."""
        return sum(stage.steps for stage in self.stages[: len(self.kept)])

    def run(self) -> Iterator[Event]:
        """All events, from ``Started`` to ``Finished`` or ``Diverged``."""
        total = sum(stage.steps for stage in self.stages)
        begun = self.offset + (self.inner["step"] if self.inner else 0)
        yield Started(begun, asdict(self.config), total, {**self.info, "stages": [s.name for s in self.stages]})
        while len(self.kept) < len(self.stages):
            result = yield from self._stage(self.stages[len(self.kept)])
            if result is None:
                return
            yield Snapshot(self.offset, "stages", self.tell(self.kept))
        metrics, about = self.finish(self.kept)
        yield Checkpoint(total, {**about, **self._state(None)}, final=True)
        yield Finished(total, {**metrics, "seconds": self.seconds})

    def _stage(self, stage: Stage) -> Generator[Event, None, Result | None]:
        """Train one stage; None if it diverged."""
        reproducible(self.config.seed, threads=self.config.threads, device=self.config.device)
        task, plan = stage.make(self.kept)
        if plan.total_steps != stage.steps:
            raise ValueError(f"{stage.name} has {plan.total_steps} steps, not {stage.steps}")
        steering = cast(Steering, Shifted(self.steering, self.offset))
        events = fit(task, plan, resume=self.inner, steering=steering)
        result = yield from self._told(events)
        self.inner = None
        if result is not None:
            self.kept.append(stage.leave(task, result.metrics))
            self.seconds += result.seconds
        return result

    def _told(self, events: Generator[Event, None, Result | None]) -> Generator[Event, None, Result | None]:
        """A stage's events as those of the whole run."""
        place, offset = len(self.kept), self.offset
        try:
            while True:
                event = next(events)
                at = event.step + offset
                match event:
                    case Step():
                        values = {**event.values, "stage": place}
                        yield replace(event, step=at, seconds=event.seconds + self.seconds, values=values)
                    case Epoch():
                        metrics = {**event.metrics, "stage": place}
                        yield replace(event, step=at, seconds=event.seconds + self.seconds, metrics=metrics)
                    case Checkpoint(final=True):
                        pass
                    case Checkpoint():
                        yield replace(event, step=at, state=self._state(event.state))
                    case Changed():  # its step is the run's already
                        yield event
                    case Snapshot() | Diverged():
                        yield replace(event, step=at)
        except StopIteration as end:
            return end.value
        finally:
            events.close()

    def _state(self, inner: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"stages": list(self.kept), "spent": self.seconds, "stage": inner, "step": self.offset}
