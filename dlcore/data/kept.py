"""What learners brought, kept on this server by its fingerprint: found again, and made room for.

``dlcore.data.own`` (tables), ``own_images`` and ``own_text`` keep it, each in a folder and a form of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dlcore.jobs.store import hashed, replace_file
from dlcore.texts import Problem

FINGERPRINT = re.compile(r"[0-9a-f]{16}")
OWNERS = ".owners"  # beside what is kept: JSON, the hashes of those who have brought it


def find(folder: Path, fingerprint: str, suffix: str, *, none: str, lost: str) -> Path:
    """The file that is kept under a fingerprint, which counts as used from now on.

    Args:
        none: the sentence for an empty fingerprint, marked for translation.
        lost: the sentence for one that is not here; may name ``{fingerprint}``.

    Raises:
        Problem: kind "data_missing".
    """
    if not fingerprint:
        raise Problem(none, kind="data_missing")
    place = folder / f"{fingerprint}{suffix}"
    if not FINGERPRINT.fullmatch(fingerprint) or not place.exists():
        raise Problem(lost, kind="data_missing", fingerprint=fingerprint[:16])
    with contextlib.suppress(OSError):  # a folder that is read-only is not tidied up either
        os.utime(place)  # used now: see ``make_room``
    return place


@contextlib.contextmanager
def writing(place: Path) -> Iterator[BinaryIO]:
    """A file to write what shall lie at ``place``: a reader sees all of it or none, and a fault leaves nothing behind.

    The folder is made where there is none. Raises ``OSError``.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as file:
        try:
            yield file  # type: ignore[misc]  # it is a binary file
            file.close()
            os.replace(file.name, place)
        finally:
            Path(file.name).unlink(missing_ok=True)


def claim(folder: Path, fingerprint: str, owner: str) -> None:
    """Note that ``owner`` has brought what is kept under a fingerprint: from now on it is theirs, as others' before."""
    with contextlib.suppress(OSError):  # a full disk: it stays whose it was
        owners = sorted({*_owners(folder, fingerprint), hashed(owner)})
        replace_file(folder / f"{fingerprint}{OWNERS}", json.dumps(owners).encode())


def belongs(folder: Path, fingerprint: str, owner: str) -> bool:
    """Whether ``owner`` has brought it; what nobody has claimed (kept from a terminal) is everybody's."""
    owners = _owners(folder, fingerprint)
    return not owners or hashed(owner) in owners


def _owners(folder: Path, fingerprint: str) -> list[str]:
    if not FINGERPRINT.fullmatch(fingerprint):
        return []
    try:
        return json.loads((folder / f"{fingerprint}{OWNERS}").read_bytes())
    except (OSError, ValueError):
        return []


def make_room(newest: Path, *, most: int, most_bytes: float = float("inf")) -> None:
    """Remove, beyond the limits, what was not used for longest, with all files of the same name; never ``newest``."""
    there = []
    for place in newest.parent.glob(f"*{newest.suffix}"):
        with contextlib.suppress(OSError):  # another worker may be tidying up, too
            there.append((place.stat().st_mtime, place.stat().st_size, place))
    total = 0
    for rank, (_used, size, old) in enumerate(sorted(there, reverse=True)):
        total += size
        if old != newest and (rank >= most or total > most_bytes):
            for file in old.parent.glob(f"{old.stem}.*"):
                file.unlink(missing_ok=True)
