"""The pages' modules, imported before anybody asks for a page.

Without this a class that comes in at once to a fresh server imports them from as many threads as there are students,
each waiting for the others' locks: pages that take 0.1 s took 10 to 30 s (``benchmarks.classroom_load``).
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from dlcore.syntax import parse

PAGES = Path(__file__).resolve().parent.parent / "pages"
FIRST = 1.0  # seconds that the first visitor of a fresh server has to himself
BREATH = 0.005  # seconds between two modules, for whoever has come meanwhile

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]

log = logging.getLogger(__name__)


def warmed(lifespan: Lifespan) -> Lifespan:
    """The same lifespan, with the modules being imported in the background from its beginning."""

    @contextlib.asynccontextmanager
    async def both(app: Any) -> AsyncIterator[None]:
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
