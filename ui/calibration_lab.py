"""Does "80% sure" come true in 80 of 100 cases? The reliability diagram, and a temperature that one can turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from dlcore import calibration
from dlcore.calibration import brier, claims, fit_temperature, halves, negative_log_likelihood, reliability, tempered
from dlcore.evaluation_story import percent
from dlcore.figures import certainty
from dlcore.knobs import Knob
from dlcore.texts import N_
from ui import sources
from ui.controls import put_extra, read_extra
from ui.i18n import _
from ui.live_plot import live_plot
from ui.session import set_up_by_teacher
from ui.slider import Mark, slider
from ui.sources import Source

EXTRA = ("temperature",)
COLDEST, HOTTEST = 0.1, 20.0
TEMPERATURE = Knob("temperature", float, 1.0, COLDEST, HOTTEST, label=N_("Temperature T"))
DULL = 0.05  # a calibration error that leaves little to mend


@dataclass(frozen=True)
class Measured:
    """Calibration errors on the second half of the samples, as the classifier says it and tempered; the best T."""

    before: float
    after: float
    best: float


def draw(source: Source) -> Measured:
    """Draw slider, diagram and numbers."""
    first, second, best = _fitted(source.name, source)
    P, y = source.probabilities[second], source.labels[second]
    with st.container(key="lab-calibration"):
        panel, picture = st.columns([1, 2.7], gap="large")
    with panel:
        temperature = _temperature(best)
        st.caption(
            _("The mark was fitted on one half of the samples ({fit}). All that is shown is the other half ({test}).")
            .format(fit=f"{len(first):,}", test=f"{len(second):,}")
        )  # fmt: skip
    Q = tempered(P, temperature)
    before, after = (reliability(*claims(p, y)) for p in (P, Q))
    with picture:
        diagram, words = st.columns([1.35, 1], gap="medium")
    with diagram:
        rows = [(r.said, r.true, r.count) for r in (before, after)]
        live_plot(
            certainty.reliability(*rows, label=_), key="reliability", height=380,
            alt=_("Share that came true against the probability that was said, before and after the temperature."),
            table={_("from"): before.edges[:-1].round(3), _("said"): after.said.round(4),
                   _("came true"): after.true.round(4), _("samples"): after.count},
        )  # fmt: skip
    with words:
        st.html(_table(P, Q, y, before.error, after.error))
        st.caption(_what(source))
        if before.error < DULL and not set_up_by_teacher():
            st.caption(_("This classifier means what it says, more or less."))
            words = _("Examine one that is too sure")
            st.button(words, icon=":material/swap_horiz:", key="evaluation.boaster", on_click=sources.take,
                      args=("by_heart",))  # fmt: skip
    return Measured(before.error, after.error, best)


@st.cache_resource(max_entries=32, show_spinner=False)
def _fitted(name: str, _source: Source) -> tuple[np.ndarray, np.ndarray, float]:
    first, second = halves(len(_source.labels))
    return first, second, fit_temperature(_source.probabilities[first], _source.labels[first])


def _temperature(best: float) -> float:
    value = read_extra(TEMPERATURE) or 1.0
    if set_up_by_teacher():
        return value
    value = slider(
        _(TEMPERATURE.label), key="evaluation.temperature", low=COLDEST, high=HOTTEST, value=value, log=True,
        marks=[Mark(best, _("fitted"), "best")], controlled=True,
        help=_("The logits are divided by it: above 1 the classifier becomes more modest, below 1 surer."),
    )  # fmt: skip
    put_extra("temperature", "" if value == 1.0 else f"{value:.6g}")
    return value


def _table(P: np.ndarray, Q: np.ndarray, y: np.ndarray, before: float, after: float) -> str:
    """Four numbers before and after; the first does not move."""
    rows = [
        (_("accuracy"), percent(float((P.argmax(1) == y).mean())), percent(float((Q.argmax(1) == y).mean()))),
        (_("calibration error (ECE)"), f"{before:.3f}", f"{after:.3f}"),
        (_("cross-entropy (NLL)"), f"{negative_log_likelihood(P, y):.3f}", f"{negative_log_likelihood(Q, y):.3f}"),
        (_("Brier score"), f"{brier(P, y):.3f}", f"{brier(Q, y):.3f}"),
    ]
    body = "".join(f"<tr><th scope='row'>{w}</th><td>{a}</td><td><b>{b}</b></td></tr>" for w, a, b in rows)
    head = f"<tr><th></th><td>{_('as it says')}</td><td>{_('tempered')}</td></tr>"
    return f"<table class='dl-measures'>{head}{body}</table>"


def _what(source: Source) -> str:
    if source.binary:
        return _("The claim is “positive”, with its probability; {bins} bins of equal width.").format(
            bins=calibration.BINS
        )
    return _("The claim is the likeliest class, with its probability; {bins} bins of equal width.").format(
        bins=calibration.BINS
    )
