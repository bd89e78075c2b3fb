"""Points in the plane for a small network: two classes (labels −1 and 1) or a number to be predicted (about −1 to 1).

NumPy only, and cheap: the page draws what the run is trained on. Every generator fills the square [−6, 6]², and a seed
gives the same points on every machine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from dlcore.data import own
from dlcore.texts import N_, Problem

EDGE = 6.0
MOST_POINTS = 100  # what still travels in a link
MOST_ROWS = 2000
PADDING = 0.3  # between classes that touch, so that no label is a matter of rounding
EXAMPLE_POINTS = "-3_-2_-1~-2_-3_-1~-4_0_-1~-1_-4_-1~2_3_1~3_1_1~1_4_1~4_2_1"


@dataclass(frozen=True)
class Choice:
    """The settings that say which points, and nothing else; ``neural_network.Config`` has them among its own."""

    dataset: str
    count: int
    noise: float
    train_share: float
    seed: int
    points: str
    data_hash: str
    columns: str


@dataclass(frozen=True, eq=False)
class Points:
    """All points before they are parted: X (N, 2) in [−6, 6]², y (N,), whether y is a class, and the columns' names."""

    X: np.ndarray
    y: np.ndarray
    classification: bool
    names: tuple[str, str, str] = ("x1", "x2", "y")


def circle(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A disc within a ring."""
    y = alternating(n)
    radius = np.where(y > 0, rng.uniform(0, 2.4, n), rng.uniform(3.4, 5, n))
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]), y


def xor(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Opposite quadrants have the same class."""
    X = rng.uniform(0, 5 - PADDING, (n, 2)) + PADDING
    X *= rng.choice([-1, 1], (n, 2))
    return X, np.sign(X[:, 0] * X[:, 1])


def gauss(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two round clouds, which a straight line parts."""
    y = alternating(n)
    return 2 * y[:, None] + rng.normal(0, 0.8, (n, 2)), y


def spiral(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arms of one and three quarter turns, wound into one another (after Lang and Witbrock 1988)."""
    y = alternating(n)
    along = rng.uniform(0, 1, n)
    angle = 1.75 * 2 * np.pi * along + np.where(y > 0, 0, np.pi)
    return 5 * along[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), y


def moons(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two half rings, each reaching into the other."""
    y = alternating(n)
    angle = rng.uniform(0, np.pi, n)
    upper = np.column_stack([3 * np.cos(angle) - 1.5, 3 * np.sin(angle) - 0.75])
    return np.where(y[:, None] > 0, upper, -upper) + rng.normal(0, 0.15, (n, 2)), y


def checkerboard(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Four by four squares."""
    cell, inside = rng.integers(0, 4, (n, 2)), rng.uniform(0.06, 0.94, (n, 2))
    return (cell + inside) * 2.5 - 5, np.where(cell.sum(1) % 2, -1.0, 1.0)


def alternating(n: int) -> np.ndarray:
    """Labels 1, −1, 1, … so that the classes are of the same size."""
    return np.where(np.arange(n) % 2, -1.0, 1.0)


CLASSES: dict[str, Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]] = {
    "circle": circle, "xor": xor, "gauss": gauss, "spiral": spiral, "moons": moons, "checkerboard": checkerboard,
}  # fmt: skip


def bumps(X: np.ndarray) -> np.ndarray:
    """Three hills and three hollows."""
    places = np.array([[-4, 2.5], [0, 2.5], [4, 2.5], [-4, -2.5], [0, -2.5], [4, -2.5]])
    heights = np.array([1, -1, 1, -1, 1, -1])
    squares = ((X[:, None, :] - places) ** 2).sum(-1)  # (n, 6)
    return np.exp(-squares / 3) @ heights


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sine": lambda X: np.sin(X[:, 0]),
    "cubic": lambda X: (X[:, 0] / 5) ** 3 * 2.5 - 1.5 * X[:, 0] / 5,
    "abs": lambda X: np.abs(X[:, 0]) / 2.5 - 1,
    "plane": lambda X: (X[:, 0] + X[:, 1]) / 10,
    "hills": bumps,
}
NAMES = (*CLASSES, *FUNCTIONS, "csv", "points")

FEATURES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "x1": lambda X: X[:, 0],
    "x2": lambda X: X[:, 1],
    "x1^2": lambda X: X[:, 0] ** 2,
    "x2^2": lambda X: X[:, 1] ** 2,
    "x1*x2": lambda X: X[:, 0] * X[:, 1],
    "sin(x1)": lambda X: np.sin(X[:, 0]),
    "sin(x2)": lambda X: np.sin(X[:, 1]),
}


def expand(X: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """The network's inputs for points X (N, 2): (N, len(names)), unscaled, in the type of X."""
    return np.column_stack([FEATURES[name](X) for name in names]).astype(X.dtype, copy=False)


def generate(name: str, count: int, noise: float, seed: int) -> Points:
    """``count`` points of the data set ``name``.

    Args:
        noise: 0 to 0.5. Classes keep their labels while the points move by a normal error of deviation 2 · noise;
            the numbers of a regression get one of deviation ``noise``. Other noise leaves the other draws as they are.
    """
    rng = np.random.default_rng((2, seed))
    if name in CLASSES:
        X, y = CLASSES[name](rng, count)
        return Points(np.clip(X + 2 * noise * rng.normal(0, 1, X.shape), -EDGE, EDGE), y, True)
    X = rng.uniform(-5, 5, (count, 2))
    return Points(X, FUNCTIONS[name](X) + noise * rng.normal(0, 1, count), False)


def read_points(text: str) -> np.ndarray:
    """Points of a link, ``"1.5_2_1~-3_0_-1"`` (x1_x2_label), as (N, 3) float64.

    Raises:
        Problem: the text is malformed, a label is neither 1 nor −1, or there are more than ``MOST_POINTS``.
    """
    if not text:
        return np.zeros((0, 3))
    try:
        rows = np.array([[float(v) for v in row.split("_")] for row in text.split("~")], dtype=float)
        if rows.ndim != 2 or rows.shape[1] != 3 or not (np.abs(rows[:, :2]) <= EDGE).all():
            raise ValueError
        if not (np.abs(rows[:, 2]) == 1).all():
            raise ValueError
    except ValueError:
        raise Problem(
            N_(
                "The points in this link cannot be read. They look like 1.5_2_1~-3_0_-1: x1_x2_label with ~ between "
                "them, x1 and x2 from -6 to 6, the label 1 or -1."
            ),
            kind="data",
        ) from None
    if len(rows) > MOST_POINTS:
        raise Problem(
            N_("At most {most} points can travel in a link, and there are {n}. Upload the rest as a CSV file."),
            kind="data", most=MOST_POINTS, n=len(rows),
        )  # fmt: skip
    return rows


def write_points(rows: np.ndarray) -> str:
    """The inverse of ``read_points`` for (N, 3), to a hundredth: what a click can mean, and short in a link."""
    return "~".join(f"{round(x, 2):g}_{round(y, 2):g}_{label:.0f}" for x, y, label in np.reshape(rows, (-1, 3)))


@lru_cache(maxsize=16)
def table(fingerprint: str, columns: str, count: int, seed: int) -> Points:
    """Three columns of an own table (``x1~x2~label``; "" takes the first two and the last), fitted into the square.

    A label column of two values names two classes; any other is a number to be predicted, scaled to [−1, 1]. Of more
    rows than ``count`` a random part is taken.
    """
    data = own.load(fingerprint)
    if len(data.names) < 3:
        raise Problem(
            N_("This table has {n} columns of numbers, and three are needed: two to predict from and the label."),
            kind="data", n=len(data.names),
        )  # fmt: skip
    names = tuple(columns.split("~")) if columns else (*data.names[:2], data.names[-1])
    missing = [name for name in names if name not in data.names]
    if missing or len(names) != 3:
        raise Problem(
            N_("Choose three columns of this table, as x1~x2~label. Its columns are: {names}."),
            kind="data", names=", ".join(data.names),
        )  # fmt: skip
    rows = data.values[:, [data.names.index(name) for name in names]]
    rows = rows[np.isfinite(rows).all(1)]
    if len(rows) < 2:
        raise Problem(
            N_("Only {n} rows of this table have a number in all three columns, and at least two are needed."),
            kind="data", n=len(rows),
        )  # fmt: skip
    rows = rows[np.random.default_rng((3, seed)).permutation(len(rows))[:count]]
    classification = len(np.unique(rows[:, 2])) == 2
    return Points(
        5 * centered(rows[:, :2]), centered(rows[:, 2:])[:, 0], classification, (names[0], names[1], names[2])
    )


def centered(columns: np.ndarray) -> np.ndarray:
    """Each column moved and scaled to [−1, 1]; 0 where all its values are equal."""
    low, high = columns.min(0), columns.max(0)
    return (2 * columns - low - high) / np.where(high > low, high - low, 1)


def points(config: Any) -> Points:
    """The points that the config (or ``Choice``) names. Raises ``Problem`` where they are missing or cannot be read."""
    if config.dataset == "csv":
        return table(config.data_hash, config.columns, min(config.count, MOST_ROWS), config.seed)
    if config.dataset != "points":
        return generate(config.dataset, config.count, config.noise, config.seed)
    rows = read_points(config.points)
    if len(rows) < 2:
        raise Problem(N_("At least two points are needed, and there are {n}. Draw some."), kind="data", n=len(rows))
    return Points(rows[:, :2], rows[:, 2], True)


def dataset(config: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The points parted by chance: X_train (n, 2), y_train (n,), X_test (m, 2), y_test (m,), all float32.

    Each part has at least one point. Kept, so that a page may ask at every redraw; do not write into them.
    """
    return _dataset(Choice(**{f.name: getattr(config, f.name) for f in fields(Choice)}))


@lru_cache(maxsize=32)
def _dataset(choice: Choice) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    found = points(choice)
    n = len(found.y)
    order = np.random.default_rng((4, choice.seed)).permutation(n)
    first = min(max(round(n * choice.train_share), 1), n - 1)
    X, y = found.X[order].astype(np.float32), found.y[order].astype(np.float32)
    arrays = (X[:first], y[:first], X[first:], y[first:])
    for array in arrays:
        array.flags.writeable = False
    return arrays


def is_classification(config: Any) -> bool:
    """Whether labels are classes."""
    if config.dataset in FUNCTIONS:
        return False
    return points(config).classification if config.dataset == "csv" else True
