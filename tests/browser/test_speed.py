"""The lesson on speed in a real browser: a small ladder is climbed, seen from three sides, and fits a phone."""

from __future__ import annotations

import pytest

from tests.browser.seen import nothing_beside
from tests.waiting import patience

pytestmark = pytest.mark.browser
QUICK = "&threads=1&train_size=150&target=0.5&passes=9&compare=ends&bfloat16=false"


def test_the_plain_loop_and_all_switches(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/speed?lang=en{QUICK}", motion=False)
    story = page.locator(".st-key-speed-story")
    expect(story).to_contain_text("2 trainings, each to 50.0% right.", timeout=patience(60_000))
    page.get_by_role("button", name="Train").click()
    expect(story).to_contain_text("times as fast, since it took", timeout=patience(120_000))
    bars = page.locator(".st-key-speed-seconds")
    expect(page.locator(".bartext, .textpoint text").filter(has_text="×").first).to_be_visible()
    page.get_by_role("radio", name="Steps × time").click()
    expect(page.get_by_text("milliseconds per step").first).to_be_visible()
    expect(bars).to_have_count(0)
    page.get_by_role("radio", name="One step").click()
    expect(page.get_by_text("share of a step’s time").first).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    nothing_beside(page)
