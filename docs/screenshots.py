"""The pictures of the README, taken from the running app:  python docs/screenshots.py [URL]

Start the app first (``streamlit run app.py``). Needs Playwright and Chromium; writes docs/images.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]


def still(page: Page) -> None:
    """Wait until the page has settled."""
    page.wait_for_timeout(6000)


def played(page: Page) -> None:
    """Wait until a descent has been drawn and played to its end."""
    page.wait_for_timeout(12_000)


def trained(page: Page) -> None:
    """Train the network to the end."""
    still(page)
    page.locator(".st-key-run-buttons button").first.click()
    page.wait_for_timeout(25_000)


@dataclass(frozen=True)
class Shot:
    """One picture: where, in what dress, and what happens before it is taken."""

    name: str
    path: str
    theme: str
    act: Callable[[Page], None]


SHOTS = (
    Shot("home-en-light", "/?lang=en", "light", still),
    Shot("linear_regression-en-light", "/linear_regression?lang=en", "light", played),
    Shot("cnn-zh-dark", "/cnn?lang=zh", "dark", trained),
)


def main(url: str) -> None:
    """Take all pictures from the app at ``url``."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for shot in SHOTS:
            context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=shot.theme)  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(url + shot.path)
            shot.act(page)
            page.screenshot(path=IMAGES / f"{shot.name}.png")
            print(IMAGES / f"{shot.name}.png")
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8501")
