"""A torch-free experiment that does on demand what real ones do by accident; workers find it by the environment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from dlcore.events import Checkpoint, Diverged, Event, Finished, Snapshot, Started, Step
from dlcore.knobs import knob
from dlcore.steering import Steering
from dlcore.texts import Problem

LANE = "train"


@dataclass(frozen=True)
class Config:
    steps: int = knob(50, low=1, high=10**6)
    rate: float = knob(0.1, low=0.0, high=1.0, live=True)
    pause: float = knob(0.0, low=0.0, high=60.0)  # seconds that each step takes
    seed: int = knob(0, low=0, high=999)
    at: int = knob(10, low=0, high=10**6)  # the step at which ``event`` happens
    event: str = knob("none", choices=("none", "crash", "problem", "memory", "torch", "diverge", "deaf", "exit", "hog"))
    checkpoints: bool = knob(True)


def resolve(config: Config) -> Config:
    return config


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """A random walk from NumPy's *global* generator, as torch lessons use torch's: wrong if two runs share it."""
    steering = steering or Steering()
    np.random.seed(config.seed)
    state = resume or {"step": 0, "x": np.zeros(3), "rate": config.rate, "rng": np.random.get_state()}
    began = time.monotonic()
    x, rate, step = state["x"].copy(), state["rate"], state["step"]
    np.random.set_state(tuple(state["rng"]))

    def checkpoint(final: bool = False) -> Checkpoint:
        return Checkpoint(step, {"step": step, "x": x.copy(), "rate": rate, "rng": np.random.get_state()}, final)

    yield Started(step, asdict(config), config.steps, {"pid": os.getpid()})
    while step < config.steps:
        for change in steering.due(step):
            rate = change.value
            yield change
        if steering.wants_checkpoint() and config.checkpoints:
            yield checkpoint()
        if step == config.at and config.event != "none":
            yield from _happen(config.event, step)
        x = x + rate * np.random.standard_normal(3)
        step += 1
        time.sleep(config.pause)
        yield Step(step, float(x @ x), time.monotonic() - began, values={"x": float(x[0])})
        if step % 10 == 0:
            yield Snapshot(step, "x", {"x": x})
    yield checkpoint(final=True)
    yield Finished(step, {"x": [float(v) for v in x], "pid": os.getpid()})


def _happen(event: str, step: int) -> Iterator[Event]:
    match event:
        case "crash":
            raise RuntimeError("something\nbroke")
        case "problem":
            raise Problem("{what} is missing.", kind="data_missing", what="The data")
        case "memory":
            raise MemoryError
        case "torch":
            import torch

            raise torch.OutOfMemoryError("CUDA out of memory")
        case "diverge":
            yield Diverged(step, "too fast")
        case "deaf":
            time.sleep(60)
        case "exit":
            os._exit(3)
        case "hog":
            hold = []
            while True:
                hold.append(np.ones(4_000_000))
                time.sleep(0.02)


def echo(value: Any, *, seconds: float = 0.0, pid: bool = False) -> Any:
    time.sleep(seconds)
    return os.getpid() if pid else value


def fail(kind: str) -> None:
    list(_happen(kind, 0))


def tensor() -> Any:
    import torch

    return torch.zeros(2)
