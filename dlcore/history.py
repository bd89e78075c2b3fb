"""What has been heard of a run so far: columns to plot, in bounded memory, whatever the run's length."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dlcore.events import (
    Changed,
    Checkpoint,
    Diverged,
    Epoch,
    Event,
    Failed,
    Finished,
    Paused,
    Queued,
    Snapshot,
    Started,
    Step,
    Stopped,
)
from dlcore.frames import Frames

MOST_ROWS = 4000  # (even) more points than any plot is wide; beyond it every second row is dropped


@dataclass
class Table:
    """Rows of named numbers. Keeps at most ``MOST_ROWS``, evenly spaced, and always the newest."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    stride: int = 1
    seen: int = 0

    def append(self, row: dict[str, Any]) -> None:
        """Add one row; when the table is full, halve it and from then on keep every second."""
        if self.rows and (self.seen - 1) % self.stride:
            self.rows[-1] = row  # the newest row stands in for the one that its stride will keep
        else:
            self.rows.append(row)
        self.seen += 1
        if len(self.rows) > MOST_ROWS:
            self.rows = self.rows[::2]
            self.stride *= 2

    def column(self, name: str) -> np.ndarray:
        """One column as float64, ``(rows,)``; NaN where a row lacks it."""
        return np.array([row.get(name, np.nan) for row in self.rows], dtype=float)

    def last(self, name: str, default: Any = None) -> Any:
        """The newest value of a column."""
        return self.rows[-1].get(name, default) if self.rows else default

    def __len__(self) -> int:
        return len(self.rows)


@dataclass
class History:
    """All that the page needs to draw a run. Feed it events with ``add``.

    ``state`` is one of: ``empty``, ``queued``, ``running``, ``paused``, ``finished``, ``diverged``, ``stopped``,
    ``failed``. ``problem`` is ``Problem.to_dict()`` of a failed run.
    """

    state: str = "empty"
    config: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    total_steps: int = 0
    step: int = 0
    steps: Table = field(default_factory=Table)  # columns: step, loss, seconds and the lesson's own
    epochs: Table = field(default_factory=Table)  # columns: step, epoch, seconds and the metrics
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    frames: Frames = field(default_factory=Frames)  # of the snapshots named "frames", which are a film
    changes: list[Changed] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)
    diverged: Diverged | None = None
    problem: dict[str, Any] | None = None
    has_checkpoint: bool = False
    version: int = 0  # grows with every event: tells a page whether anything is new

    def add(self, event: Event) -> None:
        """Take in one event."""
        self.version += 1
        self.step = event.step
        match event:
            case Started():
                self.config, self.total_steps, self.info = event.config, event.total_steps, event.info
                self.state, self.problem, self.diverged, self.metrics = "running", None, None, {}
                self._forget_after(event.step)
            case Step():
                self.steps.append({"step": event.step, "loss": event.loss, "seconds": event.seconds, **event.values})
            case Epoch():
                self.epochs.append(
                    {"step": event.step, "epoch": event.epoch, "seconds": event.seconds, **event.metrics}
                )
            case Snapshot(name="frames"):
                self.frames.add(event.arrays)
            case Snapshot():
                self.snapshots[event.name] = event
            case Changed():
                self.changes.append(event)
            case Checkpoint():
                self.has_checkpoint = True
            case Diverged():
                self.state, self.diverged = "diverged", event
            case Finished():
                self.state, self.metrics = "finished", event.metrics
            case Queued():
                self.state, self.problem = "queued", None
            case Paused():
                self.state = "paused"
            case Stopped():
                self.state = "stopped"
            case Failed():
                self.state, self.problem = "failed", event.problem

    def _forget_after(self, step: int) -> None:
        """A run resumed from an older checkpoint repeats some steps: drop what was heard of them the first time."""
        for table in (self.steps, self.epochs):
            table.rows = [row for row in table.rows if row["step"] <= step]
            table.seen = (len(table.rows) - 1) * table.stride + 1 if table.rows else 0
        self.frames.forget_after(step)
        self.changes = [c for c in self.changes if c.step < step]

    @property
    def progress(self) -> float:
        """Share of the steps done, 0 to 1."""
        return min(1.0, self.step / self.total_steps) if self.total_steps else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Training time still to go at the speed of the second half so far; None in the first hundredth of the run.

        The first steps load kernels and tell nothing of the others.
        """
        rows = self.steps.rows
        if self.info.get("open_end"):  # it stops when it is there, which nobody knows before
            return None
        if not rows or rows[-1]["step"] * 100 < self.total_steps:
            return None
        then = rows[(len(rows) - 1) // 2] if len(rows) > 2 else {"step": 0, "seconds": 0.0}
        seconds, steps = rows[-1]["seconds"] - then["seconds"], rows[-1]["step"] - then["step"]
        return seconds / steps * max(0, self.total_steps - rows[-1]["step"]) if seconds and steps else None
