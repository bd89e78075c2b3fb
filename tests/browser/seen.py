"""What a reader sees without scrolling."""

from __future__ import annotations

from typing import Any

from tests.waiting import patience, until


def on_one_screen(page: Any, *selectors: str) -> None:
    """The first element of each selector is there and wholly on the screen."""
    screen = page.viewport_size["height"]
    for selector in selectors:
        found = page.locator(selector).first
        found.wait_for(timeout=patience(30_000))
        until(lambda f=found: (f.bounding_box() or {"height": 0})["height"] > 0, 30)  # its place is there before it
        box = found.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= screen, (selector, box)


def nothing_beside(page: Any) -> None:
    """The page is no wider than the screen (what scrolls is Streamlit's main part), and no formula is on a phone."""
    widths = "['html', '[data-testid=stMain]'].map((part) => document.querySelector(part)?.scrollWidth ?? 0)"
    assert max(wide := page.evaluate(widths)) <= page.viewport_size["width"] + 1, wide  # parts of pixels are rounded up
    if page.viewport_size["width"] <= 640:
        cut = "[...document.querySelectorAll('.katex-display')].filter((one) => one.scrollWidth > one.clientWidth + 1)"
        assert page.evaluate(f"{cut}.map((one) => one.textContent.slice(-60))") == []
