"""Trainings that need not be done twice: what a run told while it trained, and what it ended with, kept on disk.

A lesson that looks at a trained network in many ways asks for it here. A training is named by all that it depends on,
so what is found is bit for bit what would be trained; whoever keeps none (another machine, a full disk) trains again.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch

from dlcore.device import cache_folder
from dlcore.events import Event, decode, encode, pack, unpack

MOST_RECORDS = 6  # the newest ones; the trained pairs of a lesson have some 20 MB each


def fingerprint(settings: Mapping[str, Any]) -> str:
    """The name of a training: a hash of its resolved settings, this program, torch and the processor's instructions."""
    machine = torch.backends.cpu.get_cpu_capability()
    words = {**settings, "torch": torch.__version__, "program": _program(), "machine": machine}
    return hashlib.sha256(repr(sorted(words.items())).encode()).hexdigest()[:24]


@cache
def _program() -> str:
    """A hash of all sources of ``dlcore``: who changes a model need not remember that trainings were kept."""
    home, found = Path(__file__).parent, hashlib.sha256()
    for file in sorted(home.rglob("*.py")):
        found.update(str(file.relative_to(home)).encode() + file.read_bytes())
    return found.hexdigest()


def find(name: str) -> tuple[list[Event], dict[str, Any]] | None:
    """The events and the end of a training that was kept under this name; None where there is none."""
    try:
        path = _file(name)
        record = unpack(path.read_bytes())
        os.utime(path)  # in use: others make room
        return [decode(event[4:]) for event in record["events"]], record["end"]
    except (OSError, ValueError, KeyError, TypeError, struct.error):  # not there, or damaged: it is trained again
        return None


def keep(name: str, events: Sequence[Event], end: Mapping[str, Any]) -> None:
    """Keep a training; the oldest ones make room. A disk that takes nothing is no reason to fail."""
    blob = pack({"events": [encode(event) for event in events], "end": dict(end)})
    try:
        path = _file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f"{uuid4().hex}.part")
        half.write_bytes(blob)
        half.replace(path)
        for old in sorted(path.parent.glob("*.bin"), key=lambda file: file.stat().st_mtime)[:-MOST_RECORDS]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def _file(name: str) -> Path:
    return cache_folder() / "trainings" / f"{name}.bin"
