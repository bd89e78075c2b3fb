"""How big the embedded cluster is."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields

GB = 10**9


@dataclass(frozen=True)
class Sizes:
    """How many may compute at once, and with how much memory; 0 means "fit to this machine".

    Each can be set by an environment variable: ``DLCORE_TRAIN_WORKERS=4``, ``DLCORE_LIGHT_THREADS``,
    ``DLCORE_CALL_THREADS``, ``DLCORE_WORKER_MEMORY`` (bytes for each training worker).
    """

    train_workers: int = 0
    light_threads: int = 0
    call_threads: int = 0
    worker_memory: int = 0

    @classmethod
    def from_environment(cls) -> Sizes:
        """The sizes that the environment asks for; what is not a whole number there counts as not set."""
        texts = {f.name: os.environ.get(f"DLCORE_{f.name.upper()}", "") for f in fields(cls)}
        return cls(**{name: int(text) if text.isdecimal() else 0 for name, text in texts.items()})

    def fitted(self, cores: int, memory: int, seats: int = 0) -> Sizes:
        """All sizes fixed for a machine with that many cores and bytes; ``seats``: what its GPUs have room for.

        At least two train where memory allows, so that two students do not block each other; a process with torch
        loaded takes about 1 GB before it computes anything. With GPUs no more train than these have seats: a run that
        finds its GPU full ends, one that waits does not.
        """
        train = self.train_workers or max(1, min(seats or 8, max(2, cores // 2), int((memory - 2 * GB) // (2 * GB))))
        share = int(max(1.5 * GB, 0.85 * memory / (train + 1)))
        return Sizes(train, self.light_threads or 8, self.call_threads or 2, self.worker_memory or share)
