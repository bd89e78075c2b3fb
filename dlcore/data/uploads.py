"""Pictures from outside, read with suspicion: limits from the header before anything is decoded, every mode known.

For a worker: decoding may take memory and time. Imports Pillow inside its functions.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 20_000_000
MOST_PIXELS = 50_000_000  # a phone's largest photograph; decoded, 150 MB
MOST_SIDE = 1024  # larger pictures are scaled down: no page shows more
WHOLE_SIDE = 4096  # what a phone's camera takes, for who wants every pixel
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

NOT_AN_IMAGE = N_("This file is not a picture that can be read. Choose a PNG, JPEG, WebP, GIF or BMP file.")
HEIC = N_(
    "This is a HEIC photograph, as iPhones take them, which cannot be read here. Save or send it as JPEG "
    "(on the phone: Settings, Camera, Formats, Most Compatible) and choose that file."
)
TOO_HEAVY = N_("This file has {megabytes:.0f} MB; the most that is read is {most:.0f} MB. Choose a smaller picture.")
TOO_LARGE = N_(
    "This picture has {width} × {height} = {megapixels:.0f} million pixels; the most that is read is {most:.0f} "
    "million. Choose a smaller one."
)
FAR_TOO_LARGE = N_("This picture has far too many pixels; the most that is read is {most:.0f} million. Choose another.")
CUT_SHORT = N_("This picture is damaged or was not sent whole. Choose it again, or save it anew and try that file.")
EMPTY = N_("This file is empty. Choose another one.")


def read_image(blob: bytes, *, grey: bool = False, most: int = MOST_SIDE) -> np.ndarray:
    """An uploaded picture as an array, upright, with at most ``most`` pixels a side.

    Args:
        blob: the file's bytes.
        grey: one channel (ITU-R 601 luma) instead of three.
        most: larger pictures are scaled down to that; ``WHOLE_SIDE`` is the largest that memory allows.

    Returns:
        ``(H, W, 3)`` RGB, or ``(H, W)``; uint8. Of an animation, the first frame. Transparent parts become white paper,
        or black where the picture itself is bright.

    Raises:
        Problem: kind ``"upload"``; the sentence says what is wrong with the file and what to choose instead.
    """
    from PIL import ImageOps

    image = _open(blob)
    image.draft("RGB" if not grey else "L", (most, most))  # JPEG: decode at a smaller scale already
    try:
        image.load()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # damaged EXIF data is no reason to refuse a picture
            image = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:  # Pillow's many ways to say it
        raise Problem(CUT_SHORT, kind="upload") from error
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    if image.mode in ("RGB", "RGBA", "L", "LA"):
        image.thumbnail((most, most))  # before anything is computed: 50 megapixels of floats fill a worker
    image = _to_rgb(image)
    image.thumbnail((most, most))
    return np.asarray(image.convert("L") if grey else image)


def _open(blob: bytes) -> Image:
    """The picture with its header read and nothing decoded. Raises ``Problem`` where a limit is passed."""
    from PIL import Image, UnidentifiedImageError

    if not blob:
        raise Problem(EMPTY, kind="upload")
    if len(blob) > MOST_BYTES:
        raise Problem(TOO_HEAVY, kind="upload", megabytes=len(blob) / 1e6, most=MOST_BYTES / 1e6)
    if blob[4:8] == b"ftyp" and blob[8:12] in HEIC_BRANDS:
        raise Problem(HEIC, kind="upload")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is lower
            image = Image.open(BytesIO(blob), formats=FORMATS)
    except Image.DecompressionBombError as error:  # beyond Pillow's own limit, it does not tell how large
        raise Problem(FAR_TOO_LARGE, kind="upload", most=MOST_PIXELS / 1e6) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Problem(NOT_AN_IMAGE, kind="upload") from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise Problem(
            TOO_LARGE, kind="upload",
            width=width, height=height, megapixels=width * height / 1e6, most=MOST_PIXELS / 1e6,
        )  # fmt: skip
    return image


def _is_bright(layers: Image) -> bool:
    """Whether what can be seen of an RGBA picture is bright on the whole; looked at small, to spare memory."""
    few = layers.copy()
    few.thumbnail((MOST_SIDE, MOST_SIDE))
    luma, alpha = np.asarray(few.convert("L"), float), np.asarray(few.getchannel("A"), float)
    return bool((luma * alpha).sum() > 127 * alpha.sum())


def _to_rgb(image: Image) -> Image:
    """Any of Pillow's modes as RGB: 16 bits scaled to 8, palettes looked up, transparency laid on paper."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":  # 16 bits a pixel (in "I" as well: no 8-bit format has it)
        pixels = np.asarray(image).clip(0, 65535).astype(np.uint32)
        return Image.fromarray(((pixels + 128) // 257).astype(np.uint8)).convert("RGB")
    if "A" in image.getbands() or "transparency" in image.info:
        layers = image.convert("RGBA")
        bright = _is_bright(layers)
        paper = Image.new("RGBA", layers.size, "black" if bright else "white")
        return Image.alpha_composite(paper, layers).convert("RGB")
    return image.convert("RGB")
