"""A slider that answers while it is dragged, with a logarithmic scale and marks for limits.

The stock slider sends one value, on release. This one sends at most ten a second, the newest first of all, so that the
picture beside it moves with the finger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any, Literal

import streamlit as st

from ui.components import component
from ui.last_word import LastWord

_mount = component("slider", height="4.25rem")
_in_lab: ContextVar[bool] = ContextVar("in_lab", default=False)
HELD = "slider-held"  # in the session's state: whether the slider that spoke last is being dragged


@dataclass(frozen=True)
class Mark:
    """A place on the track: ``"limit"`` (what lies above is out of bounds), ``"best"``, or ``"note"``."""

    value: float
    label: str = ""
    kind: Literal["limit", "best", "note"] = "note"


def slider(
    label: str,
    *,
    key: str,
    low: float,
    high: float,
    value: float,
    log: bool = False,
    odds: bool = False,
    step: float | None = None,
    marks: Sequence[Mark] = (),
    unit: str = "",
    zero: str = "",
    help: str = "",
    color: str | None = None,
    disabled: bool = False,
    controlled: bool = False,
    on_change: Callable[[], None] = lambda: None,
) -> float:
    """Draw the slider and return its value, ``low <= value <= high``.

    The user's own value stays, as with stock widgets, until ``value`` becomes one that was neither given nor returned
    last (a preset, another data set) or ``put`` sets one. With ``controlled=True`` the page keeps the value itself: it
    passes what was returned last, and whatever else it passes holds, unless the user has moved the slider since. A user
    who is dragging is never interrupted in either case.

    Args:
        label, unit, zero, help: translated texts; ``zero`` is written for 0 where given, ``help`` is shown on hover.
        key: unique on the page; the widget's identity.
        log: logarithmic track (``low > 0``); values are rounded to three significant digits.
        odds: for probabilities (0 < low, high < 1): the track is even in ln(p / (1 − p)), so that 0.001 and 0.999 have
            as much room as 0.5.
        step: grid of a linear track, counted from ``low``; ``None`` for a thousandth of the range. An integral ``step``
            with integral ``low`` gives whole numbers.
        marks: drawn on the track; values outside of it are left out.
        color: of the filled track, any CSS colour (a meaning from ``dlcore.figures``); default: the theme's.
        controlled: the page keeps the value (see above).
        on_change: called before the rerun, as with stock widgets.

    Raises:
        ValueError: the bounds are not finite, in the wrong order, or not positive on a logarithmic track.
    """
    bounded = math.isfinite(low) and math.isfinite(high) and low < high
    if not bounded or (log and low <= 0) or (odds and not 0 < low < high < 1):
        raise ValueError(f"a {'logarithmic ' if log else ''}slider cannot go from {low} to {high}")
    known = _Known.of(key)
    state = st.session_state.get(key)

    def moved() -> None:
        st.session_state[HELD] = bool(((st.session_state.get(key) or {}).get("value") or {}).get("held"))
        on_change()

    value = min(max(value, low), high)
    shown, fresh = known.choose(state, value, low, high, controlled)
    seq = known.seq + known.differs(state, shown)
    data = {
        "label": label, "low": low, "high": high, "value": shown, "log": log, "odds": odds, "step": step, "unit": unit,
        "zero": zero, "help": help, "color": color, "disabled": disabled, "seq": seq,
        "release": _in_lab.get(),  # only there does letting go ask for more than the last value did
        "marks": [asdict(m) for m in marks if math.isfinite(m.value) and low <= m.value <= high],
    }  # fmt: skip
    _mount(key=key, data=data, on_value_change=moved)  # a newer rerun may end this one here: remember afterwards
    known.drawn(seq, value, shown, fresh)
    return shown


def is_held() -> bool:
    """Whether this run was asked for by a slider that is still being dragged. True for one caller a run."""
    return st.session_state.pop(HELD, False)


@contextmanager
def released_too() -> Iterator[None]:
    """Sliders drawn within also tell that they were let go, where no new value would tell it."""
    token = _in_lab.set(True)
    try:
        yield
    finally:  # a rerun may end the drawing here
        _in_lab.reset(token)


def put(key: str, value: float) -> None:
    """Set the slider ``key`` to ``value`` from now on, whatever the user had chosen (a reset button, a preset)."""
    _Known.of(key).put = value


def overrule(key: str) -> None:
    """What the browser has said so far of a controlled slider counts no more: the page has set the value itself.

    A move that a newer click overtook has not been acted on, and would be taken for the user's last word.
    """
    if known := st.session_state.get(f"{key}:slider"):
        known.void = True


class _Known(LastWord[float]):
    """What the server remembers of one slider between reruns."""

    @classmethod
    def of(cls, key: str) -> _Known:
        return st.session_state.setdefault(f"{key}:slider", cls())

    def valid(self, value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            return None
        return float(value)

    def choose(self, state: Any, value: float, low: float, high: float, controlled: bool) -> tuple[float, int | None]:
        """As ``decide``, within the bounds, which may have moved since."""
        shown, number = self.decide(state, value, controlled)
        return min(max(shown, low), high), number
