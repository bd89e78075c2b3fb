"""What keeps the web process small while sessions come and go: where memory comes from, when garbage is collected."""

from __future__ import annotations

import asyncio
import ctypes
import gc

COLLECT_EVERY = 180.0  # seconds; with 200 browsers a collection takes a quarter of one
ARENA_MAX, ARENAS = -8, 2  # glibc's M_ARENA_MAX, and how many of them


def few_arenas() -> bool:
    """Have glibc's malloc make no more than two arenas from now on; False where there is no glibc.

    Each run of a page is a new thread. By itself glibc gives threads up to eight arenas a core, each with its own
    holes: after ten minutes of students who come and go, 20 MB of them on two cores, and 7 MB in two arenas
    (benchmarks/RESULTS.md).
    """
    try:
        return bool(ctypes.CDLL(None).mallopt(ARENA_MAX, ARENAS))
    except (AttributeError, OSError, TypeError):  # another C library; Windows has no CDLL(None)
        return False


async def collect() -> None:
    """Collect garbage now and then: Streamlit's own collection after every script run is switched off (config.toml)."""
    await asyncio.sleep(5)
    gc.freeze()  # what the imports made stays: later collections need not walk it
    while True:
        await asyncio.sleep(COLLECT_EVERY)
        gc.collect()
