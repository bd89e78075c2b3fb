"""Waiting for what happens elsewhere, with an end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

ENDED = ("paused", "finished", "diverged", "stopped", "failed")


def patience(seconds: float) -> float:
    """A time limit as it is on an idle machine, stretched by how overloaded this one is."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return seconds * max(1.0, load)


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true value of ``condition``; AssertionError after ``seconds`` (generous: machines are shared)."""
    deadline = time.monotonic() + patience(seconds)
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s in vain"
        time.sleep(0.02)
    return value


def on_a_loop(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """``asyncio.run`` in a thread of its own: in that of the tests Playwright's loop may be running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def answered(page: Any, words: Any, seconds: float = 120.0) -> None:
    """Wait for what a worker makes as a user would: where the page says that no answer came in time, ask again.

    ``words`` is what shall be seen (a locator), or a condition.
    """
    from playwright.sync_api import Error

    again = page.get_by_role("button", name="Try again")

    def there() -> bool:
        if again.count():
            with suppress(Error):  # drawn anew under the pointer: look again
                again.first.click(timeout=2000)
            page.wait_for_timeout(2000)
        return bool(words() if callable(words) else words.is_visible())

    until(there, seconds)
