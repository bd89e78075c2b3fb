"""The bootstrap: what it computes is scikit-learn's number on resampled data, and its intervals hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dlcore import resampling as R


def test_means_are_spread_as_theory_says():
    values = np.random.default_rng(0).random(400) < 0.8
    means = R.bootstrap_means(values.astype(float), 4000)
    p = values.mean()
    assert means.mean() == pytest.approx(p, abs=0.002)
    assert means.std() == pytest.approx(np.sqrt(p * (1 - p) / 400), rel=0.05)


def test_areas_are_scikit_learns_on_the_same_resamples():
    rng = np.random.default_rng(1)
    y = rng.random(80) < 0.3
    scores = np.round(rng.normal(size=80) + y, 1)  # with ties
    areas = R.bootstrap_auc(y, scores, 20, seed=5)
    again = np.random.default_rng(5)
    for area in areas:
        rows = again.integers(0, 80, 80)
        assert area == pytest.approx(roc_auc_score(y[rows], scores[rows]))


def test_a_class_that_was_not_drawn_gives_no_area():
    areas = R.bootstrap_auc(np.array([True, False, False]), np.array([0.9, 0.1, 0.2]), 200)
    assert np.isnan(areas).any()
    low, high = R.interval(areas)
    assert 0 <= low <= high <= 1


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """200 test sets of 200 samples with a true accuracy of 0.8: at 95 % some 190 intervals hold it."""
    rng = np.random.default_rng(3)
    hits = 0
    for k in range(200):
        right = (rng.random(200) < 0.8).astype(float)
        low, high = R.interval(R.bootstrap_means(right, 400, seed=k))
        hits += low <= 0.8 <= high
    assert 180 <= hits <= 198


def test_a_quarter_of_the_samples_makes_the_interval_twice_as_wide():
    right = (np.arange(4000) % 5 > 0).astype(float)
    wide, narrow = (np.ptp(R.interval(R.bootstrap_means(right[:n]))) for n in (1000, 4000))
    assert wide / narrow == pytest.approx(2, rel=0.15)


def test_the_same_seed_is_the_same_answer():
    right = np.arange(50) % 3 > 0
    first, again = (R.uncertainty(right, right, np.arange(50) / 50.0, 7) for _ in range(2))
    for name in ("accuracies", "areas"):
        assert first[name].shape == (R.RESAMPLES,)
        np.testing.assert_array_equal(first[name], again[name])
