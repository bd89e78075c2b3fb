"""The figures of the evaluation lesson: valid for Plotly, and the right colour on either side of the cut."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.figures import DATA, MODEL, certainty, evaluation, thresholds

EDGES = np.array([0.001, 0.1, 0.5, 0.9, 0.999])
RNG = np.random.default_rng(0)
RATES = np.linspace(0, 1, 20)
CLAIMS = (np.array([0.2, np.nan, 0.9]), np.array([0.1, np.nan, 0.7]), np.array([3, 0, 9]))
EMPTY = (np.full(3, np.nan), np.full(3, np.nan), np.zeros(3))


def histogram(cut: float = 0.3, best: float | None = 0.5) -> Any:
    return thresholds.score_histogram(EDGES, np.array([1, 2, 3, 4]), np.zeros(4), cut, best, "1234", ("ill", "well"))


FIGURES: dict[str, Any] = {
    "histogram": histogram(),
    "histogram without a best": histogram(best=None),
    "roc": thresholds.roc(RATES, np.sqrt(RATES), (0.2, 0.4), (0.1, 0.3), 0.9),
    "roc of one class": thresholds.roc(RATES * np.nan, RATES, (np.nan, 0.4), (np.nan, 0.3), np.nan),
    "precision-recall": thresholds.precision_recall(RATES, 1 - RATES, (0.2, 0.4), (0.1, 0.3), 0.9, 0.01),
    "cell": thresholds.cell_scores(EDGES, np.arange(4), np.arange(4)),
    "reliability": certainty.reliability(CLAIMS, CLAIMS),
    "empty reliability": certainty.reliability(EMPTY, EMPTY),
    "resamples": certainty.resamples(RNG.normal(size=500), (-2, 2), 0.1, "x"),
    "a difference": certainty.resamples(RNG.normal(3, 1, 500), (1, 5), 3.0, "x", zero=True),
    "always the same": certainty.resamples(np.full(10, 0.5), (0.5, 0.5), 0.5, "x"),
    "never a number": certainty.resamples(np.full(10, np.nan), (0, 1), 0.5, "x"),
    "folds": certainty.folds(np.arange(30) % 5, np.arange(30) % 2, 5),
    "strips": certainty.strips([RNG.random(9), RNG.random(9)], ["A", "B"], 0.5, title="x"),
    "no strips yet": certainty.strips([np.zeros(0)], ["A"], None, title="x"),
    "matrix": evaluation.confusion(np.array([[1.5, 0], [2, 3000]]), ["a", "b"], chosen=(1, 0)),
    "shares": evaluation.confusion(np.array([[1, 3], [0, 0]]), ["a", "b"], shares=True),
}


def test_bins_of_few_samples_are_pale_and_on_no_line():
    said, true, count = np.array([0.1, 0.5, 0.7, 0.9]), np.array([0.0, 0.4, 1.0, 0.8]), np.array([9, 10, 3, 500])
    many, few, *_after = certainty.reliability((said, true, count), CLAIMS)._data
    assert (many["mode"], few["mode"]) == ("lines+markers", "markers")
    assert (many["x"].tolist(), few["x"].tolist()) == ([0.5, 0.9], [0.1, 0.7])
    assert few["marker"]["opacity"] < many["marker"]["opacity"] / 2


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_valid(name):
    figure: Any = FIGURES[name]
    checked: Any = go.Figure(data=[dict(t) for t in figure._data], layout=dict(figure._layout))
    assert len(checked.data) >= 1


@given(st.floats(0.002, 0.998))
def test_bars_change_colour_exactly_at_the_cut(cut):
    left, right = histogram(cut).data[:2]  # of the positives
    at = float(thresholds.log_odds(cut))
    assert (left.marker.color, right.marker.color) == (MODEL, DATA), "missed, found"
    ends = np.asarray(left.x) + np.asarray(left.width) / 2
    begins = np.asarray(right.x) - np.asarray(right.width) / 2
    assert ends.max() == pytest.approx(at)
    assert begins.min() == pytest.approx(at)
    total = np.sum(left.width) + np.sum(right.width)
    assert total == pytest.approx(np.ptp(thresholds.log_odds(EDGES)))


def test_cells_say_counts_or_shares():
    assert list(FIGURES["matrix"].data[0].text[0]) == ["1.5", ""]
    assert list(FIGURES["matrix"].data[0].text[1]) == ["2", "3,000"]
    assert list(FIGURES["shares"].data[0].text[0]) == ["25.0%", "75.0%"]
    frame = FIGURES["matrix"].layout.shapes[0]
    assert (frame.x0, frame.y0) == (-0.5, 0.5), "row 1, column 0"


def test_bins_of_a_share_have_equal_steps():
    """Resampled shares of 50 samples lie on a grid of 1/50: no bin holds more places of it than another."""
    values = np.random.default_rng(1).binomial(50, 0.8, 2000) / 50
    edges = certainty._even_edges(values)
    held = [int(np.sum((np.arange(51) / 50 > a) & (np.arange(51) / 50 < b))) for a, b in itertools.pairwise(edges)]
    assert set(held[:-1]) == {held[0]}
    assert np.histogram(values, edges)[0].sum() == 2000
