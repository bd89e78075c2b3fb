"""A class in one room: what the teacher shows to all, and the board of what has been achieved, by chosen nicknames.

Files under ``DLCORE_STATE/room``, so several servers of one state show the same. A browser is named by a hash of its
id; nothing is kept of who did not join, and all of it is gone when the teacher closes the board.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlcore.jobs.store import hashed, replace_file, state_dir, unwritable
from dlcore.texts import N_, Problem

SHOWN, BOARD, MEMBERS = "shown.json", "board.json", "members"
LONGEST, MOST = 24, 500  # letters of a nickname; members
HOURS = 12  # a board that nobody has closed is gone after so long


@dataclass(frozen=True)
class Shown:
    """What the teacher shows to all: a page of this server with its settings."""

    path: str  # "cnn?lang=en&epochs=2", without the server
    at: float  # seconds since 1970: also its name


@dataclass(frozen=True)
class Member:
    """One browser on the board."""

    name: str
    solved: dict[str, list[str]] = field(default_factory=dict)  # lesson: tasks
    at: float = 0.0  # of the newest

    @property
    def count(self) -> int:
        """How many tasks in all."""
        return sum(map(len, self.solved.values()))


class Room:
    """The room of a state folder. Methods that write raise ``Problem`` (kind ``"state"``)."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or state_dir()) / "room"

    # -- what is shown to all --------------------------------------------------------------------------------------

    def show(self, path: str) -> Shown:
        """Show a page to all."""
        shown = Shown(path, round(time.time(), 3))
        self._write(SHOWN, {"path": shown.path, "at": shown.at})
        return shown

    def shown(self) -> Shown | None:
        """What is shown now; None where nothing is."""
        said = self._read(self._folder / SHOWN)
        if isinstance(said.get("path"), str) and isinstance(said.get("at"), float) and _fresh(said["at"]):
            return Shown(said["path"], said["at"])
        return None

    def end_show(self) -> None:
        """Show nothing any more; who has gone there stays there."""
        (self._folder / SHOWN).unlink(missing_ok=True)

    # -- the board -------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open an empty board."""
        self.close()
        self._write(BOARD, {"at": time.time()})

    def close(self) -> None:
        """Close the board and forget all nicknames."""
        (self._folder / BOARD).unlink(missing_ok=True)
        shutil.rmtree(self._folder / MEMBERS, ignore_errors=True)

    def is_open(self) -> bool:
        """Whether there is a board to join; one look at a file's date. One that was forgotten is closed now."""
        try:
            fresh = _fresh(os.stat(self._folder / BOARD).st_mtime)
        except OSError:
            return False
        if not fresh:
            self.close()
        return fresh

    def join(self, owner: str, name: str) -> Member:
        """Put a browser on the board, or give it another nickname.

        Raises:
            Problem: the nickname is empty, too long or taken; the board is closed or full.
        """
        name = tidy(name)
        if not self.is_open():
            raise Problem(N_("The class board is closed."), kind="board")
        others = {file.stem: self._member(file) for file in self._files()}
        if any(member and member.name.casefold() == name.casefold() for stem, member in others.items()
               if stem != hashed(owner)):  # fmt: skip
            raise Problem(N_("“{name}” is taken. Choose another nickname."), kind="board", name=name)
        if len(others) >= MOST and hashed(owner) not in others:
            raise Problem(N_("The class board is full."), kind="board")
        before = others.get(hashed(owner))
        member = Member(name, before.solved if before else {}, time.time())
        self._keep(owner, member)
        return member

    def leave(self, owner: str) -> None:
        """Take a browser off the board."""
        self._file(owner).unlink(missing_ok=True)

    def member(self, owner: str) -> Member | None:
        """A browser's entry; None where it has not joined, or the board is closed."""
        return self._member(self._file(owner)) if self.is_open() else None

    def note(self, owner: str, lesson: str, solved: list[str]) -> None:
        """Tell the board what this browser has achieved in a lesson; nothing happens where it has not joined."""
        member = self.member(owner)
        if member is None or sorted(member.solved.get(lesson, [])) == sorted(solved) or not solved:
            return
        with contextlib.suppress(Problem):  # a full disk: the lesson itself is none the worse
            self._keep(owner, Member(member.name, {**member.solved, lesson: list(solved)}, time.time()))

    def board(self) -> list[Member]:
        """All entries: those with most tasks first, among equals who was first."""
        members = [member for file in self._files() if (member := self._member(file))] if self.is_open() else []
        return sorted(members, key=lambda member: (-member.count, member.at))

    # -- files -----------------------------------------------------------------------------------------------------

    def _files(self) -> list[Path]:
        return sorted((self._folder / MEMBERS).glob("*.json"))

    def _file(self, owner: str) -> Path:
        return self._folder / MEMBERS / f"{hashed(owner)}.json"

    def _member(self, file: Path) -> Member | None:
        said = self._read(file)
        name, solved, at = said.get("name"), said.get("solved"), said.get("at")
        good = isinstance(name, str) and isinstance(solved, dict) and isinstance(at, float)
        return Member(name, solved, at) if good else None  # type: ignore[arg-type]

    def _keep(self, owner: str, member: Member) -> None:
        said = {"name": member.name, "solved": member.solved, "at": member.at}
        self._write(str(self._file(owner).relative_to(self._folder)), said)
        if not self.is_open():  # closed meanwhile: nobody is remembered
            self.leave(owner)

    def _write(self, name: str, said: dict[str, Any]) -> None:
        path = self._folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(said).encode())
        except OSError as error:
            raise unwritable(self._folder.parent, error) from None

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            said = json.loads(path.read_bytes())
            return said if isinstance(said, dict) else {}
        return {}


def _fresh(at: float) -> bool:
    return time.time() - at < HOURS * 3600


def tidy(name: str) -> str:
    """A nickname as it is shown: letters, digits and simple signs of any script, one space between words.

    Raises:
        Problem: nothing is left, or it is longer than ``LONGEST`` letters.
    """
    kept = "".join(c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] in "LMNP" or c == " ")
    kept = " ".join(kept.split())
    if not any(unicodedata.category(c)[0] in "LN" for c in kept):
        raise Problem(N_("A nickname needs at least one letter or digit."), kind="board")
    if len(kept) > LONGEST:
        raise Problem(N_("A nickname has at most {most} letters."), kind="board", most=LONGEST)
    return kept
