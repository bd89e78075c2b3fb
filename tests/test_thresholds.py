"""Everything that hangs on the threshold is what scikit-learn says it is."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from dlcore import thresholds as T


@st.composite
def samples(draw, both: bool = True):
    """Labels and scores, with ties; both classes occur if asked for."""
    n = draw(st.integers(2, 40))
    y = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    if both:
        y[:2] = True, False
    coarse = draw(st.booleans())
    values = st.integers(0, 4).map(lambda k: k / 4) if coarse else st.floats(0, 1)
    return y, np.array(draw(st.lists(values, min_size=n, max_size=n)))


@given(samples(both=False), st.floats(0, 1))
def test_counts_and_measures_at_a_threshold(data, threshold):
    y, scores = data
    said = scores >= threshold
    c = T.counts(T.curves(y, scores), threshold)
    assert [[c.tn, c.fp], [c.fn, c.tp]] == metrics.confusion_matrix(y, said, labels=[False, True]).tolist()
    assert c.accuracy == pytest.approx(metrics.accuracy_score(y, said))
    pairs = {
        c.precision: metrics.precision_score, c.recall: metrics.recall_score, c.f1: metrics.f1_score,
    }  # fmt: skip
    for ours, theirs in pairs.items():
        assert ours == pytest.approx(theirs(y, said, zero_division=np.nan), nan_ok=True)  # type: ignore[arg-type]
    flipped = metrics.recall_score(~y, ~said, zero_division=np.nan)  # type: ignore[arg-type]
    assert c.specificity == pytest.approx(flipped, nan_ok=True)
    if y.any() and not y.all():
        assert c.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(y, said))


@given(samples())
def test_roc_and_its_area(data):
    y, scores = data
    found = T.curves(y, scores)
    fpr, tpr, thresholds = metrics.roc_curve(y, scores, drop_intermediate=False)
    np.testing.assert_allclose(found.fpr, fpr)
    np.testing.assert_allclose(found.tpr, tpr)
    np.testing.assert_array_equal(found.thresholds, thresholds)
    assert T.area_under_roc(found) == pytest.approx(metrics.roc_auc_score(y, scores))


@given(samples())
def test_precision_recall_and_average_precision(data):
    y, scores = data
    found = T.curves(y, scores)
    precision, recall, _ = metrics.precision_recall_curve(y, scores)
    np.testing.assert_allclose(T.precisions(found)[::-1], precision)
    np.testing.assert_allclose(found.tpr[::-1], recall)
    assert T.average_precision(found) == pytest.approx(metrics.average_precision_score(y, scores))


@given(samples(), st.floats(0.001, 0.9), st.floats(0, 1))
def test_prevalence_is_a_weight_that_roc_does_not_feel(data, prevalence, threshold):
    """The aha: precision and accuracy move, the ROC curve and its area stay where they are."""
    y, scores = data
    found = T.curves(y, scores)
    one, other = T.weights(found, prevalence)
    weight = np.where(y, one, other)
    c, plain = T.counts(found, threshold, prevalence), T.counts(found, threshold)
    said = scores >= threshold
    assert (c.tp + c.fn) / c.total == pytest.approx(prevalence)
    assert c.total == pytest.approx(len(y))
    assert c.accuracy == pytest.approx(metrics.accuracy_score(y, said, sample_weight=weight))
    theirs = metrics.precision_score(y, said, sample_weight=weight, zero_division=np.nan)  # type: ignore[arg-type]
    assert c.precision == pytest.approx(theirs, nan_ok=True)
    average = metrics.average_precision_score(y, scores, sample_weight=weight)
    assert T.average_precision(found, prevalence) == pytest.approx(average)
    assert (c.recall, c.specificity) == pytest.approx((plain.recall, plain.specificity))
    assert T.area_under_roc(found) == pytest.approx(metrics.roc_auc_score(y, scores, sample_weight=weight))


def test_prevalence_moves_precision_and_accuracy():
    y = np.arange(200) % 2 == 0
    scores = np.where(y, 0.6, 0.4) + np.linspace(-0.3, 0.3, 200)
    found = T.curves(y, scores)
    rare, even = T.counts(found, 0.5, 0.01), T.counts(found, 0.5)
    assert rare.precision < 0.1 < 0.6 < even.precision
    assert T.average_precision(found, 0.01) < 0.5 * T.average_precision(found)


@given(samples(), st.floats(0.1, 100), st.sampled_from([None, 0.05, 0.5]))
def test_the_cheapest_threshold_is_the_cheapest_of_all(data, ratio, prevalence):
    y, scores = data
    found = T.curves(y, scores)
    best = T.counts(found, T.cheapest(found, ratio, prevalence), prevalence).cost(ratio)
    every = [T.counts(found, t, prevalence).cost(ratio) for t in [np.inf, *scores.tolist()]]
    assert best == pytest.approx(min(every))


def test_honest_probabilities_are_cheapest_at_elkans_threshold():
    rng = np.random.default_rng(0)
    p = rng.uniform(0, 1, 200_000)
    found = T.curves(rng.random(len(p)) < p, p)
    for ratio in (1.0, 9.0):
        assert T.cheapest(found, ratio) == pytest.approx(1 / (1 + ratio), abs=0.03)


@given(samples(both=False), st.integers(2, 12))
def test_histogram_is_read_off_the_curves(data, bins):
    y, scores = data
    edges = np.linspace(0.05, 0.95, bins + 1)
    ups, downs = T.histogram(T.curves(y, scores), edges)
    inner = [-np.inf, *edges[1:-1], np.inf]
    np.testing.assert_array_equal(ups, np.histogram(scores[y], inner)[0])
    np.testing.assert_array_equal(downs, np.histogram(scores[~y], inner)[0])


def test_thinning_keeps_ends_and_area():
    rng = np.random.default_rng(1)
    y = rng.random(5000) < 0.2
    found = T.curves(y, rng.normal(size=5000) + y)
    few = T.thinned(found, 300)
    assert len(few) <= 300
    assert few[0] == 0
    assert found.tps[few[-1]] == found.positives
    assert np.trapezoid(found.tpr[few], found.fpr[few]) == pytest.approx(T.area_under_roc(found), abs=2e-3)


@pytest.mark.parametrize("y", [np.zeros(5, bool), np.ones(5, bool)], ids=["none", "all"])
def test_a_single_class_gives_no_area_and_no_fault(y):
    found = T.curves(y, np.linspace(0, 1, 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(T.area_under_roc(found))
        assert T.weights(found, 0.3) == (1.0, 1.0)
        assert np.isnan(T.counts(found, 0.5, 0.3).recall) == (not y.any())
