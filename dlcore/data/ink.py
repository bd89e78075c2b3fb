"""From a drawing or a photograph of a written sign to an image like MNIST's. For workers: imports SciPy inside."""

from __future__ import annotations

from typing import cast

import numpy as np

from dlcore.data.images import BOX, mnist_form

WORK_SIDE = 256  # photographs are looked at in this size
LEAST_CONTRAST = 24  # grey levels (of 255) between paper and ink; less is taken for a blank page
THIN, STROKE = 1.7, 2.4  # width of a stroke in MNIST's box of 20 pixels: thinner ones are drawn again this wide


def as_mnist(grey: np.ndarray) -> np.ndarray:
    """What a network trained on MNIST should be shown of ``grey`` (H, W) uint8: ``(28, 28)`` uint8, bright on black.

    Dark ink on paper is inverted, shadows and specks are dropped, thin strokes thickened; then MNIST's own recipe
    (``mnist_form``). A page without ink comes back black.
    """
    return mnist_form(thicken(strokes(grey)))


def strokes(grey: np.ndarray) -> np.ndarray:
    """Bright ink on black, ``(h, w)`` uint8 with at most 256 pixels a side, whatever the colours and the light were.

    Ink is what differs from the paper round it, found by a grey opening (Serra 1982: it removes all bright things
    narrower than its window) and Otsu's threshold (1979).
    """
    from PIL import Image
    from scipy import ndimage

    image = Image.fromarray(grey)
    image.thumbnail((WORK_SIDE, WORK_SIDE))
    pixels = np.asarray(image, dtype=float)
    low, paper, high = np.percentile(pixels, (0.5, 50, 99.5))
    if paper - low > high - paper:  # most of a page is paper, and ink is what lies far from it
        pixels = 255 - pixels
    window = max(3, min(pixels.shape) // 3)
    ink = pixels - ndimage.grey_opening(pixels, size=(window, window))
    if np.percentile(ink, 99.5) < LEAST_CONTRAST:
        return np.zeros(pixels.shape, np.uint8)
    middle = _otsu(ink)
    full = np.median(ink[ink > middle])
    ink = np.clip((ink - 0.5 * middle) / (full - 0.5 * middle), 0, 1) * 255
    return _without_specks(ink.astype(np.uint8))


def _otsu(values: np.ndarray) -> float:
    """The threshold that parts ``values`` into the two classes with the largest variance between them."""
    counts, edges = np.histogram(values, 128)
    centres = (edges[1:] + edges[:-1]) / 2
    below = counts.cumsum()
    above = counts.sum() - below
    sums = (counts * centres).cumsum()
    between = (sums[-1] * below - sums * counts.sum()) ** 2 / np.maximum(below * above, 1)
    return float(edges[1:][between.argmax()])


def _without_specks(ink: np.ndarray) -> np.ndarray:
    """Only the parts that make up the sign: no specks, and nothing that runs in from the edge beside it."""
    from scipy import ndimage

    labels = np.empty(ink.shape, np.int32)
    count = cast(int, ndimage.label(ink > 64, structure=np.ones((3, 3)), output=labels))
    if count < 2:
        return ink
    numbers = np.arange(1, count + 1)
    mass = ndimage.sum_labels(ink, labels, numbers)
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = ~np.isin(numbers, edge)
    candidates = inside if inside.any() and mass[inside].max() > 0.1 * mass.max() else np.ones(count, bool)
    keep = numbers[candidates & (mass > 0.08 * mass[candidates].max())]
    near = ndimage.binary_dilation(np.isin(labels, keep), iterations=2)  # with their soft borders
    return np.where(near, ink, 0).astype(np.uint8)


def thicken(ink: np.ndarray) -> np.ndarray:
    """The same strokes, at least as wide as a pen's in MNIST once the sign is scaled to its box."""
    from scipy import ndimage

    rows, columns = np.nonzero(ink > 127)
    if not len(rows):
        return ink
    scale = BOX / max(np.ptp(rows) + 1, np.ptp(columns) + 1)
    width = stroke_width(ink) * scale
    if width >= THIN:
        return ink
    radius = (STROKE - width) / scale / 2
    reach = int(np.ceil(radius))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    ink = np.pad(ink, reach)
    return ndimage.grey_dilation(ink, footprint=np.hypot(y, x) <= radius + 0.5)


def stroke_width(ink: np.ndarray) -> float:
    """Mean width of the strokes of ``(H, W)`` uint8, in pixels: four times the mean distance to the border."""
    from scipy import ndimage

    distance = cast(np.ndarray, ndimage.distance_transform_edt(np.pad(ink > 127, 1)))
    inside = distance[distance > 0]
    return float(4 * (inside.mean() - 0.5)) if inside.size else 0.0
