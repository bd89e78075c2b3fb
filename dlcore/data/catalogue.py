"""Every dataset by name: where it comes from, how large it is, under which licence, and what stands in for it offline.

Files lie as torchvision keeps them (``<root>/MNIST/raw/train-images-idx3-ubyte``), so a folder filled by either works
for both. ``dlcore.data.download`` fetches what is missing.
"""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

from dlcore.data.datasets import CATALOGUE, IDX, Dataset, Remote
from dlcore.texts import N_, Problem
from dlcore.vision.networks import KNOWN, MIRROR, here

APP = "dlcore"
__all__ = [
    "CATALOGUE", "IDX", "Dataset", "Remote", "dataset", "locate", "missing", "note", "offered", "original",
]  # fmt: skip


def dataset(name: str) -> Dataset:
    """What can be fetched under that name: a dataset, or the weights of a network of ``dlcore.vision.networks``.

    Raises:
        Problem: nothing has that name (kind ``"dataset"``).
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    if name in KNOWN:
        return _weights(name)
    raise Problem(
        N_("There is no dataset “{name}” to download. There are: {names}. And these networks: {networks}."),
        kind="dataset",
        name=name,
        names=", ".join(CATALOGUE),
        networks=", ".join(KNOWN),
    )


def offered(name: str) -> bool:
    """Whether something of that name can be fetched."""
    return name in CATALOGUE or name in KNOWN


def _weights(name: str) -> Dataset:
    known = KNOWN[name]
    return Dataset(
        name=name,
        title=known.title,
        folder="hub/checkpoints",
        files=(known.file,),
        remotes=(Remote(known.file, round(known.megabytes * 1024**2), "", known.sha256),),
        mirrors=(MIRROR,),
        licence="BSD 3-Clause",
        homepage="https://docs.pytorch.org/vision/stable/models.html",
        stand_in_title=N_("a network that comes along"),
        weights=True,
    )


def data_root() -> Path | None:
    """The folder that ``DLCORE_DATA`` names (it need not exist), or None."""
    given = os.environ.get("DLCORE_DATA", "").strip()
    return Path(given).expanduser() if given else None


def cache_root() -> Path:
    """The user's own data folder: below ``XDG_CACHE_HOME``, by default ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / APP / "data"


def locate(name: str) -> Path | None:
    """Where a dataset lies: the folder with all its files, else the copy that serves instead; None if neither is here.

    Looks below ``DLCORE_DATA``, then in the cache. A file may also lie there packed (``.gz``). A folder that is missing
    or cannot be read counts as empty.
    """
    entry, roots = dataset(name), [root for root in (data_root(), cache_root()) if root]
    copies = (root / entry.copy for root in roots if entry.copy and present(root, entry.copy))
    return original(name) or next(copies, None)


def original(name: str) -> Path | None:
    """The folder that holds all files of a dataset as they are offered; None if it is not here.

    Of a network, any weights that torchvision has for it will do.
    """
    entry = dataset(name)
    if entry.weights:
        path = here(name)
        return path.parent if path else None
    for root in (data_root(), cache_root()):
        if root and all(present(root / entry.folder, file) for file in entry.files):
            return root / entry.folder
    return None


def note(name: str, place: Path) -> str:
    """How what lies at ``place`` differs from the original (marked for translation); "" where it does not."""
    entry = dataset(name)
    return entry.copy_note if entry.copy and place.name == entry.copy else ""


def present(folder: Path, file: str) -> Path | None:
    """The file, plain or packed, if it is there and not empty."""
    for path in (folder / file, folder / f"{file}.gz"):
        try:
            if path.stat().st_size:
                return path
        except OSError:  # missing, or a folder that may not be entered
            continue
    return None


def content(name: str, file: str) -> bytes:
    """The bytes of one file of a dataset, unpacked where it lies there packed.

    Raises:
        Problem: the dataset is not on this machine ("data_missing"), or the file cannot be read ("data_broken").
    """
    folder = original(name)
    path = present(folder, file) if folder else None
    if path is None:
        raise missing(name)
    try:
        blob = path.read_bytes()
        return gzip.decompress(blob) if path.suffix == ".gz" else blob
    except (OSError, EOFError, zlib.error) as error:
        raise broken(path, error) from None


def broken(path: Path, error: Exception) -> Problem:
    """The sentence for a file that is there and cannot be used."""
    return Problem(
        N_("The file {path} cannot be read ({error}). Remove it and download it again."),
        kind="data_broken",
        path=str(path),
        error=str(error),
    )


def missing(name: str) -> Problem:
    """The sentence for a dataset that is nowhere on this machine: what to type, and what works meanwhile."""
    root = data_root()
    if root and not root.is_dir() and not dataset(name).weights:
        return Problem(
            N_(
                "{title} is not on this machine: DLCORE_DATA names {root}, which is not a folder. Correct it, "
                "or unset it and run: python -m dlcore download {name}. What works meanwhile is built in."
            ),
            kind="data_missing",
            name=name,
            title=dataset(name).title,
            root=str(root),
        )
    return Problem(
        N_("{title} is not on this machine. Run: python -m dlcore download {name}. What works meanwhile is built in."),
        kind="data_missing",
        name=name,
        title=dataset(name).title,
    )
