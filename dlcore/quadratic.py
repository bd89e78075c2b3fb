"""The bowl of a linear regression: loss, gradient, and what its curvature says about step sizes.

The loss of a linear model, L(θ) = 1/N Σ (y_i − x_i·θ)², is a paraboloid with Hessian H = 2XᵀX/N. A step η multiplies
the error along an eigenvector of H by 1 − ηλ, so the descent converges exactly when η < 2/λ_max, and fastest at
2/(λ_max + λ_min). With momentum β both are (1 + β) times as large (Polyak 1964; Goh, "Why Momentum Really Works",
Distill 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

ASPECT, NEEDLE = 1.6, 8.0  # width to height of a window; one that is thinner than NEEDLE is stretched


@dataclass(frozen=True)
class Spectrum:
    """What the data says about step sizes: H = 2XᵀX/N, its eigenvalues ascending, its eigenvectors in columns."""

    eigenvalues: np.ndarray  # (d,)
    eigenvectors: np.ndarray  # (d, d)
    optimum: np.ndarray  # (d,) the closed form: Xᵀ(y − Xθ) = 0
    optimum_loss: float

    @property
    def lambda_max(self) -> float:
        """Curvature along the steepest direction."""
        return float(self.eigenvalues[-1])

    @property
    def lambda_min(self) -> float:
        """Curvature along the flattest direction; 0 where columns repeat one another."""
        return max(float(self.eigenvalues[0]), 0.0)

    @property
    def condition_number(self) -> float:
        """κ = λ_max / λ_min: how long the valley is."""
        return self.lambda_max / self.lambda_min if self.lambda_min > 0 else float("inf")

    def limit(self, momentum: float = 0.0) -> float:
        """Full-batch descent converges below this rate and diverges above it: 2(1 + β)/λ_max."""
        return 2 * (1 + momentum) / self.lambda_max

    def best(self, momentum: float = 0.0) -> float:
        """The rate with the fastest slowest direction, 2(1 + β)/(λ_max + λ_min)."""
        return 2 * (1 + momentum) / (self.lambda_max + self.lambda_min)


def mse_and_gradient(theta: np.ndarray, X: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss 1/N Σ (y_i − ŷ_i)² and its gradient −2/N Σ (y_i − ŷ_i) x_i; theta (d,), X (N, d), y (N,)."""
    residual = y - X @ theta  # (N,)
    return float(residual @ residual) / len(y), -2 / len(y) * (residual @ X)


def spectrum(X: np.ndarray, y: np.ndarray) -> Spectrum:
    """Curvature and closed-form optimum of the bowl over X (N, d), y (N,)."""
    eigenvalues, eigenvectors = np.linalg.eigh(2 / len(y) * (X.T @ X))
    best = optimum(X, y)
    return Spectrum(eigenvalues, eigenvectors, best, mse_and_gradient(best, X, y)[0])


def optimum(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The closed form (d,): where XᵀXθ = Xᵀy, found from the singular values of X, whose κ is not squared."""
    return np.linalg.lstsq(X, y, rcond=None)[0]


def growth(learning_rate: float, eigenvalue: float, momentum: float = 0.0) -> float:
    """By how much one step multiplies the error along an eigenvector in the long run; |1 − ηλ| without momentum."""
    trace = 1 + momentum - learning_rate * eigenvalue
    return float(max(abs(np.roots([1.0, -trace, momentum])))) if momentum else abs(trace)


def noise_limit(X: np.ndarray, batch_size: int, bowl: Spectrum) -> float:
    """The rate above which plain mini-batch steps grow in the mean square; ``bowl.limit()`` for the full batch.

    The error's second moment M is mapped to M − η(HM + MH) + η² E[H_b M H_b] by a batch b drawn without replacement:
    linear in M, so the limit is the inverse of an eigenvalue (written in the eigenvectors of H).
    """
    n, d = X.shape
    if batch_size in (0, n) or batch_size > n:
        return bowl.limit()
    lam = np.maximum(bowl.eigenvalues, 1e-15 * bowl.lambda_max)
    Z = X @ bowl.eigenvectors  # (N, d)
    Z = np.einsum("ni,nj->nij", Z, Z).reshape(n, d * d)
    single, full = 4 / n * (Z.T @ Z), 2 / n * Z.sum(0)  # E[h M h] of single rows; H as a vector
    full = np.kron(full.reshape(d, d), full.reshape(d, d))
    B = full + (single - full) / batch_size * (n - batch_size) / (n - 1)
    scale = 1 / np.sqrt(np.add.outer(lam, lam).ravel())
    return float(1 / np.linalg.eigvalsh(scale[:, None] * B * scale)[-1])


def compress(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most d + 1 rows with the same mean squared error and gradient at every θ as the N rows of X (N, d) and y (N,).

    R of the QR decomposition of [X y], scaled for the smaller number of rows: QR keeps all lengths, so it loses no
    accuracy, as XᵀX would.
    """
    R = np.linalg.qr(np.column_stack([X, y]), mode="r")  # (min(N, d + 1), d + 1)
    R *= np.sqrt(len(R) / len(y))
    return np.ascontiguousarray(R[:, :-1]), R[:, -1].copy()


@dataclass(frozen=True)
class Plane:
    """A flat cut through the bowl, with the path projected onto it.

    With two parameters it is the parameter space itself; with more, the plane through the optimum that holds the
    steepest and the flattest direction.

    Attributes:
        path: (n, 2) coordinates; optimum: (2,); hessian: (2, 2) in these coordinates.
        half: (2,) half the width and height of the part to look at: symmetric about the optimum, so that a step that
            overshoots stays in it.
        floor: the loss at the optimum.
        true: whether both axes have the same scale, so that gradients are at right angles to the level lines. A window
            that would be a needle is stretched instead.
    """

    path: np.ndarray
    optimum: np.ndarray
    hessian: np.ndarray
    half: np.ndarray
    floor: float
    true: bool

    def excess(self, coordinates: np.ndarray) -> np.ndarray:
        """Loss above the optimum's at coordinates (..., 2), within this plane."""
        e = coordinates - self.optimum
        return 0.5 * np.einsum("...i,ij,...j->...", e, self.hessian, e)


def plane(bowl: Spectrum, theta: np.ndarray) -> Plane:
    """The plane to look at for a path theta (n, d); its window holds the path's start and the origin's, and no more."""
    d = theta.shape[1]
    axes = np.eye(2) if d == 2 else bowl.eigenvectors[:, [-1, 0]]  # (d, 2)
    center = np.zeros(2) if d == 2 else axes.T @ bowl.optimum
    curvature = bowl.eigenvalues if d == 2 else bowl.eigenvalues[[-1, 0]]
    directions = bowl.eigenvectors if d == 2 else np.eye(2)
    hessian = directions * curvature @ directions.T
    best = axes.T @ bowl.optimum - center
    starts = np.array([theta[0] @ axes - center - best, -axes.T @ bowl.optimum])  # errors of the start, of the origin
    half = 1.25 * (np.abs(starts @ directions) @ np.abs(directions).T).max(0)
    half = np.maximum(half, 1e-3 * max(half.max(), 1e-6))
    true = bool(half.max() < NEEDLE * half.min())
    if true:
        half = max(half[0], ASPECT * half[1]) * np.array([1, 1 / ASPECT])
    with np.errstate(over="ignore", invalid="ignore"):
        path = theta @ axes - center
    return Plane(path, best, hessian, half, bowl.optimum_loss, true)


def within(path: np.ndarray, center: np.ndarray, half: np.ndarray, far: float = 30.0) -> np.ndarray:
    """``path`` (n, k) drawn in towards ``center`` where it is more than ``far`` half-widths away: for pictures only."""
    error = np.nan_to_num(path - center, posinf=1e300, neginf=-1e300)
    reach = np.abs(error / half).max(-1, keepdims=True)  # (n, 1)
    return center + error * np.minimum(1, far / np.maximum(reach, 1e-300))
