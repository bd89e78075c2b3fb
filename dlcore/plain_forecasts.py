"""What can be said of a series without a network: the last value, that of a season ago, a line; and its season.

NumPy only. ``dlcore.forecasting`` puts them to the same questions as the networks.
"""

from __future__ import annotations

import numpy as np

SURE = 0.3  # autocorrelation from which a season counts as found
LAGS = 400


def naive(past: np.ndarray, steps: int) -> np.ndarray:
    """“As yesterday”: the last value of the past (B, L), for all steps ahead; (B, steps)."""
    return np.repeat(past[:, -1:], steps, 1)


def seasonal(past: np.ndarray, season: int, steps: int) -> np.ndarray:
    """“As a season ago”: z[t + k − m⌈k/m⌉] of the past (B, L ≥ m), the newest known value of the phase; (B, steps)."""
    return past[:, past.shape[1] - season + np.arange(steps) % season]


def ridge(X: np.ndarray, Y: np.ndarray, penalty: float) -> np.ndarray:
    """Weights (d + 1, k) that minimise Σ (Y − Xw − b)² + penalty Σ w²; the last row is the intercept b.

    The closed form w = (XᵀX + λI)⁻¹ XᵀY of centred X (n, d) and Y (n, k): Hoerl and Kennard, 1970.
    """
    middle, level = X.mean(0), Y.mean(0)
    C = X - middle
    A = C.T @ C + penalty * np.eye(X.shape[1])
    W = np.linalg.lstsq(A, C.T @ (Y - level), rcond=None)[0]  # A may be singular where nothing is penalised
    return np.vstack([W, level - middle @ W])


def autocorrelation(x: np.ndarray, most: int = LAGS) -> np.ndarray:
    """Correlation of a series (n,) with itself, moved by 0, 1, … lags, its straight trend taken out first.

    r(k) = Σ e(t) e(t + k) / Σ e(t)²: (min(most, n // 3) + 1,), with r(0) = 1.
    """
    t = np.arange(len(x)) - (len(x) - 1) / 2
    e = x - x.mean()
    e = e - t * (t @ e) / max(t @ t, 1e-300)
    lags = min(most, len(x) // 3)
    total = float(e @ e) or 1.0
    return np.array([e[: len(e) - k] @ e[k:] / total for k in range(lags + 1)])


def season_of(r: np.ndarray) -> int:
    """The season that an autocorrelation (lags + 1,) shows: its highest peak after it first fell below 0; else 0."""
    below = np.flatnonzero(r < 0)
    if not len(below):
        return 0
    peaks = [k for k in range(below[0] + 1, len(r) - 1) if r[k - 1] <= r[k] > r[k + 1] and r[k] > SURE]
    return max(peaks, key=lambda k: r[k], default=0)
