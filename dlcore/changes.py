"""Changes made while a run went on, as text: ``[[120,"learning_rate",0.003]]``, for a link and the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dlcore.events import Changed
from dlcore.experiments import experiment
from dlcore.knobs import check_value, knobs_of, unknown_knob
from dlcore.texts import N_, Problem

MOST_CHARACTERS, MOST_CHANGES = 8000, 500


def write(changes: Sequence[Changed]) -> str:
    """The changes as text; empty where there are none."""
    rows = [[change.step, change.name, change.value] for change in changes]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False) if rows else ""


def carried(changes: Sequence[Changed]) -> Sequence[Changed]:
    """What a link or a command can carry of them: all, or none where ``read`` would refuse so many."""
    return changes if len(changes) <= MOST_CHANGES and len(write(changes)) <= MOST_CHARACTERS else ()


def read(text: str, name: str, config: Mapping[str, Any]) -> tuple[Changed, ...]:
    """The changes that a text tells of, each checked against the experiment ``name`` with the settings ``config``.

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
    return tuple(_change(row, text, name, config) for row in rows)


def _change(row: Any, text: str, lesson: str, config: Mapping[str, Any]) -> Changed:
    match row:
        case [int() as step, str() as name, value] if step >= 0 and not isinstance(step, bool):
            return Changed(step, name, check(lesson, config, name, value))
    raise _unreadable(text)


def check(lesson: str, config: Mapping[str, Any], name: str, value: Any) -> Any:
    """``value`` where a run of that experiment takes it: of a live knob, or of one of its ``ACTIONS``.

    Raises:
        Problem: the setting is unknown, cannot be changed while the run goes on, or the value does not fit.
    """
    module = experiment(lesson)
    known, actions = knobs_of(module.Config), getattr(module, "ACTIONS", {})
    if name in actions:
        return actions[name](module.Config(**config), value)
    if name not in known:
        raise unknown_knob(name[:40], known)
    if not known[name].live:
        raise Problem(
            N_("{name} cannot be changed while the run goes on. Start a new run with it."), kind="knob", name=name
        )
    return check_value(known[name], value)


def _unreadable(text: str) -> Problem:
    return Problem(
        N_("“{text}” tells of no changes: write them as [[step, name, value], …]."), kind="changes", text=text[:60]
    )
