"""Pictures from outside: every mode, every kind of damage, and from a photograph of a digit to MNIST's form."""

from __future__ import annotations

import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.neighbors import KNeighborsClassifier

from dlcore.data import catalogue, images, ink, uploads
from dlcore.data.uploads import read_image
from dlcore.texts import Problem

GRADIENT = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[None], 40, 0)  # (40, 60), dark left, bright right
COLOURS = np.stack([GRADIENT, GRADIENT[:, ::-1], np.full_like(GRADIENT, 90)], -1)  # (40, 60, 3)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def close(array: np.ndarray, wanted: np.ndarray, tolerance: float = 6) -> bool:
    return array.shape == wanted.shape and float(np.abs(array.astype(float) - wanted).mean()) < tolerance


# --- modes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_every_format(kind):
    assert close(read_image(saved(Image.fromarray(COLOURS), kind)), COLOURS, 12)


def test_grey():
    grey = read_image(saved(Image.fromarray(GRADIENT)), grey=True)
    assert (grey == GRADIENT).all()
    assert read_image(saved(Image.fromarray(GRADIENT))).shape == (40, 60, 3)


def test_16_bits_are_scaled_not_clipped():
    deep = GRADIENT.astype(np.uint16) * 257
    assert (read_image(saved(Image.fromarray(deep)), grey=True) == GRADIENT).all()


def test_cmyk_is_not_inverted():
    assert close(read_image(saved(Image.fromarray(COLOURS).convert("CMYK"), "JPEG", quality=95)), COLOURS, 12)


def test_palette_and_one_bit():
    assert close(read_image(saved(Image.fromarray(COLOURS).convert("P"))), COLOURS, 30)
    bits = Image.fromarray(GRADIENT).convert("1")
    assert set(np.unique(read_image(saved(bits), grey=True))) == {0, 255}


@pytest.mark.parametrize(("ink_level", "paper"), [(0, 255), (255, 0)])
def test_transparent_paper_contrasts_with_the_ink(ink_level, paper):
    drawing = np.zeros((20, 20, 4), np.uint8)
    drawing[8:12, 2:18] = (ink_level, ink_level, ink_level, 255)
    grey = read_image(saved(Image.fromarray(drawing)), grey=True)
    assert (grey[10, 10], grey[0, 0]) == (ink_level, paper)


def test_transparent_colour_of_a_palette():
    picture = Image.fromarray(np.zeros((9, 9), np.uint8), mode="P")
    picture.putpalette([10, 10, 10] * 256)
    assert read_image(saved(picture, transparency=0)).min() == 255  # nothing but paper


def test_exif_turns_the_picture_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the phone upright: to be turned right by 90 degrees
    blob = saved(Image.fromarray(np.rot90(GRADIENT)), "JPEG", exif=exif, quality=95)
    assert close(read_image(blob, grey=True), GRADIENT)


def test_damaged_exif_does_not_lose_the_picture():
    blob = saved(Image.fromarray(COLOURS), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert read_image(blob).shape == COLOURS.shape


def test_large_pictures_are_scaled_down():
    assert read_image(saved(Image.new("RGB", (3000, 40)))).shape == (14, 1024, 3)


# --- refusals ---------------------------------------------------------------------------------------------------------


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises more."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([1, 0, 0, 0, 0])
    chunk = (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + chunk + (0).to_bytes(4, "big") + b"IDAT" + zlib.crc32(b"IDAT").to_bytes(4, "big")


NOISE = saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)))


@pytest.mark.parametrize(
    ("blob", "says"),
    [
        (b"", "empty"),
        (b"hello, I am a text\n" * 9, "PNG, JPEG"),
        (b"<html><img></html>", "PNG, JPEG"),
        (b"%PDF-1.7 ...", "PNG, JPEG"),
        (b"\0\0\0\x18ftypheic" + bytes(99), "HEIC"),
        (NOISE[: len(NOISE) // 2], "damaged"),
        (saved(Image.fromarray(COLOURS), "JPEG")[:-60], "damaged"),
        (png_claiming(8000, 8000), "64 million"),
        (png_claiming(60000, 60000), "too many pixels"),
        (png_claiming(100, 100), "damaged"),
        (bytes(uploads.MOST_BYTES + 1), "20 MB"),
    ],
    ids=["empty", "text", "html", "pdf", "heic", "half-png", "half-jpeg", "bomb", "huge-bomb", "no-pixels", "heavy"],
)
def test_refusals_say_what_to_do(blob, says):
    with pytest.raises(Problem, match=says) as caught:
        read_image(blob)
    assert caught.value.kind == "upload"
    assert "hoose" in str(caught.value)


def test_any_cut_of_a_picture_is_read_or_refused_but_never_a_crash():
    for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP"):
        blob = saved(Image.fromarray(COLOURS), kind)
        for end in range(0, len(blob), max(1, len(blob) // 40)):
            try:
                assert read_image(blob[:end]).shape == COLOURS.shape
            except Problem:
                continue


@pytest.mark.data
def test_awkward_files_from_the_wild():
    folder = (catalogue.data_root() or Path("nowhere")) / "uploads"
    files = [path for path in folder.rglob("*") if path.is_file()]
    if not files:
        pytest.skip("no uploads folder under DLCORE_DATA")
    refused = set()
    for path in files:
        try:
            assert read_image(path.read_bytes()).ndim == 3
        except Problem:
            refused.add(path.name)
    assert refused == {
        "bomb_12000x12000_1bit.png", "html_named_as.png", "pdf_named_as.jpg", "sample.HEIC", "text_named_as.png",
        "truncated_half.jpg", "zero_byte.jpg",
    }  # fmt: skip


# --- ink --------------------------------------------------------------------------------------------------------------


def photograph(form: np.ndarray, rng: np.random.Generator, *, chalk: bool = False) -> np.ndarray:
    """A sign written on uneven paper: shadow across the page, noise, a speck, off-centre; ``(240, 320)`` uint8."""
    sign = np.asarray(Image.fromarray(form).resize((150, 150), Image.Resampling.BICUBIC), float) / 255
    page = np.zeros((240, 320))
    top, left = rng.integers(5, 80), rng.integers(5, 150)
    page[top : top + 150, left : left + 150] = sign
    page[228:231, 300:303] = 1
    y, x = np.mgrid[:240, :320]
    light = 0.55 + 0.4 * (x / 320 + y / 240) / 2
    grey = light * (60 + 130 * page) if chalk else light * (225 - 165 * page)
    return (grey + rng.normal(0, 4, grey.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def reader():
    data = images.load("digits")
    return KNeighborsClassifier(3).fit(data.X_train.reshape(-1, 784), data.y_train)


@pytest.mark.parametrize("chalk", [False, True], ids=["paper", "blackboard"])
def test_photographs_are_read_almost_as_well_as_scans(reader, chalk):
    data, rng = images.load("digits"), np.random.default_rng(0)
    X, y = data.X_test[:120], data.y_test[:120]
    forms = np.stack([ink.as_mnist(photograph(form[0], rng, chalk=chalk)) for form in X])
    scans = reader.score(X.reshape(-1, 784), y)
    assert reader.score(forms.reshape(-1, 784), y) > scans - 0.05


def test_a_drawing_is_hardly_changed():
    """White on black at 28 x 28, as the draw pad gives it, already centred: only the edges' softness may differ."""
    X = images.load("digits").X_test[:50, 0]
    assert np.mean([np.abs(ink.as_mnist(x).astype(float) - x).mean() for x in X]) < 20
    assert all((ink.as_mnist(255 - x) == ink.as_mnist(x)).all() for x in X), "inverted is the same drawing"


def test_a_thin_pen_is_drawn_again_as_thick_as_mnist_s():
    page = np.full((400, 300), 240, np.uint8)
    page[60:340, 150:153] = 30  # a one, three pixels wide in 280: a fifth of a pixel in the box
    form = ink.as_mnist(page)
    assert 2.0 <= ink.stroke_width(form) <= 3.5
    assert form.max() > 230


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_page_stays_blank(level):
    assert not ink.as_mnist(np.full((50, 60), level, np.uint8)).any()
    noisy = np.random.default_rng(0).normal(level, 3, (200, 200)).clip(0, 255).astype(np.uint8)
    assert not ink.as_mnist(noisy).any()


def test_the_edge_of_the_paper_is_no_stroke():
    page = np.full((200, 200), 230, np.uint8)
    page[60:140, 95:105] = 40
    alone = ink.as_mnist(page)
    page[:, :14] = 60  # the table beside the sheet
    assert np.abs(ink.as_mnist(page).astype(float) - alone).mean() < 4


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (3, 2), (2000, 5)])
def test_pictures_of_any_shape(shape):
    assert ink.as_mnist(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)).shape == (28, 28)
