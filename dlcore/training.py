"""The training loop of every torch lesson: a generator of events that knows nothing of the model.

A lesson hands over a ``Task`` (model, optimizer, how to make a batch, what to measure) and a ``Plan`` (how long, how
fast), and passes on what ``fit`` yields. Losses stay on the device and are read in one go about ten times a second,
so that telling what happens costs next to nothing and never makes a GPU wait.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlcore.checkpoints import load_model, load_optimizer, rng_state, set_rng_state, to_plain
from dlcore.device import autocast
from dlcore.events import Changed, Checkpoint, Diverged, Epoch, Event, Snapshot, Step
from dlcore.readings import Measure, Unread, bound_on, first_beyond, hits, read
from dlcore.schedules import SCHEDULES
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

TELL_SECONDS = 0.1  # how long steps are gathered before their numbers are read


@dataclass
class Task:
    """What a lesson gives the loop. The hooks must not draw from torch's generators: they run when time allows."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch: Callable[[Tensor], tuple[Any, Tensor]]  # indices (B,) int64 → inputs, targets; may augment (and draw)
    loss: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy
    measures: Mapping[str, Measure] = field(default_factory=lambda: {"accuracy": hits})  # of several batches at once
    parts_of_loss: dict[str, Tensor] = field(default_factory=dict)  # scalars that ``loss`` puts here, told beside it
    evaluate: Callable[[], dict[str, float]] | None = None  # on held-out data; called in eval mode, without gradients
    look: Callable[[], dict[str, dict[str, np.ndarray]]] | None = None  # arrays for Snapshot events, by name
    change: Callable[[str, Any], None] | None = None  # any live knob but learning_rate; raises Problem
    parts: Mapping[str, nn.Module] = field(
        default_factory=dict
    )  # share nothing: gradients measured, clipped one by one
    about: Mapping[str, Any] = field(default_factory=dict)  # kept in each checkpoint, to rebuild the model from


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train, in numbers."""

    count: int  # training examples, N
    batch_size: int
    epochs: int
    learning_rate: float  # multiplied by the schedule's factor at each step
    schedule: str = "constant"  # one of SCHEDULES
    device: str = "cpu"
    precision: str = "float32"  # or "bfloat16": autocast
    clip_norm: float = 0.0  # largest norm of the whole gradient; 0 leaves it alone
    gradient_norms: bool = False  # put the norm of each parameter's gradient into Step.values
    evaluations: int = 1  # measurements on held-out data per pass
    checkpoint_seconds: float = 5.0
    look_seconds: float = 0.5

    @property
    def steps_per_epoch(self) -> int:
        """Updates in one pass over the data; the last batch may be smaller."""
        return math.ceil(self.count / self.batch_size)

    @property
    def total_steps(self) -> int:
        """Updates in the whole run."""
        return self.steps_per_epoch * self.epochs

    @property
    def evaluation_points(self) -> set[int]:
        """The steps of a pass after which it is measured; 0 stands for the pass's end."""
        points = (round(j * self.steps_per_epoch / self.evaluations) for j in range(1, self.evaluations + 1))
        return {point % self.steps_per_epoch for point in points}


@dataclass(frozen=True)
class Result:
    """What ``fit`` returns when it reaches the end."""

    seconds: float  # training alone: evaluation, pauses and the listener's time left out
    metrics: dict[str, float]  # the last measured


def fit(
    task: Task, plan: Plan, *, resume: Mapping[str, Any] | None = None, steering: Steering | None = None
) -> Generator[Event, None, Result | None]:
    """Train, and tell: Step for each update, Epoch, Snapshot, Changed, Checkpoint, and Diverged if it comes to that.

    The caller seeds the generators, yields ``Started`` before and ``Finished`` after. Closing the generator stops the
    run; nothing needs to be undone.

    Args:
        resume: ``Checkpoint.state`` of the same task and plan; the run goes on as if it had never stopped.
        steering: changes and requests, looked at before each step. A change of "learning_rate" is carried out here.

    Returns:
        The result, or None if the run diverged (the last event says why).
    """
    loop, steering = _Loop(task, plan), steering or Steering()
    if resume is None:
        yield from loop.measure()
        yield from loop.look()
    else:
        loop.restore(resume)
    while loop.step < plan.total_steps:
        for change in steering.due(loop.step):
            yield from loop.tell()
            if loop.diverged:
                return None
            loop.apply(change)
            yield change
        asked = steering.wants_checkpoint()
        if asked or loop.checkpoint_is_due():
            yield from loop.tell()
            if asked and not loop.diverged:
                yield from loop.look()  # who pauses sees the network as it rests
            if not loop.diverged:
                yield loop.checkpoint()
        if not loop.diverged:
            loop.update()
            yield from loop.news()
        if loop.diverged:
            return None
    yield from loop.look()
    yield loop.checkpoint(final=True)
    return Result(loop.seconds, loop.metrics)


def stepper(task: Task, plan: Plan) -> Callable[[], None]:
    """A function that does one update of ``fit``'s loop, to measure how long it takes."""
    return _Loop(task, plan).update


class _Loop:
    """The state of one run between two steps. All times are of ``time.perf_counter``."""

    def __init__(self, task: Task, plan: Plan) -> None:
        self.task, self.plan = task, plan
        self.model, self.optimizer = task.model, task.optimizer
        self.parameters = [(n, p) for n, p in task.model.named_parameters() if p.requires_grad]
        parts = task.parts or {"": task.model}
        self.parts = {part: [p for p in model.parameters() if p.requires_grad] for part, model in parts.items()}
        self.schedule = SCHEDULES[plan.schedule]
        self.learning_rate = plan.learning_rate
        self.step = 0
        self.seconds = 0.0
        self.order = torch.empty(0, dtype=torch.int64, device=plan.device)  # (N,) this pass's order of the examples
        self.order_from = torch.empty(0, dtype=torch.uint8)  # the generator's state from which it was drawn
        self.pending: list[Unread] = []  # steps that are done and not yet read
        self.sums: dict[str, float] = {}  # of the measures since the last evaluation, weighted by batch size
        self.metrics: dict[str, float] = {}
        self.bound = math.inf  # on the loss, known from the first one
        self.diverged = False
        self.told_seconds = 0.0  # training time at the last reading
        self.looked = self.saved = self.told = time.perf_counter()
        self.evaluation_points = plan.evaluation_points
        self.model.train()

    def update(self) -> None:
        """One step of the optimizer. Nothing here waits for the device."""
        start = time.perf_counter()
        rate = self.learning_rate * self.schedule(self.step, self.plan.total_steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)  # where layers learn at different rates
        inputs, targets = self.task.batch(self._next_indices())
        with autocast(self.plan.device, self.plan.precision):
            outputs = self.model(inputs)
            loss = self.task.loss(outputs, targets)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        scalars = {"loss": loss.detach(), **self.task.parts_of_loss}
        if self.plan.clip_norm or self.plan.gradient_norms or self.task.parts:
            scalars |= self._gradients()
        self.optimizer.step()
        self.pending.append(Unread(rate, outputs.detach(), targets, scalars))
        self.step += 1
        self.seconds += time.perf_counter() - start

    def _next_indices(self) -> Tensor:
        """The examples of the coming batch, ``(B,)``; shuffles at the start of each pass."""
        place = self.step % self.plan.steps_per_epoch * self.plan.batch_size
        if place == 0:
            self._draw_order(torch.get_rng_state())
        return self.order[place : place + self.plan.batch_size]

    def _draw_order(self, state: Tensor) -> None:
        """Shuffle the examples from a state of the CPU's generator, so that the order is the same on every device."""
        self.order_from = state
        torch.set_rng_state(state)
        self.order = torch.randperm(self.plan.count).to(self.plan.device)

    def _gradients(self) -> dict[str, Tensor]:
        """Norms of the gradient, of the whole and of each part, measured before it is clipped."""
        names = self.parameters if self.plan.gradient_norms else ()
        norms = {f"gradient/{n}": p.grad.norm() for n, p in names if p.grad is not None}
        for part, parameters in self.parts.items():
            total = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
            if self.plan.clip_norm:
                nn.utils.clip_grads_with_norm_(parameters, self.plan.clip_norm, total)
            norms[f"gradient_norm/{part}" if part else "gradient_norm"] = total
        return norms

    def news(self) -> Iterator[Event]:
        """What there is to tell after an update: usually nothing, until enough has gathered."""
        if self.step % self.plan.steps_per_epoch in self.evaluation_points:
            yield from self.tell()
            if not self.diverged:
                yield from self.measure()
        elif time.perf_counter() - self.told > TELL_SECONDS:
            yield from self.tell()
            if not self.diverged and time.perf_counter() - self.looked > self.plan.look_seconds:
                yield from self.look()

    def tell(self) -> list[Event]:
        """Read the gathered steps from the device and forget them. Ends them with Diverged if one did."""
        if not self.pending:
            return []
        start = time.perf_counter()
        columns = read(self.pending, self.task.measures)
        self.seconds += time.perf_counter() - start  # the device's work that the steps had only ordered
        if self.step == len(self.pending):
            self.bound = bound_on(columns["loss"][0])
        bad = first_beyond(columns["loss"], self.bound)
        events: list[Event] = list(islice(self._steps(columns), bad))
        if bad is not None:
            step = self.step - len(self.pending) + bad
            events.append(_diverged(step, columns["loss"][bad], self.pending[bad].rate))
            self.diverged = True
        self.pending, self.told_seconds, self.told = [], self.seconds, time.perf_counter()
        return events

    def _steps(self, columns: Mapping[str, list[float]]) -> Iterator[Step]:
        """The Step events of what was read; adds it to the sums, one by one, so that grouping does not change them."""
        sizes = [len(unread.targets) for unread in self.pending]
        for name in ("loss", *self.task.parts_of_loss, *self.task.measures):
            for size, value in zip(sizes, columns[name], strict=True):
                self.sums[name] = self.sums.get(name, 0.0) + size * value
        self.sums["count"] = self.sums.get("count", 0) + sum(sizes)
        count, span = len(sizes), self.seconds - self.told_seconds
        speed, first = sum(sizes) / max(span, 1e-9), self.step - count
        told = [name for name in columns if name != "loss"]
        for i, unread in enumerate(self.pending):
            values = {name: columns[name][i] for name in told}
            values |= {"learning_rate": unread.rate, "examples_per_second": speed}
            yield Step(first + i + 1, columns["loss"][i], self.told_seconds + span * (i + 1) / count, values)

    def measure(self) -> Iterator[Event]:
        """An Epoch event: the training measures since the last one, and the held-out data."""
        count = self.sums.pop("count", 0)
        self.metrics = {f"train_{name}": total / count for name, total in self.sums.items()}
        self.sums = {}
        if self.task.evaluate:
            self.model.eval()
            with torch.no_grad():
                self.metrics |= self.task.evaluate()
            self.model.train()
        if self.metrics:
            yield Epoch(self.step, self.step // self.plan.steps_per_epoch, self.metrics, self.seconds)

    def look(self) -> Iterator[Event]:
        """Snapshot events of what the lesson wants looked at."""
        if self.task.look:
            for name, arrays in self.task.look().items():
                film = {"step": np.array([self.step])} if name == "frames" else {}
                yield Snapshot(self.step, name, {**film, **arrays})
        self.looked = time.perf_counter()

    def apply(self, change: Changed) -> None:
        """Carry out a change at this boundary."""
        if change.name == "learning_rate":
            self.learning_rate = float(change.value)
        elif self.task.change:
            self.task.change(change.name, change.value)
        else:
            raise Problem(
                N_("“{name}” cannot be changed while the run goes on. Start a new run with it."),
                kind="change",
                name=change.name,
            )

    def checkpoint_is_due(self) -> bool:
        """Whether the last checkpoint is older than the plan allows."""
        return time.perf_counter() - self.saved > self.plan.checkpoint_seconds

    def checkpoint(self, final: bool = False) -> Checkpoint:
        """The whole state at this boundary (``tell`` first: what was not read would be lost)."""
        self.saved = time.perf_counter()
        state = {
            **self.task.about,
            "step": self.step,
            "seconds": self.seconds,
            "learning_rate": self.learning_rate,
            "sums": dict(self.sums),
            "metrics": dict(self.metrics),
            "bound": self.bound,
            "order_from": self.order_from.numpy(),  # 5 kB; the order itself may have millions of numbers
            "rng": rng_state(self.plan.device),
            "model": to_plain(self.model.state_dict()),
            "optimizer": to_plain(self.optimizer.state_dict()),
        }
        return Checkpoint(self.step, state, final)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to the boundary at which ``checkpoint`` was taken."""
        load_model(self.model, state["model"])
        load_optimizer(self.optimizer, state["optimizer"])
        self.step, self.learning_rate = state["step"], state["learning_rate"]
        self.seconds = self.told_seconds = state["seconds"]
        self.sums, self.metrics, self.bound = dict(state["sums"]), dict(state["metrics"]), state["bound"]
        if len(state["order_from"]):
            self._draw_order(torch.from_numpy(state["order_from"].copy()))
        set_rng_state(state["rng"])


def _diverged(step: int, loss: float, rate: float) -> Diverged:
    return Diverged(
        step,
        N_(
            "After {step} steps the loss had left all bounds ({loss}). With a learning rate of {learning_rate} each "
            "step overshoots by more than it gains, so the next error is larger still. Try a rate ten times smaller."
        ),
        {"step": step, "loss": f"{loss:.3g}", "learning_rate": float(f"{rate:.3g}")},
    )
