"""One fixed order of a picture's pixels that puts neighbours apart. Imports NumPy only."""

from __future__ import annotations

import numpy as np

SEED = 1  # another would do as well; what counts is that all pictures are shuffled alike


def pixel_order(count: int) -> np.ndarray:
    """Which pixel stands at each place once they are shuffled: a permutation ``(count,) int64``, always the same."""
    return np.random.default_rng(SEED).permutation(count)


def shuffled(images: np.ndarray) -> np.ndarray:
    """Images ``(…, H, W)`` with their pixels in that order; every image and channel alike."""
    height, width = images.shape[-2:]
    return images.reshape(*images.shape[:-2], -1)[..., pixel_order(height * width)].reshape(images.shape)
