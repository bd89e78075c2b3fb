"""What learners brought, kept on this server by its fingerprint: found again, and made room for.

``dlcore.data.own`` (tables), ``own_images`` and ``own_text`` keep it, each in a folder and a form of its own.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from dlcore.texts import Problem

FINGERPRINT = re.compile(r"[0-9a-f]{16}")


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
