"""The pictures of the README, taken from the running app:  python docs/screenshots.py [URL [NAME …]]

Start the app first (``streamlit run app.py``). Needs Playwright, Pillow and Chromium; writes docs/images.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
MOST_BYTES = 300_000  # of a picture; a larger one is stored with 256 colours
FINISHED = re.compile("^(Finished|已完成)")
AT_END = "[...document.querySelectorAll('.dl-bar input')].every((bar) => Number(bar.value) >= Number(bar.max))"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]


def still(page: Page) -> None:
    """Wait until the page has settled."""
    page.wait_for_timeout(6000)


def played(page: Page) -> None:
    """Wait until a descent has been drawn and played to its end."""
    still(page)
    page.wait_for_function(AT_END, timeout=120_000)
    page.wait_for_timeout(1500)


def trained(page: Page) -> None:
    """Train the network to the end."""
    still(page)
    page.locator(".st-key-run-buttons button").first.click()
    page.get_by_text(FINISHED).first.wait_for(timeout=500_000)
    page.wait_for_timeout(5000)
    page.mouse.move(5, 5)


def landscape(page: Page) -> None:
    """See the race in three dimensions, to its end."""
    still(page)
    page.get_by_text("3-D", exact=True).first.click()
    played(page)


def spiral(page: Page) -> None:
    """Set up the card of the spiral and train it."""
    still(page)
    page.get_by_role("button", name="The spiral").click()
    page.wait_for_timeout(3000)
    trained(page)


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
    Shot("optimizers-en-light", "/optimizers?lang=en&surface=network", "light", landscape),
    Shot("backpropagation-zh-dark", "/backpropagation?lang=zh", "dark", played),
    Shot("neural_network-en-light", "/neural_network?lang=en", "light", spiral),
    Shot("convolution-en-light", "/convolution?lang=en", "light", still),
    Shot("cnn-zh-dark", "/cnn?lang=zh&threads=1", "dark", trained),
    Shot("augmentation-en-dark", "/augmentation?lang=en", "dark", still),
    Shot("evaluation-zh-light", "/evaluation?lang=zh", "light", still),
    Shot("landscape-en-light", "/landscape?lang=en", "light", trained),
    Shot("attention-zh-light", "/attention?lang=zh", "light", trained),
)


def main(url: str, names: Sequence[str] = ()) -> None:
    """Take all pictures, or those of these names, from the app at ``url``."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for shot in (shot for shot in SHOTS if not names or shot.name in names):
            context = browser.new_context(
                viewport={"width": 1440, "height": 900}, color_scheme=shot.theme, bypass_csp=True
            )  # type: ignore[arg-type]
            page = context.new_page()
            page.goto(url + shot.path)
            shot.act(page)
            path = IMAGES / f"{shot.name}.png"
            page.screenshot(path=path)
            if path.stat().st_size > MOST_BYTES:
                Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
            print(path)
            context.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8501", sys.argv[2:])
