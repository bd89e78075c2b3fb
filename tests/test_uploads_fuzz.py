"""Two thousand damaged pictures: each is read or refused with a sentence; none crashes, hangs or fills the memory."""

from __future__ import annotations

import random
import time
from collections import Counter
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dlcore.data.uploads import MOST_SIDE, read_image
from dlcore.texts import Problem
from tests.test_uploads import saved

FILES = 2000
SLOW = 3.0  # seconds of computing for one file of at most 64 pixels a side, on whatever machine


def valid_pictures() -> list[bytes]:
    """Small pictures of each format in the ways that it has: grey, palette, alpha, progressive, lossless, animated."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (24, 33, 3), dtype=np.uint8))
    soft = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8)).resize((64, 48), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a phone"
    deep = Image.fromarray(np.asarray(soft.convert("L")).astype(np.uint16) * 257)
    frames = [soft.rotate(30 * k) for k in range(3)]
    return [
        saved(soft, "JPEG"), saved(soft, "JPEG", progressive=True, quality=70), saved(soft.convert("L"), "JPEG"),
        saved(colour.convert("CMYK"), "JPEG"), saved(soft, "JPEG", exif=exif), saved(colour), saved(soft.convert("P")),
        saved(colour.convert("RGBA")), saved(colour.convert("1")), saved(deep),
        saved(soft.convert("P"), "PNG", transparency=3), saved(soft, "WEBP"), saved(colour, "WEBP", lossless=True),
        saved(colour.convert("RGBA"), "WEBP"), saved(soft, "GIF"),
        saved(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        saved(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
    ]  # fmt: skip


def mutated(blob: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    """The file with one to four kinds of damage done to it."""
    data = bytearray(blob)
    for _round in range(chance.randint(1, 4)):
        if not data:
            break
        at = chance.randrange(min(len(data), chance.choice([40, 200, 10**6])))  # headers are hit more often
        kind = chance.randrange(7)
        if kind == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            data[at : at + chance.randint(1, 8)] = chance.randbytes(chance.randint(1, 8))
        elif kind == 2:
            del data[at : at + chance.randint(1, 200)]
        elif kind == 3:
            data[at:at] = data[at : at + chance.randint(1, 200)] * chance.randint(1, 20)
        elif kind == 4:
            data[at : at + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0"])
        elif kind == 5:
            data = data[:at]
        else:
            data[at:] = chance.choice(others)[at:]
    return bytes(data)


def outcome(blob: bytes) -> str:
    """ "read", or the sentence that refuses the file; what else may come out of it fails the test."""
    try:
        pixels = read_image(blob)
    except Problem as problem:
        return str(problem) if problem.kind == "upload" and "hoose" in str(problem) else f"no help: {problem!r}"
    fits = pixels.dtype == np.uint8 and pixels.ndim == 3 and max(pixels.shape[:2]) <= MOST_SIDE
    return "read" if fits else f"no picture: {pixels.shape}"


@pytest.mark.filterwarnings("ignore")  # Pillow warns of much that is then read all the same
def test_two_thousand_damaged_files_are_read_or_refused():
    chance, whole, told = random.Random(20), valid_pictures(), Counter()
    for number in range(FILES):
        blob = mutated(whole[number % len(whole)], chance, whole)
        started = time.process_time()
        told[outcome(blob)] += 1
        assert time.process_time() - started < SLOW, (number, len(blob))
    assert told["read"] > FILES / 20, "some damage does no harm"
    assert len(told) >= 3, told
    assert not [text for text in told if text.startswith("no ")]


def test_the_valid_ones_are_read():
    for blob in valid_pictures():
        assert read_image(blob).std() > 10


def test_an_aspect_of_thousands_is_read():
    for size in ((30_000, 1), (1, 30_000), (40_000, 3)):
        buffer = BytesIO()
        Image.new("RGB", size, "red").save(buffer, "PNG")
        pixels = read_image(buffer.getvalue())
        assert max(pixels.shape[:2]) <= MOST_SIDE
        assert min(pixels.shape[:2]) >= 1
        assert (pixels[0, 0] == (255, 0, 0)).all()
