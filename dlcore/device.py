"""Where tensors are computed, on how many threads, in which layout and precision; and how a run is made repeatable.

Nothing here imports torch when this module is imported: a config may be checked without it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dlcore.texts import N_, Problem

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cuda", "mps", "cpu")
PRECISIONS = ("auto", "float32", "bfloat16")
MEMORY_FORMATS = ("auto", "contiguous", "channels_last")
THREADS = 2  # the same on every machine, since the count moves the last bits of a sum


class Layout(NamedTuple):
    """How one model is computed: names from ``MEMORY_FORMATS`` and ``PRECISIONS``, without "auto"."""

    memory_format: str
    precision: str


AUTO = Layout("auto", "auto")
LAYOUTS = tuple(Layout(m, p) for m in MEMORY_FORMATS[1:] for p in PRECISIONS[1:])


def choose_device(name: str = "auto") -> str:
    """The device that ``name`` stands for: the best there is for ``"auto"``, else ``name`` itself.

    Raises:
        Problem: the device asked for is not there (kind ``"device"``).
    """
    import torch

    there = [n for n, ok in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())) if ok]
    there.append("cpu")
    if name == "auto":
        return there[0]
    if name not in there:
        raise Problem(
            N_("This machine has no {device} device. What it has: {there}. Choose one of those, or “auto”."),
            kind="device",
            device=name,
            there=", ".join(there),
        )
    return name


def device_name(device: str, *, threads: bool = True) -> str:
    """What to call the device in a table: the GPU's name, or the processor's architecture and thread count.

    ``threads=False`` leaves the count out, where no run has set it yet.
    """
    import platform

    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    count = f", {torch.get_num_threads()} threads" if threads else ""
    return f"{device} ({platform.machine()}{count})"


def reproducible(seed: int, *, threads: int = THREADS, device: str = "cpu") -> None:
    """Make what follows in this process repeatable: seed every generator, fix the threads, ask for exact kernels.

    Changes the state of the whole process, so a run should have one to itself.

    Args:
        seed: for torch's generators on every device.
        threads: for operations on the CPU (sums are split by thread, so the count is part of the result).
        device: ``"cuda"`` also switches cuDNN and cuBLAS to their deterministic kernels.
    """
    import torch

    torch.set_num_threads(threads)
    keep_memory()
    if device == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when cuBLAS starts
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(seed)


def keep_memory(most: int = 256 << 20) -> None:
    """Let the process keep up to ``most`` bytes that a step has freed, since the next step takes the same again.

    By default glibc hands large blocks back to the system at once, and each step pays for thousands of page faults
    (4,400 for a batch of 256 in the CNN lesson, a third of its processor time). Elsewhere than on glibc: nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, mmap_threshold = -1, -3  # names of mallopt(3)
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, 32 << 20)  # the largest that it allows
        libc.mallopt(trim_threshold, most)


def choose_layout(
    key: str,
    trial: Callable[[Layout], Callable[[], object]],
    *,
    wanted: Layout = AUTO,
    device: str = "cpu",
    threads: int = THREADS,
) -> Layout:
    """The fastest layout for one model on this machine, by a short measurement; remembered in ``cache_folder``.

    Args:
        key: names what is measured (network, input shape, batch size); device, threads and torch's version are added.
        trial: builds the model in a layout and returns a function that does one training step in it.
        wanted: where it does not say "auto", it is obeyed and not measured.

    Returns:
        A layout without "auto".
    """
    open_to = [o for o in LAYOUTS if all(w in ("auto", got) for w, got in zip(wanted, o, strict=True))]
    if len(open_to) == 1:
        return open_to[0]
    import torch

    where = torch.cuda.get_device_name() if device == "cuda" else device
    full_key = "|".join([key, *wanted, where, str(threads), torch.__version__])
    remembered = _read_cache()
    if full_key not in remembered:
        torch.set_num_threads(threads)
        keep_memory()
        remembered[full_key] = list(fastest(open_to, trial, device))
        _write_cache(remembered)
    return Layout(*remembered[full_key])


def fastest(
    layouts: list[Layout], trial: Callable[[Layout], Callable[[], object]], device: str = "cpu", rounds: int = 6
) -> Layout:
    """The layout whose step takes the least time, the best of several rounds.

    The layouts take turns, so that what else the machine does meanwhile falls on all alike; one that is three times
    slower than the best is dropped. The generators' state is put back, so measuring does not change a run.
    """
    import torch

    with torch.random.fork_rng(devices=[0] if device == "cuda" else []):
        steps = {layout: trial(layout) for layout in layouts}
        for step in steps.values():
            _timed(step, device)  # the first prepares kernels
        seconds = dict.fromkeys(layouts, float("inf"))
        for _ in range(rounds):
            best = min(seconds.values())
            for layout in [o for o in layouts if seconds[o] <= 3 * best]:
                seconds[layout] = min(seconds[layout], _timed(steps[layout], device))
    return min(seconds, key=seconds.__getitem__)


def _timed(step: Callable[[], object], device: str) -> float:
    start = time.perf_counter()
    step()
    synchronize(device)
    return time.perf_counter() - start


def torch_format(name: str) -> torch.memory_format:
    """torch's own object for a name from ``MEMORY_FORMATS`` (not "auto")."""
    import torch

    return torch.channels_last if name == "channels_last" else torch.contiguous_format


def synchronize(device: str) -> None:
    """Wait until the device has done all that it was given. On the CPU there is nothing to wait for."""
    import torch

    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def autocast(device: str, precision: str) -> torch.autocast:
    """The context in which a forward pass and its loss are computed in ``precision``; float32 turns it off.

    The cache of cast weights is off: every weight is used once per step, so it would only hold memory.
    """
    import torch

    return torch.autocast(device, dtype=torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False)


def cache_folder() -> Path:
    """Where measurements of this machine are kept: under ``DLCORE_STATE``, else the user's cache folder."""
    state = os.environ.get("DLCORE_STATE")
    if state:
        return Path(state) / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "dlcore"


def _read_cache() -> dict[str, list[str]]:
    """What was measured before; nothing where the file is missing or damaged."""
    try:
        found = json.loads((cache_folder() / "layouts.json").read_text())
    except (OSError, ValueError):
        return {}
    well_formed = isinstance(found, dict)
    return {k: v for k, v in found.items() if tuple(v) in LAYOUTS} if well_formed else {}


def _write_cache(remembered: dict[str, list[str]]) -> None:
    """Replace the file in one go, so that two workers cannot mix their lines; a read-only folder is no fault."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=cache_folder(), suffix=".json", delete=False) as file:
            json.dump(remembered, file, indent=1)
        os.replace(file.name, cache_folder() / "layouts.json")
    except OSError:
        return
