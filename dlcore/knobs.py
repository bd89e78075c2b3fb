"""A lesson's settings: one dataclass field is one knob, with all that is needed to draw, check and share it.

``Config.learning_rate = knob(0.1, low=1e-4, high=1, log=True)`` gives the page its slider, the command line its
``--set learning_rate=0.3``, the link its ``?learning_rate=0.3`` and the checker its bounds.

A config class may define ``recipe(cls, given) -> dict``: defaults that depend on what was set (a network preset brings
its own learning rate). What is set explicitly always wins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from inspect import get_annotations
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import numpy as np

from dlcore.texts import N_, Problem

C = TypeVar("C")
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


@dataclass(frozen=True)
class Knob:
    """What is known of one setting. ``kind`` is the field's type: float, int, bool or str."""

    name: str
    kind: type
    default: Any
    low: float | None = None
    high: float | None = None
    log: bool = False
    step: float | None = None
    choices: tuple[str, ...] = ()
    label: str = ""
    help: str = ""
    unit: str = ""
    zero: str = ""  # the word for 0, where it is not meant as a number ("all", "off")
    live: bool = False  # may be changed while the run goes on
    advanced: bool = False  # folded away on the page; still in the link and on the command line


def knob(
    default: Any,
    *,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
    step: float | None = None,
    choices: Sequence[str] = (),
    label: str = "",
    help: str = "",
    unit: str = "",
    zero: str = "",
    live: bool = False,
    advanced: bool = False,
) -> Any:
    """A dataclass field that is a knob.

    Args:
        default: value when nobody sets it; its bounds are ``low <= value <= high`` (inclusive), or one of ``choices``.
        log: draw the slider on a logarithmic scale (``low`` must be positive).
        label, help: English, marked with ``N_``; ``help`` is the one line shown on hover.
        zero: what 0 means where it is not a number ("all"), marked too; written on the slider in its place.
        live: may be steered while the run goes on (``jobs.change``).
        advanced: shown folded.
    """
    if log and not (low and low > 0):
        raise ValueError("a logarithmic knob needs low > 0")
    meta = {
        "low": low, "high": high, "log": log, "step": step, "choices": tuple(choices),
        "label": label, "help": help, "unit": unit, "zero": zero, "live": live, "advanced": advanced,
    }  # fmt: skip
    return field(default=default, metadata={"knob": meta})


def knob_like(config_class: type, name: str, **changes: Any) -> Any:
    """A dataclass field that is the knob ``name`` of another config class with some of it changed (``default``, …).

    A config that defines a knob of its base anew so may place it first, or unfold it, without saying all of it again.
    """
    known = next(f for f in fields(config_class) if f.name == name)
    return knob(**{"default": known.default, **known.metadata["knob"], **changes})


@cache
def knobs_of(config_class: type) -> Mapping[str, Knob]:
    """The knobs of a config class by name: those that it defines (anew) itself first, then those of its bases.

    Kept, since a page asks dozens of times.
    """
    hints = get_type_hints(config_class)
    order = {name: place for place, name in enumerate(get_annotations(config_class))}
    knobs = {
        f.name: Knob(name=f.name, kind=hints[f.name], default=f.default, **f.metadata["knob"])
        for f in sorted(fields(config_class), key=lambda f: order.get(f.name, len(order)))
        if "knob" in f.metadata and f.default is not MISSING
    }
    return MappingProxyType(knobs)


def defaults_for(config_class: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every knob's default, after the recipe of what is given (see module docstring)."""
    defaults = {name: k.default for name, k in knobs_of(config_class).items()}
    recipe = getattr(config_class, "recipe", None)
    return {**defaults, **(recipe(given) if recipe else {})}


def build(config_class: type[C], given: Mapping[str, Any]) -> C:
    """A checked config from what was set explicitly; the rest comes from the recipe and the defaults.

    Raises:
        Problem: a name is unknown or a value is out of bounds (kind ``"knob"``).
    """
    known = knobs_of(config_class)
    for name in given:
        if name not in known:
            raise unknown_knob(name, known)
    checked = {name: check_value(known[name], value) for name, value in given.items()}
    return config_class(**{**defaults_for(config_class, checked), **checked})


def unknown_knob(name: str, known: Mapping[str, Knob]) -> Problem:
    """The Problem for a name that this lesson does not have; lists those it has."""
    return Problem(
        N_("There is no setting “{name}” here. The settings are: {names}."),
        kind="knob",
        name=name,
        names=", ".join(known),
    )


def parse(config_class: type[C], texts: Mapping[str, str]) -> C:
    """A checked config from texts, as they come from a link or a command line. Raises ``Problem``."""
    known = knobs_of(config_class)
    for name in texts:
        if name not in known:
            raise unknown_knob(name, known)
    return build(config_class, {name: read_value(known[name], text) for name, text in texts.items()})


def read_value(k: Knob, text: str) -> Any:
    """One knob's value from its text. Raises ``Problem`` where it is malformed or out of bounds."""
    text = text.strip()
    try:
        if k.kind is bool:
            if text.lower() not in TRUE | FALSE:
                raise ValueError
            return text.lower() in TRUE
        value = k.kind(text)
    except ValueError:
        kinds = {
            float: N_("“{text}” is not a number, and {name} needs one."),
            int: N_("“{text}” is not a whole number, and {name} needs one."),
            bool: N_("“{text}” is neither true nor false, and {name} needs one of the two."),
        }
        raise Problem(kinds[k.kind], kind="knob", name=k.name, text=text[:40]) from None
    return check_value(k, value)


def check_value(k: Knob, value: Any) -> Any:
    """``value`` itself where it fits the knob, as the knob's own type; else a ``Problem`` that names the bounds."""
    if k.choices and value not in k.choices:
        raise Problem(
            N_("{name} cannot be “{value}”. It is one of: {choices}."),
            kind="knob", name=k.name, value=str(value)[:40], choices=", ".join(k.choices),
        )  # fmt: skip
    if k.kind in (int, float):
        if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
            raise Problem(
                N_("“{text}” is not a number, and {name} needs one."), kind="knob", name=k.name, text=str(value)[:40]
            )
        too_low = k.low is not None and value < k.low
        too_high = k.high is not None and value > k.high
        if too_low or too_high or not math.isfinite(value):
            raise Problem(
                N_("{name} = {value} is out of range. It goes from {low} to {high}."),
                kind="knob", name=k.name, value=_bound(value), low=_bound(k.low), high=_bound(k.high),
            )  # fmt: skip
        if k.kind is int and value != int(value):
            raise Problem(
                N_("“{text}” is not a whole number, and {name} needs one."),
                kind="knob",
                name=k.name,
                text=str(value),
            )
    return k.kind(value)


def _bound(value: Any) -> str:
    too_long = isinstance(value, int) and abs(value) > 10**300  # beyond what a float can hold
    return "∞" if value is None or too_long else f"{value:g}"


def to_text(value: Any) -> str:
    """One value as it stands in a link: short, and read back exactly by ``read_value``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)


def to_texts(config: Any) -> dict[str, str]:
    """The shortest set of texts from which ``parse`` gives this config again, in the order of the knobs."""
    values = {name: getattr(config, name) for name in knobs_of(type(config))}
    given: dict[str, Any] = {}
    while True:  # each name that is kept may bring a recipe, so the defaults are asked for again
        defaults = defaults_for(type(config), given)
        name = next((n for n, v in values.items() if n not in given and v != defaults[n]), None)
        if name is None:
            return {n: to_text(v) for n, v in values.items() if n in given}
        given[name] = values[name]


def to_argv(config: Any) -> list[str]:
    """The same as command-line arguments: ``["--set", "learning_rate=0.3", …]``."""
    return [part for name, text in to_texts(config).items() for part in ("--set", f"{name}={text}")]
