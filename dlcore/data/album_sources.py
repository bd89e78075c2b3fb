"""Whole albums at once: a zip of folders, the sets that are there to try, and an album as a zip again. For workers."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dlcore.data import own_images, zip_folder
from dlcore.data.album import (
    MOST_CLASSES,
    MOST_NAME,
    MOST_PICTURES,
    Album,
    Kind,
    keep_picture,
    picture_file,
)
from dlcore.data.catalogue import cache_root, data_root
from dlcore.data.uploads import read_image
from dlcore.data.zip_folder import Skipped
from dlcore.texts import N_, Problem

INSECTS, DRAWN = "hymenoptera", "drawings"
READY = (INSECTS, DRAWN)
DRAWN_KINDS, DRAWN_EACH = (1, 3, 5, 7), 10  # ring, triangle, star, crescent
PARTS = ("train", "val")
TOO_MANY = N_("of which there are 500 already")

Found = tuple[str, str, np.ndarray]  # class, part ("train", "val" or ""), picture (H, W, 3)


def from_zip(blob: np.ndarray | bytes, note: str = "") -> dict[str, Any]:
    """A zip of folders as an album: ``{"album": Album.to_plain(), "skipped": [[reason, count, first names], …]}``.

    Args:
        note: a name under which ``own_images.progress`` tells how far the reading is.

    Raises:
        Problem: kind "zip"; the sentence says what is wrong and what to bring instead.
    """
    skipped = Skipped()
    with zip_folder.open_zip(bytes(blob)) as archive:
        placed = zip_folder.pictures(archive, skipped)
        if len({picture.kind for picture in placed}) > MOST_CLASSES:
            raise Problem(
                N_("This zip has {n} folders, which would be {n} classes; at most {most} are taken."),
                kind="zip", n=len({picture.kind for picture in placed}), most=MOST_CLASSES,
            )  # fmt: skip
        read = own_images.each_picture(archive, placed, skipped, note)
        album = _kept(((placed[row].kind, placed[row].part, image) for row, image in read), skipped)
    return {
        "album": album.to_plain(),
        "skipped": [[reason, n, skipped.names[reason]] for reason, n in skipped.counts.items()],
    }


def ready(name: str) -> dict[str, Any]:
    """One of the sets to try, ``READY``, as a plain album.

    Raises:
        Problem: kind "data_missing": its pictures are not on this machine; "dataset": there is no such set.
    """
    if name == DRAWN:
        return _kept(_drawn()).to_plain()
    place = insects() if name == INSECTS else None
    if name != INSECTS:
        raise Problem(
            N_("There is no dataset “{name}”. There are: {names}."), kind="dataset", name=name, names=", ".join(READY)
        )
    if place is None:
        raise Problem(
            N_("The photographs of ants and bees are not on this machine. Unpack hymenoptera_data.zip (of PyTorch’s "
               "tutorial on transfer learning) in the folder DLCORE_DATA, or take the drawn shapes."),
            kind="data_missing",
        )  # fmt: skip
    return _kept(_photographs(place)).to_plain()


def insects() -> Path | None:
    """Where the ants and bees of PyTorch's tutorial lie (``hymenoptera_data/train/ants`` …), or None."""
    for root in (data_root(), cache_root()):
        place = root / "hymenoptera_data" if root else None
        if place and all((place / part).is_dir() for part in PARTS):
            return place
    return None


def zipped(plain: dict[str, Any]) -> np.ndarray:
    """An album's pictures as a zip of folders that ``from_zip`` reads, bytes (n,) uint8; the given split is kept."""
    from dlcore.data.album import from_plain

    album, out = from_plain(plain), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for kind in album.kinds:
            folder = re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", kind.name).strip(". ") or "_"
            for place, name in enumerate(kind.pictures):
                part = ("test/" if name in kind.test else "train/") if album.given else ""
                archive.writestr(f"{part}{folder}/{place + 1:03}.jpg", picture_file(name).read_bytes())
    return np.frombuffer(out.getvalue(), np.uint8)


def _kept(found: Iterable[Found], skipped: Skipped | None = None) -> Album:
    """Keep pictures as they come; the same one twice in a class counts once."""
    pictures: dict[str, dict[str, bool]] = {}  # by class: fingerprint → whether it is for the test
    parts = set()
    for kind, part, image in found:
        mine = pictures.setdefault(kind[:MOST_NAME], {})
        parts.add(part)
        if len(mine) < MOST_PICTURES:
            mine.setdefault(keep_picture(image), part not in ("", "train"))
        elif skipped is not None:
            skipped.add(TOO_MANY, kind)
    kinds = (
        Kind(name, tuple(mine), tuple(k for k, is_test in mine.items() if is_test)) for name, mine in pictures.items()
    )
    return Album(tuple(sorted(kinds, key=lambda kind: own_images.natural(kind.name))), given=parts != {""})


def _photographs(place: Path) -> Iterator[Found]:
    for part in PARTS:
        for folder in sorted(path for path in (place / part).iterdir() if path.is_dir()):
            for path in sorted(folder.iterdir()):
                if path.suffix.lower() in (".jpg", ".jpeg"):  # one file of the set, a .gif, shows no insect
                    yield folder.name, part, read_image(path.read_bytes())


def _drawn() -> Iterator[Found]:
    """A few of the drawn shapes, dark ink on paper."""
    from dlcore.data.images import load

    data = load("shapes")
    for kind in DRAWN_KINDS:
        for image in data.X_train[data.y_train == kind][:DRAWN_EACH, 0]:
            yield data.classes[kind], "", np.repeat(255 - image[:, :, None], 3, axis=2)
