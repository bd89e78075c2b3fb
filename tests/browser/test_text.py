"""A learner's way through the text lesson: typing, writing, units, and a short training."""

from __future__ import annotations

import re

import pytest

from tests.browser.seen import nothing_beside
from tests.waiting import answered, patience

pytestmark = pytest.mark.browser


def test_type_write_look_into_a_unit_and_train(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/text?lang=en&steps=40&hidden=32&threads=1&precision=float32")
    expect(page.get_by_role("heading", name="Can a network learn to write?")).to_be_visible(timeout=patience(60_000))
    field = page.get_by_role("textbox", name="Your text")
    expect(field).to_be_visible(timeout=patience(60_000))
    field.fill("")
    field.press_sequentially("The Queen of Hearts, she made some q", delay=15, timeout=patience(30_000))
    surprise = page.locator(".st-key-asked .dl-ct-text")
    expect(surprise).to_have_text(re.compile("she made some q$"), timeout=patience(30_000))
    assert surprise.locator("span[title*='bits, expected']").count() >= 30

    paper = page.locator(".dl-paper").first
    expect(paper).to_contain_text("she made some q")
    before = paper.inner_text()
    page.get_by_role("button", name="Again, with other chance").click()
    answered(page, lambda: paper.count() and paper.inner_text(timeout=5000) != before)
    page.get_by_role("slider", name="Temperature").press("Home")
    expect(page.get_by_text("Always the likeliest letter is not the likeliest text")).to_be_visible(
        timeout=patience(30_000)
    )

    units = page.locator(".st-key-studied")
    units.get_by_text("inside a quotation").first.click()
    told = units.get_by_text(re.compile(r"Unit \d+ and “inside a quotation”"))
    expect(told).to_be_visible(timeout=patience(30_000))
    first = told.inner_text()
    units.get_by_role("button", name=re.compile(r"Unit \d+ \(r = ")).nth(1).click()
    answered(page, lambda: told.count() and told.inner_text(timeout=5000) != first)
    assert units.locator(".dl-ct-text span").count() > 500

    page.get_by_role("button", name="Train").first.click()
    expect(page.get_by_text(re.compile(r"[\d.]+ bits per letter on"))).to_be_visible(timeout=patience(90_000))
    film = page.locator(".dl-tf")
    shown, text = film.locator(".dl-count"), film.locator(".dl-tf-text")
    expect(shown).to_have_text("after step 40", timeout=patience(30_000))  # the sentence may be there before the film
    last = text.inner_text()
    film.get_by_role("slider").press("Home")
    expect(shown).to_have_text("after step 0", timeout=patience(30_000))
    assert text.inner_text() != last


def test_everything_fits_a_phone(server, browse):
    page = browse(f"{server.url}/text?lang=zh", width=390, height=844, touch=True)
    page.wait_for_selector(".dl-tf", timeout=patience(60_000))
    page.wait_for_selector(".st-key-studied .dl-ct-text", timeout=patience(60_000))
    nothing_beside(page)
