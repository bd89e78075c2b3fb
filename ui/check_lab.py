"""The gradient check: our gradient, torch's and the difference quotient side by side, and the U of its error."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import streamlit as st

from dlcore.figures import backprop
from dlcore.gradient_check import LARGEST, SMALLEST, Check, check, torch_gradients
from dlcore.graph_math import number
from dlcore.knobs import Knob
from dlcore.texts import N_, Problem
from ui.controls import put_extra, read_extra
from ui.graph_lab import Bench
from ui.i18n import _
from ui.later import as_it_comes, later
from ui.live_plot import live_plot
from ui.session import set_up_by_teacher
from ui.slider import Mark, slider

EXTRA = ("epsilon",)
FIRST = 1e-2
EPSILON = Knob("epsilon", float, FIRST, SMALLEST, LARGEST, label=N_("Step ε"))


def draw(bench: Bench) -> Check:
    """Draw it for the leaf in hand; returns what is shown."""
    epsilon = read_extra(EPSILON) or FIRST
    with st.container(key="lab-check"):
        panel, picture = st.columns([1, 2.7], gap="large")
    with panel:
        best = check(bench.expression, bench.leaves, bench.leaf, epsilon).best
        if not set_up_by_teacher():
            marks = [Mark(best, _("best"), "best")] if math.isfinite(best) else []
            epsilon = slider(
                _(EPSILON.label), key="backpropagation.epsilon", low=SMALLEST, high=LARGEST, value=epsilon, log=True,
                marks=marks, controlled=True, help=_("How far the leaf is moved to either side."),
            )  # fmt: skip
            put_extra("epsilon", "" if epsilon == FIRST else f"{epsilon:g}")
        result = check(bench.expression, bench.leaves, bench.leaf, epsilon)
        _side_by_side(bench, result)
    with picture:
        figure = backprop.check_curve(
            result.epsilon, result.errors, result.truncation, result.rounding, (epsilon, result.error), label=_
        )
        live_plot(
            figure, key="check", height=330,
            alt=_("Error of the difference quotient against its step: a U with its lowest point near the best step."),
        )  # fmt: skip
    _verdict(bench, result)
    return result


def _side_by_side(bench: Bench, result: Check) -> None:
    """The three numbers, all digits; torch's comes from a worker as soon as it is there."""
    key = ("torch-gradients", bench.expression.text, tuple(bench.leaves.items()))
    ask = partial(later, key, torch_gradients, bench.expression.text, dict(bench.leaves))
    as_it_comes(partial(_table, bench, result), ask)


def _table(bench: Bench, result: Check, torch: dict[str, float] | None, problem: Problem | None) -> None:
    theirs = f"`{torch[bench.leaf]:.15g}`" if torch else (_("not now") if problem else "…")
    rows = [
        f"| ∂/∂{bench.leaf} | |",
        "|:--|:--|",
        f"| {_('ours')} | `{result.ours:.15g}` |",
        f"| torch.autograd | {theirs} |",
        f"| {_('quotient')} | `{result.quotient:.15g}` |",
        f"| {_('its error')} | {number(result.error, 2)} |",
    ]
    st.markdown("\n".join(rows))


def _verdict(bench: Bench, result: Check) -> None:
    """What the numbers mean."""
    finite = result.errors[np.isfinite(result.errors)]
    relative, lowest = result.error / max(abs(result.ours), 1e-300), float(finite.min()) if len(finite) else math.nan
    with st.container(key="prose-check-verdict"):
        if bench.graph.fault() or not math.isfinite(result.ours) or not len(finite):
            st.markdown(_("At this place there is no finite gradient to check."))
        elif lowest > 1e-3 * max(abs(result.ours), 1e-9):
            st.markdown(_(
                "No ε brings the two together. Either the gradient is wrong, or there is a kink at this place, as relu "
                "and abs have at 0: there is no derivative there, only a convention."))  # fmt: skip
        elif result.error <= 1e-8:
            st.markdown(_("They agree to {error}. A gradient that passes this check is right.").format(
                error=number(result.error, 1)))  # fmt: skip
        else:
            st.markdown(_(
                "They differ by {error} ({share} of the gradient). It is the quotient that is inexact here: "
                "the best any ε reaches is {lowest}.").format(
                    error=number(result.error, 2), share=number(relative, 1), lowest=number(lowest, 1)))  # fmt: skip
