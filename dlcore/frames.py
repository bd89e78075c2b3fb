"""The film of a run: parameters and losses at many moments, thinned evenly over the whole run, newest ones all kept."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

import numpy as np

MOST, NEWEST = 400, 240  # frames kept of the whole run (at least half as many of a longer one); and at its end

Frame = dict[str, np.ndarray]  # the row of each array; "step" is always one of them


@dataclass
class Frames:
    """Frames in the order of their steps. Feed it the arrays of a snapshot with ``add``: first axis frames."""

    kept: list[Frame] = field(default_factory=list)
    newest: deque[Frame] = field(default_factory=lambda: deque(maxlen=NEWEST))

    def add(self, arrays: dict[str, np.ndarray]) -> None:
        """Take in frames, ``{"step": (F,), "parameters": (F, P), …}``; those that are not new are left out."""
        for row in range(len(arrays["step"])):
            frame = {name: array[row].copy() for name, array in arrays.items()}  # not a view that holds all the others
            if not self.kept or frame["step"] > self.kept[-1]["step"]:
                self.kept.append(frame)
                self.newest.append(frame)
                if len(self.kept) > MOST:
                    self._thin()

    def _thin(self) -> None:
        """Leave out half of the frames, so that the steps between the others are as equal as can be."""
        steps = np.array([int(frame["step"]) for frame in self.kept])
        wanted = np.linspace(steps[0], steps[-1], MOST * 3 // 4)
        near = np.clip(np.searchsorted(steps, wanted), 1, len(steps) - 1)
        near -= wanted - steps[near - 1] < steps[near] - wanted
        chosen = set(near.tolist()) | {0, len(steps) - 1}
        spare = [i for i in np.linspace(0, len(steps) - 1, MOST // 2).round().astype(int).tolist() if i not in chosen]
        chosen |= set(spare[: max(0, MOST // 2 - len(chosen))])
        self.kept = [frame for i, frame in enumerate(self.kept) if i in chosen]

    def forget_after(self, step: int) -> None:
        """Drop the frames of steps that a resumed run does again."""
        self.kept = [frame for frame in self.kept if frame["step"] <= step]
        self.newest = deque((frame for frame in self.newest if frame["step"] <= step), maxlen=NEWEST)

    def since(self, step: int) -> dict[str, np.ndarray]:
        """All frames after ``step``, stacked as they came: of the newest each one, of older ones those kept."""
        newest = list(self.newest)  # at once: another page may be taking frames in
        oldest = newest[0]["step"] if newest else 0
        frames = [frame for frame in self.kept if step < frame["step"] < oldest]
        return stacked([*frames, *(frame for frame in newest if frame["step"] > step)])

    def all(self) -> dict[str, np.ndarray]:
        """The kept frames of the whole run, stacked; an empty dict where there is none."""
        return stacked(self.kept)

    def nearest(self, step: int) -> Frame | None:
        """The last kept frame at or before ``step``."""
        at = bisect_right(self.kept, step, key=lambda frame: int(frame["step"]))
        return self.kept[at - 1] if at else None

    @property
    def nbytes(self) -> int:
        """About how much memory the arrays take: frames are all alike, and the newest are mostly kept ones, too."""
        one = sum(array.nbytes for array in self.kept[-1].values()) if self.kept else 0
        return one * (len(self.kept) + len(self.newest))

    def __len__(self) -> int:
        return len(self.kept)


def stacked(frames: list[Frame]) -> dict[str, np.ndarray]:
    """Arrays with the frames on their first axis."""
    return {name: np.stack([frame[name] for frame in frames]) for name in frames[0]} if frames else {}
