"""What one browser and one run may take of a shared server, and who says so.

In rising order of weight: the defaults here, ``[dlcore]`` in ``.streamlit/config.toml``, the environment
(``DLCORE_LIMIT_SECONDS=600``), and what the teacher's page wrote to ``DLCORE_STATE/limits.json``: what was changed
there, and no more. The file is looked at again whenever it changes. What a worker watches (seconds, parameters,
memory) holds from the next time that a run is given to one; all else at once, for all servers of one state.
"""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from dlcore.knobs import knobs_of
from dlcore.texts import N_, Problem

FILE = "limits.json"
CONFIG = Path(".streamlit/config.toml")
PREFIX = "DLCORE_LIMIT_"
PASSES = ("epochs", "passes", "most_passes", "source_epochs")  # knobs that count passes over the data


@dataclass(frozen=True)
class Limits:
    """Limits of a server. 0 means "no limit", except where said otherwise."""

    each_running: int = 2  # runs of one browser and one kind (training, light) that are computed at the same time
    each_going: int = 4  # of one browser that are computed or wait
    waiting: int = 500  # of everybody that wait
    turn: float = 45.0  # seconds after which a run makes room for one that waits, and goes on later
    grace: float = 180.0  # seconds without its browser after which a run is put aside where others wait
    seconds: float = 0.0  # that one run may compute in all
    epochs: int = 0  # passes over the data of one run
    parameters: int = 0  # of the model
    megabytes: int = 0  # of memory that a training run may take beside what its process had before
    kept_megabytes: int = 2000  # on disk, for the runs of one browser: the oldest go first
    kept_runs: int = 200  # of one browser: the oldest go first
    kept_days: float = 14.0  # that a run is kept
    held: bool = False  # the teacher has paused the queue: nothing begins

    @classmethod
    def read(cls, folder: Path) -> Limits:
        """The limits that hold now for the state folder ``folder``. What makes no sense anywhere is left out."""
        limits = cls()
        for said in (_of_config(), _of_environment(), _of_file(folder)):
            limits = limits.with_(said)
        return limits

    def with_(self, said: Mapping[str, Any]) -> Limits:
        """These limits with those of ``said`` that are known and are numbers of at least 0."""
        kinds = {f.name: type(f.default) for f in fields(self)}
        kept: dict[str, Any] = {}
        for name, value in said.items():
            with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
                kind, number = kinds[name], float(value)
                if 0 <= number < 1e15:  # neither NaN nor infinite
                    kept[name] = kind(number)
        return replace(self, **kept)

    def check(self, config: Any) -> None:
        """Raise ``Problem`` (kind ``"limit"``) where a run of these settings is sure to go beyond a limit."""
        knobs = knobs_of(type(config))
        for name in PASSES:
            if self.epochs and name in knobs and getattr(config, name) > self.epochs:
                raise Problem(
                    N_("This server trains for at most {most} passes over the data. Choose fewer and start again."),
                    kind="limit", most=self.epochs,
                )  # fmt: skip

    def of_run(self, used: float, lane: str) -> dict[str, float]:
        """What the worker has to watch of a run of this lane that has computed for ``used`` seconds before."""
        return {
            "seconds": max(1.0, self.seconds - used) if self.seconds else 0.0,
            "of_seconds": self.seconds,
            "parameters": self.parameters,
            "megabytes": self.megabytes if lane == "train" else 0,  # the others share a process
        }


def _of_config() -> Mapping[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        return tomllib.loads(CONFIG.read_text(encoding="utf-8")).get("dlcore", {})
    return {}


def _of_environment() -> Mapping[str, Any]:
    names = [f.name for f in fields(Limits)]
    return {name: os.environ[key] for name in names if (key := PREFIX + name.upper()) in os.environ}


def _of_file(folder: Path) -> Mapping[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        said = json.loads((folder / FILE).read_bytes())
        return said if isinstance(said, dict) else {}
    return {}


def write(folder: Path, said: Mapping[str, Any] | None) -> None:
    """Keep what the teacher has changed, beside what was changed before; None forgets all but a held queue.

    Raises:
        OSError: the folder cannot be written.
    """
    from dlcore.jobs.store import replace_file

    before = _of_file(folder)
    kept = {"held": before.get("held", False)} if said is None else {**before, **said}
    replace_file(folder / FILE, json.dumps(kept).encode())


class Watched:
    """The limits of a state folder, read again when the teacher's file has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: int | None = None
        self._limits = Limits.read(folder)

    def __call__(self) -> Limits:
        """The limits now; one look at the file's date."""
        try:
            stamp = os.stat(self._folder / FILE).st_mtime_ns
        except OSError:
            stamp = 0
        if stamp != self._stamp:
            self._stamp, self._limits = stamp, Limits.read(self._folder)
        return self._limits


def over_time(seconds: float) -> Problem:
    """The Problem of a run that has computed as long as it may."""
    return Problem(
        N_(
            "This run has computed for {seconds} seconds, as long as this server allows. What it has reached is kept. "
            "For more, start it on your own computer: the code below the lesson does the same."
        ),
        kind="limit", seconds=f"{seconds:g}",
    )  # fmt: skip
