"""The depth lesson in a real browser: a pair is trained, a block opened by click and key, and one taken out again."""

from __future__ import annotations

import re

import pytest

from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import answered, patience, until

pytestmark = pytest.mark.browser
QUICK = "&dataset=digits&depth=20&epochs=4&threads=1"
POINTS = """key => (document.querySelector(`.st-key-${key} .js-plotly-plot`)?.data ?? [])
  .filter((line) => line.line?.width > 2).map((line) => Array.from(line.y).filter(Number.isFinite).length)"""


def test_a_pair_is_trained_opened_and_operated_on(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/resnet?lang=en{QUICK}", motion=False)
    story = page.locator(".st-key-resnet-story")
    answered(page, lambda: "arrives at the first one of the plain network" in story.inner_text())
    until(lambda: page.evaluate(POINTS, "resnet-weights") == [20, 20], 30)  # gradient by block before any training
    assert page.evaluate(POINTS, "resnet-errors") == []
    plots = (f".st-key-resnet-{name}" for name in ("story", "errors", "weights", "activation"))
    on_one_screen(page, "h1", *plots, ".dl-res-picture")
    page.locator(".st-key-resnet-start-play_arrow button").click()
    expect(story).to_contain_text("Depth 20: ", timeout=patience(90_000))
    until(lambda: len(epochs := page.evaluate(POINTS, "resnet-errors")) == 2 and min(epochs) >= 4, 30)
    assert page.evaluate(POINTS, "resnet-weights") == [20, 20]
    _opens_a_block(page)
    _takes_a_block_out(page)

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{server.url}/resnet?lang=zh{QUICK}")
    expect(page.locator(".st-key-resnet-story")).to_contain_text("深度 20：", timeout=patience(60_000))
    expect(page.locator(".dl-su-block")).to_have_count(20, timeout=patience(60_000))
    nothing_beside(page)


def _opens_a_block(page) -> None:
    """By click and by key: its sum, and what link and branch carry, with the very numbers of the picture."""
    from playwright.sync_api import expect

    told, picture = page.locator(".dl-res-story"), page.locator(".dl-res-picture")
    page.locator(".dl-res-tile").nth(20 + 3).click()  # of the second row, the residual network's
    expect(told).to_contain_text("Block 4 of the residual network: the link carries numbers of size")
    expect(page.locator(".dl-res-plus")).to_have_count(1)
    expect(page.locator(".dl-link")).to_have_count(1)
    picture.press("ArrowRight")
    expect(told).to_contain_text("Block 5")
    expect(page).to_have_url(re.compile("block=5"), timeout=patience(20_000))
    carried = re.search(r"numbers of size ([\d.]+),", told.inner_text())
    assert carried is not None
    expect(picture.get_by_text(f"the link carries X {carried[1]}")).to_be_visible()


def _takes_a_block_out(page) -> None:
    """What is told without a block is what stood under it; all are put back, and all is as before."""
    from playwright.sync_api import expect

    blocks, told = page.locator(".dl-su-block"), page.locator(".st-key-surgery-told")
    answered(page, lambda: blocks.count() == 20)
    whole = told.inner_text()
    assert "All blocks are in" in whole
    alone = re.search(r"without it alone (\d+)% are right", blocks.nth(7).get_attribute("aria-label"))
    assert alone is not None
    blocks.nth(7).click()
    expect(told).not_to_contain_text("All blocks are in", timeout=patience(60_000))
    left = re.search(r"([\d.]+)%", told.inner_text())
    assert left is not None
    assert abs(float(left[1]) - float(alone[1])) <= 0.5
    expect(page).to_have_url(re.compile("removed=8"), timeout=patience(20_000))
    page.get_by_role("button", name="Put all back").click()
    until(lambda: told.inner_text() == whole, 60)
