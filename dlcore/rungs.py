"""Trains the rungs of the lesson on speed one after the other to the same accuracy, and tells them as one run.

Every rung is trained by ``dlcore.training.fit`` from the same seed, so that it differs from its neighbour in one switch
and in nothing else. Steps are counted through: a rung begins where the one before could have ended at the latest.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from dlcore.data.images import ImageData, pixel_statistics
from dlcore.device import autocast, device_name, reproducible, synchronize, torch_format
from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Event, Finished, Snapshot, Started, Step
from dlcore.experiments.settings import ImageConfig
from dlcore.image_training import load_data, prepare
from dlcore.ladder import OUTCOMES, PARTS, Rung, image_config, rungs
from dlcore.plain_loop import Pictures, usual_transform
from dlcore.steering import Shifted, Steering
from dlcore.training import Plan, Task, fit

if TYPE_CHECKING:
    from dlcore.experiments.speed import Config

log = logging.getLogger(__name__)

PROBED = 12  # steps whose parts are timed


class Climb:
    """The run through all rungs. What is done so far is kept in each checkpoint's ``state["rungs"]``."""

    def __init__(self, config: Config, steering: Steering | None, resume: Mapping[str, Any] | None) -> None:
        self.config, self.steering = config, steering or Steering()
        self.rungs = rungs(config)
        self.data = load_data(image_config(config, self.rungs[0]))
        self.lengths = [self._steps(rung) for rung in self.rungs]  # at most
        self.rows: list[dict[str, float]] = list(resume["rungs"]) if resume else []
        self.inner: Mapping[str, Any] | None = resume.get("rung") if resume else None

    def _steps(self, rung: Rung) -> int:
        one = image_config(self.config, rung)
        return -(-len(self.data.y_train) // one.batch_size) * one.epochs

    @property
    def offset(self) -> int:
        """The first step of the rung that is under way."""
        return sum(self.lengths[: len(self.rows)])

    def run(self) -> Iterator[Event]:
        """All events, from ``Started`` to ``Finished``; what is known of the rungs so far comes as Snapshot "rungs"."""
        total = sum(self.lengths)
        begun = self.offset + (self.inner["step"] if self.inner else 0)
        yield Started(begun, asdict(self.config), total, self._info())
        while len(self.rows) < len(self.rungs):
            row = yield from self._climb(self.rungs[len(self.rows)])
            self.rows.append(row)
            self.inner = None
            yield Snapshot(self.offset, "rungs", {name: np.array(values) for name, values in self._columns().items()})
        yield Checkpoint(total, self._state(None), final=True)
        columns = self._columns()
        cost = [s + c for s, c in zip(columns["seconds"], columns["compiling"], strict=True)]
        metrics = {"seconds": sum(cost), "test_accuracy": columns["accuracy"][-1], "rungs": columns}
        if self.rows[0]["outcome"] == self.rows[-1]["outcome"] == OUTCOMES.index("reached"):
            metrics["factor"] = cost[0] / cost[-1]
        yield Finished(total, metrics)

    def _climb(self, rung: Rung) -> Iterator[Event]:
        """Train one rung; returns its row of numbers."""
        one, place = image_config(self.config, rung), len(self.rows)
        if self.steering.until is not None and self.steering.until < self.offset:
            self.steering.until = self.offset  # a rest was asked for beyond the end of the rung before
        reproducible(self.config.seed, threads=self.config.threads, device=self.config.device)
        task, plan = rung_task(one, self.data, rung)
        compiling = 0.0
        if "compiled" in rung.on:
            try:
                compiling = compile_task(task, plan)
            except Exception as fault:  # of many kinds, by what is missing: compiler, headers, the backend itself
                log.warning("torch.compile: %s", f"{type(fault).__name__}: {fault}"[:500])
                return _row(OUTCOMES.index("not_compiled"))
        row = _row(OUTCOMES.index("passes"), compiling=compiling)
        steering = cast(Steering, Shifted(self.steering, self.offset))
        with closing(fit(task, plan, resume=self.inner, steering=steering)) as events:
            for event in events:
                yield from self._told(event, place, plan)
                if _note(row, event, self.config):
                    break
        if row["outcome"] != OUTCOMES.index("diverged"):
            row |= parts_of_step(task, plan, row["seconds"] / max(row["steps"], 1))
        return row

    def _told(self, event: Event, place: int, plan: Plan) -> Iterator[Event]:
        """The event as one of the whole run."""
        at, before = event.step + self.offset, sum(row["seconds"] for row in self.rows)
        match event:
            case Step():
                yield replace(event, step=at, seconds=event.seconds + before, values={**event.values, "rung": place})
            case Epoch():
                own = {"rung": place, "rung_seconds": event.seconds, "rung_steps": event.step}
                yield replace(event, step=at, seconds=event.seconds + before, metrics={**event.metrics, **own})
            case Checkpoint(final=False):
                yield replace(event, step=at, state=self._state(event.state))
            case Changed():  # its step is the run's already
                yield event

    def _state(self, inner: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"rungs": [dict(row) for row in self.rows], "rung": inner, "step": self.offset}

    def _columns(self) -> dict[str, list[float]]:
        """The rows as columns (rungs done,)."""
        return {name: [row[name] for row in self.rows] for name in self.rows[0]}

    def _info(self) -> dict[str, Any]:
        return {
            "train_size": len(self.data.y_train),
            "test_size": len(self.data.y_test),
            "classes": list(self.data.classes),
            "device": device_name(self.config.device, threads=False),
            "open_end": True,  # its trainings stop when they are there
        }


def _row(outcome: int, compiling: float = 0.0) -> dict[str, float]:
    known = {"outcome": outcome, "seconds": 0.0, "compiling": compiling, "steps": 0, "accuracy": 0.0}
    return {**known, **dict.fromkeys(PARTS, 0.0)}


def _note(row: dict[str, float], event: Event, config: Config) -> bool:
    """Take an event of ``fit`` into the rung's row; whether the rung ends with it."""
    match event:
        case Epoch():
            row |= {"seconds": event.seconds, "steps": event.step, "accuracy": event.metrics["test_accuracy"]}
            if row["accuracy"] >= config.target:
                row["outcome"] = OUTCOMES.index("reached")
                return True
        case Step():
            row |= {"seconds": event.seconds, "steps": event.step}
            if event.seconds > config.limit:
                row["outcome"] = OUTCOMES.index("limit")
                return True
        case Diverged():
            row["outcome"] = OUTCOMES.index("diverged")
            return True
    return False


# -- what the switches do --------------------------------------------------------------------------------------------


def rung_task(one: ImageConfig, data: ImageData, rung: Rung) -> tuple[Task, Plan]:
    """Model and batches of a rung. Draws the first weights."""
    plain_data = "whole_set" not in rung.on
    mean, std = pixel_statistics(data.X_train)
    tested = replace(data, X_test=((data.X_test / 255 - mean) / std).astype(np.float32)) if plain_data else data
    task, plan = prepare(one, tested, {"mean": mean, "std": std})
    task.look = None
    if plain_data:
        task.batch = from_loader(one, data, mean, std)
        cast(torch.nn.Sequential, task.model).standardize = torch.nn.Identity()  # the transform does it, per image
    if "fused" not in rung.on:
        group = task.optimizer.param_groups[0]
        task.optimizer = torch.optim.Adam(task.model.parameters(), lr=group["lr"], betas=group["betas"])
    return task, plan


class _Asked:
    """Tells a ``DataLoader`` which images the next batch has: the engine's own order, which a resumed run repeats."""

    def __init__(self) -> None:
        self.indices: list[int] = []

    def __iter__(self) -> Iterator[list[int]]:
        while True:
            yield self.indices


def from_loader(one: ImageConfig, data: ImageData, mean: float, std: float) -> Callable[[Tensor], tuple[Any, Tensor]]:
    """The ``batch`` of a task that goes through torch's ``DataLoader``, image by image."""
    asked, order = _Asked(), torch_format(one.memory_format)
    pictures = Pictures(data.X_train, data.y_train, usual_transform(mean, std))
    own = torch.Generator()  # else it would draw from the run's
    loader = iter(torch.utils.data.DataLoader(pictures, batch_sampler=cast(Any, asked), generator=own))

    def batch(indices: Tensor) -> tuple[Tensor, Tensor]:
        asked.indices = indices.tolist()
        X, y = next(loader)
        return X.to(one.device).to(memory_format=order), y.to(one.device)

    return batch


def compile_task(task: Task, plan: Plan) -> float:
    """Put the compiled network into the task; returns the seconds that this took.

    Kernels are made when they are first needed, so a batch of each size goes forward and backward here, with empty
    caches: a training must not find what the one before it has compiled. Neither weights nor generators are moved.
    """
    import torch._inductor.config as inductor
    from torch._inductor.utils import fresh_cache

    inductor.compile_threads = 1  # else it starts processes of its own
    start = time.perf_counter()
    plain, buffers = task.model, {name: b.clone() for name, b in task.model.named_buffers()}
    task.model = cast(torch.nn.Module, torch.compile(plain))  # evaluation goes on with the plain one
    with (
        torch.random.fork_rng(devices=[0] if plan.device == "cuda" else []),
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        fresh_cache(dir=folder),
    ):
        for size in {plan.batch_size, plan.count % plan.batch_size or plan.batch_size}:
            forward_and_backward(task, plan, task.batch(torch.arange(size, device=plan.device)))
    synchronize(plan.device)
    task.optimizer.zero_grad(set_to_none=True)
    for name, buffer in plain.named_buffers():
        buffer.copy_(buffers[name])
    return time.perf_counter() - start


def forward_and_backward(task: Task, plan: Plan, made: tuple[Any, Tensor]) -> float:
    """One step without the optimizer's; returns the seconds of its forward half."""
    start = time.perf_counter()
    with autocast(plan.device, plan.precision):
        loss = task.loss(task.model(made[0]), made[1])
    synchronize(plan.device)
    forward = time.perf_counter() - start
    task.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    return forward


def parts_of_step(task: Task, plan: Plan, step_seconds: float) -> dict[str, float]:
    """Seconds of a step by what they are spent on: medians of some further steps, brought to ``step_seconds`` in sum.

    The network is trained by it, so it comes last.
    """
    size = min(plan.batch_size, plan.count)
    times = np.zeros((PROBED, len(PARTS)))  # (steps, parts)
    task.model.train()
    for place in range(PROBED):
        indices = torch.randperm(plan.count)[:size].to(plan.device)
        marks = [time.perf_counter()]
        made = task.batch(indices)
        synchronize(plan.device)
        marks.append(time.perf_counter())
        marks.append(marks[-1] + forward_and_backward(task, plan, made))
        synchronize(plan.device)
        marks.append(time.perf_counter())
        task.optimizer.step()
        synchronize(plan.device)
        marks.append(time.perf_counter())
        times[place] = np.diff(marks)
    middle = np.median(times[1:], axis=0)
    return dict(zip(PARTS, (middle * step_seconds / middle.sum()).tolist(), strict=True))
