"""Hands and eyes of the tests of our components."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

LIMIT = 0.0249
LOW, HIGH = LIMIT / 1000, 3 * LIMIT
DRAWN = "count => document.querySelectorAll('.dl-plot[data-drawn]').length === count"


def ready(page, plots: int = 3):
    """The page with all plots drawn and the last script run over."""
    page.wait_for_function(DRAWN, arg=plots, timeout=90_000)  # generous: machines are shared
    page.wait_for_selector("text=opened=None", timeout=90_000)
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    return page


def told(page) -> dict[str, float]:
    """What Python says that the sliders returned."""
    text = page.locator("text=/^rate=/").inner_text()
    return {name: float(value) for name, value in re.findall(r"(\w+)=([-\d.e]+)", text)}


def until(page, condition: Callable[[], bool], seconds: float = 30) -> None:
    """As ``tests.waiting.until``, while the browser's events go on (Playwright handles them only in its own waits)."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        page.wait_for_timeout(20)


def handle(page, name: str):
    return page.get_by_role("slider", name=name)


def track(page, name: str) -> dict[str, float]:
    return page.locator(".dl-slider", has_text=name).locator(".dl-slider-track").bounding_box()


def plot(page, index: int):
    return page.locator(".dl-plot").nth(index)
