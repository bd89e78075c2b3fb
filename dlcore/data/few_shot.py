"""New classes to learn from a few pictures each, with pictures that are held out. Imports NumPy only.

``learn(count, seed)`` draws pictures to learn from; the classes come in turn, so the answers are the same for every
seed and several networks can learn side by side, each from pictures of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlcore.data import catalogue, new_shapes
from dlcore.data.images import content_hash
from dlcore.texts import N_, Problem

NAMES = ("shapes", "insects")
TESTED = 100  # pictures of each class that are held out
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
    def hash(self) -> str:
        """The fingerprint of all pictures that do not depend on a seed."""
        return content_hash(self.X_test, self.y_test, *(self.pool or new_shapes.few(1, 0)))


def new_classes(name: str) -> NewClasses:
    """What ``NAMES`` names. Raises ``Problem`` (kind ``"data_missing"``) where its files are not here."""
    if name == "shapes":
        return NewClasses(name, new_shapes.KINDS, *new_shapes.asked(TESTED))
    folder = insects_folder()
    if folder is None:
        raise Problem(
            N_("The photographs of ants and bees are not on this machine. Put the folder {folder} of PyTorch’s "
               "tutorial on transfer learning below the one that DLCORE_DATA names."),
            kind="data_missing", folder=FOLDER,
        )  # fmt: skip
    X, y = _photographs(folder / "train")
    return NewClasses(name, INSECTS, *_photographs(folder / "val"), pool=(X, y))


def insects_folder() -> Path | None:
    """Where the photographs of ants and bees lie, or None."""
    for root in (catalogue.data_root(), catalogue.cache_root()):
        if root and all((root / FOLDER / part).is_dir() for part in ("train", "val")):
            return root / FOLDER
    return None


@lru_cache(maxsize=4)
def _photographs(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """All photographs of a part, as colour pictures of 32 × 32, and their classes."""
    from dlcore.data.own_images import square
    from dlcore.data.uploads import read_image

    pictures, y = [], []
    for label, kind in enumerate(("ants", "bees")):
        for path in sorted((folder / kind).glob("*.jpg")):
            pictures.append(square(read_image(path.read_bytes()), SIDE).transpose(2, 0, 1))
            y.append(label)
    return np.stack(pictures), np.array(y, np.int64)
