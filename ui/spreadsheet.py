"""Tables to take home: what a spreadsheet would run as a formula becomes a text."""

from __future__ import annotations

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # what a cell that is computed may begin with


def harmless(value: Any) -> Any:
    """A cell's value; a text that begins like a formula gets an apostrophe before it, as spreadsheets write it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) and not _is_number(value) else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
