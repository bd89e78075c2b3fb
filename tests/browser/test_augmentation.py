"""The lesson in a real browser: variants follow a held slider, pictures are marked, two networks are trained."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.seen import nothing_beside
from tests.waiting import answered, until

pytestmark = pytest.mark.browser
QUICK = "&threads=1&train_size=60&epochs=2&views=2&precision=float32&memory_format=contiguous"


def pixels(page) -> str | None:
    """What the grid shows, as the browser has drawn it."""
    return page.locator(".st-key-variants image").first.get_attribute("href")


def mark(page, ring: str) -> bool:
    """Mark a picture by its button, again where the page was being drawn anew under the pointer."""
    buttons = page.locator("[data-testid=stPills] button, [data-testid=stButtonGroup] button").filter(has_text=ring)
    active = page.locator("button[aria-pressed=true]").filter(has_text=ring)
    if not active.count():
        buttons.first.click()
        page.wait_for_timeout(2000)
    return bool(active.count())


def test_strengths_then_marks_then_two_trainings(server, page):
    expect.set_options(timeout=90_000)
    page.goto(f"{server.url}/augmentation?lang=en{QUICK}")
    answered(page, page.locator(".st-key-variants image").first)
    page.get_by_role("button", name="Any way up").click()
    expect(page.get_by_text("A 6 turned round is a 9.")).to_be_visible()
    first = pixels(page)
    track = page.get_by_role("slider", name="Rotation")
    track.focus()
    for _ in range(5):
        track.press("ArrowLeft")
    until(lambda: pixels(page) != first, 60)

    answered(page, page.get_by_role("button", name="Ask the network"))
    until(lambda: mark(page, "①"), 60)
    page.get_by_role("button", name="Ask the network").click()
    expect(page.get_by_text("You marked 1 picture.")).to_be_visible()

    page.get_by_role("button", name="Train both").click()
    expect(page.get_by_text("The gap between training and test went from")).to_be_visible(timeout=180_000)

    page.set_viewport_size({"width": 390, "height": 844})  # a phone: the grid keeps its shape, without a gap below it
    grid = page.locator(".st-key-variants .dl-plot")
    until(lambda: grid.bounding_box()["height"] < 230, 60)
    nothing_beside(page)
