"""The transfer lesson in a real browser: blocks are frozen by click and key, a run is trained, and a phone shows it."""

from __future__ import annotations

import re

import pytest

from tests.waiting import patience

pytestmark = pytest.mark.browser
QUICK = "&threads=1&seeds=1&steps=10&images=5&source_epochs=1"


def test_blocks_are_frozen_and_a_run_is_trained(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/transfer?lang=en{QUICK}", motion=False)
    count, blocks = page.locator(".dl-fz-count"), page.locator("button.dl-fz-block")
    expect(count).to_have_text("21,012 of 24,908 numbers are trained (84%)", timeout=patience(60_000))
    blocks.nth(1).click()
    expect(blocks.nth(1)).to_have_class(re.compile("dl-fz-t"))
    expect(count).to_have_text("24,492 of 24,908 numbers are trained (98%)")
    expect(page).to_have_url(re.compile("own=fttt"), timeout=patience(20_000))
    page.locator(".dl-fz-presets").get_by_role("button", name="frozen", exact=True).click()
    expect(count).to_have_text("196 of 24,908 numbers are trained (0.8%)")
    expect(page).to_have_url(re.compile("own=ffff"), timeout=patience(20_000))
    blocks.nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("own=ftff"), timeout=patience(20_000))

    page.locator(".st-key-transfer-start-play_arrow button").click()
    story = page.locator(".st-key-transfer-story")
    expect(story).to_contain_text("With 2 of each class: frozen", timeout=patience(120_000))
    expect(page.get_by_text("With 5 pictures of each class.")).to_be_visible(timeout=patience(30_000))

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
