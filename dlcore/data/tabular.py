"""Small tables for regression: scikit-learn's diabetes, a generated line, points that somebody clicked.

All are NumPy only. The web process shows them without importing scikit-learn (80 MB): its data files are read by path.
Tables that somebody uploads live in ``dlcore.data.own``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dlcore.texts import N_, Problem

# scikit-learn's names, and what the columns hold (Efron, Hastie, Johnstone, Tibshirani 2004).
DIABETES = {
    "age": N_("Age (years)"),
    "sex": N_("Sex (coded 1 or 2)"),
    "bmi": N_("Body mass index (kg/m²)"),
    "bp": N_("Blood pressure (mmHg)"),
    "s1": N_("Total cholesterol (mg/dl)"),
    "s2": N_("LDL cholesterol (mg/dl)"),
    "s3": N_("HDL cholesterol (mg/dl)"),
    "s4": N_("Total / HDL cholesterol"),
    "s5": N_("Log of triglycerides"),
    "s6": N_("Blood sugar (mg/dl)"),
}
PROGRESSION = N_("Disease progression after a year")
LINE_SIZE, LINE_INTERCEPT, LINE_SLOPE = 100, 1.0, 2.0
MOST_POINTS = 100  # what still travels in a link of about 1,500 characters


@dataclass(frozen=True, eq=False)
class Tabular:
    """Features and target of a regression, in their own units.

    Attributes:
        X: features, (N, d) float64.
        y: target, (N,) float64.
        names: what each column of X holds, d texts (English, some marked for translation).
        target: what y holds.
    """

    X: np.ndarray
    y: np.ndarray
    names: tuple[str, ...]
    target: str

    @property
    def digest(self) -> str:
        """16 hex digits that name these numbers: equal for equal X and y, on every machine."""
        sha = hashlib.sha256(str(self.X.shape).encode())
        sha.update(np.ascontiguousarray(self.X, dtype="<f8").tobytes())
        sha.update(np.ascontiguousarray(self.y, dtype="<f8").tobytes())
        return sha.hexdigest()[:16]


def checked(data: Tabular) -> Tabular:
    """``data`` itself where a line can be fitted to it; else a ``Problem`` that says what is missing."""
    if len(data.y) < 2:
        raise Problem(N_("A line needs at least two points, and there are {n}. Add some."), kind="data", n=len(data.y))
    for name, column in zip(data.names, data.X.T, strict=True):
        if np.ptp(column) == 0:
            raise Problem(
                N_(
                    "“{name}” has the same value in every row ({value}), so nothing can depend on it. "
                    "Choose another column, or add points beside it."
                ),
                kind="data",
                name=name,
                value=f"{column[0]:g}",
            )
    return data


@lru_cache(maxsize=1)
def _diabetes_files() -> tuple[np.ndarray, np.ndarray]:
    """The ten raw columns (442, 10) and the target (442,), from the files that scikit-learn ships."""
    spec = find_spec("sklearn")  # finds the package without importing it
    folder = Path(spec.origin).parent / "datasets" / "data" if spec and spec.origin else None
    try:
        if folder is None:
            raise FileNotFoundError("scikit-learn")
        return np.loadtxt(folder / "diabetes_data_raw.csv.gz"), np.loadtxt(folder / "diabetes_target.csv.gz")
    except OSError as error:
        raise Problem(
            N_(
                "The diabetes data comes with scikit-learn, and its file was not found ({error}). "
                "Install scikit-learn again, or choose the generated line."
            ),
            kind="data_missing",
            error=str(error),
        ) from None


@lru_cache(maxsize=16)
def diabetes(feature: str) -> Tabular:
    """442 patients; ``feature`` is a key of ``DIABETES`` or ``"all"``. Raw units, not scikit-learn's scaled columns."""
    X, y = _diabetes_files()
    chosen = list(DIABETES) if feature == "all" else [feature]
    columns = [list(DIABETES).index(name) for name in chosen]
    return Tabular(X[:, columns], y, tuple(DIABETES[name] for name in chosen), PROGRESSION)


@lru_cache(maxsize=64)
def line(noise: float, outliers: int, seed: int) -> Tabular:
    """100 points around y = 1 + 2x, x uniform in [0, 10].

    Args:
        noise: standard deviation of the normal error on y.
        outliers: how many of the points are lifted by 15 to 25, all to one side, so that they pull the line.
        seed: same seed, same points; more outliers or noise leave the other draws as they are.
    """
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 10, LINE_SIZE)  # (100,)
    error = rng.normal(0, 1, LINE_SIZE)
    lifted, lift = rng.permutation(LINE_SIZE)[:outliers], rng.uniform(15, 25, LINE_SIZE)
    y = LINE_INTERCEPT + LINE_SLOPE * x + noise * error
    y[lifted] += lift[lifted]
    return Tabular(x[:, None], y, ("x",), "y")


@lru_cache(maxsize=64)
def points(text: str) -> Tabular:
    """Clicked points from their text in the link (see ``read_points``)."""
    pairs = read_points(text)  # (N, 2)
    return checked(Tabular(pairs[:, :1], pairs[:, 1], ("x",), "y"))


def read_points(text: str) -> np.ndarray:
    """Points as they stand in a link, ``"1.5_2~3_-4.25"``, as (N, 2) float64; no characters that a link must escape.

    Raises:
        Problem: the text is malformed, or holds more than ``MOST_POINTS`` points.
    """
    if not text:
        return np.zeros((0, 2))
    try:
        pairs = np.array([[float(v) for v in pair.split("_")] for pair in text.split("~")], dtype=float)
        if pairs.ndim != 2 or pairs.shape[1] != 2 or not np.isfinite(pairs).all() or np.abs(pairs).max() > 1e12:
            raise ValueError
    except ValueError:
        raise Problem(
            N_("The points in this link cannot be read. Points look like 1.5_2~3_4: x_y, with ~ between them."),
            kind="data",
        ) from None
    if len(pairs) > MOST_POINTS:
        raise Problem(
            N_("At most {most} points can travel in a link, and there are {n}. Upload the rest as a CSV file."),
            kind="data",
            most=MOST_POINTS,
            n=len(pairs),
        )
    return pairs


def write_points(pairs: np.ndarray) -> str:
    """The inverse of ``read_points``, to four significant digits: what a click can mean, and short in a link."""
    return "~".join(f"{x:.4g}_{y:.4g}".replace("e+", "e") for x, y in np.asarray(pairs, dtype=float).reshape(-1, 2))
