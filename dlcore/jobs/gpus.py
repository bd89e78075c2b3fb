"""Which GPUs this machine has, and which of them each training worker is given; asked of the driver, without torch."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SHARE = 3 * 10**9  # bytes of GPU memory for each training worker: CUDA's context and libraries, and a lesson's run
MOST = 8  # training workers on one GPU, as on the processor of a machine without any
PATIENCE = 20.0  # seconds for the driver to answer: without its persistence mode it wakes up first
ASK = ["nvidia-smi", "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"]


@dataclass(frozen=True)
class Gpu:
    """One GPU: what ``CUDA_VISIBLE_DEVICES`` calls it, and its bytes of memory; 0: not known."""

    name: str
    memory: int

    @property
    def seats(self) -> int:
        """How many training workers compute on it at once: at least one, whatever its memory."""
        return max(1, min(MOST, self.memory // SHARE))


def gpus(environment: Mapping[str, str] = os.environ) -> list[Gpu]:
    """The GPUs that CUDA would use here; none where there is no driver, or where ``CUDA_VISIBLE_DEVICES`` hides them.

    A name in that variable is kept as it stands there: CUDA may count in another order than the driver.
    """
    found = _told(environment)
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [Gpu(uuid, memory) for _, uuid, memory in found]
    wanted: list[Gpu] = []
    for name in (part.strip() for part in visible.split(",")):
        known = [m for index, uuid, m in found if name == index or (name.startswith("GPU-") and uuid.startswith(name))]
        if not known and not name.startswith("MIG-"):  # CUDA, too, stops at the first that it does not know
            break
        wanted.append(Gpu(name, known[0] if known else 0))  # a part of a GPU (MIG): its size is not in this table
    return wanted if found else []


def _told(environment: Mapping[str, str]) -> list[tuple[str, str, int]]:
    """Index, UUID and bytes of each GPU, from the driver's own program."""
    try:
        answer = subprocess.run(
            ASK, capture_output=True, text=True, timeout=PATIENCE, check=True, env=dict(environment), errors="replace"
        )
    except (OSError, subprocess.SubprocessError):  # not there, or it does not reach its driver
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in answer.stdout.splitlines()]
    return [(r[0], r[1], int(r[2]) * 2**20 if r[2].isdecimal() else 0) for r in rows if len(r) == 3]


def seats(found: Sequence[Gpu]) -> list[str]:
    """The name of a GPU for each training worker that they have room for: in turn, as long as one has a seat left."""
    return [gpu.name for turn in range(MOST) for gpu in found if turn < gpu.seats]
