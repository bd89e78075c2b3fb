"""A run's log, ``events.log``: framed events, appended by the worker, read from where one left off by the page."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dlcore.events import Event, decode, encode, read_frames
from dlcore.history import History


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
