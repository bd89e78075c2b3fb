"""A run of the playground, in parts: what is trained, the film of it, its pace, and what is said where it diverges."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlcore import mlp_training
from dlcore import playground_settings as settings
from dlcore.data import points2d
from dlcore.events import Changed, Diverged, Epoch, Event, Snapshot, Step
from dlcore.knobs import check_value, knobs_of, unknown_knob
from dlcore.mlp import Cache, backward, flatten, forward, losses, unflatten
from dlcore.mlp_training import Rates, Setup, State
from dlcore.texts import N_

FRAME_GAP, FLUSH_GAP = 1 / 30, 1 / 8  # seconds between frames, and between events that carry them
LONG_FILM = 32e6  # bytes told; beyond it frames become rarer in proportion
BUNCH = 1 / 60  # seconds of steps that a paced run does at once: half a frame
LAG = 0.25  # seconds that a slow engine may catch up
LIVE = ("learning_rate", "l1", "l2", "epochs_per_second")

OVERSHOT = N_(
    "At step {step} (epoch {epoch:.4g}) the network's output was no longer a finite number. With the learning rate "
    "{learning_rate:.4g} the steps overshot: the loss went from {first:.3g} to {last:.3g}, the largest parameter from "
    "{small:.3g} to {large:.3g}. The curvature at the start (λ = {curvature:.3g}) bears a rate of about {limit:.2g}."
)
RAN_AWAY = N_(
    "At step {step} (epoch {epoch:.4g}) the network's output was no longer a finite number. With the learning rate "
    "{learning_rate:.4g} the loss went from {first:.3g} to {last:.3g}, the largest parameter from {small:.3g} to "
    "{large:.3g}. Try a rate ten times smaller."
)


def quiet() -> np.errstate:
    """Without NumPy's warnings: what a diverging run does is told in words."""
    return np.errstate(over="ignore", invalid="ignore")


class Course:
    """Network, data and state of one run; ``config`` is resolved, ``resume`` the state of a checkpoint."""

    def __init__(self, config: Any, resume: dict[str, Any] | None) -> None:
        self.config = config
        X, self.y, X_test, self.y_test = points2d.dataset(config)
        names = settings.features(config.features)
        self.X_test = points2d.expand(X_test, names)
        network, loss = settings.architecture(config), settings.loss_of(config)
        X = points2d.expand(X, names)
        self.setup = Setup(network, X, self.y, loss, config.optimizer, min(config.batch_size, len(X)), config.seed)
        self.state = mlp_training.start(self.setup, config.initialization)
        self.live = {name: getattr(config, name) for name in LIVE}
        self.classification = points2d.is_classification(config)
        self.seconds, self.began = 0.0, time.perf_counter()  # with what it waits so that one can watch
        self.computing = 0.0  # seconds, without
        self.steps_per_second = 0.0  # 0: not known yet
        self.before: deque[tuple[State, Rates]] = deque(maxlen=2)  # at the last two calls of ``advance``: for a verdict
        if config.engine == "numba":
            from dlcore.mlp_fast import advance, warm

            warm()  # compiling is no part of the run
        else:
            from dlcore.mlp_training import advance
        self._advance = advance
        if resume:
            self.restore(resume)

    @property
    def total(self) -> int:
        """Updates of the whole run."""
        return self.config.epochs * self.setup.steps_per_epoch

    @property
    def epoch(self) -> float:
        """Passes done, with their fractions."""
        return self.state.step / self.setup.steps_per_epoch

    def grid(self, most: int) -> int:
        """Updates between told epochs, so that there are at most that many."""
        return -(-self.config.epochs // most) * self.setup.steps_per_epoch

    def advance(self, steps: int) -> bool:
        """Do that many updates; False where the run has diverged."""
        began = time.perf_counter()
        rates = Rates(self.live["learning_rate"], self.live["l1"], self.live["l2"])
        self.before.append((self.state.copy(), rates))
        with quiet():
            fine = self._advance(self.setup, self.state, rates, steps)
        if steps:
            took = max(time.perf_counter() - began, 1e-7)
            self.computing += took
            self.steps_per_second = steps / took
        return fine

    def rewind(self, step: int) -> None:
        """Go back to ``step``, where that is not longer ago than the last two calls of ``advance``."""
        known = [(state, rates) for state, rates in self.before if state.step <= step]
        if known:
            self.state = known[-1][0].copy()
            with quiet():
                self._advance(self.setup, self.state, known[-1][1], step - self.state.step)

    def apply(self, change: Changed) -> None:
        """Carry out a change. Raises ``Problem`` where it does not fit the network."""
        known = knobs_of(type(self.config))
        if change.name in LIVE:
            self.live[change.name] = check_value(known[change.name], change.value)
        elif change.name == "weight":
            *place, value = settings.checked_weight(self.config, change.value, float)
            self.state.flat[settings.place_of(self.setup.architecture, *place)] = value
        elif change.name == "freeze":
            *place, value = settings.checked_weight(self.config, change.value, bool)
            self.state.frozen[settings.place_of(self.setup.architecture, *place)] = value
        else:
            raise unknown_knob(change.name, {name: known[name] for name in LIVE})

    def measure(self) -> dict[str, float]:
        """Loss and accuracy on both parts, as the network answers outside training."""
        params = unflatten(self.state.flat, self.setup.architecture)
        X = np.concatenate([self.setup.X, self.X_test])
        with quiet():
            output = forward(params, self.setup.architecture, X).output.astype(np.float64)
        found, n = {}, len(self.y)
        for part, f, y in (("train", output[:n], self.y), ("test", output[n:], self.y_test)):
            found[f"{part}_loss"] = float(losses(f, y, self.setup.loss).mean())
            right = ((f >= 0) == (y > 0)).mean() if self.classification else np.nan
            found[f"{part}_accuracy"] = float(right)
        return found

    def told(self, now: dict[str, float]) -> Iterator[Event]:
        """The events of a told epoch. The Epoch's seconds are computing alone, the Step's what one waits for."""
        step, seconds = self.state.step, self.seconds + time.perf_counter() - self.began
        yield Step(step, now["train_loss"], seconds, {"test_loss": now["test_loss"], **self._rate()})
        epoch = step // self.setup.steps_per_epoch
        yield Epoch(step, epoch, self._fitting(now), self.computing)

    def _rate(self) -> dict[str, float]:
        return {"learning_rate": self.live["learning_rate"]}

    def info(self) -> dict[str, Any]:
        """What a page needs to know before the first frame."""
        return {
            "architecture": settings.described(self.config),
            "params": int(self.setup.learned.sum()),
            "train_size": len(self.y),
            "test_size": len(self.y_test),
            "steps_per_epoch": self.setup.steps_per_epoch,
            "engine": self.config.engine,
        }

    def metrics(self) -> dict[str, Any]:
        """What the run ended with; ``dead_units`` are ReLUs that answer 0 to every training point."""
        network = self.setup.architecture
        with quiet():
            cache = forward(unflatten(self.state.flat, network), network, self.setup.X)
        dead = sum(
            int((u <= 0).all(0).sum())
            for layer, u in zip(network.layers, cache.u, strict=True)
            if layer.activation == "relu"
        )
        return {**self._fitting(self.measure()), "dead_units": dead}

    def _fitting(self, now: dict[str, float]) -> dict[str, float]:
        """Without the accuracies where there are no classes."""
        return now if self.classification else {name: v for name, v in now.items() if name.endswith("loss")}

    def save(self) -> dict[str, Any]:
        """All that ``restore`` needs to go on bit for bit."""
        state = self.state.copy()
        seconds = self.seconds + time.perf_counter() - self.began
        return {**vars(state), "live": dict(self.live), "seconds": seconds, "computing": self.computing}

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up the state of a checkpoint."""
        self.state = State(saved["step"], saved["flat"], saved["memory"], saved["frozen"]).copy()
        self.live = dict(saved["live"])
        self.seconds, self.computing = saved["seconds"], saved.get("computing", 0.0)

    def begin_near(self, near: dict[str, Any], changes: list[Changed]) -> int:
        """Begin at a checkpoint, or at a frame where parameters are all there is; returns the step."""
        if "memory" in near:
            self.restore(near)
        elif self.config.optimizer == "sgd":
            for change in changes:
                if change.step < near["step"]:
                    self.apply(change)
            self.state.flat[:] = near["parameters"]
            self.state.step = int(near["step"])
        return self.state.step


@dataclass
class Film:
    """Frames on their way to the page: several in one event."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    last: int = -1  # the step of the newest frame
    told: float = 0.0  # bytes
    _shot: float = 0.0
    _flushed: float = 0.0

    def wants(self, step: int) -> bool:
        """Whether it is time for another frame."""
        gap = FRAME_GAP * (1 + self.told / LONG_FILM)
        return step > self.last and time.perf_counter() - self._shot > gap

    def add(self, state: State, now: dict[str, float], epoch: float) -> None:
        """Take a frame, unless there is one of this step or its numbers are not finite."""
        if state.step <= self.last or not np.isfinite(state.flat).all():
            return
        self._shot, self.last = time.perf_counter(), state.step
        flat = state.flat.astype(np.float32)
        self.rows.append({"step": state.step, "epoch": epoch, "parameters": flat, **now})

    def is_due(self) -> bool:
        """Whether frames should go out now."""
        return bool(self.rows) and time.perf_counter() - self._flushed > FLUSH_GAP

    def flush(self, step: int) -> Iterator[Event]:
        """The frames so far as one event, if there are any."""
        if not self.rows:
            return
        arrays = {name: np.array([row[name] for row in self.rows]) for name in self.rows[0]}
        self.told += arrays["parameters"].nbytes
        self._flushed = time.perf_counter()
        self.rows = []
        yield Snapshot(step, "frames", arrays)


class Pace:
    """How many steps to do next, so that a run goes at ``epochs_per_second`` and answers in between."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self._rate = -1.0
        self._step, self._since = 0, 0.0

    def steps(self, seconds: float) -> int:
        """At most what takes ``seconds``; 0, after a short sleep, where the run is ahead of its pace."""
        course, now = self.course, time.perf_counter()
        most = max(1, int(course.steps_per_second * seconds))
        rate = course.live["epochs_per_second"] * course.setup.steps_per_epoch  # steps a second
        if rate == 0:
            return most
        ahead = self._step + (now - self._since) * rate - course.state.step
        if rate != self._rate or ahead > max(1.0, LAG * rate):
            self._rate, self._step, self._since, ahead = rate, course.state.step, now, 1.0
        bunch = max(1.0, rate * BUNCH)
        if ahead < bunch:
            time.sleep(min(0.02, (bunch - ahead) / rate))
            return 0
        return min(most, int(ahead))


def verdict(course: Course) -> Diverged:
    """Why the run left the finite numbers, with its own numbers."""
    setup, step, epoch = course.setup, course.state.step, course.epoch
    course.rewind(step - 1)
    last, large = course.measure()["train_loss"], float(np.abs(course.state.flat).max())
    course.state = mlp_training.start(setup, course.config.initialization)
    begin = course.state.flat
    params = {
        "step": step,
        "epoch": epoch,
        "learning_rate": course.live["learning_rate"],
        "first": course.measure()["train_loss"],
        "last": last,
        "small": float(np.abs(begin).max()),
        "large": large,
    }
    # 2 (1 + β) with β = 0.9; the curvature at the start is that of a batch, which a normalization depends on
    factor = None if course.config.batch_norm else {"sgd": 2.0, "momentum": 3.8}.get(setup.optimizer)
    curvature = sharpness(setup, begin) if factor else 0.0
    if factor is None or not curvature > 0 or params["learning_rate"] <= factor / curvature:
        return Diverged(step, RAN_AWAY, params)
    return Diverged(step, OVERSHOT, {**params, "curvature": curvature, "limit": factor / curvature})


def sharpness(setup: Setup, flat: np.ndarray, turns: int = 30) -> float:
    """The largest curvature λ of the training loss at ``flat``: power iteration on differences of gradients.

    Gradient descent is stable along it below the rate 2/λ (Cohen et al. 2021, "edge of stability").
    """
    X, y = setup.X.astype(np.float64), setup.y.astype(np.float64)

    def gradient(theta: np.ndarray) -> np.ndarray:
        cache: Cache = forward(unflatten(theta, setup.architecture), setup.architecture, X)
        return flatten(backward(cache, y, setup.loss).layers) * setup.learned

    theta, small = flat.astype(np.float64), 1e-4
    direction, curvature = np.random.default_rng(0).normal(size=len(theta)) * setup.learned, 0.0
    for _ in range(turns):
        direction /= max(float(np.linalg.norm(direction)), 1e-30)
        turned = (gradient(theta + small * direction) - gradient(theta - small * direction)) / (2 * small)
        curvature, direction = float(direction @ turned), turned
    return curvature
