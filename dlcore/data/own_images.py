"""Pictures that somebody brings, as a zip of folders: read in a worker, kept under the fingerprint of their pixels.

A link carries the fingerprint; the pixels stay in ``DLCORE_STATE/data/images``, where the workers find them too. They
are kept in colour at 64 × 64; a form makes smaller or grey ones of them.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dlcore.data import kept, zip_folder
from dlcore.data.images import ImageData, content_hash, image_data
from dlcore.data.kept import find, make_room
from dlcore.data.zip_folder import DAMAGED, MOST_UNPACKED, TOO_HEAVY, Picture, Skipped
from dlcore.jobs.store import state_dir
from dlcore.texts import N_, Problem

SIDE = 64  # pixels, as kept
FORMS = {"colour32": (3, 32), "colour64": (3, 64), "grey28": (1, 28)}  # channels and pixels a side
TEST_SHARE = 0.2
KEPT_SETS, KEPT_BYTES = (
    40,
    1_500_000_000,
)  # those unused for longest go first, so that a public server's disk stays small
THUMBS = 8  # pictures of each class that are kept to be shown at once
TICK = 0.3  # seconds between two notes of how far the reading is
MOST_SECONDS = 240.0  # for one zip: a page waits no longer
LOST = N_(
    "This link names pictures ({fingerprint}) that are not on this computer. Choose the same zip, and the same lesson "
    "comes back."
)


def folder() -> Path:
    """Where own pictures are kept."""
    return state_dir() / "data" / "images"


def keep_zip(blob: np.ndarray | bytes, note: str = "") -> dict[str, Any]:
    """Read a zip's pictures and keep them; returns ``summary`` of what was kept. For a worker: seconds to a minute.

    Args:
        blob: the zip's bytes, or an array (n,) uint8 of them.
        note: a name under which ``progress`` tells how far the reading is.

    Raises:
        Problem: kind "zip"; the sentence says what is wrong and what to bring instead.
    """
    blob = blob.tobytes() if isinstance(blob, np.ndarray) else blob
    skipped = Skipped()
    with zip_folder.open_zip(blob) as archive:
        placed = zip_folder.pictures(archive, skipped)
        X, rows = _pixels(archive, placed, skipped, note)  # (n, 64, 64, 3), the places of those that could be read
    found = {picture.kind for picture in placed}
    placed = [placed[row] for row in rows]
    kinds = tuple(sorted({picture.kind for picture in placed}, key=natural))
    lost = sorted(found - set(kinds), key=natural)
    if len(kinds) < 2:
        raise Problem(
            N_("Fewer than two classes of this zip hold pictures that can be read. Each needs a folder with pictures."),
            kind="zip",
        )
    y = np.array([kinds.index(picture.kind) for picture in placed], dtype=np.int64)
    is_test = np.array([picture.part == "test" for picture in placed]) if placed[0].part else split(y)
    if not is_test.any() or is_test.all():
        raise Problem(
            N_("No picture is left to test the network with. At least one class needs two pictures."), kind="zip"
        )
    return _keep(X, y, is_test, kinds, skipped, given=bool(placed[0].part), lost=lost)


def split(y: np.ndarray) -> np.ndarray:
    """Which samples are for the test, (N,) bool: a fifth of each class, at least one where it has two. No chance in it.

    They are drawn over the whole folder and not cut off its end, since names often follow the order of shooting.
    """
    test = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        where = np.flatnonzero(y == label)
        count = max(round(len(where) * TEST_SHARE), 1) if len(where) > 1 else 0
        test[np.random.default_rng(0).permutation(where)[:count]] = True
    return test


def _pixels(
    archive: zipfile.ZipFile, placed: list[Picture], skipped: Skipped, note: str
) -> tuple[np.ndarray, list[int]]:
    """Each picture that can be read as (64, 64, 3), and which they are."""
    X, rows = np.empty((len(placed), SIDE, SIDE, 3), np.uint8), []
    for row, image in each_picture(archive, placed, skipped, note):
        X[len(rows)] = square(image)
        rows.append(row)
    return X[: len(rows)], rows


def each_picture(
    archive: zipfile.ZipFile, placed: list[Picture], skipped: Skipped, note: str = ""
) -> Iterator[tuple[int, np.ndarray]]:
    """The pictures of a zip that can be read, with their place in ``placed``; one is decoded at a time.

    Args:
        note: a name under which ``progress`` tells how far the reading is.

    Raises:
        Problem: kind "zip"; unpacked it is too large, or takes too long.
    """
    from dlcore.data.uploads import read_image

    unpacked, told, began = 0, 0.0, time.monotonic()
    for row, picture in enumerate(placed):
        try:
            blob = zip_folder.content(archive, picture)
            if blob is None:
                skipped.add(TOO_HEAVY, picture.name)
                unpacked += zip_folder.MOST_FILE
            else:
                unpacked += len(blob)
                yield row, read_image(blob)
        except (OSError, Problem):
            skipped.add(DAMAGED, picture.name)
        _check_limits(unpacked, row + 1, len(placed), time.monotonic() - began)
        if note and time.monotonic() - told > TICK:
            told = time.monotonic()
            _tell(note, row + 1, len(placed))


def _check_limits(unpacked: int, done: int, total: int, seconds: float) -> None:
    if unpacked > MOST_UNPACKED:
        raise Problem(
            N_("Unpacked, this zip is larger than {most:.0f} MB. Take fewer or smaller pictures and try again."),
            kind="zip", most=MOST_UNPACKED / 1e6,
        )  # fmt: skip
    if seconds > MOST_SECONDS:
        raise Problem(
            N_("These pictures take too long to read: {n} of {total} in {minutes:.0f} minutes. Make them smaller."),
            kind="zip", n=done, total=total, minutes=MOST_SECONDS / 60,
        )  # fmt: skip


def square(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The middle square of a picture ``(H, W, 3)`` uint8 (at least one pixel a side), scaled to ``(side, side, 3)``."""
    from PIL import Image

    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    middle = Image.fromarray(image).crop((left, top, left + edge, top + edge))
    return np.asarray(
        middle.resize((side, side), Image.Resampling.BOX if edge > 2 * side else Image.Resampling.BICUBIC)
    )


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts class 2 before class 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in re.split(r"(\d+)", name)]


def _keep(
    X: np.ndarray, y: np.ndarray, is_test: np.ndarray, kinds: tuple[str, ...], skipped: Skipped, *, given: bool,
    lost: list[str],
) -> dict[str, Any]:  # fmt: skip
    X = np.ascontiguousarray(X.transpose(0, 3, 1, 2))  # (n, 3, 64, 64)
    arrays: dict[str, Any] = {
        "X_train": X[~is_test],
        "y_train": y[~is_test],
        "X_test": X[is_test],
        "y_test": y[is_test],
    }
    name = content_hash(*arrays.values(), np.frombuffer("\n".join(kinds).encode(), np.uint8))
    told = {
        "hash": name,
        "classes": list(kinds),
        "train": np.bincount(arrays["y_train"], minlength=len(kinds)).tolist(),
        "test": np.bincount(arrays["y_test"], minlength=len(kinds)).tolist(),
        "given": given,
        "lost": lost,
        "skipped": [[reason, n, skipped.names[reason]] for reason, n in skipped.counts.items()],
    }
    thumbs = np.concatenate([X[y == k][:THUMBS] for k in range(len(kinds))])
    thumb_labels = np.concatenate([y[y == k][:THUMBS] for k in range(len(kinds))])
    place = folder() / f"{name}.npz"
    try:
        with kept.writing(place) as file:
            arrays |= {"about": np.array(json.dumps(told)), "thumbs": thumbs, "thumb_labels": thumb_labels}
            np.savez(file, **arrays)
    except OSError as error:
        raise Problem(
            N_("The pictures cannot be kept on this server ({error}). Is the folder DLCORE_STATE writable?"),
            kind="state", error=str(error),
        ) from None  # fmt: skip
    _tidy(place.parent)
    make_room(place, most=KEPT_SETS, most_bytes=KEPT_BYTES)
    return told


def _tidy(folder: Path) -> None:
    """Remove what interrupted readings left."""
    for place in folder.iterdir():
        with contextlib.suppress(OSError):  # another worker may be tidying up, too
            if place.suffix in (".part", ".progress") and time.time() - place.stat().st_mtime > 3600:
                place.unlink(missing_ok=True)


def summary(fingerprint: str) -> dict[str, Any]:
    """What is kept under a fingerprint, quickly: ``hash``, ``classes``, ``train`` and ``test`` (pictures of each
    class), ``given`` (the zip said which are for the test), ``lost`` (classes of which no picture could be read),
    ``skipped`` as [reason, count, first names].

    Raises:
        Problem: kind "data_missing": it is not here.
    """
    with np.load(_place(fingerprint), allow_pickle=False) as file:
        return json.loads(str(file["about"]))


def claim(fingerprint: str, owner: str) -> None:
    """Note whose pictures these are: photographs are shown to none but the browsers that have brought them."""
    kept.claim(folder(), fingerprint, owner)


def check_owner(fingerprint: str, owner: str) -> None:
    """Raise the ``Problem`` of pictures that are not here where they are here, but other people's."""
    if not kept.belongs(folder(), fingerprint, owner):
        raise Problem(LOST, kind="data_missing", fingerprint=fingerprint)


def thumbs(fingerprint: str) -> tuple[np.ndarray, np.ndarray]:
    """Up to eight pictures of each class ``(n, 3, 64, 64)`` uint8 and their labels ``(n,)``; quick."""
    with np.load(_place(fingerprint), allow_pickle=False) as file:
        return file["thumbs"], file["thumb_labels"]


def _place(fingerprint: str) -> Path:
    return find(
        folder(), fingerprint, ".npz",
        none=N_("No pictures of yours are here yet. Choose a zip with a folder for each class."),
        lost=LOST,
    )  # fmt: skip


@lru_cache(maxsize=2)
def load(fingerprint: str, form: str = "colour32") -> ImageData:
    """The kept pictures as a dataset, in one of ``FORMS``. Its ``hash`` is the fingerprint, whatever the form.

    Raises:
        Problem: kind "data_missing": they are not here.
    """
    with np.load(_place(fingerprint), allow_pickle=False) as file:
        about = json.loads(str(file["about"]))
        X_train, X_test = (shaped(file[name], form) for name in ("X_train", "X_test"))
        arrays = (X_train, file["y_train"], X_test, file["y_test"])
    data = image_data("own", arrays, tuple(about["classes"]), f"own:{fingerprint}")
    return ImageData(**{**vars(data), "hash": fingerprint})


def shaped(X: np.ndarray, form: str) -> np.ndarray:
    """Pictures ``(n, 3, 64, 64)`` uint8 in a form of ``FORMS``: scaled down by averaging, grey by ITU-R 601 luma."""
    from PIL import Image

    channels, side = FORMS[form]
    if side == SIDE:
        return X
    out = np.empty((len(X), channels, side, side), np.uint8)
    for row, image in enumerate(X):
        small = Image.fromarray(image.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BOX)
        out[row] = np.asarray(small.convert("L"))[None] if channels == 1 else np.asarray(small).transpose(2, 0, 1)
    return out


def _note_path(note: str) -> Path:
    return folder() / f"{re.sub('[^0-9a-f]', '', note)[:32]}.progress"


def _tell(note: str, done: int, total: int) -> None:
    path = _note_path(note)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{done} {total}")


def progress(note: str) -> tuple[int, int]:
    """How many pictures of how many are read, of the ``keep_zip`` with that note; (0, 0) before the first."""
    try:
        done, total = _note_path(note).read_text().split()
        return int(done), int(total)
    except (OSError, ValueError):
        return 0, 0


def forget(note: str) -> None:
    """Remove the note of a reading that has ended."""
    _note_path(note).unlink(missing_ok=True)
