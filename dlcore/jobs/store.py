"""Runs on disk: ``DLCORE_STATE/runs/<run_id>/`` with ``run.json``, ``events.log`` and ``checkpoint.bin``.

The worker writes, the page reads. Nothing goes through a broker, so a run outlives the browser, the web process and the
worker. Every file is either appended to frame by frame or replaced whole, so that a writer killed at any moment leaves
nothing that cannot be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dlcore.events import LAST, Changed, Checkpoint, Event, Queued, decode, read_frames, to_dict
from dlcore.history import History
from dlcore.jobs.logs import Tail, append, last_event, open_log
from dlcore.texts import N_, Problem

RUN, LOG, CHECKPOINT = "run.json", "events.log", "checkpoint.bin"
RUN_ID = re.compile(r"[0-9a-f]{32}")
CACHED = 256  # histories kept in memory; older ones are read again when asked for
CACHED_BYTES = 5e8  # of films among them: that of the playground's largest network takes 20 MB


@dataclass(frozen=True)
class Record:
    """What ``run.json`` says. ``server`` names the web process that answers for the run (host, pid, its start)."""

    run_id: str
    experiment: str
    config: dict[str, Any]
    owner: str  # a hash, never the browser's id itself
    created: float
    changes: list[list[Any]] = field(default_factory=list)  # [step, name, value], asked for at the start
    attempts: int = 0  # 1 for a fresh run, one more with each resumption
    server: dict[str, Any] = field(default_factory=dict)
    steps: int = 0  # after so many it rests again; 0: to the end
    part: str = ""  # of the page that asked for it; "" for its own panel
    used: float = 0.0  # seconds that workers have given to it, as of when it last left one
    left: bool = False  # put aside because its browser had gone: it goes on when that is back


def state_dir() -> Path:
    """``DLCORE_STATE``, or a folder of this project in the user's cache."""
    if given := os.environ.get("DLCORE_STATE"):
        return Path(given)
    if sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        cache = Path.home() / "Library/Caches"
    else:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "deep-learning-playground" / "state"


def hashed(owner: str) -> str:
    """How an owner is named on disk: a listing of the folder gives nobody the right to a run."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


def replace_file(path: Path, data: bytes) -> None:
    """Write ``path`` whole or not at all, also when the power fails. Raises ``OSError``."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def create_private(path: Path, data: bytes) -> None:
    """Write a private file (0600) whole, unless it is there already. Raises ``FileExistsError``, ``OSError``."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.link(name, path)  # the one way to create a file with its contents that fails where another was faster
    finally:
        Path(name).unlink(missing_ok=True)


def _plain(changes: Sequence[Changed]) -> list[list[Any]]:
    """Changes as JSON takes them: ``[step, name, value]``."""
    return [[c["step"], c["name"], c["value"]] for c in map(to_dict, changes)]


class Store:
    """The folder of all runs. Safe to use from several threads and, for different runs, from several processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or state_dir()
        self.runs = self.folder / "runs"
        self._records: dict[str, Record] = {}
        self._stamps: dict[str, int] = {}  # when each was written, by its file
        self._listed: int | None = None  # the folder's mtime when its list was last read
        self._tails: OrderedDict[str, Tail] = OrderedDict()
        self._lock = threading.RLock()

    def prepare(self) -> None:
        """Create the folder and try to write there. Raises ``Problem`` (kind ``"state"``)."""
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.runs) as stream:
                stream.write(b"x")
        except OSError as error:
            raise unwritable(self.folder, error) from None

    def new(
        self, experiment: str, config: dict[str, Any], owner: str, changes: Sequence[Changed], part: str = ""
    ) -> Record:
        """The record of a new run; nothing is on disk before ``write``."""
        return Record(uuid.uuid4().hex, experiment, config, hashed(owner), time.time(), _plain(changes), part=part)

    def write(self, record: Record) -> None:
        """Write or replace a run's record. Raises ``Problem`` (kind ``"state"``)."""
        try:
            self.path(record.run_id).mkdir(parents=True, exist_ok=True)
            replace_file(self.path(record.run_id, RUN), json.dumps(asdict(record)).encode())
        except OSError as error:
            raise unwritable(self.folder, error) from None
        self._keep(record)

    def forget(self, run_id: str) -> None:
        """Remove a run's files."""
        shutil.rmtree(self.path(run_id), ignore_errors=True)
        with self._lock:
            self._records.pop(run_id, None)
            self._listed = None

    def rewrite(self, record: Record) -> None:
        """Write a record's bookkeeping; where that cannot be written the run itself is none the worse."""
        with contextlib.suppress(Problem):
            if self.path(record.run_id).is_dir():  # not cleaned away meanwhile
                self.write(record)

    def record(self, run_id: str, owner: str | None = None) -> Record:
        """A run's record. With ``owner``: the same Problem for a stranger's run as for one that does not exist."""
        record = self._newest(run_id)
        if record is None or (owner is not None and record.owner != hashed(owner)):
            raise Problem(N_("This run does not exist here any more. Start a new one."), kind="not_found")
        return record

    def _newest(self, run_id: str) -> Record | None:
        """A record as it stands on disk: another server may have written it since it was read here."""
        known = self._records.get(run_id)
        return known if known and self._stamps.get(run_id) == self._stamp(run_id) else self._load(run_id)

    def _stamp(self, run_id: str) -> int:
        try:
            return os.stat(self.path(run_id, RUN)).st_mtime_ns
        except OSError:
            return 0

    def _load(self, run_id: str) -> Record | None:
        if not RUN_ID.fullmatch(run_id):
            return None
        stamp = self._stamp(run_id)  # before it is read: what is written in between is read again
        try:
            record = Record(**json.loads(self.path(run_id, RUN).read_bytes()))
        except (OSError, ValueError, TypeError):  # cleaned away, or written by another version
            return None
        return self._keep(record, stamp)

    def _keep(self, record: Record, stamp: int = 0) -> Record:
        with self._lock:
            self._records[record.run_id], self._stamps[record.run_id] = record, stamp or self._stamp(record.run_id)
        return record

    def all(self) -> list[Record]:
        """Every run's record, newest first. The folder is listed again only if something was added or removed."""
        try:
            listed = self.runs.stat().st_mtime_ns
            if listed != self._listed:
                names = {name for name in os.listdir(self.runs) if RUN_ID.fullmatch(name)}
                for name in names - self._records.keys():
                    self._load(name)
                with self._lock:
                    self._records = {name: r for name, r in self._records.items() if name in names}
                self._listed = listed
        except OSError:
            pass
        return sorted(self._records.copy().values(), key=lambda r: r.created, reverse=True)

    def path(self, run_id: str, name: str = "") -> Path:
        """A run's folder, or a file in it."""
        return self.runs / run_id / name

    def history(self, run_id: str) -> History:
        """A run's history up to now; the same object each time while it is in use."""
        with self._lock:
            tail = self._tails.pop(run_id, None) or Tail(self.path(run_id, LOG))
            self._tails[run_id] = tail
            while len(self._tails) > CACHED or (len(self._tails) > 1 and self._film_bytes() > CACHED_BYTES):
                self._tails.popitem(last=False)
        return tail.read()

    def _film_bytes(self) -> int:
        return sum(tail.history.frames.nbytes for tail in self._tails.values())

    def last(self, run_id: str) -> Event | None:
        """The newest event of a run."""
        return last_event(self.path(run_id, LOG))

    def queued(self, run_id: str) -> None:
        """Note in the log that the run waits for a worker (again). Raises ``Problem`` (kind ``"state"``)."""
        last = self.last(run_id)
        try:
            with open_log(self.path(run_id, LOG)) as stream:
                append(stream, Queued(last.step if last else 0))
        except OSError as error:
            raise unwritable(self.folder, error) from None

    def end(self, run_id: str, kind: type[Event], *args: Any) -> None:
        """Write a run's last event in its worker's stead, unless the log has come to an end already."""
        last = self.last(run_id)
        if isinstance(last, LAST):
            return
        event = kind(last.step if last else 0, *args)
        try:
            with open_log(self.path(run_id, LOG)) as stream:
                append(stream, event)
        except OSError:  # nowhere to write it to: tell it to those who ask this process
            self.history(run_id).add(event)

    def replay(self, record: Record) -> list[list[Any]]:
        """The changes still to be made when the run goes on from its checkpoint.

        A run killed after its newest checkpoint repeats some steps, and with them the changes that were made there.
        """
        made: list[Changed] = []
        at = 0
        with contextlib.suppress(FileNotFoundError), self.path(record.run_id, LOG).open("rb") as stream:
            for event in map(decode, read_frames(stream)):
                if isinstance(event, Checkpoint):
                    at = event.step
                elif isinstance(event, Changed):
                    made.append(event)
        waiting, done = list(record.changes), _plain(made)
        for change in done:
            if change in waiting:
                waiting.remove(change)
        todo = [*done, *waiting]  # of the same step: what was made while the run rested came last
        return sorted((change for change in todo if change[0] >= at), key=lambda change: change[0])

    def clean(self, keep: Collection[str], *, days: float, most_bytes: float, each: float = 0.0) -> int:
        """Remove runs older than ``days`` and the oldest beyond ``most_bytes`` in all, or ``each`` of one owner.

        Returns how many. 0 for ``days`` and ``each``: no limit. The runs of ``keep`` stay whatever they take.
        """
        removed, total = 0, 0
        of_owner: Counter[str] = Counter()
        oldest = time.time() - days * 86400 if days else 0.0
        for record in self.all():  # the newest first
            size = self._size(record.run_id)
            total += size
            of_owner[record.owner] += size
            too_much = total > most_bytes or (each and of_owner[record.owner] > each)
            if record.run_id not in keep and (too_much or record.created < oldest):
                shutil.rmtree(self.path(record.run_id), ignore_errors=True)
                removed += 1
        return removed

    def _size(self, run_id: str) -> int:
        """Bytes of a run's files."""
        total = 0
        with contextlib.suppress(OSError):  # a file that was replaced meanwhile
            for file in self.path(run_id).glob("*"):
                total += file.stat().st_size if file.is_file() else 0
        return total


def unwritable(folder: Path | str, error: OSError) -> Problem:
    """The Problem of a state folder that cannot be written."""
    return Problem(
        N_(
            "The folder for runs, {folder}, cannot be written ({reason}). "
            "Make room or give the server the right to write there, or set DLCORE_STATE to another folder."
        ),
        kind="state",
        folder=str(folder),
        reason=error.strerror or type(error).__name__,
    )
