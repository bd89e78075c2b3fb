"""What is done to a picture before a network sees it: turned, cropped, blurred, covered … Imports Pillow inside.

A picture that is changed at all is first brought to a working size, so that a strength means the same for every one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from dlcore.knobs import knob
from dlcore.texts import N_

if TYPE_CHECKING:
    from PIL.Image import Image

WORK_SIDE = 384  # pixels of the shorter side while something is changed; no network here looks at more than 256
LONGEST = 8  # times the shorter side, at most
GREY = (124, 116, 104)  # ImageNet's mean colour: to the network, nothing


@dataclass(frozen=True)
class Changes:
    """All that is done to a picture, in this order; at their defaults the picture stays untouched.

    ``left``, ``top``, ``width`` and ``height`` are those of the box that covers a part, as shares of the picture.
    """

    crop: float = knob(
        0.0, low=0.0, high=0.9, step=0.01, label=N_("Crop"),
        help=N_("So much of width and height is cut away; the middle stays."),
    )  # fmt: skip
    scale: float = knob(
        1.0, low=0.1, high=1.0, step=0.01, label=N_("Size"),
        help=N_("At 0.5 the picture is half as large, with grey round it."),
    )  # fmt: skip
    rotate: float = knob(
        0.0, low=-180.0, high=180.0, step=1, unit="°", label=N_("Rotation"),
        help=N_("Turned about its middle, anticlockwise."),
    )  # fmt: skip
    blur: float = knob(
        0.0, low=0.0, high=6.0, step=0.1, unit="%", label=N_("Blur"),
        help=N_("Standard deviation of a Gaussian, in per cent of the shorter side."),
    )  # fmt: skip
    noise: float = knob(
        0.0, low=0.0, high=1.0, step=0.01, label=N_("Noise"),
        help=N_("Standard deviation of the noise on every pixel, as a share of white."),
    )  # fmt: skip
    brightness: float = knob(
        1.0, low=0.05, high=5.0, log=True, label=N_("Brightness"), help=N_("Every pixel is multiplied by this."),
    )  # fmt: skip
    grey: float = knob(
        0.0, low=0.0, high=1.0, step=0.01, label=N_("Grey"), help=N_("How much of the colour is taken away."),
    )  # fmt: skip
    invert: bool = knob(False, label=N_("Negative"), help=N_("Dark becomes bright, and every colour its opposite."))
    left: float = knob(0.3, low=0.0, high=1.0, label=N_("Box, left"), help=N_("Where the box begins."))
    top: float = knob(0.3, low=0.0, high=1.0, label=N_("Box, top"), help=N_("Where the box begins."))
    width: float = knob(0.0, low=0.0, high=1.0, label=N_("Box, width"), help=N_("0: there is no box."))
    height: float = knob(0.0, low=0.0, high=1.0, label=N_("Box, height"), help=N_("0: there is no box."))

    @property
    def boxed(self) -> bool:
        """Whether a part is covered."""
        return self.width > 0 and self.height > 0


BOX = ("left", "top", "width", "height")
NONE = Changes()
SWEEPS = {  # each change from nothing to its strongest, for a sweep
    "rotate": (0.0, 180.0), "crop": (0.0, 0.9), "scale": (1.0, 0.1), "blur": (0.0, 6.0), "noise": (0.0, 1.0),
    "brightness": (1.0, 0.05), "grey": (0.0, 1.0), "occlude": (0.0, 0.9),
}  # fmt: skip


def swept(change: str, share: float) -> Changes:
    """``share`` (0 to 1) of the way from the untouched picture to the strongest ``change``, a key of ``SWEEPS``.

    Brightness goes in equal factors. ``occlude`` is a square in the middle.
    """
    low, high = SWEEPS[change]
    if change == "brightness":
        return Changes(brightness=low * (high / low) ** share)
    strength = low + (high - low) * share
    if change == "occlude":
        return Changes(left=(1 - strength) / 2, top=(1 - strength) / 2, width=strength, height=strength)
    return replace(NONE, **{change: strength})


def touched(changes: Changes) -> bool:
    """Whether they change anything. A box without area has no place either."""
    same = (getattr(changes, f.name) == getattr(NONE, f.name) for f in fields(Changes) if f.name not in BOX)
    return changes.boxed or not all(same)


def changed(picture: np.ndarray, changes: Changes, seed: int = 0) -> np.ndarray:
    """The picture ``(H, W, 3)`` uint8 after the changes, with a shorter side of ``WORK_SIDE``; itself where none is.

    Args:
        seed: of the noise, which is the same for the same seed and shape.
    """
    if not touched(changes):
        return picture
    from PIL import ImageFilter

    image = _cropped(working(picture), changes.crop)
    image = _on_grey(image, changes.scale, changes.rotate)
    if changes.blur:
        image = image.filter(ImageFilter.GaussianBlur(changes.blur / 100 * min(image.size)))
    return _covered(_recoloured(np.asarray(image), changes, seed), changes)


def working(picture: np.ndarray) -> Image:
    """The picture with a shorter side of ``WORK_SIDE``; of one that is far too long, the middle."""
    from PIL import Image

    H, W = picture.shape[:2]
    most = LONGEST * min(H, W)
    top, left = max(0, H - most) // 2, max(0, W - most) // 2
    image = Image.fromarray(np.ascontiguousarray(picture[top : H - top, left : W - left]))
    factor = WORK_SIDE / min(image.size)
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image if size == image.size else image.resize(size, Image.Resampling.BILINEAR)


def _cropped(image: Image, share: float) -> Image:
    if not share:
        return image
    from PIL import Image

    width, height = image.size
    dx, dy = width * share / 2, height * share / 2
    return image.resize(image.size, Image.Resampling.BICUBIC, box=(dx, dy, width - dx, height - dy))


def _on_grey(image: Image, scale: float, degrees: float) -> Image:
    """Shrunk and turned about the middle, on a ground of the mean colour, as large as before."""
    from PIL import Image

    if scale < 1:
        small = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
        ground = Image.new("RGB", image.size, GREY)
        ground.paste(small, ((image.width - small.width) // 2, (image.height - small.height) // 2))
        image = ground
    return image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=GREY) if degrees else image


def _recoloured(pixels: np.ndarray, changes: Changes, seed: int) -> np.ndarray:
    """Noise, brightness, grey, negative, on ``(H, W, 3)`` uint8."""
    if not (changes.noise or changes.brightness != 1 or changes.grey or changes.invert):
        return pixels
    X = pixels.astype(np.float32)
    if changes.noise:
        noise = np.random.default_rng(seed).standard_normal(X.shape, dtype=np.float32)
        X = np.clip(X + 255 * changes.noise * noise, 0, 255)
    X = np.clip(X * np.float32(changes.brightness), 0, 255)
    if changes.grey:
        luma = X @ np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R 601, as Pillow's "L"
        X += np.float32(changes.grey) * (luma[..., None] - X)
    return np.rint(255 - X if changes.invert else X).astype(np.uint8)


def _covered(pixels: np.ndarray, changes: Changes) -> np.ndarray:
    if not changes.boxed:
        return pixels
    H, W = pixels.shape[:2]
    top, left = round(changes.top * H), round(changes.left * W)
    pixels = pixels.copy()
    pixels[top : round((changes.top + changes.height) * H), left : round((changes.left + changes.width) * W)] = GREY
    return pixels
