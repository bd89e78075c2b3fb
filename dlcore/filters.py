"""Filters that people wrote before networks learned them, and filters as they stand in a link."""

from __future__ import annotations

from functools import reduce

import numpy as np

from dlcore.texts import N_, Problem

MOST_SIZE = 7
LARGEST = 1000.0  # a weight beyond is a slip of the finger
TITLES = {
    "identity": N_("Identity"), "box": N_("Blur (box)"), "gaussian": N_("Blur (Gaussian)"), "sharpen": N_("Sharpen"),
    "sobel_x": N_("Vertical edges (Sobel x)"), "sobel_y": N_("Horizontal edges (Sobel y)"),
    "laplacian": N_("All edges (Laplacian)"), "emboss": N_("Emboss"),
}  # fmt: skip
THREE = {  # correlation, not convolution: as they are laid on the picture
    "identity": ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    "sharpen": ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    "sobel_x": ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    "sobel_y": ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    "laplacian": ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    "emboss": ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
}
UNREADABLE = N_(
    "The filter in this link cannot be read. A filter of 2 × 2 looks like 1_0_0.5_-1: its weights row by row, with _ "
    "between them, and ~ between channels."
)


def preset(name: str, size: int) -> np.ndarray:
    """A known filter as ``(size, size)`` float64; one that is 3 × 3 by nature lies in a frame of zeros, or is cut."""
    if name == "box":
        return np.full((size, size), 1 / size**2)
    if name == "gaussian":  # Pascal's triangle: the binomial stand-in for a Gaussian (exact in binary fractions)
        row = reduce(np.convolve, [np.ones(2) / 2] * (size - 1), np.ones(1))
        return np.outer(row, row)
    return resized(np.array(THREE[name], dtype=float), size)


def resized(W: np.ndarray, size: int) -> np.ndarray:
    """The filter ``(..., k, k)`` in a window of another size: its middle kept, zeros round it."""
    k, made = W.shape[-1], np.zeros((*W.shape[:-2], size, size))
    shared = min(k, size)
    old, new = (k - shared) // 2, (size - shared) // 2
    made[..., new : new + shared, new : new + shared] = W[..., old : old + shared, old : old + shared]
    return made


def read_filter(text: str) -> np.ndarray:
    """A filter as it stands in a link, ``"0_1~0.5_-1/9"``, as ``(channels, k, k)``. Raises ``Problem``."""
    try:
        rows = [[_number(part) for part in channel.split("_")] for channel in text.split("~")]
        W = np.array(rows, dtype=float)  # ragged rows are a ValueError
        size = round(W.shape[1] ** 0.5)
        if size**2 != W.shape[1] or size > MOST_SIZE or len(W) > 3 or not (np.abs(W) <= LARGEST).all():
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise Problem(UNREADABLE, kind="filter") from None
    return W.reshape(len(W), size, size)


def write_filter(W: np.ndarray) -> str:
    """The inverse of ``read_filter`` for ``(channels, k, k)``, to six digits; equal channels are written once."""
    channels = W[:1] if (W[:1] == W).all() else W
    return "~".join("_".join(f"{value + 0.0:.6g}" for value in channel.ravel()) for channel in channels)


def _number(text: str) -> float:
    above, slash, below = text.partition("/")
    return float(above) / float(below) if slash else float(text)
