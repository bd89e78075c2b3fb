"""What the playground's page shows besides a run: the network before it learns, and numbers for the prose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from dlcore.data import points2d
from dlcore.experiments.neural_network import Config, replay
from dlcore.history import History
from dlcore.knobs import knobs_of
from dlcore.mlp import forward, loss_slope, losses, unflatten
from dlcore.playground_run import Course
from dlcore.texts import Problem

THUMBNAIL = 150  # points in the small picture of a data set
LIVE = tuple(name for name, knob in knobs_of(Config).items() if knob.live)
UNSEEN = ("engine", "epochs")  # settings that the picture of a fresh network does not depend on
DASH = "…"
NUMBERS = (
    "units", "params", "train", "test", "batch", "steps", "eta", "epoch", "loss", "test_loss", "x1", "x2", "y", "z1",
    "a1", "logit", "chance", "point_loss", "slope", "start",
)  # fmt: skip


@lru_cache(maxsize=32)
def first_frame(config: Config) -> dict[str, np.ndarray]:
    """The network of ``config`` before its first step, as a film of one frame (see ``experiments.neural_network.run``).

    Milliseconds, in NumPy: the page draws it at every redraw. Where too few points are drawn so far, losses are NaN.
    Raises ``Problem`` where the config cannot be read.
    """
    blank = config.dataset == "points" and len(points2d.read_points(config.points)) < 2
    course = Course(replace(config, engine="numpy", dataset="circle" if blank else config.dataset), None)
    measured = {name: np.nan if blank else value for name, value in course.measure().items()}
    row = {"step": 0, "epoch": 0.0, "parameters": course.state.flat.astype(np.float32), **measured}
    return {name: np.array([value]) for name, value in row.items()}


REPLAY_SECONDS = 12.0  # others wait for their answers meanwhile


def frame_again(
    config: dict[str, Any], changes: list[Any], step: int, near: dict[str, Any] | str | None
) -> dict[str, Any]:
    """A frame of a run, computed again (``experiments.neural_network.replay``); config and result as builtins."""
    ran = Config(**config)
    course = Course(replace(ran, engine="numpy"), None)
    course.state.flat[:] = replay(ran, changes, step, near, REPLAY_SECONDS)
    row = {"step": step, "epoch": step / course.setup.steps_per_epoch, "parameters": course.state.flat}
    return {name: np.array([value]) for name, value in {**row, **course.measure()}.items()}


def still(config: Config) -> Config:
    """The config without what may change while it runs: equal for all configs that begin with the same network."""
    known = knobs_of(Config)
    own = () if config.dataset == "csv" else ("data_hash",)  # elsewhere it follows from the other settings
    return replace(config, **{name: known[name].default for name in (*LIVE, *UNSEEN, *own)})


def same_run(ran: Config, asked: Config) -> bool:
    """Whether a run of ``ran`` is what the settings ``asked`` describe, live ones left out."""
    known = knobs_of(Config)
    return all(getattr(ran, name) == getattr(asked, name) for name in known if name not in LIVE)


def rows(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Training and test points as rows of x1, x2, y, (n, 3) and (m, 3) float32; the drawn ones where there are few."""
    try:
        X, y, X_test, y_test = points2d.dataset(config)
    except Problem:
        if config.dataset != "points":
            raise
        return points2d.read_points(config.points).astype(np.float32), np.zeros((0, 3), np.float32)
    return np.column_stack([X, y]), np.column_stack([X_test, y_test])


@lru_cache(maxsize=1)
def thumbnails() -> dict[str, np.ndarray]:
    """A few points of every data set, (n, 3) float32; none for those that the user brings."""
    made = {}
    for name in points2d.NAMES:
        if name in ("csv", "points"):
            made[name] = np.zeros((0, 3), np.float32)
            continue
        found = points2d.generate(name, THUMBNAIL, 0.0, 0)
        made[name] = np.column_stack([found.X, found.y]).astype(np.float32)
    return made


def best(history: History, name: str) -> float | None:
    """The lowest value of a loss of the run so far; None where nothing has been measured."""
    values = history.epochs.column(name)
    values = values[np.isfinite(values)]
    return float(values.min()) if len(values) else None


def numbers(config: Config, history: History) -> dict[str, str]:
    """What the prose says with the run's numbers, ready to print; a dash where there are none."""
    try:
        X, y, X_test, _y_test = points2d.dataset(config)
        frame = first_frame(config)
    except Problem:
        return dict.fromkeys(NUMBERS, DASH)
    steps = -(-len(y) // min(config.batch_size, len(y)))
    last = history.frames.kept[-1] if len(history.frames) else {name: values[0] for name, values in frame.items()}
    return {
        "units": config.layers.replace(",", " + ") or "0",
        "params": f"{frame['parameters'].shape[1]:,}",
        "train": f"{len(X):,}",
        "test": f"{len(X_test):,}",
        "batch": f"{min(config.batch_size, len(y))}",
        "steps": f"{steps:,}",
        "eta": f"{config.learning_rate:g}",
        "start": f"{float(frame['train_loss'][0]):.3g}",
        "epoch": f"{float(last['epoch']):,.0f}",
        "loss": f"{float(last['train_loss']):.3g}",
        "test_loss": f"{float(last['test_loss']):.3g}",
        **_first_point(config, last["parameters"]),
    }


def _first_point(config: Config, flat: np.ndarray) -> dict[str, str]:
    """The first training point on its way through the network, for the formulas."""
    course = Course(replace(config, engine="numpy"), None)
    network = course.setup.architecture
    if flat.shape != (network.size,):
        flat = course.state.flat
    layers = unflatten(flat.astype(np.float64), network)
    cache = forward(layers, network, course.setup.X[:1].astype(np.float64))
    X = points2d.dataset(config)[0]
    f, y, loss = cache.output, course.y[:1].astype(np.float64), course.setup.loss  # (1,), (1,)
    return {
        "x1": f"{X[0, 0]:.2f}",
        "x2": f"{X[0, 1]:.2f}",
        "y": f"{y[0]:.3g}".replace("-", "−"),
        "logit": f"{f[0]:.3f}",
        "chance": f"{0.5 + 0.5 * np.tanh(f[0] / 2):.3f}" if course.classification else DASH,
        "z1": f"{cache.z[0][0, 0]:.3f}",
        "a1": f"{cache.a[1][0, 0]:.3f}",
        "point_loss": f"{losses(f, y, loss)[0]:.3g}",
        "slope": f"{np.asarray(loss_slope(f, y, loss))[0]:.3g}".replace("-", "−"),
    }


def solved(history: History, *, loss: float, **settings: Any) -> float | None:
    """How near the run came to a test loss, 1 where it is reached; None where it had other ``settings``."""
    if not fits(history.config, settings) or (reached := best(history, "test_loss")) is None:
        return None
    return min(1.0, loss / max(reached, 1e-12))


def fits(config: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether a run's config has these settings; one that is a function is asked about the value."""
    if not config:
        return False
    return all(want(config[name]) if callable(want) else config[name] == want for name, want in settings.items())


def units(layers: str) -> int:
    """Hidden units in all, of a text such as ``"4,2"``."""
    return sum(int(n) for n in layers.split(",")) if layers.strip() else 0
