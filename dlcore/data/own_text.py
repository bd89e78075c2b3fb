"""Texts that somebody brings: bytes become characters with care, and are kept under the fingerprint of the text.

A link carries the fingerprint; the text stays in ``DLCORE_STATE/data/texts``, where the workers find it too.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from dlcore.data.kept import find, make_room, writing
from dlcore.jobs.store import state_dir
from dlcore.texts import N_, Problem

MOST_BYTES = 25_000_000
MOST_CHARACTERS = 5_000_000  # what is longer is cut there, and said
FEWEST = 1000  # below it there is nothing to learn, and too little to hold out
KEPT_TEXTS = 40  # those used last; at most 20 MB each
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")  # in a text there are none: tab, line ends and form feed apart
MARKS = (  # byte order marks; the longer first, since one of them begins with another
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
DOCUMENTS = {  # files that are taken for texts and are none, by their first bytes
    b"%PDF": "PDF", b"PK\x03\x04": "Word / EPUB / ZIP", b"\xd0\xcf\x11\xe0": "Word", b"{\\rtf": "RTF",
    b"\x1f\x8b": "gzip",
}  # fmt: skip
CHINESE_SHARE = 0.7  # of the doubled bytes that must be common signs, before bytes are taken for Chinese

NOT_A_TEXT = N_("This is not a text file. Choose a plain .txt file.")
A_DOCUMENT = N_("This is a {document} file, not plain text. Save it as plain text (.txt), and choose that file.")


@dataclass(frozen=True)
class Kept:
    """What was taken of a file. ``cut``: characters beyond the limit that were left out."""

    hash: str
    encoding: str
    characters: int
    cut: int
    begins: str


def read_text(blob: bytes) -> tuple[str, str]:
    """The text of a file's bytes, and the name of the encoding it was read by.

    A byte order mark decides; then UTF-8, UTF-16 without a mark, GB18030 where that gives common Chinese signs, and at
    last Western Windows (of which Latin-1 is the printable part). Nothing is replaced or dropped on the way.

    Raises:
        Problem: kind "text": empty, too large, a document of another kind, or no text at all.
    """
    if not blob:
        raise Problem(N_("This file is empty. Choose a text of at least {fewest} characters."), kind="text",
                      fewest=FEWEST)  # fmt: skip
    if len(blob) > MOST_BYTES:
        raise too_large(len(blob))
    for start, kind in DOCUMENTS.items():
        if blob.startswith(start):
            raise Problem(A_DOCUMENT, kind="text", document=kind)
    for encoding in _candidates(blob):
        try:
            text = blob.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not CONTROLS.search(text):
            return text.removeprefix("\ufeff"), encoding.removesuffix("-sig")
    raise Problem(NOT_A_TEXT, kind="text")


def too_large(size: int) -> Problem:
    """The Problem for a file of ``size`` bytes, so that a page can tell it before reading the file."""
    return Problem(
        N_("This file has {size:.0f} MB, and at most {most:.0f} MB are read. Keep a part of it and try again."),
        kind="text", size=size / 1e6, most=MOST_BYTES / 1e6,
    )  # fmt: skip


def _candidates(blob: bytes) -> list[str]:
    """Encodings to try, the likeliest first."""
    for mark, encoding in MARKS:
        if blob.startswith(mark):
            return [encoding]
    found = ["utf-8"]
    if blob.count(0, 0, 4000) > 0 and len(blob) % 2 == 0:  # every second byte of Latin letters in UTF-16 is 0
        odd, even = blob[1:4000:2].count(0), blob[0:4000:2].count(0)
        found.append("utf-16-le" if odd >= even else "utf-16-be")
    if _looks_chinese(blob[:200_000]):
        found.append("gb18030")
    return [*found, "cp1252", "latin-1"]


def _looks_chinese(blob: bytes) -> bool:
    """Whether most pairs that begin with a high byte are signs of GB 2312's first level or its punctuation.

    In Western texts an accented letter stands before a plain one; such pairs are rare signs of the second level.
    """
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", blob)
    common = sum(0xA1 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
    return bool(pairs) and common >= CHINESE_SHARE * len(pairs)


def cleaned(text: str) -> str:
    """One way to write each letter (NFC) and each line's end; no more than two empty lines in a row, none outside."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n"))
    text = re.sub(r"[^\S\n]+\n", "\n", text)  # spaces at a line's end cannot be seen
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")


def keep(blob: bytes) -> Kept:
    """Read a file's bytes and keep the text for later runs and links on this server.

    Raises:
        Problem: kind "text"; the sentence says what is wrong and what to bring instead.
    """
    text, encoding = read_text(blob)
    whole = cleaned(text)
    text = whole[:MOST_CHARACTERS]
    if len(text) < FEWEST:
        raise Problem(
            N_("This text has {n} characters; to learn from it, and to keep a part for the test, {fewest} are needed."),
            kind="text", n=len(text), fewest=FEWEST,
        )  # fmt: skip
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    kept = Kept(name, encoding, len(text), len(whole) - len(text), text[:300])
    place = folder() / f"{name}.txt"
    try:
        for path, content in ((place.with_suffix(".json"), json.dumps(asdict(kept))), (place, text)):
            with writing(path) as file:
                file.write(content.encode())
    except OSError as error:
        raise Problem(
            N_("The text cannot be kept on this server ({error}). Is the folder DLCORE_STATE writable?"),
            kind="state", error=str(error),
        ) from None  # fmt: skip
    make_room(place, most=KEPT_TEXTS)
    return kept


def folder() -> Path:
    """Where own texts are kept."""
    return state_dir() / "data" / "texts"


def load(fingerprint: str) -> str:
    """The text of that fingerprint. Raises ``Problem`` (kind "data_missing") where it is not here."""
    return _read(_place(fingerprint))


def summary(fingerprint: str) -> Kept:
    """What was kept under a fingerprint. Raises ``Problem`` (kind "data_missing") where it is not here."""
    return Kept(**json.loads(_place(fingerprint).with_suffix(".json").read_text(encoding="utf-8")))


@lru_cache(maxsize=2)
def _read(place: Path) -> str:
    return place.read_bytes().decode()


def _place(fingerprint: str) -> Path:
    return find(
        folder(), fingerprint, ".txt",
        none=N_("No text of yours is here yet. Choose a .txt file."),
        lost=N_("This link names a text ({fingerprint}) that is not on this computer. Choose the same file, and the "
                "same lesson comes back."),
    )  # fmt: skip
