"""A process that is ready for a class: what all its sessions share is set up before the first of them comes.

The pages' modules are imported ahead of need. Else a class that comes in at once to a fresh server imports them from as
many threads as there are students, each waiting for the others' locks.

Threads take turns every millisecond instead of every five. Streamlit lets go of the interpreter with each message that
a script sends (it wakes the event loop through a pipe), a hundred times for a page, and may wait for a whole turn of
every other session before it has the interpreter back. With 20 sliders dragged a second the 95th percentile of an
answer fell from 266 to 121 ms, and no more processor time was used (``benchmarks.classroom_load``).
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from dlcore.syntax import parse

PAGES = Path(__file__).resolve().parent.parent / "pages"
FIRST = 1.0  # seconds that the first visitor of a fresh server has to himself
TURN = 0.001  # seconds that a thread may compute while others wait
BREATH = 0.005  # seconds between two modules, for whoever has come meanwhile

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]

log = logging.getLogger(__name__)


def warmed(lifespan: Lifespan) -> Lifespan:
    """The same lifespan in a process with short turns, the modules being imported in the background."""

    @contextlib.asynccontextmanager
    async def both(app: Any) -> AsyncIterator[None]:
        sys.setswitchinterval(TURN)
        async with lifespan(app):
            threading.Thread(target=_import_all, daemon=True, name="warm").start()
            yield

    return both


def modules() -> Iterator[str]:
    """What the pages import, by name."""
    for page in sorted(PAGES.glob("*.py")):
        for node in parse(page.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module
            elif isinstance(node, ast.Import):
                yield from (name.name for name in node.names)


def _import_all() -> None:
    time.sleep(FIRST)
    for name in dict.fromkeys(modules()):
        try:
            importlib.import_module(name)
        except Exception:  # the page that needs it will say what is wrong
            log.exception("could not import %s ahead of need", name)
        time.sleep(BREATH)
