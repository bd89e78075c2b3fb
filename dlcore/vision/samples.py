"""Pictures to begin with, always there: two photographs that scikit-learn brings, and what this module draws itself.

Some show what networks know, and some show nothing at all. Imports Pillow and scikit-learn inside: for workers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from dlcore.texts import N_

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SIDE = 384
FINE = 2  # drawings are made this much larger, and scaled down
THUMB = 112  # pixels a side of what is shown to choose from
TITLES = {
    "temple": N_("Temple (photograph)"), "flower": N_("Flower (photograph)"), "clock": N_("Clock (drawn)"),
    "balloon": N_("Balloon (drawn)"), "digit": N_("A written 4"), "checkers": N_("Checkers"), "rings": N_("Rings"),
    "noise": N_("Noise"),
}  # fmt: skip
STRANGE = ("checkers", "rings", "noise")  # show nothing that any network here has a name for


def sample(name: str) -> np.ndarray:
    """A picture of ``TITLES`` as ``(H, W, 3)`` uint8. Raises ``KeyError`` for another name."""
    return MAKERS[name]()


def thumbnails() -> dict[str, bytes]:
    """Every picture as a small square JPEG, by name."""
    from PIL import Image, ImageOps

    small = {name: ImageOps.fit(Image.fromarray(sample(name)), (THUMB, THUMB)) for name in TITLES}
    return {name: jpeg(np.asarray(image)) for name, image in small.items()}


def jpeg(picture: np.ndarray, quality: int = 88) -> bytes:
    """``(H, W, 3)`` uint8 as a JPEG file."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _photograph(file: str) -> np.ndarray:
    from sklearn.datasets import load_sample_image

    return np.array(load_sample_image(file))


def _digit() -> np.ndarray:
    """A four of the built-in digits, as ink on paper, large enough to see its pixels."""
    from dlcore.data.images import load

    data = load("digits")
    form = data.X_train[np.flatnonzero(data.y_train == 4)[1], 0]  # (28, 28)
    page = np.pad(255 - form, 2, constant_values=255).repeat(12, 0).repeat(12, 1)  # (384, 384)
    return np.repeat(page[..., None], 3, 2)


def _drawing(draw: Callable[[ImageDraw], None], paper: tuple[int, int, int]) -> np.ndarray:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (FINE * SIDE, FINE * SIDE), paper)
    draw(ImageDraw.Draw(image))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def _clock(pen: ImageDraw) -> None:
    """A clock on a wall, at nine past ten."""
    middle, radius = SIDE, 0.78 * SIDE
    edge = (middle - radius, middle - radius, middle + radius, middle + radius)
    pen.ellipse(edge, fill=(250, 250, 246), outline=(40, 40, 40), width=28)

    def ray(turn: float, inner: float, outer: float, width: int) -> None:
        x, y = math.sin(math.tau * turn) * radius, -math.cos(math.tau * turn) * radius
        ends = (middle + inner * x, middle + inner * y, middle + outer * x, middle + outer * y)
        pen.line(ends, fill=(25, 25, 25), width=width)

    for minute in range(60):
        ray(minute / 60, 0.86 if minute % 5 else 0.8, 0.9, 5 if minute % 5 else 14)
    ray((10 + 9 / 60) / 12, -0.1, 0.5, 24)
    ray(9 / 60, -0.1, 0.74, 16)
    pen.ellipse((middle - 20, middle - 20, middle + 20, middle + 20), fill=(180, 30, 30))


def _balloon(pen: ImageDraw) -> None:
    """A striped hot-air balloon with its basket."""
    middle = SIDE
    for stripe in range(9):  # ellipses within ellipses: the gores of a globe
        half = 290 * math.cos(math.pi * stripe / 18)
        pen.ellipse((middle - half, 60, middle + half, 640), fill=((220, 60, 40), (245, 200, 60))[stripe % 2])
    for x in (-36, 36):
        pen.line((middle + 2.6 * x, 600, middle + x, 690), fill=(70, 50, 40), width=5)
    pen.rounded_rectangle((middle - 44, 686, middle + 44, 744), 10, fill=(120, 80, 40))


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(values.astype(np.uint8)[..., None], 3, 2)


def _checkers() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] // 32
    return _grey(20 + 215 * ((x + y) % 2))


def _rings() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    return _grey(127.5 + 127.5 * np.sin(np.hypot(x, y) / 7))


def _noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)


MAKERS: dict[str, Callable[[], np.ndarray]] = {
    "temple": lambda: _photograph("china.jpg"), "flower": lambda: _photograph("flower.jpg"),
    "clock": lambda: _drawing(_clock, (214, 205, 190)), "balloon": lambda: _drawing(_balloon, (120, 180, 235)),
    "digit": _digit, "checkers": _checkers, "rings": _rings, "noise": _noise,
}  # fmt: skip
