"""What a run tells while it goes on: frozen events, as plain as JSON plus NumPy arrays.

A run is a generator of these. They travel from worker to page, into the log on disk and out of the command line, so
they hold builtins and NumPy arrays only. ``encode`` and ``decode`` are the one format for all of that (no pickle).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, BinaryIO

import numpy as np


@dataclass(frozen=True)
class Event:
    """Base of all events. ``step`` counts parameter updates done so far (0 before the first)."""

    step: int


@dataclass(frozen=True)
class Started(Event):
    """The first event of a run or of its resumption: the resolved config that is really used."""

    config: dict[str, Any]
    total_steps: int
    info: dict[str, Any] = field(default_factory=dict)  # e.g. {"params": 93322, "train_size": 60000}


@dataclass(frozen=True)
class Step(Event):
    """One parameter update (thinned on the way to the page).

    ``seconds`` is training time alone since the run began, evaluation and pauses left out. ``values`` holds what the
    lesson wants plotted against steps: learning rate, gradient norm, parameters.
    """

    loss: float
    seconds: float = 0.0
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Epoch(Event):
    """The end of a pass over the data, with the metrics measured there, e.g. ``{"test_accuracy": 0.98}``."""

    epoch: int
    metrics: dict[str, float]
    seconds: float = 0.0


@dataclass(frozen=True)
class Snapshot(Event):
    """Named arrays to look at (filters, feature maps, a decision surface). Only the newest of a name is kept.

    Those named "frames" are a film: none is left out, and ``History.frames`` keeps what a scrubber needs. Their arrays
    have the frames on the first axis, one of them is ``step``; the run sees to it that they do not come too often.
    """

    name: str
    arrays: dict[str, np.ndarray]


@dataclass(frozen=True)
class Checkpoint(Event):
    """All that is needed to go on bit for bit: nested dicts and lists of builtins and arrays.

    ``final`` marks the state at the end of the run: the trained model.
    """

    state: dict[str, Any]
    final: bool = False


@dataclass(frozen=True)
class Changed(Event):
    """A setting was changed before step ``step + 1`` was computed. Part of the run's record."""

    name: str
    value: Any


@dataclass(frozen=True)
class Diverged(Event):
    """The run left the finite numbers. ``reason`` is a text template (see ``dlcore.texts``) with its parameters."""

    reason: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished(Event):
    """The last event of a run that reached its end, with the lesson's metrics."""

    metrics: dict[str, Any]


@dataclass(frozen=True)
class Queued(Event):
    """The run waits for a worker, for the first time or to be resumed. Written by ``jobs``."""


@dataclass(frozen=True)
class Paused(Event):
    """The run was put aside; its checkpoint lies ready. Written by ``jobs``."""


@dataclass(frozen=True)
class Stopped(Event):
    """The run was ended on request. Written by ``jobs``."""


@dataclass(frozen=True)
class Failed(Event):
    """The run ended by a fault, told as a ``Problem`` (``problem`` is ``Problem.to_dict()``). Written by ``jobs``."""

    problem: dict[str, Any]


KINDS: dict[str, type[Event]] = {
    c.__name__.lower(): c
    for c in (Started, Step, Epoch, Snapshot, Checkpoint, Changed, Diverged, Finished, Queued, Paused, Stopped, Failed)
}
LAST = (Finished, Diverged, Paused, Stopped, Failed)  # after one of these the worker is free


def to_dict(event: Event) -> dict[str, Any]:
    """The event as one JSON-ready dict, arrays as lists: ``{"event": "step", "step": 3, "loss": 0.5, …}``."""
    named = {f.name: getattr(event, f.name) for f in fields(event)}
    return {"event": type(event).__name__.lower(), **_plain(named)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value.item() if isinstance(value, np.generic) else value


def pack(tree: Any) -> bytes:
    """Nested builtins and arrays as bytes: a JSON tree, then the arrays' own bytes. The inverse is ``unpack``.

    Raises:
        TypeError: the tree holds anything but builtins and NumPy arrays.
    """
    arrays: list[np.ndarray] = []
    text = json.dumps(_hoist(tree, arrays), separators=(",", ":")).encode()
    return struct.pack("<I", len(text)) + text + b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)


MARKS = ("__array__", "__bytes__", "__tuple__", "__dict__")  # what JSON lacks; as keys of a dict they are escaped


def _hoist(value: Any, arrays: list[np.ndarray]) -> Any:
    """Replace each array by its place in ``arrays``; JSON writes NaN and infinities as Python reads them."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(value)
        return {"__array__": [value.dtype.str, list(value.shape)]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, bytes):
        return {"__bytes__": value.hex()}
    if isinstance(value, tuple):
        return {"__tuple__": [_hoist(v, arrays) for v in value]}
    if isinstance(value, list):
        return [_hoist(v, arrays) for v in value]
    if isinstance(value, dict):
        pairs = [[_hoist(k, arrays), _hoist(v, arrays)] for k, v in value.items()]
        plain = all(isinstance(k, str) and k not in MARKS for k in value)
        return dict(pairs) if plain else {"__dict__": pairs}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} cannot leave a run: only builtins and NumPy arrays may")


def unpack(blob: bytes) -> Any:
    """The tree that ``pack`` was given."""
    (size,) = struct.unpack_from("<I", blob)
    return _lower(json.loads(blob[4 : 4 + size]), blob, [4 + size])


def _lower(value: Any, blob: bytes, offset: list[int]) -> Any:
    if isinstance(value, list):
        return [_lower(v, blob, offset) for v in value]
    if not isinstance(value, dict):
        return value
    if "__array__" in value:
        dtype, shape = np.dtype(value["__array__"][0]), value["__array__"][1]
        count = int(np.prod(shape))
        array = np.frombuffer(blob, dtype, count, offset[0]).reshape(shape).copy()
        offset[0] += count * dtype.itemsize
        return array
    if "__bytes__" in value:
        return bytes.fromhex(value["__bytes__"])
    if "__tuple__" in value:
        return tuple(_lower(v, blob, offset) for v in value["__tuple__"])
    if "__dict__" in value:
        return {_lower(k, blob, offset): _lower(v, blob, offset) for k, v in value["__dict__"]}
    return {k: _lower(v, blob, offset) for k, v in value.items()}


def encode(event: Event) -> bytes:
    """One framed event for a log: its length in 4 bytes, then the packed event."""
    fields_of = {f.name: getattr(event, f.name) for f in fields(event)}
    blob = pack({"event": type(event).__name__.lower(), **fields_of})
    return struct.pack("<I", len(blob)) + blob


def decode(blob: bytes) -> Event:
    """The event in one packed frame (without its length)."""
    named = unpack(blob)
    return KINDS[named.pop("event")](**named)


def read_frames(stream: BinaryIO) -> Iterator[bytes]:
    """The complete frames from the stream's position on; a frame cut short by a killed writer is left alone.

    The stream is left at the end of the last complete frame, so that a later call goes on from there.
    """
    while True:
        start = stream.tell()
        head = stream.read(4)
        blob = stream.read(struct.unpack("<I", head)[0]) if len(head) == 4 else b""
        if len(head) < 4 or len(blob) < struct.unpack("<I", head)[0]:
            stream.seek(start)
            return
        yield blob
