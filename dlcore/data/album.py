"""Pictures that a learner brings for classes of their own: each is kept once, as a square of 256 pixels a side.

A picture is named by its fingerprint and lies in ``DLCORE_STATE/data/album/pictures`` with its thumbnail and what
networks made of it; an album (which pictures belong to which class) is named by a fingerprint, too, and lies beside
it as JSON. What nobody has used for ``KEPT_HOURS`` is deleted. Imports NumPy only; Pillow inside its functions.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from dlcore.data.images import ImageData, content_hash, image_data
from dlcore.data.kept import FINGERPRINT, find
from dlcore.data.own_images import split, square
from dlcore.jobs.store import hashed, state_dir, unwritable
from dlcore.texts import N_, Problem

SIDE, THUMB, SMALL = 256, 80, 64  # pixels: as kept, as shown on the board, as part of an ``ImageData``
MOST_CLASSES, MOST_PICTURES, MOST_NAME = 20, 500, 40
KEPT_HOURS = 24
QUALITY = 92  # of JPEG: about 25 kB a picture
BATCH = 256  # pictures that are in memory together

NONE_HERE = N_("There are no pictures yet. Give at least two classes a picture each; more make it surer.")
LOST = N_("This link names pictures ({fingerprint}) that are not here any more, or are somebody else's. Add your own.")


@dataclass(frozen=True)
class Kind:
    """One class: its name and the fingerprints of its pictures; ``test`` are those of them that are for the test."""

    name: str
    pictures: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


@dataclass(frozen=True)
class Album:
    """The classes in their order. ``given``: ``Kind.test`` says what is for the test; else a fifth of each class is."""

    kinds: tuple[Kind, ...]
    given: bool = False

    @property
    def names(self) -> list[str]:
        """The classes' names."""
        return [kind.name for kind in self.kinds]

    @property
    def ready(self) -> bool:
        """Whether there is something to tell apart: two classes or more, each with a picture."""
        return len(self.kinds) > 1 and all(kind.pictures for kind in self.kinds)

    def samples(self) -> tuple[list[str], np.ndarray, np.ndarray]:
        """Every picture, class by class: fingerprints (N,), labels (N,) int64, which are held out, (N,) bool."""
        names = [name for kind in self.kinds for name in kind.pictures]
        y = np.repeat(np.arange(len(self.kinds)), [len(kind.pictures) for kind in self.kinds]).astype(np.int64)
        if not self.given:
            return names, y, split(y)
        test = [set(kind.test) for kind in self.kinds]
        return names, y, np.array([name in test[k] for name, k in zip(names, y.tolist(), strict=True)], dtype=bool)

    def to_plain(self) -> dict[str, Any]:
        """As nested builtins, for JSON and a page's state."""
        kinds = [{"name": k.name, "pictures": list(k.pictures), "test": list(k.test)} for k in self.kinds]
        return {"classes": kinds, "given": self.given}


def from_plain(plain: dict[str, Any]) -> Album:
    """The inverse of ``Album.to_plain``."""
    kinds = (Kind(k["name"], tuple(k["pictures"]), tuple(k["test"])) for k in plain["classes"])
    return Album(tuple(kinds), bool(plain["given"]))


def folder() -> Path:
    """Where pictures, albums and loaded models are kept."""
    return state_dir() / "data" / "album"


# -- pictures --------------------------------------------------------------------------------------------------------


def take(blobs: Sequence[np.ndarray | bytes]) -> list[dict[str, Any]]:
    """Read pictures and keep them: for each ``{"hash": …}``, or ``{"problem": Problem.to_dict()}``. For a worker."""
    from dlcore.data.uploads import read_image

    told = []
    for blob in blobs:
        try:
            told.append({"hash": keep_picture(read_image(bytes(blob)))})
        except Problem as problem:
            told.append({"problem": problem.to_dict()})
    return told


def keep_picture(image: np.ndarray) -> str:
    """Keep the middle square of a picture ``(H, W, 3)`` uint8 with its thumbnail; returns its fingerprint.

    Raises:
        Problem: kind "state"; the folder cannot be written.
    """
    from PIL import Image

    pixels = square(image, SIDE)
    name, place = content_hash(pixels), folder() / "pictures"
    if not (place / f"{name}.jpg").exists():
        picture = Image.fromarray(pixels)
        small = picture.resize((THUMB, THUMB), Image.Resampling.BOX)
        make_folder(place)
        for file, content, quality in ((f"{name}.thumb", small, 80), (f"{name}.jpg", picture, QUALITY)):
            blob = BytesIO()
            content.save(blob, "JPEG", quality=quality)
            write_whole(place / file, blob.getvalue())
        tidy()
    return name


def make_folder(place: Path) -> None:
    """Make a folder where there is none. Raises ``Problem`` (kind "state")."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(place, error) from None


def write_whole(path: Path, blob: bytes) -> None:
    """Write a file whole or not at all, without waiting for the disk: what is kept a day may be lost with the power.

    Raises:
        Problem: kind "state"; the folder cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        part.write_bytes(blob)
        os.replace(part, path)
    except OSError as error:
        raise unwritable(path.parent, error) from None


def picture_file(name: str, ending: str = ".jpg") -> Path:
    """A file of a kept picture: the picture itself, its ``.thumb``, or features. It need not be there.

    Raises:
        Problem: kind "data_missing": no such fingerprint is possible.
    """
    if not FINGERPRINT.fullmatch(name):
        raise Problem(LOST, kind="data_missing", fingerprint=name[:16])
    return folder() / "pictures" / f"{name}{ending}"


def read_pictures(names: Iterable[str], side: int = SIDE) -> Iterator[np.ndarray]:
    """The kept pictures one by one, ``(side, side, 3)`` uint8; each counts as used from now on.

    Raises:
        Problem: kind "data_missing": one is not here any more.
    """
    from PIL import Image

    for name in names:
        path = picture_file(name)
        try:
            with Image.open(path, formats=("JPEG",)) as image:
                small = image if side == SIDE else image.resize((side, side), Image.Resampling.BOX)
                yield np.asarray(small.convert("RGB"))
            os.utime(path)
        except OSError:
            raise Problem(LOST, kind="data_missing", fingerprint=name) from None


# -- albums ----------------------------------------------------------------------------------------------------------


def fingerprint(album: Album) -> str:
    """What names an album: 16 hex digits of SHA-256 over its names, pictures and split."""
    return hashlib.sha256(json.dumps(album.to_plain(), sort_keys=True).encode()).hexdigest()[:16]


def keep(album: Album, owner: str = "") -> str:
    """Write an album down for the workers; returns its fingerprint. ``owner`` may take it up again by that.

    Raises:
        Problem: kind "state"; the folder cannot be written.
    """
    content, name = album.to_plain(), fingerprint(album)
    path = folder() / f"{name}.json"
    owners = {hashed(owner)} if owner else set()
    with contextlib.suppress(OSError, ValueError, KeyError):
        owners |= set(json.loads(path.read_text(encoding="utf-8"))["owners"])
    make_folder(path.parent)
    write_whole(path, json.dumps({**content, "owners": sorted(owners)}).encode())
    return name


def load(name: str, owner: str | None = None) -> Album:
    """A kept album; with ``owner``: only if it is theirs.

    Raises:
        Problem: kind "data_missing".
    """
    path = find(folder(), name, ".json", none=NONE_HERE, lost=LOST)
    content = json.loads(path.read_text(encoding="utf-8"))
    if owner is not None and hashed(owner) not in content["owners"]:
        raise Problem(LOST, kind="data_missing", fingerprint=name)
    return from_plain(content)


@lru_cache(maxsize=2)
def images(name: str) -> ImageData:
    """An album as a dataset of small pictures (64 × 64): what shows or looks up pictures asks for it so.

    Raises:
        Problem: kind "data_missing".
    """
    album = load(name)
    names, y, test = album.samples()
    X = np.empty((len(names), 3, SMALL, SMALL), np.uint8)
    for row, picture in enumerate(read_pictures(names, SMALL)):
        X[row] = picture.transpose(2, 0, 1)
    data = image_data("album", (X[~test], y[~test], X[test], y[test]), tuple(album.names), f"album:{name}")
    return replace(data, hash=name)


def forget(album: Album, owner: str) -> None:
    """Delete an album and its pictures with all that was made of them, now; not those of somebody else's albums."""
    (folder() / f"{fingerprint(album)}.json").unlink(missing_ok=True)
    others: set[str] = set()
    for path in folder().glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            content = json.loads(path.read_text(encoding="utf-8"))
            if set(content["owners"]) != {hashed(owner)}:
                others |= {name for kind in content["classes"] for name in kind["pictures"]}
    for kind in album.kinds:
        for name in set(kind.pictures) - others:
            _remove(picture_file(name))


def tidy(now: float | None = None) -> None:
    """Delete what was not used for ``KEPT_HOURS``."""
    oldest = (now or time.time()) - 3600 * KEPT_HOURS
    for path in [*folder().glob("*.json"), *folder().glob("pictures/*.jpg"), *folder().glob("models/*")]:
        with contextlib.suppress(OSError):  # another worker may be tidying up, too
            if path.stat().st_mtime < oldest:
                _remove(path)


def _remove(path: Path) -> None:
    for file in path.parent.glob(f"{path.stem}.*"):
        file.unlink(missing_ok=True)
