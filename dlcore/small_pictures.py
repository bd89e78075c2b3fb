"""Pictures small enough to see every pixel, with values in steps of 0.02 so that sums can be checked by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlcore.texts import N_, Problem

LEVELS = 50  # a pixel is n / LEVELS: two decimals, written whole
MOST_SIDE = 28
DRAWN_SIDE, PHOTO_SIDE = 16, 20  # so that a drawing or a photograph travels in the link, one character a pixel
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[: LEVELS + 1]
HOUSE = """
..............
..........22..
......44..22..
.....4664.22..
....466664....
...46666664...
..4666666664..
.444444444444.
..88888888888.
..81118811188.
..81118811188.
..81118811188.
..88888811188.
55555555555555
"""
UNREADABLE = N_("The picture in this link cannot be read: it was not copied whole. An example takes its place.")


def house() -> np.ndarray:
    """Straight, slanting and shadowed edges: ``(14, 14)``."""
    rows = [[0 if c == "." else int(c) for c in row] for row in HOUSE.split()]
    return np.array(rows, dtype=float) / 8


def bars() -> np.ndarray:
    """A bright bar lying and one standing: every straight edge there is, ``(12, 12)``."""
    picture = np.zeros((12, 12))
    picture[2:5, 1:11] = 1.0
    picture[6:11, 7:10] = 1.0
    return picture


def ring() -> np.ndarray:
    """A ring with soft borders: edges in all directions, ``(20, 20)``."""
    y, x = np.mgrid[:20, :20] - 9.5
    return np.clip(2.4 - np.abs(np.hypot(x, y) - 6.3), 0, 1)


def checkers() -> np.ndarray:
    """The finest pattern that pixels can show, beside a coarser one: ``(12, 12)``."""
    y, x = np.mgrid[:12, :12]
    return np.where(x < 6, (x + y) % 2, (x // 3 + y // 3) % 2).astype(float)


def slope() -> np.ndarray:
    """Light that grows evenly from left to right, with one bright speck: ``(12, 12)``."""
    picture = np.tile(np.linspace(0.1, 0.76, 12), (12, 1))
    picture[5, 4] = 1.0
    return picture


def flag() -> np.ndarray:
    """Three coloured stripes and a white disc: ``(3, 14, 14)``, red, green and blue."""
    y, x = np.mgrid[:14, :14]
    colours = np.array([[0.9, 0.1, 0.2], [0.95, 0.8, 0.1], [0.1, 0.3, 0.8]])
    picture = colours[np.minimum(x // 5, 2)].transpose(2, 0, 1).copy()
    picture[:, np.hypot(y - 6.5, x - 6.5) < 3.2] = 1.0
    return picture


SAMPLES: dict[str, Callable[[], np.ndarray]] = {
    "house": house, "bars": bars, "ring": ring, "checkers": checkers, "slope": slope, "flag": flag,
}  # fmt: skip
REAL = ("digit", "flower", "temple")  # made by ``real`` in a worker
TITLES = {
    "house": N_("House"), "bars": N_("Two bars"), "ring": N_("Ring"), "checkers": N_("Checkers"),
    "slope": N_("Growing light"), "flag": N_("Flag (in colour)"), "digit": N_("A written 4"),
    "flower": N_("Flower (photograph)"), "temple": N_("Temple (photograph)"),
}  # fmt: skip


def sample(name: str) -> np.ndarray:
    """A picture of ``SAMPLES`` as ``(C, H, W)``, C 1 or 3, every value a multiple of 1 / ``LEVELS``."""
    picture = rounded(SAMPLES[name]())
    return picture if picture.ndim == 3 else picture[None]


def rounded(picture: np.ndarray) -> np.ndarray:
    """Values 0 to 1 on the nearest of the levels."""
    return np.rint(np.clip(picture, 0, 1) * LEVELS) / LEVELS


def real(name: str) -> np.ndarray:
    """A written digit ``(1, 28, 28)`` or a colour photograph ``(3, 24, 24)``. Imports scikit-learn: for a worker."""
    if name == "digit":
        from dlcore.data.images import load

        data = load("digits")
        return rounded(data.X_train[np.flatnonzero(data.y_train == 4)[1]] / 255)
    from PIL import Image
    from sklearn.datasets import load_sample_image

    file, box = {"flower": ("flower.jpg", (180, 40, 580, 420)), "temple": ("china.jpg", (130, 20, 530, 400))}[name]
    small = Image.fromarray(load_sample_image(file)).crop(box).resize((24, 24), Image.Resampling.LANCZOS)
    return rounded(np.asarray(small).transpose(2, 0, 1) / 255)


def from_upload(blob: np.ndarray, grey: bool) -> np.ndarray:
    """An uploaded file's bytes ``(n,)`` as ``(C, H, W)``, its longer side 20 pixels. For a worker.

    Raises:
        Problem: kind ``"upload"``: the sentence says what is wrong with the file.
    """
    from PIL import Image

    from dlcore.data.uploads import read_image

    image = Image.fromarray(read_image(blob.tobytes(), grey=grey))
    scale = PHOTO_SIDE / max(image.size)
    wide, high = (max(8, round(side * scale)) for side in image.size)  # a panorama is squeezed rather than a thread
    pixels = np.asarray(image.resize((wide, high), Image.Resampling.LANCZOS)) / 255
    return rounded(pixels[None] if grey else pixels.transpose(2, 0, 1))


def write_pixels(picture: np.ndarray) -> str:
    """``(C, H, W)`` as text for a link: ``"1x16x16."`` and a letter for each pixel."""
    shape = "x".join(map(str, picture.shape))
    return f"{shape}." + "".join(ALPHABET[round(value * LEVELS)] for value in picture.ravel())


def read_pixels(text: str) -> np.ndarray:
    """The inverse of ``write_pixels``. Raises ``Problem`` (kind ``"pixels"``)."""
    head, _dot, letters = text.partition(".")
    try:
        channels, height, width = (int(part) for part in head.split("x"))
        if channels not in (1, 3) or not (1 <= height <= MOST_SIDE and 1 <= width <= MOST_SIDE):
            raise ValueError
        values = np.array([ALPHABET.index(letter) for letter in letters], dtype=float)
        return values.reshape(channels, height, width) / LEVELS
    except ValueError:
        raise Problem(UNREADABLE, kind="pixels") from None
