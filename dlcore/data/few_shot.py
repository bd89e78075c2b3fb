"""New classes to learn from a few pictures each, with pictures that are held out. Imports NumPy only.

``learn(count, seed)`` draws pictures to learn from; the classes come in turn, so the answers are the same for every
seed and several networks can learn side by side, each from pictures of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcore.data import catalogue, new_shapes
from dlcore.data.images import content_hash
from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    from dlcore.data.album import Album

NAMES = ("shapes", "insects", "album")  # drawn ones, ants and bees, the reader's own (``dlcore.data.album``)
TESTED = 100  # pictures of each class that are held out
LEAST = 2  # pictures to learn from of each class
ENOUGH = 10**6
NO_ALBUM = N_("You have no classes of your own yet. Make some in the lesson “Your own classes”, then come back.")
INSECTS, SIDE = (N_("ant"), N_("bee")), 32
FOLDER = "hymenoptera_data"  # train/ants, train/bees, val/ants, val/bees, as in PyTorch's tutorial on transfer learning


@dataclass(frozen=True)
class NewClasses:
    """What is to be learned. ``pool`` is what pictures are drawn from; None where new ones can be made at will."""

    name: str
    classes: tuple[str, ...]  # English, marked for translation
    X_test: np.ndarray  # (M, C, H, W) uint8
    y_test: np.ndarray  # (M,) int64
    pool: tuple[np.ndarray, np.ndarray] | None = None

    def learn(self, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """``count`` pictures of each class, ``(N, C, H, W)`` uint8 and ``(N,)`` int64, the classes in turn.

        Raises:
            Problem: there are not so many (kind ``"few_images"``).
        """
        if self.pool is None:
            return new_shapes.few(count, seed)
        X, y = self.pool
        rng = np.random.default_rng((seed, 5))
        of_class = [rng.permutation(np.flatnonzero(y == k)) for k in range(len(self.classes))]
        most = min(len(rows) for rows in of_class)
        if count > most:
            raise Problem(
                N_("There are only {most} pictures to learn from of the rarest class, not {count}."),
                kind="few_images", most=most, count=count,
            )  # fmt: skip
        rows = np.stack([rows[:count] for rows in of_class], axis=1).ravel()  # in turn
        return X[rows], y[rows]

    @property
    def most(self) -> int:
        """How many pictures there are to learn from of the rarest class; of drawn ones as many as anybody asks for."""
        return ENOUGH if self.pool is None else int(np.bincount(self.pool[1], minlength=len(self.classes)).min())

    @property
    def hash(self) -> str:
        """The fingerprint of all pictures that do not depend on a seed."""
        return content_hash(self.X_test, self.y_test, *(self.pool or new_shapes.few(1, 0)))


def new_classes(name: str, side: int = SIDE, album: str = "") -> NewClasses:
    """What ``NAMES`` names.

    Args:
        side: of photographs, in pixels.
        album: the fingerprint of the reader's own classes.

    Raises:
        Problem: kind ``"data_missing"``, its files are not here; ``"few_images"``, a class has too few.
    """
    if name == "shapes":
        return NewClasses(name, new_shapes.KINDS, *new_shapes.asked(TESTED))
    if name == "album":
        return _of_album(album, side)
    folder = insects_folder()
    if folder is None:
        raise Problem(
            N_("The photographs of ants and bees are not on this machine. Put the folder {folder} of PyTorch’s "
               "tutorial on transfer learning below the one that DLCORE_DATA names."),
            kind="data_missing", folder=FOLDER,
        )  # fmt: skip
    return NewClasses(name, INSECTS, *_photographs(folder / "val", side), pool=_photographs(folder / "train", side))


@lru_cache(maxsize=2)
def _of_album(fingerprint: str, side: int) -> NewClasses:
    """Classes of the reader's own; what their lesson holds out is held out here."""
    from dlcore.data import album

    found = album.load(fingerprint)
    enough(found)
    names, y, test = found.samples()
    asked = np.concatenate([np.flatnonzero(test & (y == k))[:TESTED] for k in range(len(found.kinds))])
    learned = np.flatnonzero(~test)

    def pixels(rows: np.ndarray) -> np.ndarray:
        return np.stack([p.transpose(2, 0, 1) for p in album.read_pictures([names[k] for k in rows], side)])

    return NewClasses("album", tuple(found.names), pixels(asked), y[asked], pool=(pixels(learned), y[learned]))


def rarest(album: Album) -> int:
    """How many pictures the class with the fewest has to learn from."""
    _names, y, test = album.samples()
    return int(np.bincount(y[~test], minlength=len(album.kinds)).min())


def enough(album: Album) -> None:
    """That ways to learn can be compared on an album: ``LEAST`` pictures of each class to learn from, one to ask about.

    Raises:
        Problem: kind ``"few_images"``, or ``"data_missing"`` where there are no classes.
    """
    if not album.ready:
        raise Problem(NO_ALBUM, kind="data_missing")
    if rarest(album) < LEAST or not album.samples()[2].any():
        raise Problem(
            N_("To compare ways to learn, each class needs at least three pictures: two to learn from, one to be asked "
               "about."),
            kind="few_images",
        )  # fmt: skip


def insects_folder() -> Path | None:
    """Where the photographs of ants and bees lie, or None."""
    for root in (catalogue.data_root(), catalogue.cache_root()):
        if root and all((root / FOLDER / part).is_dir() for part in ("train", "val")):
            return root / FOLDER
    return None


@lru_cache(maxsize=4)
def _photographs(folder: Path, side: int) -> tuple[np.ndarray, np.ndarray]:
    """All photographs of a part, as colour pictures of ``side`` pixels a side, and their classes."""
    from dlcore.data.own_images import square
    from dlcore.data.uploads import read_image

    pictures, y = [], []
    for label, kind in enumerate(("ants", "bees")):
        for path in sorted((folder / kind).glob("*.jpg")):
            pictures.append(square(read_image(path.read_bytes()), side).transpose(2, 0, 1))
            y.append(label)
    return np.stack(pictures), np.array(y, np.int64)
