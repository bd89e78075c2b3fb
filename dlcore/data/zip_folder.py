"""A zip of pictures in folders, read with suspicion: nothing is unpacked to disk, and no number in it is believed.

Which files are pictures, which folder names their class, whether training and test are given; the pixels are
``dlcore.data.own_images``' task. Standard library only.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from dlcore.data.uploads import MOST_BYTES as MOST_FILE
from dlcore.texts import N_, Problem

MOST_BYTES = 64_000_000  # of the zip itself
MOST_ENTRIES, MOST_IMAGES, MOST_CLASSES = 20_000, 6_000, 50
MOST_UNPACKED = 400_000_000  # bytes of all pictures together, counted as they are read
MOST_NAME = 40  # letters of a class's name
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")
TRAINING, TEST = (
    ("train", "training", "训练", "训练集"),
    ("test", "testing", "val", "valid", "validation", "测试", "测试集", "验证集"),
)
USUAL = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # LZMA would take as much memory as the file asks for
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1

NOT_A_PICTURE = N_("no picture (PNG, JPEG, WebP, GIF or BMP)")
HIDDEN = N_("hidden files that systems add (__MACOSX, .DS_Store, Thumbs.db)")
OUTSIDE = N_("names that lead out of the folder (../ or an absolute path)")
LINK = N_("links to other files")
NO_FOLDER = N_("in no folder, so without a class")
DAMAGED = N_("damaged, or not what the name says")
TOO_HEAVY = N_("larger than 20 MB")
ONLY_TEST = N_("of a class that has nothing to learn from")


@dataclass
class Skipped:
    """What was left out: how many files for each reason (marked for translation), and the first names."""

    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    def add(self, reason: str, name: str) -> None:
        """One more file left out."""
        self.counts[reason] = self.counts.get(reason, 0) + 1
        first = self.names.setdefault(reason, [])
        if len(first) < 3:
            first.append(name[-60:])


@dataclass(frozen=True)
class Picture:
    """One picture's place. ``part`` is "train" or "test" where the folders give it, else ""."""

    entry: zipfile.ZipInfo
    name: str
    kind: str
    part: str


def open_zip(blob: bytes) -> zipfile.ZipFile:
    """The archive, its directory read and nothing else. Raises ``Problem`` (kind "zip")."""
    if not blob:
        raise Problem(N_("This file is empty. Choose another one."), kind="zip")
    if len(blob) > MOST_BYTES:
        raise too_large(len(blob))
    if blob.count(b"PK\1\2") > MOST_ENTRIES:  # before they become a million objects
        raise Problem(
            N_("This zip holds more than {most} files. Take fewer of each class and try again."),
            kind="zip", most=MOST_ENTRIES,
        )  # fmt: skip
    try:
        return zipfile.ZipFile(io.BytesIO(blob))
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError, OSError, UnicodeDecodeError):
        words = (
            N_("This zip was not sent whole, or is damaged. Choose it again, or make it anew.")
            if blob[:2] == b"PK"
            else N_("This is not a zip file. Put the folders (one for each class) into a zip and choose that.")
        )
        raise Problem(words, kind="zip") from None


def too_large(size: int) -> Problem:
    """The Problem for a file of ``size`` bytes, so that a page can tell it before reading the file."""
    return Problem(
        N_("This zip has {size:.0f} MB; the most that is read is {most:.0f} MB. Smaller pictures will do: they are "
           "scaled down to 64 × 64 anyway."),
        kind="zip", size=size / 1e6, most=MOST_BYTES / 1e6,
    )  # fmt: skip


def pictures(archive: zipfile.ZipFile, skipped: Skipped) -> list[Picture]:
    """The pictures by name, each with its class; what is none is noted in ``skipped``.

    Folders that hold all others are passed over. ``train/`` and ``test/`` (or ``val/``) with folders in them are a
    given split; else the first folder names the class.

    Raises:
        Problem: kind "zip": encrypted, no pictures, too many, one class only, or too many classes.
    """
    found = sorted(_usable(archive, skipped), key=lambda pair: pair[1])
    if any(entry.flag_bits & ENCRYPTED_FLAG for entry, _ in found):
        raise Problem(N_("This zip is locked with a password. Make one without and try again."), kind="zip")
    placed = _placed(found, skipped)
    kinds = {picture.kind for picture in placed}
    if not placed:
        raise Problem(
            N_("There are no pictures in folders in this zip. Put the pictures (PNG, JPEG, WebP, GIF or BMP) of each "
               "class into a folder that has its name, and zip those folders."), kind="zip",
        )  # fmt: skip
    if len(placed) > MOST_IMAGES:
        raise Problem(
            N_("This zip holds {n} pictures; at most {most} are taken. Take fewer of each class and try again."),
            kind="zip", n=len(placed), most=MOST_IMAGES,
        )  # fmt: skip
    if len(kinds) == 1:
        raise Problem(
            N_("All pictures of this zip are in one folder, “{name}”, and a network learns to tell at least two "
               "classes apart. Add a folder with pictures of something else."), kind="zip", name=next(iter(kinds)),
        )  # fmt: skip
    if len(kinds) > MOST_CLASSES:
        raise Problem(
            N_("This zip has {n} folders, which would be {n} classes; at most {most} are taken."),
            kind="zip", n=len(kinds), most=MOST_CLASSES,
        )  # fmt: skip
    return placed


def content(archive: zipfile.ZipFile, picture: Picture) -> bytes | None:
    """A picture's bytes; None where it is larger than it may be. It is read no further than that, whatever it declares.

    Raises:
        OSError: it cannot be unpacked.
    """
    if picture.entry.compress_type not in USUAL:
        raise OSError("an unusual way of packing")
    try:
        with archive.open(picture.entry) as file:
            blob = file.read(MOST_FILE + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise OSError(str(error)) from error
    return blob if len(blob) <= MOST_FILE else None


def _usable(archive: zipfile.ZipFile, skipped: Skipped) -> Iterable[tuple[zipfile.ZipInfo, tuple[str, ...]]]:
    """Entries that may be pictures, with their path in parts."""
    entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]  # a name may be empty
    for entry, name in zip(entries, _names(entries), strict=True):
        parts = tuple(part.strip() for part in name.split("/") if part not in ("", "."))
        if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts or not parts or "" in parts:
            skipped.add(OUTSIDE, name)
        elif stat.S_ISLNK(entry.external_attr >> 16):
            skipped.add(LINK, name)
        elif parts[0] == "__MACOSX" or any(p.startswith(".") for p in parts) or parts[-1].lower() in (
            "thumbs.db", "desktop.ini",
        ):  # fmt: skip
            skipped.add(HIDDEN, name)
        elif not parts[-1].lower().endswith(ENDINGS):
            skipped.add(NOT_A_PICTURE, name)
        else:
            yield entry, parts


def _names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """Names as they were meant. Without the UTF-8 mark a zip does not say how they are written: all are tried alike."""
    raw = [_unread(entry) for entry in entries]
    known = b"\n".join(blob for blob in raw if blob is not None)
    encoding = next(code for code in ("utf-8", "gb2312", "gbk", "cp437") if _reads(known, code))
    names = [e.filename if blob is None else blob.decode(encoding) for e, blob in zip(entries, raw, strict=True)]
    return [name.replace("\\", "/") for name in names]


def _unread(entry: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a name that was read as code page 437 for want of a mark; None where it is known how to read it."""
    if entry.flag_bits & UTF8_FLAG:
        return None
    try:
        return entry.filename.encode("cp437")
    except UnicodeEncodeError:  # newer Pythons take the name from a field that says it in Unicode
        return None


def _reads(text: bytes, encoding: str) -> bool:
    """Whether names make sense so: in GBK a lone Western letter would pass, but Chinese seldom stands alone."""
    try:
        read = text.decode(encoding)
    except UnicodeDecodeError:
        return False
    if encoding != "gbk":
        return True
    runs = re.findall(r"[^\x00-\x7f]+", read)
    return all(re.fullmatch(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]{2,}", run) for run in runs)


def _kind(folder: str) -> str:
    """A class's name on one line, cut in its middle where long: two folders that begin alike stay two classes."""
    name, half = "".join(letter if letter.isprintable() else " " for letter in folder), MOST_NAME // 2
    return name if len(name) <= MOST_NAME else f"{name[: half - 1]}…{name[-half:]}"


def _placed(found: list[tuple[zipfile.ZipInfo, tuple[str, ...]]], skipped: Skipped) -> list[Picture]:
    inside = [(entry, parts) for entry, parts in found if len(parts) > 1]
    for _entry, parts in (pair for pair in found if len(pair[1]) == 1):
        skipped.add(NO_FOLDER, parts[-1])
    while inside and len({parts[0] for _, parts in inside}) == 1 and any(len(parts) > 2 for _, parts in inside):
        for _entry, parts in (pair for pair in inside if len(pair[1]) == 2):
            skipped.add(NO_FOLDER, "/".join(parts))
        inside = [(entry, parts[1:]) for entry, parts in inside if len(parts) > 2]
    tops = {parts[0].lower() for _, parts in inside}
    given = bool(tops & set(TRAINING)) and bool(tops & set(TEST)) and tops <= {*TRAINING, *TEST}
    if not given:
        return [Picture(entry, "/".join(parts), _kind(parts[0]), "") for entry, parts in inside]
    placed = []
    for entry, parts in inside:
        if len(parts) < 3:
            skipped.add(NO_FOLDER, "/".join(parts))
            continue
        part = "train" if parts[0].lower() in TRAINING else "test"
        placed.append(Picture(entry, "/".join(parts), _kind(parts[1]), part))
    learned = {picture.kind for picture in placed if picture.part == "train"}
    for picture in placed:
        if picture.kind not in learned:
            skipped.add(ONLY_TEST, picture.name)
    return [picture for picture in placed if picture.kind in learned]
