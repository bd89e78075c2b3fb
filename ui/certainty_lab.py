"""How sure is the score itself? Accuracy and AUC over resamples of the test samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs, resampling
from dlcore.evaluation_story import alike
from dlcore.figures import certainty
from dlcore.texts import N_, Problem
from dlcore.thresholds import area_under_roc, curves
from ui.controls import extra_choice
from ui.i18n import _, tell
from ui.live_plot import live_plot
from ui.session import imposed
from ui.sources import Source
from ui.threshold_lab import positive_class

EXTRA = ("cases",)
SIZES = (50, 200, 1000)  # test samples that are made believe, and all


def draw(source: Source) -> None:
    """Draw the two histograms for as many test samples as are chosen."""
    total = len(source.labels)
    choices = [*(n for n in SIZES if n < total), total]
    asked, choose = extra_choice("cases", [str(n) for n in (total, *choices[:-1])])
    count = int(asked)
    st.segmented_control(
        _("Test samples"), choices, required=True, format_func=lambda n: f"{n:,}",
        help=_("As if only so many had been tested."),
        **imposed(f"evaluation.cases.{total}", count, lambda n: choose(str(n))),
    )  # fmt: skip
    positive = positive_class(source)
    chosen = np.random.default_rng(0).permutation(total)[:count]
    right = (source.probabilities.argmax(1) == source.labels)[chosen]
    found = curves(source.labels[chosen] == positive, source.probabilities[chosen, positive])
    try:
        drawn = _drawn(source.name, positive, count, right, source, chosen)
    except Problem as problem:
        st.warning(tell(problem))
        return
    measured = {"accuracies": float(right.mean()), "areas": area_under_roc(found)}
    titles = {"accuracies": N_("accuracy"), "areas": N_("area under the ROC curve (AUC)")}
    for column, (name, title) in zip(st.columns(2, gap="large"), titles.items(), strict=True):
        with column:
            _histogram(name, title, drawn[name], measured[name])


def _histogram(name: str, title: str, values: np.ndarray, measured: float) -> None:
    if not np.isfinite(values).any():
        st.caption(_("Among these samples there are not two classes: no AUC."))
        return
    span = resampling.interval(values)
    form = ".3~p" if name == "accuracies" else ""
    live_plot(
        certainty.resamples(values, span, measured, title, x_format=form, label=_), key=f"bootstrap-{name}", height=260,
        alt=_("Histogram of {what} over 2,000 resamples, with its 95% interval.").format(what=_(title)),
    )  # fmt: skip
    words = _("{what}: {measured}, with a 95% interval from {low} to {high}.")
    texts = alike(measured, *span, as_percent=name == "accuracies")
    st.markdown(words.format(what=_(title), measured=f"**{texts[0]}**", low=texts[1], high=texts[2]))


@st.cache_resource(max_entries=64, show_spinner=False)
def _drawn(
    name: str, positive: int, count: int, _right: np.ndarray, _source: Source, _chosen: np.ndarray
) -> dict[str, Any]:
    labels, scores = _source.labels[_chosen] == positive, _source.probabilities[_chosen, positive]
    return jobs.call(resampling.uncertainty, _right, labels, scores.astype(float), timeout=60)
