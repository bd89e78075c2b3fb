"""Changes made while a run went on, as text: ``[[120,"learning_rate",0.003]]``, for a link and the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dlcore.events import Changed
from dlcore.knobs import check_value, knobs_of
from dlcore.texts import N_, Problem

MOST_CHARACTERS, MOST_CHANGES = 8000, 500


def write(changes: Sequence[Changed]) -> str:
    """The changes as text; empty where there are none."""
    rows = [[change.step, change.name, change.value] for change in changes]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False) if rows else ""


def read(text: str, config_class: type) -> tuple[Changed, ...]:
    """The changes that a text tells of, each checked against its knob.

    Raises:
        Problem: the text is no list of [step, name, value], or a change does not fit the lesson (kind ``"changes"``
            or ``"knob"``).
    """
    if not text:
        return ()
    try:
        rows = json.loads(text) if len(text) <= MOST_CHARACTERS else None
    except (ValueError, RecursionError):
        rows = None
    if not isinstance(rows, list) or len(rows) > MOST_CHANGES:
        raise _unreadable(text)
    return tuple(_change(row, text, config_class) for row in rows)


def _change(row: Any, text: str, config_class: type) -> Changed:
    match row:
        case [int() as step, str() as name, value] if step >= 0 and not isinstance(step, bool):
            return Changed(step, name, check_live(config_class, name, value))
    raise _unreadable(text)


def check_live(config_class: type, name: str, value: Any) -> Any:
    """``value`` where the knob may be steered while a run goes on and the value fits. Raises ``Problem``."""
    knob = knobs_of(config_class).get(name)
    if knob is None or not knob.live:
        raise Problem(
            N_("{name} cannot be changed while the run goes on. Start a new run with it."), kind="knob", name=name[:40]
        )
    return check_value(knob, value)


def _unreadable(text: str) -> Problem:
    return Problem(
        N_("“{text}” tells of no changes: write them as [[step, name, value], …]."), kind="changes", text=text[:60]
    )
