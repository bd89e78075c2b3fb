"""Attention in a real browser: train, watch the map form, ask, step through the answer, point at letters."""

from __future__ import annotations

import pytest

from tests.browser.seen import nothing_beside
from tests.waiting import answered, patience, until

pytestmark = pytest.mark.browser
SMALL = "&steps=40&examples=500&hidden=8&length=0&device=cpu&evaluations=2&threads=1"


def shares(page, selector: str) -> list[float]:
    return page.evaluate(
        "s => [...document.querySelectorAll(s)].map(e => +e.style.getPropertyValue('--share'))", selector
    )


def test_train_ask_and_step_through_the_answer(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/attention?lang=en{SMALL}", motion=False)
    page.get_by_role("button", name="Train").click(timeout=patience(60_000))
    expect(page.locator(".dl-translations tbody tr").first).to_contain_text("2021-05-03", timeout=patience(60_000))
    answered(page, page.locator(".dl-al-symbol").first)
    expect(page.get_by_role("button", name="Start again")).to_be_visible(timeout=patience(60_000))

    letters, symbols = page.locator(".dl-al-letter"), page.locator(".dl-al-symbol")
    assert "".join(letters.all_inner_texts()).replace("\u00a0", " ") == "May the 3rd, '21"
    until(lambda: abs(sum(shares(page, ".dl-al-letter")) - 1) < 0.02)  # a row of the map
    symbols.first.click()
    expect(symbols.first).to_have_class("dl-al-symbol dl-al-chosen")
    symbols.first.press("ArrowRight")
    expect(symbols.nth(1)).to_be_focused()
    expect(page.locator(".dl-al-likely h4")).to_contain_text("symbol 2")
    letters.nth(2).hover()
    assert shares(page, ".dl-al-letter")[2] == 1

    page.get_by_role("button", name="What it needs").click()
    assert sum(shares(page, ".dl-al-letter")) != pytest.approx(1, abs=0.02)
    page.get_by_text("Without attention", exact=True).first.click()
    expect(page.locator(".dl-al-cells i")).to_have_count(8, timeout=patience(30_000))

    page.get_by_label("A date, or a sentence with one").fill("二〇二一年五月三日")
    until(lambda: "".join(letters.all_inner_texts()) == "二〇二一年五月三日", 30)
    nothing_beside(page)
