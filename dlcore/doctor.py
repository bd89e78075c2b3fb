"""Looks at this machine as the lessons will: versions, device, workers, data, weights; and says what to do."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from dlcore import __version__
from dlcore.data import catalogue
from dlcore.data.download import writable

NEEDED = ("torch", "torchvision", "numpy", "scikit-learn", "Pillow", "safetensors", "tqdm", "plotly")
FOR_PAGES = ("streamlit", "distributed", "Babel", "cryptography")  # the lessons in the browser; not the command line
WEIGHTS = Path(__file__).resolve().parent.parent / "assets" / "weights"
GIGABYTE = 1 << 30


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``advice`` says what to do; ``needed`` whether nothing works without it."""

    name: str
    ok: bool
    found: str
    advice: str = ""
    needed: bool = False


def examine() -> Iterator[Finding]:
    """Everything, the quick things first. Takes as long as torch's import does (seconds); raises nothing."""
    yield Finding("dlcore", True, f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    yield from (package(name, needed=True) for name in NEEDED)
    yield from (package(name, needed=False) for name in FOR_PAGES)
    yield device()
    yield workers()
    yield state_folder()
    yield data_root()
    yield from (data(name) for name in catalogue.CATALOGUE)
    yield weights()


def package(name: str, *, needed: bool) -> Finding:
    """Whether a package is installed, and which version."""
    try:
        return Finding(name, True, metadata.version(name), needed=needed)
    except metadata.PackageNotFoundError:
        use = "" if needed else " (for the lessons in the browser)"
        return Finding(name, False, "not installed", f"pip install -r requirements.txt{use}", needed)


def device() -> Finding:
    """What torch will compute on."""
    try:
        from dlcore.device import choose_device, device_name

        name = device_name(choose_device())
    except Exception as error:  # a broken installation fails in many ways, and saying which is the point
        return Finding("device", False, f"torch does not start: {error}", "pip install torch torchvision", needed=True)
    return Finding("device", True, f"{name}, {os.cpu_count()} cores")


def workers() -> Finding:
    """Whether the cluster that ``DLCORE_SCHEDULER`` names answers; without one the app starts workers of its own."""
    address = os.environ.get("DLCORE_SCHEDULER", "").strip()
    if not address:
        return Finding("workers", True, "on this machine, started by the app (DLCORE_SCHEDULER is not set)")
    advice = "Start the scheduler there, or unset DLCORE_SCHEDULER to use this machine."
    try:
        parts = urlsplit(address if "//" in address else f"tcp://{address}")
        socket.create_connection((parts.hostname or "", parts.port or 8786), timeout=3).close()
    except (OSError, ValueError) as error:
        return Finding("workers", False, f"{address} does not answer ({error})", advice, needed=True)
    return Finding("workers", True, f"{address} answers")


def state_folder() -> Finding:
    """Where runs are kept, if the environment says so."""
    given = os.environ.get("DLCORE_STATE", "").strip()
    if not given:
        return Finding("state", True, "the default folder (DLCORE_STATE is not set)")
    if not writable(Path(given)):
        return Finding("state", False, f"{given} cannot be written", "Set DLCORE_STATE to a folder of yours.")
    return Finding("state", True, f"{given}, {shutil.disk_usage(given).free / GIGABYTE:.1f} GB free")


def data_root() -> Finding:
    """The folder that ``DLCORE_DATA`` names; the user's cache where it names none."""
    root, cache = catalogue.data_root(), catalogue.cache_root()
    if root is None:
        return Finding("data folder", True, f"{cache} (DLCORE_DATA is not set)")
    if not root.is_dir():
        advice = "Create it, or correct or unset DLCORE_DATA."
        return Finding("data folder", False, f"DLCORE_DATA names {root}, which is not a folder", advice)
    read_only = "" if os.access(root, os.W_OK) else f", read-only: downloads go to {cache}"
    return Finding("data folder", True, f"{root}{read_only}")


def data(name: str) -> Finding:
    """Where a dataset lies."""
    folder = catalogue.locate(name)
    if folder:
        note = catalogue.note(name, folder)
        return Finding(name, True, f"{folder} ({note})" if note else str(folder))
    size = catalogue.dataset(name).size / 1e6
    return Finding(name, False, f"not here; the embedded {catalogue.dataset(name).stand_in} stand in",
                   f"python -m dlcore download {name}   ({size:.0f} MB)")  # fmt: skip


def weights() -> Finding:
    """The networks that are shipped with the lessons."""
    names = sorted(path.name for path in WEIGHTS.glob("*.safetensors"))
    if not names:
        return Finding("weights", False, f"none in {WEIGHTS}", "Clone the repository again, or train a network first.")
    return Finding("weights", True, ", ".join(names))
