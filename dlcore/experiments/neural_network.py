"""What can a few neurons learn? A small network in the plane, trained by hand-written backpropagation."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from dlcore import playground_settings as settings
from dlcore.data import points2d
from dlcore.events import Changed, Checkpoint, Event, Finished, Started, unpack
from dlcore.knobs import knob
from dlcore.mlp import INITIALIZATIONS, LOSSES
from dlcore.mlp_training import OPTIMIZERS
from dlcore.playground_run import Course, Film, Pace, verdict
from dlcore.steering import Steering
from dlcore.texts import N_, Problem

LANE = "light"
CHECKPOINT_SECONDS = 5.0
SLICE = 0.01  # seconds of computation between two looks at what is asked of the run
REPLAYED_AT_ONCE = 500  # steps between two looks at the clock
TOLD_EPOCHS = 300  # at most so many Epoch events in a run, at the same epochs in every repetition

ACTIONS = {
    "weight": partial(settings.checked_weight, last=float),
    "freeze": partial(settings.checked_weight, last=bool),
}


@dataclass(frozen=True)
class Config:
    """The settings of the playground."""

    dataset: str = knob(
        "circle", choices=points2d.NAMES, label=N_("Data"),
        help=N_("Which points: two classes, a number to predict, a table of your own, or points that you draw."),
    )  # fmt: skip
    count: int = knob(
        500, low=10, high=points2d.MOST_ROWS, label=N_("Points"), help=N_("How many points there are in all.")
    )
    noise: float = knob(
        0.0, low=0.0, high=0.5, step=0.01, label=N_("Noise"), help=N_("How far chance has moved the points.")
    )
    train_share: float = knob(
        0.5, low=0.1, high=0.9, step=0.05, label=N_("Share for training"),
        help=N_("The part of the points that the network learns from. The others only test it."),
    )  # fmt: skip
    features: str = knob(
        "x1,x2", label=N_("Features"), help=N_("What the network is given of a point, names with commas between.")
    )
    layers: str = knob(
        "4,2", label=N_("Hidden layers"), help=N_("The units of each hidden layer, such as 4,2. Empty: none.")
    )
    activation: str = knob(
        "tanh",
        label=N_("Activation"),
        help=N_("The function in each hidden unit; one for all layers, or one for each."),
    )
    initialization: str = knob(
        "xavier", choices=INITIALIZATIONS, label=N_("Initialization"), help=N_("How the first weights are drawn.")
    )
    learning_rate: float = knob(
        0.03, low=1e-5, high=10.0, log=True, live=True, label=N_("Learning rate η"),
        help=N_("How far one step goes. It can be changed while the network learns."),
    )  # fmt: skip
    optimizer: str = knob(
        "sgd", choices=tuple(OPTIMIZERS), label=N_("Optimizer"), help=N_("How a gradient becomes a step.")
    )
    batch_size: int = knob(
        10, low=1, high=512, label=N_("Batch size"), help=N_("How many points each gradient is averaged over.")
    )
    epochs: int = knob(
        300, low=1, high=100_000, label=N_("Epochs"), help=N_("How many times the network sees all training points.")
    )
    epochs_per_second: float = knob(
        60.0, low=0.0, high=1000.0, live=True, label=N_("Epochs a second"), zero=N_("as fast as it goes"),
        help=N_("Slows the run down, so that you can watch."), advanced=True,
    )  # fmt: skip
    loss: str = knob(
        "auto", choices=("auto", *LOSSES), label=N_("Loss"), advanced=True,
        help=N_("What is made small: auto takes the cross-entropy for classes, the squared error for numbers."),
    )  # fmt: skip
    dropout: float = knob(
        0.0, low=0.0, high=0.8, step=0.05, label=N_("Dropout"), advanced=True,
        help=N_("The share of hidden units that is left out, others in each step."),
    )  # fmt: skip
    batch_norm: bool = knob(
        False, label=N_("Batch normalization"), advanced=True,
        help=N_("Each hidden unit's sums are brought to mean 0 and variance 1 within the batch."),
    )  # fmt: skip
    residual: bool = knob(
        False, label=N_("Residual links"), advanced=True,
        help=N_("What enters a hidden layer is added to its output, where both have the same width."),
    )  # fmt: skip
    l1: float = knob(
        0.0, low=0.0, high=1.0, live=True, label=N_("L1 penalty"), advanced=True,
        help=N_("Draws every weight towards 0 by the same force: many become 0."),
    )  # fmt: skip
    l2: float = knob(
        0.0, low=0.0, high=1.0, live=True, label=N_("L2 penalty"), advanced=True,
        help=N_("Draws every weight towards 0 by a share of itself. With AdamW it is the weight decay."),
    )  # fmt: skip
    seed: int = knob(
        0, low=0, high=9999, label=N_("Seed"), help=N_("Draws other points, first weights and batches."), advanced=True
    )
    points: str = knob("", label=N_("Own points"), help=N_("Points that you drew, x1_x2_label~…"), advanced=True)
    data_hash: str = knob("", label=N_("Data fingerprint"), help=N_("Names your own table."), advanced=True)
    columns: str = knob(
        "", label=N_("Columns"), help=N_("Which columns of your own table, as x1~x2~label."), advanced=True
    )
    engine: str = knob(
        "auto", choices=("auto", "numba", "numpy"), label=N_("Engine"), advanced=True,
        help=N_("Machine code, or the readable NumPy program, which takes about ten times as long."),
    )  # fmt: skip

    @classmethod
    def recipe(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Drawn points begin with an example."""
        return {"points": points2d.EXAMPLE_POINTS} if given.get("dataset") == "points" else {}


def resolve(config: Config) -> Config:
    """The config with loss, engine and the data's fingerprint fixed. Raises ``Problem`` for what cannot be read."""
    settings.architecture(config)
    has_numba = find_spec("numba") is not None
    if config.engine == "numba" and not has_numba:
        raise Problem(
            N_("The fast engine needs the package numba, which is not installed. Choose the engine numpy or auto."),
            kind="knob", name="engine",
        )  # fmt: skip
    engine = ("numba" if has_numba else "numpy") if config.engine == "auto" else config.engine
    digest = config.data_hash if config.dataset == "csv" else fingerprint(config)
    return replace(config, loss=settings.loss_of(config), engine=engine, data_hash=digest)


def fingerprint(config: Config) -> str:
    """16 hex digits that name the points."""
    sha = hashlib.sha256()
    for array in points2d.dataset(config):
        sha.update(str(array.shape).encode() + np.ascontiguousarray(array, dtype="<f4").tobytes())
    return sha.hexdigest()[:16]


def run(config: Config, *, resume: dict[str, Any] | None = None, steering: Steering | None = None) -> Iterator[Event]:
    """The training as events: ``Snapshot``s named "frames", and ``Step`` and ``Epoch`` at the same epochs each time.

    Frames hold step, epoch, parameters (F, P) and train and test loss and accuracy (NaN for a regression); they come
    about 30 times a second, and at every told epoch.
    """
    config, steering = resolve(config), steering or Steering()
    course, film = Course(config, resume), Film()
    state, pace, grid = course.state, Pace(course), course.grid(TOLD_EPOCHS)
    told = state.step if resume else -1
    yield Started(state.step, asdict(config), course.total, course.info())
    saved = time.perf_counter()
    while True:
        on_grid = (state.step % grid == 0 or state.step == course.total) and told < state.step
        if on_grid or film.wants(state.step) or state.step == steering.until:
            now = course.measure()
            film.add(state, now, course.epoch)
            if on_grid:
                told = state.step
                yield from course.told(now)
        if film.is_due() or state.step == course.total:
            yield from film.flush(state.step)
        if state.step == course.total:
            break
        for change in steering.due(state.step):
            course.apply(change)
            yield change
        if steering.wants_checkpoint() or time.perf_counter() - saved > CHECKPOINT_SECONDS:
            saved = time.perf_counter()
            film.add(state, course.measure(), course.epoch)
            yield from film.flush(state.step)
            yield Checkpoint(state.step, course.save())
        ends = min(course.total, (state.step // grid + 1) * grid, steering.horizon(state.step) or course.total)
        steps = min(ends - state.step, pace.steps(SLICE))
        if steps and not course.advance(steps):
            yield from film.flush(state.step)
            break
    if state.step < course.total or not np.isfinite(state.flat).all():
        yield verdict(course)
        return
    yield Checkpoint(state.step, course.save(), final=True)
    yield Finished(state.step, course.metrics())


def replay(
    config: Config | dict[str, Any],
    changes: Sequence[Changed | Sequence[Any]],
    step: int,
    near: dict[str, Any] | str | Path | None = None,
    seconds: float = math.inf,
) -> np.ndarray:
    """The parameters (P,) float32 that a run had after ``step`` updates, computed again, bit for bit.

    Args:
        config: of the run, or its fields (``History.config``), which is what can go through ``jobs.call``.
        changes: its ``Changed`` events, or ``[step, name, value]`` of each, in order.
        near: where to begin: the state of a checkpoint or the file that it lies in (``jobs.checkpoint``), or a frame
            (``History.frames.nearest``), which is enough for plain gradient descent only; the start where it is of no
            use.
        seconds: how long this may take.

    Raises:
        Problem: the run had diverged before that step, or it takes too long.
    """
    course = Course(resolve(Config(**config) if isinstance(config, dict) else config), None)
    if isinstance(near, (str, Path)):
        near = unpack(Path(near).read_bytes())
    assert near is None or isinstance(near, dict)
    deadline = time.perf_counter() + seconds
    found = [c if isinstance(c, Changed) else Changed(int(c[0]), c[1], c[2]) for c in changes]
    found = sorted((c for c in found if c.step <= step), key=lambda c: c.step)
    begin = course.begin_near(near, found) if near is not None and int(near["step"]) <= step else 0
    for change in [*(c for c in found if c.step >= begin), Changed(step, "", None)]:
        while course.state.step < change.step:
            if not course.advance(min(REPLAYED_AT_ONCE, change.step - course.state.step)):
                raise Problem(N_("The run had diverged before step {step}."), kind="data", step=step)
            if time.perf_counter() > deadline and course.state.step < change.step:
                raise _too_far(course.state.step - begin, step - begin, seconds)
        if change.name and change.step < step:
            course.apply(change)
    return course.state.flat.astype(np.float32)


def _too_far(done: int, wanted: int, seconds: float) -> Problem:
    return Problem(
        N_("In {seconds} s only {done} of {wanted} steps to that epoch were computed again. Choose an earlier one."),
        kind="timeout",
        seconds=f"{seconds:g}",
        done=f"{done:,}",
        wanted=f"{wanted:,}",
    )
