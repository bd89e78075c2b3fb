"""Hilly landscapes over two parameters, each made to show one thing, with their gradients written out.

Values and gradients take θ of any shape (..., 2) and give (...) and (..., 2). The classical ones: Beale 1958,
Rosenbrock 1960, Himmelblau 1972.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

Array = np.ndarray
Field = Callable[[np.ndarray], np.ndarray]
Span = tuple[float, float]
ZOOMS, ZOOM_GRID = 32, 17  # how a lowest point is searched: grids of 17 × 17, each half as wide as the one before
MOST_STEPS = 2000  # of a race: that many draws of noise are made


@dataclass(frozen=True, eq=False)
class Surface:
    """A loss over two parameters.

    Attributes:
        key: names it and its settings; what is computed on it may be kept under that.
        value, slope: (..., 2) → (...) and (..., 2).
        domain: (low, high) of x and of y: the part that is looked at.
        start: where a race usually begins.
        minima: (M, 2) its lowest points (within the domain, where nothing more is known).
        curvatures: eigenvalues (smallest, largest) where they are the same everywhere; None elsewhere.
        steep: whether heights are told on a logarithmic scale, since they differ by many powers of ten.
        noise: standard deviation of what is added to each component of the gradient, (MOST_STEPS, 2) draws by step.
    """

    key: tuple
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    domain: tuple[Span, Span]
    start: tuple[float, float]
    minima: Array
    curvatures: tuple[float, float] | None = None
    steep: bool = False
    noise: Array | None = field(default=None, repr=False)

    def gradient(self, theta: Array, step: int = 0) -> Array:
        """What a rule is told at θ (..., 2) in this step: the slope, and the step's noise where there is noise."""
        slope = self.slope(theta)
        return slope if self.noise is None else slope + self.noise[step % len(self.noise)]

    def distance(self, theta: Array) -> Array:
        """From θ (..., 2) to the nearest minimum, (...)."""
        return np.sqrt(((theta[..., None, :] - self.minima) ** 2).sum(-1)).min(-1)

    @cached_property
    def floor(self) -> float:
        """The value at the lowest minimum."""
        return float(self.value(self.minima).min())

    @cached_property
    def sharpness(self) -> float:
        """The largest curvature at the flattest of the minima: no plain descent settles above 2/sharpness."""
        if self.curvatures is not None:
            return self.curvatures[1]
        return min(float(np.linalg.eigvalsh(hessian(self, place))[-1]) for place in self.minima)


def hessian(surface: Surface, place: Array, h: float = 1e-5) -> Array:
    """Second derivatives (2, 2) at one place, from central differences of the slope."""
    ends = place + h * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])  # (4, 2)
    slopes = surface.slope(ends)
    rows = np.array([slopes[0] - slopes[1], slopes[2] - slopes[3]]) / (2 * h)
    return (rows + rows.T) / 2


def lowest(value: Callable[[Array], Array], domain: tuple[Span, Span]) -> Array:
    """The lowest point (2,) of a window, found by looking closer and closer; ``value`` takes (..., 2)."""
    centre = np.array([np.mean(span) for span in domain])
    half = np.array([(high - low) / 2 for low, high in domain])
    low, high = centre - half, centre + half
    grid = 8 * ZOOM_GRID  # the first look is fine, so that a small hole is not missed
    for _ in range(ZOOMS):
        axes = [
            np.clip(np.linspace(c - h, c + h, grid), a, b) for c, h, a, b in zip(centre, half, low, high, strict=True)
        ]
        places = np.stack(np.meshgrid(*axes), axis=-1)  # (grid, grid, 2)
        with np.errstate(all="ignore"):
            heights = np.asarray(value(places), dtype=float)
        heights = np.where(np.isfinite(heights), heights, np.inf)
        centre = places.reshape(-1, 2)[heights.argmin()]
        half, grid = half / (4 if grid > ZOOM_GRID else 2), ZOOM_GRID
    return centre


# --- the surfaces -----------------------------------------------------------------------------------------------------


def quadratic(curvatures: tuple[float, float], angle: float) -> tuple[Field, Field]:
    """½ Σ λᵢ uᵢ², where u are the coordinates turned by ``angle`` degrees; value and slope."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    axes = np.array([[c, -s], [s, c]])  # columns: the directions of the two curvatures
    H = axes * np.array(curvatures) @ axes.T  # (2, 2)

    def slope(theta: Array) -> Array:
        return theta @ H

    return lambda theta: 0.5 * (theta * slope(theta)).sum(-1), slope


def bowl(condition: float = 100.0, angle: float = 0.0) -> Surface:
    """A bowl with curvatures 1 and 1/κ; turned, no parameter runs along the valley any more."""
    curvatures = (1 / condition, 1.0)
    value, slope = quadratic(curvatures, angle)
    origin = np.zeros((1, 2))
    return Surface(("bowl", condition, angle), value, slope, ((-5, 5), (-3, 3)), (-4.0, 2.0), origin, curvatures)


def noisy(condition: float = 10.0, noise: float = 0.5, seed: int = 0) -> Surface:
    """A bowl whose slope is told with an error, as a small batch would tell it; the same errors for all racers."""
    draws = noise * np.random.default_rng(seed).normal(size=(MOST_STEPS, 2))
    value, slope = quadratic((1 / condition, 1.0), 0.0)
    key, window = ("noisy", condition, noise, seed), ((-5, 5), (-3, 3))
    return Surface(key, value, slope, window, (-4.0, 2.0), np.zeros((1, 2)), (1 / condition, 1.0), noise=draws)


def ravine() -> Surface:
    """A narrow valley that winds: 5 (y − sin x)² + x²/20. Along it one must turn corners."""

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return 5 * (y - np.sin(x)) ** 2 + x**2 / 20

    def slope(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        wall = 10 * (y - np.sin(x))
        return np.stack([-wall * np.cos(x) + x / 10, wall], axis=-1)

    return Surface(("ravine",), value, slope, ((-6, 6), (-3.6, 3.6)), (-5.0, 2.5), np.zeros((1, 2)), steep=True)


def rosenbrock() -> Surface:
    """(1 − x)² + 100 (y − x²)²: a valley shaped like a banana, easy to find and long to follow."""

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    def slope(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return np.stack([-2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)], axis=-1)

    return Surface(
        ("rosenbrock",), value, slope, ((-2, 2), (-0.9, 1.6)), (-1.2, 1.0), np.array([[1.0, 1.0]]), steep=True
    )


def beale() -> Surface:
    """Σ (cᵢ − x + xyⁱ)², c = 1.5, 2.25, 2.625: nearly flat in the middle, with slopes of 10⁵ in the corners."""

    def parts(theta: Array) -> tuple[Array, Array, Array, Array]:
        x, y = theta[..., 0, None], theta[..., 1, None]
        power = np.array([1.0, 2.0, 3.0])
        return np.array([1.5, 2.25, 2.625]) - x + x * y**power, x, y, power  # the first: (..., 3)

    def value(theta: Array) -> Array:
        return (parts(theta)[0] ** 2).sum(-1)

    def slope(theta: Array) -> Array:
        rest, x, y, power = parts(theta)
        by_x, by_y = 2 * rest * (y**power - 1), 2 * rest * x * power * y ** (power - 1)
        return np.stack([by_x.sum(-1), by_y.sum(-1)], axis=-1)

    return Surface(
        ("beale",), value, slope, ((-4.5, 4.5), (-2.7, 2.7)), (0.5, -1.5), np.array([[3.0, 0.5]]), steep=True
    )


HIMMELBLAU = ((3.0, 2.0), (-2.805118086952745, 3.131312518250573),
              (-3.779310253377747, -3.283185991286169), (3.584428340330492, -1.848126526964404))  # fmt: skip


def himmelblau() -> Surface:
    """(x² + y − 11)² + (x + y² − 7)²: four minima, all equally deep. Which one is found depends on the way."""

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2

    def slope(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        a, b = x**2 + y - 11, x + y**2 - 7
        return np.stack([4 * x * a + 2 * b, 2 * a + 4 * y * b], axis=-1)

    window = ((-7.2, 7.2), (-4.6, 4.6))
    return Surface(("himmelblau",), value, slope, window, (-0.3, -1.2), np.array(HIMMELBLAU), steep=True)


def saddle() -> Surface:
    """x²/2 + y⁴/4 − y²/2: a pass at the origin, and a hollow on either side of it. Most starts lead past the pass."""

    def value(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return x**2 / 2 + y**4 / 4 - y**2 / 2

    def slope(theta: Array) -> Array:
        x, y = theta[..., 0], theta[..., 1]
        return np.stack([x, y**3 - y], axis=-1)

    window, hollows = ((-2.4, 2.4), (-1.5, 1.5)), np.array([[0.0, 1.0], [0.0, -1.0]])
    return Surface(("saddle",), value, slope, window, (-2.0, 0.001), hollows)


def plateau() -> Surface:
    """1 − exp(−(x² + y²)/2): flat almost everywhere, with one hole. Far from it the slope is a thousandth or less."""

    def value(theta: Array) -> Array:
        return 1 - np.exp(-(theta**2).sum(-1) / 2)

    def slope(theta: Array) -> Array:
        return theta * np.exp(-(theta**2).sum(-1, keepdims=True) / 2)

    return Surface(("plateau",), value, slope, ((-5.5, 5.5), (-3.4, 3.4)), (-3.6, 2.2), np.zeros((1, 2)))
