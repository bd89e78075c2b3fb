"""Series of numbers, one after the other: made up, real, or somebody's own; no value is missing in what is handed out.

NumPy only. The real ones come from the catalogue (``dlcore.data.catalogue``), own ones from ``dlcore.data.own``.
"""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlcore.data import catalogue, own
from dlcore.data.years import date, moment
from dlcore.texts import N_, Problem

LENGTH = 600  # values of a series that is made up
WARM_UP, EVERY, FINE = 300, 3, 10  # Mackey–Glass: values thrown away, time between two, steps of the solver in one time
TAU = 17  # delay, at which the equation is chaotic
DAY, MONTH = 1 / 365.25, 1 / 12  # years
MADE = ("sines", "walk", "chaos")
REAL = {  # column, what it holds, unit, season in steps (0: to be found in the data)
    "sunspots": (N_("sunspots"), "", 0),
    "temperature": (N_("lowest temperature"), "°C", 365),
    "airline": (N_("passengers, thousands"), "", 12),
}
FEWEST = 20


@dataclass(frozen=True, eq=False)
class Series:
    """Equally spaced values.

    Attributes:
        values: (N,) float64, all finite.
        title: what they are; marked with ``N_`` except for a column of somebody's own.
        unit: of the values, may be empty.
        season: how many steps a season has by the calendar, or by how the series was made; 0 where that is not known.
        times: (N,) in years (1949.5 is the middle of 1949); None where only the row number is known.
        filled: how many values were missing and are now the value before.
    """

    values: np.ndarray
    title: str
    unit: str = ""
    season: int = 0
    times: np.ndarray | None = None
    filled: int = 0

    @property
    def digest(self) -> str:
        """16 hex digits that name these numbers."""
        return hashlib.sha256(np.ascontiguousarray(self.values, dtype="<f8").tobytes()).hexdigest()[:16]

    def when(self, i: int) -> str:
        """The time of the value in row ``i`` as it is written on an axis: a date as exact as needed, or the row."""
        if self.times is None or len(self.times) < 2:
            return str(i)
        spacing = float(np.median(np.diff(self.times)))
        at = self.times[min(max(i, 0), len(self.times) - 1)] + spacing * (i - min(max(i, 0), len(self.times) - 1))
        if not 1 < at < 9999 or spacing > 0.9:
            return f"{at:.0f}"
        form = "%Y-%m" if spacing > 0.5 * MONTH else "%Y-%m-%d" if spacing > 0.9 * DAY else "%Y-%m-%d %H:%M"
        return moment(at).strftime(form)


@lru_cache(maxsize=32)
def sines(period: float, second: float, noise: float, seed: int) -> Series:
    """Two sine waves, the second half as high as the first, of random phases, with normal noise.

    Args:
        period, second: steps for one turn of each.
        noise: standard deviation; the waves have amplitudes 1 and 1/2.
    """
    rng, t = np.random.default_rng((seed, 1)), np.arange(LENGTH)
    one, two = rng.uniform(0, 2 * np.pi, 2)
    values = np.sin(2 * np.pi * t / period + one) + 0.5 * np.sin(2 * np.pi * t / second + two)
    return Series(values + noise * rng.normal(size=LENGTH), N_("two sine waves"), season=round(max(period, second)))


@lru_cache(maxsize=32)
def walk(seed: int) -> Series:
    """A random walk: each value is the one before and a normal step, so nothing forecasts it better than that one."""
    return Series(np.random.default_rng((seed, 2)).normal(size=LENGTH).cumsum(), N_("random walk"))


@lru_cache(maxsize=32)
def chaos(noise: float, seed: int) -> Series:
    """Mackey and Glass (1977): dx/dt = 0.2 x(t − 17) / (1 + x(t − 17)¹⁰) − 0.1 x(t); every third unit of time.

    Solved by Euler's method with ten steps a unit. ``noise`` is measured in standard deviations of the series.
    """
    rng, delay, step = np.random.default_rng((seed, 3)), TAU * FINE, 1 / FINE
    length = (WARM_UP + LENGTH) * EVERY * FINE
    x = np.empty(delay + length + 1)
    x[: delay + 1] = 1.2 + 0.1 * rng.normal()
    for i in range(delay, delay + length):
        late = x[i - delay]
        x[i + 1] = x[i] + step * (0.2 * late / (1 + late**10) - 0.1 * x[i])
    values = x[delay + 1 :][WARM_UP * EVERY * FINE :: EVERY * FINE][:LENGTH]
    return Series(values + noise * values.std() * rng.normal(size=LENGTH), N_("Mackey–Glass equation"))


@lru_cache(maxsize=4)
def real(name: str) -> Series:
    """A series of the catalogue. Raises ``Problem`` (kind "data_missing") where its file is not on this machine."""
    file = catalogue.dataset(name).files[0]
    try:
        lines = catalogue.content(name, file).decode().splitlines()
        rows = [row for row in csv.reader(lines) if len(row) == 2][1:]
        times = np.array([date(row[0]) for row in rows], dtype=float)
        values = np.array([float(row[1]) for row in rows])
    except (ValueError, TypeError) as error:
        raise catalogue.broken(Path(file), error) from None
    title, unit, season = REAL[name]
    return Series(values, title, unit, season, times)


@lru_cache(maxsize=8)
def from_table(fingerprint: str, column: str) -> Series:
    """A column of somebody's own table, in the order of its dates where it has any; "" takes the last column.

    A missing value becomes the one before: it may not be guessed from what comes after, which nobody knew then.

    Raises:
        Problem: the table is not here, has no such column, or that is too short or always the same.
    """
    table = own.load(fingerprint)
    columns = value_columns(table)
    column = column or (columns[-1] if columns else "")
    if column not in table.names:
        raise Problem(
            N_("This table has no column “{name}”. Its columns are: {names}."),
            kind="data", name=column, names=", ".join(table.names),
        )  # fmt: skip
    values, times = table.values[:, table.names.index(column)], _times(table, column)
    if times is not None:
        order = np.argsort(times, kind="stable")  # rows without a date go last, and are left out
        order = order[np.isfinite(times[order])]
        values, times = values[order], times[order]
    known = np.isfinite(values)
    if known.any():
        first = int(known.argmax())
        values, known, times = values[first:], known[first:], None if times is None else times[first:]
    if known.sum() < FEWEST:
        raise Problem(
            N_("“{name}” has {n} numbers, and a series needs {least}. Choose another column or a longer file."),
            kind="data", name=column, n=int(known.sum()), least=FEWEST,
        )  # fmt: skip
    newest = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))
    values = values[newest]
    if np.ptp(values) == 0:
        raise Problem(
            N_("“{name}” is always {value}: “as yesterday” is never wrong there, and nothing can be learned."),
            kind="data", name=column, value=f"{values[0]:g}",
        )  # fmt: skip
    return Series(values, column, times=times, filled=int((~known).sum()))


def value_columns(table: own.Table) -> tuple[str, ...]:
    """The columns that may be forecast: all but the dates."""
    return tuple(name for name in table.names if name not in table.dates)


def _times(table: own.Table, column: str) -> np.ndarray | None:
    """The years (N,) of a table: its first column of dates, else one of whole years; None where there is none."""
    for name in table.dates:
        return table.values[:, table.names.index(name)]
    for name, values in zip(table.names, table.values.T, strict=True):
        known = values[np.isfinite(values)]
        whole = len(known) > 1 and (known == np.round(known)).all() and known.min() >= 1000 and known.max() <= 3000
        if name != column and whole and (np.diff(known) > 0).all():
            return values
    return None


def spacing(series: Series) -> float:
    """Years between two values; NaN where that is not known."""
    return math.nan if series.times is None else float(np.median(np.diff(series.times)))
