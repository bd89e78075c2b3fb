"""The web process asks for memory in a way that does not grow with the number of threads."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import textwrap

import pytest

from tests.serving import ROOT
from ui import memory

ARENAS = """
import ctypes, re, threading
from ui.memory import few_arenas
if {few}:
    assert few_arenas()
libc, gate = ctypes.CDLL(None), threading.Barrier(13)

def hold():
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc(100_000)
    gate.wait()
    gate.wait()

threads = [threading.Thread(target=hold, daemon=True) for _ in range(12)]
[thread.start() for thread in threads]
gate.wait()
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/proc/self/fd/1", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
gate.wait()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_twelve_threads_share_two_arenas():
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    told = {
        few: subprocess.run([sys.executable, "-c", textwrap.dedent(ARENAS).format(few=few)], cwd=ROOT, check=True,
                            capture_output=True, text=True, timeout=60, env=env).stdout.count("<heap nr=")
        for few in (True, False)
    }  # fmt: skip
    assert told[True] <= memory.ARENAS < told[False]


@pytest.mark.parametrize("fault", [AttributeError, OSError, TypeError])
def test_without_glibc_nothing_is_changed(monkeypatch, fault):
    def other(name: str | None) -> None:
        raise fault(name)

    monkeypatch.setattr(ctypes, "CDLL", other)
    assert memory.few_arenas() is False
