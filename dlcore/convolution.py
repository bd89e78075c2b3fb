"""Convolution and pooling in plain NumPy, small enough to be read on the page.

What networks call a convolution is a cross-correlation: the filter is laid on the picture as it stands, not mirrored
(Goodfellow, Bengio and Courville, Deep Learning, 2016, equation 9.6). The numbers are those of
``torch.nn.functional.conv2d``, ``max_pool2d`` and ``avg_pool2d``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dlcore.texts import N_, Problem

TOO_LARGE = N_(
    "The window reaches over {extent} pixels, and the picture has only {side} with its padding: there is no place to "
    "lay it. Choose a smaller window, less dilation, or more padding."
)
TOO_PADDED = N_(
    "A padding of {padding} is more than half of the window ({extent} pixels): in the corners a pooling would see more "
    "padding than picture, and PyTorch refuses that. Choose less padding or a larger window."
)


@dataclass(frozen=True)
class Geometry:
    """How a window of ``size`` × ``size`` goes over the picture.

    Attributes:
        stride: pixels from one place of the window to the next.
        padding: rows and columns of zeros laid round the picture.
        dilation: distance of neighbouring weights on the picture; 1 is a window without holes.
    """

    size: int = 3
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """How many pixels the window reaches over, holes counted."""
        return self.dilation * (self.size - 1) + 1

    def output(self, side: int) -> int:
        """Numbers along a side of the output: ⌊(side + 2·padding − extent) / stride⌋ + 1. Raises ``Problem``."""
        padded = side + 2 * self.padding
        if self.extent > padded:
            raise Problem(TOO_LARGE, kind="geometry", extent=self.extent, side=padded)
        return (padded - self.extent) // self.stride + 1


def taps(X: np.ndarray, geometry: Geometry, fill: float = 0.0) -> Iterator[tuple[int, int, np.ndarray]]:
    """For each weight of the window (row i, column j): the pixels that it meets, one for each output number.

    Args:
        X: pictures ``(..., H, W)``.
        fill: what the padding is made of.

    Yields:
        ``i, j, x`` with x ``(..., H_out, W_out)``.
    """
    rows, columns = (geometry.output(side) for side in X.shape[-2:])
    stride, edge = geometry.stride, [(geometry.padding, geometry.padding)] * 2
    padded = np.pad(X, [(0, 0)] * (X.ndim - 2) + edge, constant_values=fill)
    for i in range(geometry.size):
        for j in range(geometry.size):
            top, left = i * geometry.dilation, j * geometry.dilation
            yield i, j, padded[..., top : top + stride * rows : stride, left : left + stride * columns : stride]


def correlate(X: np.ndarray, W: np.ndarray, b: float, geometry: Geometry) -> np.ndarray:
    """One filter's answer, z = Σ x·w + b over channels and window: X (..., C, H, W), W (C, k, k) → (..., H_out, W_out).

    Raises:
        Problem: the window is larger than the padded picture (kind ``"geometry"``).
    """
    z = b
    for i, j, x in taps(X, geometry):
        z = z + (x * W[:, i, j, None, None]).sum(-3)
    return np.asarray(z)


def kernel_gradient(X: np.ndarray, delta: np.ndarray, geometry: Geometry) -> np.ndarray:
    """∂L/∂W from δ = ∂L/∂z, again a correlation: X (N, C, H, W), δ (N, H_out, W_out) → (C, k, k).

    Each weight has met one pixel for every output number, and takes a share of the blame of each: Σ δ·x.
    """
    gradient = np.empty((X.shape[-3], geometry.size, geometry.size))
    for i, j, x in taps(X, geometry):
        gradient[:, i, j] = (x * delta[:, None]).sum((0, 2, 3))
    return gradient


def pool(X: np.ndarray, kind: str, geometry: Geometry) -> np.ndarray:
    """The largest ("max") or the mean ("average") number in each window: X (..., H, W) → (..., H_out, W_out).

    For the maximum the padding counts as −∞, for the mean as 0, as in torch.

    Raises:
        Problem: the window is too large or the padding more than half of it (kind ``"geometry"``).
    """
    if geometry.padding > geometry.size // 2:
        raise Problem(TOO_PADDED, kind="geometry", padding=geometry.padding, extent=geometry.size)
    if kind == "max":
        return np.max([x for _i, _j, x in taps(X, geometry, fill=-np.inf)], axis=0)
    return np.mean([x for _i, _j, x in taps(X, geometry)], axis=0)
