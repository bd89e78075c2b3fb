"""Dates in a table, in the ways in which spreadsheets write them, as years: 1949.5 is the middle of 1949."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "?", "."}  # cells that hold nothing
YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?(?:[T ](\d{1,2}):(\d{2})(?::\d{2}.*)?)?Z?")
YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[T ](\d{1,2}):(\d{2})(?::\d{2}.*)?)?")


def date(cell: str, day_first: bool | None = None) -> float | None:
    """A date as a year with its fraction: 1949-07, 1949-07-02, 2.7.1949, 7/2/1949, with or without a time; else None.

    Args:
        day_first: how to read 7/2/1949; None: by its sign, a point stands after the day.
    """
    if found := YEAR_FIRST.fullmatch(cell):
        year, month, day, hour, minute = (int(part or 0) for part in found.groups())
    elif found := YEAR_LAST.fullmatch(cell):
        one, two, year, hour, minute = (int(part or 0) for part in found.groups())
        day, month = (one, two) if (day_first if day_first is not None else "." in cell) else (two, one)
    else:
        return None
    try:
        moment, first = datetime(year, month, day or 1, hour, minute), datetime(year, 1, 1)
        length = datetime(year + 1, 1, 1) - first
    except ValueError:
        return None
    return year + (moment - first) / length


def read_dates(column: list[str]) -> list[float | None]:
    """Dates (see ``date``), NaN where one is missing. If one can only be day.month.year, all are read like that."""
    plain = [None if cell.lower() in MISSING else date(cell) for cell in column]
    if any(d is None and cell.lower() not in MISSING for d, cell in zip(plain, column, strict=True)):
        for day_first in (True, False):
            other = [date(cell, day_first) for cell in column]
            if sum(d is not None for d in other) > sum(d is not None for d in plain):
                plain = other
    return [math.nan if cell.lower() in MISSING else d for d, cell in zip(plain, column, strict=True)]


def moment(year: float) -> datetime:
    """The inverse of ``date``, to the nearest minute."""
    first = datetime(int(year), 1, 1)
    return first + timedelta(minutes=round((year - int(year)) * ((datetime(int(year) + 1, 1, 1) - first).days * 1440)))
