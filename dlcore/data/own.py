"""Tables that somebody brings: read with care, kept under the fingerprint of their numbers.

A link carries the fingerprint and the names of two columns; the numbers stay in ``DLCORE_STATE/data``, where the
workers find them too.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlcore.data.kept import find, make_room, writing
from dlcore.data.tabular import Tabular, checked
from dlcore.data.years import MISSING, date, read_dates
from dlcore.jobs.store import state_dir
from dlcore.texts import N_, Problem

MOST_BYTES, MOST_ROWS, MOST_COLUMNS = 10_000_000, 20_000, 30
LARGEST = 1e12  # beyond it squares and their sums lose all their digits
KEPT_TABLES = 500  # the oldest go first, so that a public server's disk stays small


@dataclass(frozen=True, eq=False)
class Table:
    """The numeric columns of a file.

    Attributes:
        names: k column names.
        values: (N, k) float64, NaN where a cell is missing.
        skipped: cells that hold text amid a column's numbers; they count as missing.
        ignored: names of the columns that hold no numbers.
        dates: names of the columns that held dates, where these were asked for; their values are years (1949.5).
    """

    names: tuple[str, ...]
    values: np.ndarray
    skipped: int = 0
    ignored: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """16 hex digits that name these columns."""
        sha = hashlib.sha256("\x1f".join(self.names).encode())
        sha.update(np.ascontiguousarray(self.values, dtype="<f8").tobytes())
        return sha.hexdigest()[:16]


def read_csv(blob: bytes, *, series: bool = False) -> Table:
    """A table from a CSV file's bytes: any usual encoding, delimiter and decimal sign, with a header or without.

    Args:
        series: one column of numbers is enough, and columns of dates are read, too, as years.

    Raises:
        Problem: the file is empty, too large, no text, or has fewer than two numeric columns (one of a series) or two
            rows (kind "csv").
    """
    if len(blob) > MOST_BYTES:
        raise too_large(len(blob))
    rows = _rows(_decoded(blob))
    if not rows:
        raise Problem(N_("This file is empty. A CSV file has one row per line, such as “1.5,3.2”."), kind="csv")
    if len(rows) > MOST_ROWS + 1:
        raise Problem(
            N_("This file has {n} rows, and at most {most} are read. Keep a part of them and try again."),
            kind="csv", n=len(rows), most=MOST_ROWS,
        )  # fmt: skip
    return _table(rows, series)


def too_large(size: int) -> Problem:
    """The Problem for a file of ``size`` bytes, so that a page can tell it before reading the file."""
    return Problem(
        N_("This file has {size:.0f} MB, and at most {most:.0f} MB are read. Keep fewer rows or columns and retry."),
        kind="csv", size=size / 1e6, most=MOST_BYTES / 1e6,
    )  # fmt: skip


def _decoded(blob: bytes) -> str:
    """Text of a file: UTF-8 or UTF-16 with their marks, UTF-8, the Chinese standard, Western Windows, in this order."""
    if blob.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "gb18030", "cp1252"]
    for encoding in encodings:
        try:
            text = blob.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not re.search(r"[\x00-\x08\x0e-\x1f]", text):
            return text
    raise Problem(
        N_("This is not a text file. Save the table as CSV (in a spreadsheet: “Save as”, then “CSV UTF-8”)."),
        kind="csv",
    )


def _rows(text: str) -> list[list[str]]:
    """Cells of all lines that hold anything, split at the delimiter that the first lines agree on."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    delimiter = max(",;\t|", key=lambda sign: _agreement(lines, sign))
    try:
        rows = [
            [cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise Problem(N_("This file cannot be read as CSV ({error})."), kind="csv", error=str(error)) from None
    return [row for row in rows if any(row)]


def _agreement(lines: list[str], sign: str) -> tuple[float, int]:
    """How well a delimiter fits: the share of lines with the commonest positive count, then that count."""
    counts = Counter(line.count(sign) for line in lines)
    counts.pop(0, None)
    if not counts:
        return 0.0, 0
    count, lines_with = counts.most_common(1)[0]
    # A decimal comma is as regular as a delimiter, so a sign that is never part of a number goes first.
    return lines_with / len(lines) + (0.5 if sign != "," else 0.0), count


def _table(rows: list[list[str]], series: bool) -> Table:
    width = Counter(len(row) for row in rows).most_common(1)[0][0]
    if width > MOST_COLUMNS:
        raise Problem(
            N_("This file has {n} columns, and at most {most} are read."), kind="csv", n=width, most=MOST_COLUMNS
        )
    has_header = any(_number(cell) is None and date(cell) is None for cell in rows[0][:width])
    header = rows[0] if has_header else []
    body = rows[1:] if has_header else rows
    names = _names(header, width)
    cells, dated = [], []
    for j in range(width):
        column = [row[j] if j < len(row) else "" for row in body]
        read = [_number(cell) for cell in column]
        if series and not _is_numeric(read) and _is_numeric(found := read_dates(column)):
            read = found
            dated.append(j)
        cells.append(read)
    numeric = [j for j, column in enumerate(cells) if _is_numeric(column)]
    _check_size(len(numeric) - len(dated), len(body), width, series)
    values = np.array([[math.nan if v is None else v for v in cells[j]] for j in numeric], dtype=float).T
    skipped = sum(v is None for j in numeric for v in cells[j])
    ignored = tuple(names[j] for j in range(width) if j not in numeric)
    kept, dates = (tuple(names[j] for j in chosen) for chosen in (numeric, dated))
    return Table(kept, np.ascontiguousarray(values), skipped, ignored, dates)


def _check_size(numeric: int, rows: int, width: int, series: bool) -> None:
    """Raise a ``Problem`` where there are too few columns of numbers, or too few rows."""
    if series and not numeric:
        raise Problem(
            N_(
                "A series needs a column of numbers, and this file has none ({rows} rows, {columns} columns). "
                "Check the delimiter, and that the numbers are written as 3.5 or 3,5."
            ),
            kind="csv", rows=rows, columns=width,
        )  # fmt: skip
    if not series and numeric < 2:
        raise Problem(
            N_(
                "A line needs two columns of numbers, and this file has {n} ({rows} rows, {columns} columns). "
                "Check the delimiter, and that the numbers are written as 3.5 or 3,5."
            ),
            kind="csv", n=numeric, rows=rows, columns=width,
        )  # fmt: skip
    if rows < 2:
        raise Problem(N_("This file has {n} row of numbers, and at least two are needed."), kind="csv", n=rows)


def _names(header: list[str], width: int) -> list[str]:
    """Column names, made where missing and numbered where repeated."""
    names: list[str] = []
    for j in range(width):
        name = (header[j][:60] if j < len(header) else "") or f"column {j + 1}"
        seen = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({seen + 1})" if seen else name)
    return names


def _number(cell: str) -> float | None:
    """A cell's number, NaN where it is missing, None where it is text; a decimal comma is read as a point."""
    if cell.lower() in MISSING:
        return math.nan
    text = cell.replace("\u2212", "-").replace("\u00a0", "").replace(" ", "")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)", text):  # 1,234.5
        text = text.replace(",", "")
    elif text.count(",") == 1 and "." not in text:  # 1,5
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST else None


def _is_numeric(column: list[float | None]) -> bool:
    """Whether more than half of the cells that hold anything are numbers."""
    held = [v for v in column if v is None or not math.isnan(v)]
    return sum(v is not None for v in held) * 2 > len(held)


def folder() -> Path:
    """Where own tables are kept."""
    return state_dir() / "data"


def keep(table: Table) -> str:
    """Keep a table for later runs and links on this server; returns its fingerprint."""
    place = folder() / f"{table.fingerprint}.npz"
    if not place.exists():
        try:
            with writing(place) as file:
                names, ignored = np.array(table.names), np.array(table.ignored, dtype=str)
                np.savez_compressed(
                    file, names=names, ignored=ignored, values=table.values, skipped=table.skipped,
                    dates=np.array(table.dates, dtype=str),
                )  # fmt: skip
        except OSError as error:
            raise Problem(
                N_("The table cannot be kept on this server ({error}). Is the folder DLCORE_STATE writable?"),
                kind="state",
                error=str(error),
            ) from None
        make_room(place, most=KEPT_TABLES)
    return table.fingerprint


@lru_cache(maxsize=4)
def _load(place: Path) -> Table:
    with np.load(place, allow_pickle=False) as file:
        known = ("names", "ignored", "dates")  # tables of earlier versions have no dates
        names, ignored, dates = (tuple(str(n) for n in file[key]) if key in file else () for key in known)
        return Table(names, file["values"], int(file["skipped"]), ignored, dates)


def load(fingerprint: str) -> Table:
    """The table of that fingerprint. Raises ``Problem`` (kind "data_missing") where it is not here."""
    place = find(
        folder(), fingerprint, ".npz",
        none=N_("No table is here yet. Upload a CSV file with two columns of numbers."),
        lost=N_("This link names a table ({fingerprint}) that is not on this computer. "
                "Upload the same CSV file, and the same picture comes back."),
    )  # fmt: skip
    return _load(place)


def x_default(table: Table) -> str:
    """The first column but the last whose values differ from one another; the first where there is none."""
    with np.errstate(invalid="ignore"):
        varies = [len(np.unique(column[np.isfinite(column)])) > 1 for column in table.values.T[:-1]]
    return table.names[varies.index(True)] if any(varies) else table.names[0]


@lru_cache(maxsize=16)
def columns(fingerprint: str, x: str, y: str) -> Tabular:
    """Two columns of an own table; "" chooses (``x_default``; the last for y). Rows that lack either are left out.

    Raises:
        Problem: the table is not here, has no such column, or no line can be fitted to it.
    """
    table = load(fingerprint)
    x, y = x or x_default(table), y or table.names[-1]
    for name in (x, y):
        if name not in table.names:
            raise Problem(
                N_("This table has no column “{name}”. Its columns are: {names}."),
                kind="data", name=name, names=", ".join(table.names),
            )  # fmt: skip
    pairs = table.values[:, [table.names.index(x), table.names.index(y)]]
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    return checked(Tabular(pairs[:, :1].copy(), pairs[:, 1].copy(), (x,), y))
