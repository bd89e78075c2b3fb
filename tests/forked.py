"""Processes of one's own without the seconds that importing PyTorch takes: forked from one that has done it."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["torch", "torchvision.transforms.v2", "sklearn.datasets"])


def begun(said: Path, function: Callable[..., Any], *args: Any, **env: str) -> ForkServerProcess:
    """A process that calls ``function(*args)`` (importable) in the project's folder; what it prints is in ``said``."""
    process = FORKING.Process(target=_run, args=(said, env, function, args))
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType(
        "__main__"
    )  # a page's test may have left a script there that runs on pages only
    try:
        process.start()
    finally:
        sys.modules["__main__"] = main
    return process


def ended(process: ForkServerProcess, said: Path, seconds: float = 300.0) -> str:
    """What it printed. AssertionError where it did not end well, or not in time."""
    process.join(seconds)
    process.kill()
    words = said.read_text()
    assert process.exitcode == 0, words[-4000:]
    return words


def _run(said: Path, env: dict[str, str], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    os.chdir(ROOT)
    os.environ.update(env, PYTHONPATH=str(ROOT))
    out = os.open(said, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(out, stream)
    function(*args)
