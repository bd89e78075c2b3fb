"""Labelled images as arrays, from the embedded set or from files on disk. Imports NumPy only.

"digits" (scikit-learn's 1,797 scans) and "shapes" (drawn) are always there; "mnist" and "fashion_mnist" are read from
the original idx files, "cifar10" by ``dlcore.data.cifar10``, "own" and "album" (pictures that
somebody brought) by ``dlcore.data.own_images`` and ``dlcore.data.album``.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from dlcore.data import catalogue, cifar10
from dlcore.data.shapes import KINDS, shapes
from dlcore.texts import N_, Problem

NAMES = ("digits", "shapes", "shapes_centred", "shapes_moved", "mnist", "fashion_mnist", "cifar10", "own", "album")
SIDE, BOX = 28, 20  # MNIST's frame, and the box in it that holds the ink
FASHION = (
    N_("T-shirt"), N_("trousers"), N_("pullover"), N_("dress"), N_("coat"),
    N_("sandal"), N_("shirt"), N_("sneaker"), N_("bag"), N_("ankle boot"),
)  # fmt: skip
DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class ImageData:
    """Images and their labels. Channels come first, as PyTorch has them; the arrays are read-only.

    ``hash`` names the content (16 hex digits of SHA-256 over arrays and shapes), whatever machine it was read on.
    ``source`` says where it was read from; ``note`` (marked for translation) how it differs from the original, if so.
    """

    name: str
    X_train: np.ndarray  # (N, C, H, W) uint8, grey (C = 1; ink bright on black) or RGB (C = 3)
    y_train: np.ndarray  # (N,) int64
    X_test: np.ndarray  # (M, C, H, W) uint8
    y_test: np.ndarray  # (M,) int64
    classes: tuple[str, ...]  # English, marked for translation
    hash: str
    source: str
    note: str = ""


def load(name: str, *, train_size: int | None = None) -> ImageData:
    """A dataset by name, the same on every machine.

    Args:
        name: one of ``NAMES``, or what ``name_of`` makes of a run's config.
        train_size: take only so many training images, each class in proportion (nested: a larger set contains the
            smaller ones); None or more than there are: all of them, in their own order. The test set stays whole.

    Raises:
        Problem: the name is unknown (kind ``"dataset"``), the files are not here (``"data_missing"``) or cannot be
            read (``"data_broken"``); the sentence says what to do.
    """
    name, *which = name.split(":")
    if name not in NAMES:
        raise Problem(
            N_("There is no dataset “{name}”. There are: {names}."),
            kind="dataset",
            name=name,
            names=", ".join(NAMES),
        )
    if name in ("own", "album"):
        return _brought(name, which, train_size)
    folder = None
    if name not in EMBEDDED:
        folder = catalogue.locate(name)
        if folder is None:
            raise catalogue.missing(name)
    return _load(name, folder, train_size)


def name_of(config: Mapping[str, Any]) -> str:
    """The dataset that a config (as a mapping) names, for ``load``: of own pictures also which, and in which form."""
    if "backbone" in config:  # the lesson on own classes, whose ready sets are albums, too
        return f"album:{config['data_hash']}"
    if config["dataset"] != "own":
        return config["dataset"]
    return f"own:{config['data_hash']}:{config.get('own_form', 'colour32')}"


@lru_cache(maxsize=4)
def _load(name: str, folder: Path | None, train_size: int | None) -> ImageData:
    note = ""
    if folder is None:
        (X_train, y_train, X_test, y_test), source = EMBEDDED[name](), SOURCES[name]
    else:
        (X_train, y_train, X_test, y_test), source = _read(name, folder), str(folder)
        note = catalogue.note(name, folder)
    X_train, y_train = _fewer(X_train, y_train, train_size)
    return image_data(name, (X_train, y_train, X_test, y_test), CLASSES.get(name, DIGITS), source, note)


def _fewer(X: np.ndarray, y: np.ndarray, size: int | None) -> tuple[np.ndarray, np.ndarray]:
    """So many of the samples, each class in proportion; all where ``size`` is None or more than there are."""
    if size is None or size >= len(y):
        return X, y
    keep = proportional_order(y)[: max(1, size)]
    return X[keep], y[keep]


def _brought(name: str, which: list[str], train_size: int | None) -> ImageData:
    from dlcore.data import album, own_images

    data = own_images.load(*(which or [""])) if name == "own" else album.images(*which)
    X_train, y_train = _fewer(data.X_train, data.y_train, train_size)
    return replace(data, X_train=X_train, y_train=y_train)


def image_data(
    name: str, arrays: tuple[np.ndarray, ...], classes: tuple[str, ...], source: str, note: str = ""
) -> ImageData:
    """X_train, y_train, X_test and y_test as a dataset; they become read-only, since all who load it share them."""
    arrays = tuple(np.ascontiguousarray(a) for a in arrays)
    for array in arrays:
        array.setflags(write=False)
    return ImageData(name, *arrays, classes=classes, hash=content_hash(*arrays), source=source, note=note)


def pixel_statistics(X: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of all pixels ``(N, C, H, W)`` uint8 on the scale 0 to 1, in little memory."""
    counts = sum(np.bincount(part.ravel(), minlength=256) for part in np.array_split(X, max(1, X.size >> 22)))
    values = np.arange(256) / 255
    mean = float((counts * values).sum() / X.size)
    return mean, math.sqrt(float((counts * (values - mean) ** 2).sum() / X.size))


def content_hash(*arrays: np.ndarray) -> str:
    """16 hex digits that name the arrays' content, shape and type; the same on every machine."""
    digest = hashlib.sha256()
    for array in arrays:
        little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{little.dtype.str}{little.shape}".encode())
        digest.update(little.data)
    return digest.hexdigest()[:16]


def proportional_order(y: np.ndarray) -> np.ndarray:
    """An order of the samples in which every prefix holds each class in proportion, ``(N,) int64``. No chance in it."""
    place = np.empty(len(y))
    for label in np.unique(y):
        where = np.flatnonzero(y == label)
        place[where] = (np.arange(len(where)) + 0.5) / len(where)
    return np.argsort(place, kind="stable")


@lru_cache(maxsize=1)
def _digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The UCI scans that scikit-learn carries, brought to MNIST's form; every fifth of each class is for the test."""
    from sklearn.datasets import load_digits

    pixels, target = cast("tuple[np.ndarray, np.ndarray]", load_digits(return_X_y=True))  # (1797, 64), (1797,)
    y = target.astype(np.int64)
    small = np.round(pixels.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)  # 0..16 -> 0..255
    X = np.stack([mnist_form(image) for image in small])[:, None]  # (1797, 1, 28, 28)
    test = np.zeros(len(y), dtype=bool)
    for label in range(10):
        test[np.flatnonzero(y == label)[4::5]] = True
    return X[~test], y[~test], X[test], y[test]


def mnist_form(ink: np.ndarray, threshold: int = 24) -> np.ndarray:
    """One image brought to the form of MNIST's: ``(H, W)`` uint8, bright ink on black, to ``(28, 28)`` uint8.

    Crops to the ink, scales it (keeping its proportions) into a box of 20 x 20 and puts its centre of mass into the
    middle of a frame of 28 x 28, as LeCun, Cortes and Burges describe it. An image without ink stays black.

    Args:
        threshold: pixels up to this value count as paper when the crop is chosen.
    """
    from PIL import Image

    rows, columns = np.nonzero(ink > threshold)
    if not len(rows):
        return np.zeros((SIDE, SIDE), np.uint8)
    cut = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    scale = BOX / max(cut.shape)
    height, width = (max(1, round(side * scale)) for side in cut.shape)
    small = Image.fromarray(cut).resize((width, height), Image.Resampling.BICUBIC)
    return _centre(np.asarray(small))


def _centre(ink: np.ndarray) -> np.ndarray:
    """Ink of at most 20 x 20 in a frame of 28 x 28 with its centre of mass in the middle (to a pixel)."""
    height, width = ink.shape
    mass = ink.astype(float) / max(1.0, float(ink.sum()))
    row = float((mass.sum(1) * np.arange(height)).sum())
    column = float((mass.sum(0) * np.arange(width)).sum())
    top = min(max(round((SIDE - 1) / 2 - row), 0), SIDE - height)
    left = min(max(round((SIDE - 1) / 2 - column), 0), SIDE - width)
    frame = np.zeros((SIDE, SIDE), np.uint8)
    frame[top : top + height, left : left + width] = ink
    return frame


def _read(name: str, place: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A dataset of the catalogue from its files. Raises ``Problem`` (kind ``"data_broken"``)."""
    title = catalogue.dataset(name).title
    if name != "cifar10":
        return _idx_set(place, title)
    try:
        return cifar10.read(place)
    except cifar10.FAULTS:
        raise _broken(place, title) from None


def _idx_set(folder: Path, title: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The four idx files of MNIST or Fashion-MNIST, ``(N, 1, 28, 28)`` and ``(N,)`` for training and test."""
    images, labels, test_images, test_labels = (read_idx(folder, file) for file in catalogue.IDX)
    for X, y in ((images, labels), (test_images, test_labels)):
        if X.ndim != 3 or X.shape[1:] != (SIDE, SIDE) or y.shape != X.shape[:1] or y.max(initial=0) > 9:
            raise _broken(folder, title)
    return images[:, None], labels.astype(np.int64), test_images[:, None], test_labels.astype(np.int64)


def read_idx(folder: Path, file: str) -> np.ndarray:
    """One idx file of unsigned bytes (plain or ``.gz``) as an array. Raises ``Problem`` (kind ``"data_broken"``).

    Format: two zero bytes, type 0x08, number of dimensions, each dimension as big-endian uint32, then the bytes.
    """
    path = catalogue.present(folder, file) or folder / file
    try:
        blob = path.read_bytes()
        blob = gzip.decompress(blob) if path.suffix == ".gz" else blob
    except (OSError, EOFError, zlib.error):
        raise _broken(folder, file) from None
    if blob[:3] != b"\0\0\x08" or len(blob) < 4 + 4 * blob[3]:
        raise _broken(folder, file)
    shape = tuple(int(n) for n in np.frombuffer(blob, ">u4", blob[3], offset=4))
    if len(blob) != 4 + 4 * len(shape) + math.prod(shape):
        raise _broken(folder, file)
    return np.frombuffer(blob, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _broken(folder: Path, what: str) -> Problem:
    return Problem(
        N_(
            "{what} in {folder} cannot be read: it is damaged or was not copied whole. Delete it there and run: "
            "python -m dlcore download --all."
        ),
        kind="data_broken",
        what=what,
        folder=str(folder),
    )


EMBEDDED = {  # always there; each gives X_train, y_train, X_test, y_test
    "digits": _digits,
    "shapes": shapes,
    "shapes_centred": partial(shapes, centred=True),
    "shapes_moved": partial(shapes, centred=True, centred_test=False),  # learned in the middle, asked for anywhere
}
DRAWN = tuple(name for name in EMBEDDED if name != "digits")
SOURCES = {"digits": "sklearn.datasets.load_digits", **dict.fromkeys(DRAWN, "dlcore.data.shapes")}
CLASSES = {"fashion_mnist": FASHION, "cifar10": cifar10.KINDS, **dict.fromkeys(DRAWN, KINDS)}
