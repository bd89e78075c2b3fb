"""One knob as one widget: our slider for what can be dragged, the stock one that fits for all else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dlcore.knobs import Knob
from ui.i18n import _
from ui.names import name_for
from ui.slider import Mark, slider

FEW, LETTERS = 4, 32  # choices that stand side by side, and letters of all together; more go into a list
WIDEST = 1e6  # a track of a few hundred pixels cannot choose within more; the number is typed then


def label_of(knob: Knob) -> str:
    """What a knob is called on the page."""
    return _(knob.label) or knob.name


def short(value: Any) -> str:
    """A value in a sentence."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def draggable(knob: Knob) -> bool:
    """A seed is no quantity, and what has no bounds, or immense ones, has no track."""
    if knob.low is None or knob.high is None or knob.kind not in (int, float) or knob.choices or knob.name == "seed":
        return False
    return knob.log or knob.high - knob.low <= WIDEST


def dragged(knob: Knob, key: str, value: Any, marks: Sequence[Mark]) -> Any:
    """Our own slider."""
    step = knob.step or (1 if knob.kind is int else None)
    texts: dict[str, Any] = {"label": label_of(knob), "help": _(knob.help), "unit": _(knob.unit), "zero": _(knob.zero)}
    scale: dict[str, Any] = {"low": knob.low, "high": knob.high, "log": knob.log, "step": step, "marks": marks}
    return knob.kind(slider(**texts, **scale, key=key, value=value, controlled=True))


def stock(knob: Knob, labels: Mapping[str, str], state: dict[str, Any]) -> None:
    """The widget of Streamlit that fits the knob, with the ``state`` that ``imposed`` gave it."""
    texts: dict[str, Any] = {"label": label_of(knob), "help": _(knob.help) or None, **state}
    if knob.choices:
        plain = {choice: name_for(labels, knob.name, choice) for choice in knob.choices}
        name = {choice: _(text) for choice, text in plain.items()}.__getitem__
        letters = sum(map(len, map(str, plain.values())))  # of the English names: alike in every language
        if len(knob.choices) <= FEW and letters <= LETTERS:
            st.segmented_control(**texts, options=knob.choices, format_func=name, required=True)
        else:
            st.selectbox(**texts, options=knob.choices, format_func=name)
    elif knob.kind is bool:
        st.toggle(**texts)
    elif knob.kind is str:
        st.text_input(**texts)
    else:
        low, high = (None if bound is None else knob.kind(bound) for bound in (knob.low, knob.high))
        step = knob.step or (1 if knob.kind is int else None)
        digits = None if step else "%.6g"  # else a small value would be shown as 0.00
        st.number_input(**texts, min_value=low, max_value=high, step=step, format=digits)
