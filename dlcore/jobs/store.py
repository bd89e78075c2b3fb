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
from collections import OrderedDict
from collections.abc import Sequence
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
CACHED_BYTES = 5e8  # of them together: the film of the playground's largest network takes 20 MB
CACHED_SECONDS = 600.0  # that a history is kept of which nobody asks any more
ROW_BYTES = 700  # of a row of numbers in a history, about
CLAIMED = 10.0  # seconds after which a claim that led to nothing is void: its server ended in that moment


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
        self._owned: dict[str, set[str]] = {}  # the runs of each owner
        self._listed: int | None = None  # the folder's mtime when its list was last read
        self._tails: OrderedDict[str, tuple[Tail, float]] = OrderedDict()  # with when each was last asked for
        self._weighed = 0.0
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
            self._drop(run_id)
            self._listed = None

    def _drop(self, run_id: str) -> None:
        """Know nothing of a run any more."""
        self._stamps.pop(run_id, None)
        self._tails.pop(run_id, None)
        record = self._records.pop(run_id, None)
        if record is not None:
            mine = self._owned.get(record.owner, set())
            mine.discard(run_id)
            if not mine:
                self._owned.pop(record.owner, None)

    def claim(self, record: Record) -> Path | None:
        """Reserve a run's next attempt for this server, by a file; None where another of the same state was faster.

        Raises:
            Problem: it cannot be written (kind ``"state"``).
        """
        file = self.path(record.run_id, f"claim-{record.attempts + 1}")
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            with contextlib.suppress(OSError):
                if time.time() - file.stat().st_mtime > CLAIMED:
                    file.touch()
                    return file
            return None
        except OSError as error:
            raise unwritable(self.folder, error) from None
        return file

    def rewrite(self, record: Record) -> None:
        """Write a record's bookkeeping; where that cannot be written the run itself is none the worse."""
        with contextlib.suppress(Problem):
            if self.path(record.run_id).is_dir():  # not cleaned away meanwhile
                self.write(record)

    def record(self, run_id: str, owner: str | None = None) -> Record:
        """A run's record. With ``owner``: the same Problem for a stranger's run as for one that does not exist."""
        record = self.newest(run_id)
        if record is None or (owner is not None and record.owner != hashed(owner)):
            raise Problem(N_("This run does not exist here any more. Start a new one."), kind="not_found")
        return record

    def newest(self, run_id: str) -> Record | None:
        """A record as it stands on disk: another server may have written it since it was read here; None: gone."""
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
            self._owned.setdefault(record.owner, set()).add(record.run_id)
        return record

    def all(self) -> list[Record]:
        """Every run's record as it was last read here, newest first; ``newest`` says how one stands now.

        The folder is listed again only if something was added or removed.
        """
        self._list()
        return sorted(self._records.copy().values(), key=lambda r: r.created, reverse=True)

    def of(self, owner: str) -> list[Record]:
        """The same of one owner, named by the hash."""
        self._list()
        with self._lock:
            mine = [self._records[run_id] for run_id in self._owned.get(owner, ())]
        return sorted(mine, key=lambda r: r.created, reverse=True)

    def _list(self) -> None:
        with contextlib.suppress(OSError):
            listed = self.runs.stat().st_mtime_ns
            if listed == self._listed:
                return
            names = {name for name in os.listdir(self.runs) if RUN_ID.fullmatch(name)}
            for name in names - self._records.keys():
                self._load(name)
            with self._lock:
                for name in self._records.keys() - names:
                    self._drop(name)
            self._listed = listed

    def path(self, run_id: str, name: str = "") -> Path:
        """A run's folder, or a file in it."""
        return self.runs / run_id / name

    def history(self, run_id: str) -> History:
        """A run's history up to now; the same object each time while it is in use."""
        now = time.monotonic()
        with self._lock:
            known = self._tails.pop(run_id, None)
            tail = known[0] if known else Tail(self.path(run_id, LOG))
            self._tails[run_id] = tail, now
            if known is None or now - self._weighed > 1.0:  # not at each look of each page
                self._weighed = now
                self._let_go_of_tails(now)
        return tail.read()

    def _let_go_of_tails(self, now: float) -> None:
        """Forget the histories that nobody asks for, and the oldest beyond what may be kept."""
        sizes = {run_id: _bytes(tail.history) for run_id, (tail, _at) in self._tails.items()}
        total = sum(sizes.values())
        for run_id, (_tail, at) in list(self._tails.items())[:-1]:  # the one longest unasked first; never the newest
            if len(self._tails) <= CACHED and total <= CACHED_BYTES and now - at < CACHED_SECONDS:
                return
            del self._tails[run_id]
            total -= sizes[run_id]

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

    def size(self, run_id: str) -> int:
        """Bytes of a run's files."""
        total = 0
        with contextlib.suppress(OSError):  # a file that was replaced meanwhile
            for file in self.path(run_id).glob("*"):
                total += file.stat().st_size if file.is_file() else 0
        return total


def _bytes(history: History) -> int:
    """About how much memory a history takes."""
    rows = len(history.steps) + len(history.epochs)
    pictures = sum(a.nbytes for snapshot in list(history.snapshots.values()) for a in snapshot.arrays.values())
    return history.frames.nbytes + pictures + ROW_BYTES * rows


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
