"""Runs on disk: ``DLCORE_STATE/runs/<run_id>/`` with ``run.json``, ``events.log`` and ``checkpoint.bin``.

The worker writes, the page reads. Nothing goes through a broker, so a run outlives the browser, the web process and the
worker. Every file is either appended to frame by frame or replaced whole, so that a writer killed at any moment leaves
nothing that cannot be read.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
import struct
import sys
import tempfile
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dlcore.events import LAST, Changed, Checkpoint, Event, Queued, decode, encode, read_frames, to_dict
from dlcore.history import History
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


def open_log(path: Path) -> BinaryIO:
    """The log, ready to be appended to: a frame that a killed writer left half done is cut off. Raises ``OSError``."""
    stream = path.open("ab+", buffering=0)
    stream.truncate(_end(stream))
    stream.seek(0, os.SEEK_END)
    return stream


def append(stream: BinaryIO, event: Event) -> int:
    """Add one event to a log from ``open_log``; returns its size. Raises ``OSError``, e.g. on a full disk."""
    frame = encode(event)
    start = stream.seek(0, os.SEEK_END)
    if stream.write(frame) < len(frame):  # the disk is full: leave the log whole
        stream.truncate(start)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return len(frame)


def _end(stream: BinaryIO) -> int:
    """Where the last whole frame ends."""
    return max((start + size for start, size in _spans(stream)), default=0)


def _spans(stream: BinaryIO) -> Iterator[tuple[int, int]]:
    """Start and size (both with the length field) of each whole frame."""
    total, start = os.fstat(stream.fileno()).st_size, 0
    while start + 4 <= total:
        stream.seek(start)
        size = 4 + struct.unpack("<I", stream.read(4))[0]
        if start + size > total:
            return
        yield start, size
        start += size


def last_event(path: Path) -> Event | None:
    """The newest event of a log, without reading the others; None where there is none."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        start, size = max(_spans(stream), default=(0, 0))
        stream.seek(start + 4)
        return decode(stream.read(size - 4)) if size else None
    return None


def _plain(changes: Sequence[Changed]) -> list[list[Any]]:
    """Changes as JSON takes them: ``[step, name, value]``."""
    return [[c["step"], c["name"], c["value"]] for c in map(to_dict, changes)]


class Tail:
    """One run's history, brought up to date from the end of its log. A look at an unchanged log costs one ``stat``."""

    def __init__(self, path: Path) -> None:
        self.history = History(state="queued")
        self._path = path
        self._offset = 0
        self._lock = threading.Lock()

    def read(self) -> History:
        """The history with all that the log holds by now."""
        with self._lock:
            try:
                size = os.stat(self._path).st_size
            except OSError:
                return self.history
            if size > self._offset:  # not "has changed": half a frame may be replaced by one as long
                with self._path.open("rb") as stream:
                    stream.seek(self._offset)
                    for blob in read_frames(stream):
                        self.history.add(decode(blob))
                    self._offset = stream.tell()
        return self.history


class Store:
    """The folder of all runs. Safe to use from several threads and, for different runs, from several processes."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or state_dir()
        self.runs = self.folder / "runs"
        self._records: dict[str, Record] = {}
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

    def new(self, experiment: str, config: dict[str, Any], owner: str, changes: Sequence[Changed]) -> Record:
        """The record of a new run; nothing is on disk before ``write``."""
        return Record(uuid.uuid4().hex, experiment, config, hashed(owner), time.time(), _plain(changes))

    def write(self, record: Record) -> None:
        """Write or replace a run's record. Raises ``Problem`` (kind ``"state"``)."""
        try:
            self.path(record.run_id).mkdir(parents=True, exist_ok=True)
            replace_file(self.path(record.run_id, RUN), json.dumps(asdict(record)).encode())
        except OSError as error:
            raise unwritable(self.folder, error) from None
        with self._lock:
            self._records[record.run_id] = record

    def record(self, run_id: str, owner: str | None = None) -> Record:
        """A run's record. With ``owner``: the same Problem for a stranger's run as for one that does not exist."""
        record = self._records.get(run_id) or self._load(run_id)
        if record is None or (owner is not None and record.owner != hashed(owner)):
            raise Problem(N_("This run does not exist here any more. Start a new one."), kind="not_found")
        return record

    def _load(self, run_id: str) -> Record | None:
        if not RUN_ID.fullmatch(run_id):
            return None
        try:
            record = Record(**json.loads(self.path(run_id, RUN).read_bytes()))
        except (OSError, ValueError, TypeError):  # cleaned away, or written by another version
            return None
        with self._lock:
            return self._records.setdefault(run_id, record)

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

    def clean(self, keep: Collection[str], *, days: float, most_bytes: float) -> int:
        """Remove runs older than ``days``, and the oldest ones beyond ``most_bytes`` in all; returns how many."""
        removed, total = 0, 0
        for record in self.all():
            with contextlib.suppress(OSError):  # a file that was replaced meanwhile
                total += sum(f.stat().st_size for f in self.path(record.run_id).glob("*") if f.is_file())
            if record.run_id not in keep and (total > most_bytes or record.created < time.time() - days * 86400):
                shutil.rmtree(self.path(record.run_id), ignore_errors=True)
                removed += 1
        return removed


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
