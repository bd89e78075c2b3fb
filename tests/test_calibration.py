"""Calibration: a case by hand, what temperature may and may not do, and the effect that the lesson shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss

from dlcore import calibration as C
from dlcore import evaluation_sources


def random_answers(n: int = 500, k: int = 4, seed: int = 0, sharp: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are too sure of themselves (logits multiplied by ``sharp``) and labels drawn honestly."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, k)) * 1.5
    honest = C.tempered(np.exp(z) / np.exp(z).sum(1, keepdims=True), 1.0)
    labels = np.array([rng.choice(k, p=p) for p in honest])
    return C.tempered(honest, 1 / sharp), labels


def test_error_of_a_case_by_hand():
    """Two bins: ten claims of 0.9 of which 6 come true, and ten of 0.3 of which 4 do: (0.3 + 0.1) / 2."""
    said = np.repeat([0.9, 0.3], 10)
    true = np.array([1] * 6 + [0] * 4 + [1] * 4 + [0] * 6)
    found = C.reliability(said, true, bins=2)
    assert found.count.tolist() == [10, 10]
    assert found.said.tolist() == pytest.approx([0.3, 0.9])
    assert found.true.tolist() == pytest.approx([0.4, 0.6])
    assert found.error == pytest.approx(0.2)


def test_empty_bins_and_the_edges():
    found = C.reliability(np.array([0.0, 1.0, 0.5]), np.array([False, True, True]), bins=4)
    assert found.count.tolist() == [1, 0, 1, 1]
    assert np.isnan(found.said[1])
    assert found.error == pytest.approx(0.5 / 3)


def test_bins_are_those_of_scikit_learn():
    rng = np.random.default_rng(2)
    said = rng.uniform(0, 1, 400)
    true = rng.random(400) < said**2
    ours = C.reliability(said, true, 10)
    theirs_true, theirs_said = calibration_curve(true, said, n_bins=10)
    np.testing.assert_allclose(ours.true, theirs_true)
    np.testing.assert_allclose(ours.said, theirs_said)


@given(st.floats(0.1, 20), st.integers(0, 50))
def test_temperature_changes_no_answer(temperature, seed):
    P, y = random_answers(60, 5, seed)
    Q = C.tempered(P, temperature)
    np.testing.assert_array_equal(Q.argmax(1), P.argmax(1))
    np.testing.assert_allclose(Q.sum(1), 1)
    assert (Q.argmax(1) == y).mean() == (P.argmax(1) == y).mean()


def test_likelihood_and_brier_are_scikit_learns():
    P, y = random_answers(300, 2)
    assert C.negative_log_likelihood(P, y) == pytest.approx(log_loss(y, P))
    assert C.brier(P, y) == pytest.approx(2 * brier_score_loss(y, P[:, 1]))
    P, y = random_answers(300, 5)
    assert C.negative_log_likelihood(P, y) == pytest.approx(log_loss(y, P, labels=range(5)))


def test_fitted_temperature_undoes_the_sharpening():
    P, y = random_answers(20_000, sharp=3.0)
    assert C.fit_temperature(P, y) == pytest.approx(3.0, rel=0.05)


def test_fitted_temperature_has_the_least_likelihood_loss():
    P, y = random_answers(400, sharp=2.0, seed=3)
    best = C.fit_temperature(P, y)
    losses = [C.negative_log_likelihood(C.tempered(P, best * f), y) for f in (0.95, 1.0, 1.05)]
    assert losses[1] == min(losses)


def test_certain_zeros_do_no_harm():
    P = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    y = np.array([0, 1, 1])
    assert np.isfinite(C.fit_temperature(P, y))
    assert np.isfinite(C.negative_log_likelihood(P, y))


def test_halves_share_nothing_and_miss_nothing():
    first, second = C.halves(101)
    assert sorted([*first, *second]) == list(range(101))
    assert abs(len(first) - len(second)) <= 1


def test_digits_learned_by_heart_are_mended_by_a_temperature():
    """What the lesson shows, measured on the half that the temperature was not fitted on (three ways to halve)."""
    found = evaluation_sources.by_heart()
    P, y = found["probabilities"], found["labels"]
    for seed in range(3):
        first, second = C.halves(len(y), seed)
        T = C.fit_temperature(P[first], y[first])
        Q = C.tempered(P[second], T)
        before, after = (C.reliability(*C.claims(p, y[second])).error for p in (P[second], Q))
        assert 0.12 < before < 0.20
        assert after < (0.05 if seed == 0 else 0.08)  # seed 0 is the page's
        assert 3 < T < 6
        assert C.negative_log_likelihood(Q, y[second]) < 0.6 * C.negative_log_likelihood(P[second], y[second])
        assert C.brier(Q, y[second]) < C.brier(P[second], y[second])
