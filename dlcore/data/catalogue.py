"""Every dataset by name: where it comes from, how large it is, under which licence, and what stands in for it offline.

Files lie as torchvision keeps them (``<root>/MNIST/raw/train-images-idx3-ubyte``), so a folder filled by either works
for both. ``dlcore.data.download`` fetches what is missing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from dlcore.data import cifar10
from dlcore.texts import N_, Problem

APP = "dlcore"


@dataclass(frozen=True)
class Remote:
    """One file as it is offered for download: its name there, its size in bytes and its MD5 in hex."""

    name: str
    size: int
    md5: str


@dataclass(frozen=True)
class Dataset:
    """What is known of a dataset. ``folder`` is below a data root; ``files`` are the unpacked names in it.

    One remote that ends in ``.tar.gz`` holds all files. ``mirrors`` are tried in this order; ``stand_in`` is the
    embedded dataset that works without any file. ``copy`` is a file in a data root that serves where the originals are
    not there; ``copy_note`` says how it differs.
    """

    name: str
    title: str
    folder: str
    files: tuple[str, ...]
    remotes: tuple[Remote, ...]
    mirrors: tuple[str, ...]
    licence: str
    homepage: str
    stand_in: str = "digits"
    copy: str = ""
    copy_note: str = ""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(remote.size for remote in self.remotes)


IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def _idx(*sizes_and_sums: tuple[int, str]) -> tuple[Remote, ...]:
    return tuple(Remote(f"{name}.gz", size, md5) for name, (size, md5) in zip(IDX, sizes_and_sums, strict=True))


# Mirrors and MD5 sums as torchvision.datasets publishes them (test_data.py holds them to it).
CATALOGUE = {
    d.name: d
    for d in (
        Dataset(
            name="mnist",
            title=N_("MNIST: 70,000 handwritten digits"),
            folder="MNIST/raw",
            files=IDX,
            remotes=_idx(
                (9912422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
                (28881, "d53e105ee54ea40749a09fcbcd1e9432"),
                (1648877, "9fb629c4189551a2d022fa330f9573f3"),
                (4542, "ec29112dd5afa0611ce80d1b7f02629c"),
            ),
            mirrors=("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
            licence="CC BY-SA 3.0",
            homepage="http://yann.lecun.com/exdb/mnist/",
        ),
        Dataset(
            name="fashion_mnist",
            title=N_("Fashion-MNIST: 70,000 pictures of clothes"),
            folder="FashionMNIST/raw",
            files=IDX,
            remotes=_idx(
                (26421880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
                (29515, "25c81989df183df01b3e8a0aad5dffbe"),
                (4422102, "bef4ecab320f06d8554ea6380940ec79"),
                (5148, "bb300cfdad3c16e7a12a480ee83cd310"),
            ),
            mirrors=(
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            ),
            licence="MIT",
            homepage="https://github.com/zalandoresearch/fashion-mnist",
        ),
        Dataset(
            name="cifar10",
            title=N_("CIFAR-10: 60,000 small colour photographs"),
            folder="cifar-10-batches-py",
            files=(*cifar10.TRAIN, *cifar10.TEST),
            remotes=(Remote("cifar-10-python.tar.gz", 170498071, "c58f30108f718f92721af3b95e74349a"),),
            mirrors=("https://www.cs.toronto.edu/~kriz/",),
            licence="not stated",
            homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
            copy=cifar10.JPEG,
            copy_note=cifar10.JPEG_NOTE,
        ),
    )
}


def dataset(name: str) -> Dataset:
    """The catalogue's entry of that name. Raises ``Problem`` (kind ``"dataset"``) for a name it does not have."""
    if name not in CATALOGUE:
        raise Problem(
            N_("There is no dataset “{name}” to download. There are: {names}."),
            kind="dataset",
            name=name,
            names=", ".join(CATALOGUE),
        )
    return CATALOGUE[name]


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
    """The folder that holds all files of a dataset as they are offered; None if it is not here."""
    entry = dataset(name)
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


def missing(name: str) -> Problem:
    """The sentence for a dataset that is nowhere on this machine: what to type, and what works meanwhile."""
    root = data_root()
    if root and not root.is_dir():
        return Problem(
            N_(
                "{title} is not on this machine: DLCORE_DATA names {root}, which is not a folder. Correct it, "
                "or unset it and run: python -m dlcore download {name}. The embedded digits work meanwhile."
            ),
            kind="data_missing",
            name=name,
            title=dataset(name).title,
            root=str(root),
        )
    return Problem(
        N_(
            "{title} is not on this machine. Run: python -m dlcore download {name}. The embedded digits work meanwhile."
        ),
        kind="data_missing",
        name=name,
        title=dataset(name).title,
    )
