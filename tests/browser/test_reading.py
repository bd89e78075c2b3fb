"""The reading lesson in a real browser: trained, asked while one types, coloured, and found again in the address."""

from __future__ import annotations

import re

import pytest

from tests.browser.seen import nothing_beside
from tests.waiting import patience

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_learners_way_from_training_to_the_word_that_turned_it(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/reading?lang=en&task=sentiment&dataset=built_in&threads=1&steps=200")
    expect(page.get_by_text("As soon as a network trains you can type here")).to_be_visible(timeout=patience(60_000))
    expect(page.get_by_text("Filled up to the longest")).to_be_visible(timeout=patience(60_000))
    page.get_by_role("button", name=re.compile(r"\bTrain\b")).first.click()
    expect(page.get_by_text("held-out texts are answered right")).to_be_visible(timeout=patience(90_000))

    box = page.get_by_role("textbox", name="A sentence")
    box.fill("the music is not good .")
    expect(page.get_by_text("Most moved by")).to_be_visible(timeout=patience(30_000))
    text = page.locator(".dl-ct-text").first
    expect(text).to_contain_text("the music is not good .")
    expect(page.get_by_text("complains", exact=True).first).to_be_visible()
    box.fill("the music is good .")
    expect(text).to_contain_text("the music is good .")
    expect(page.locator("strong", has_text="praises").first).to_be_visible(timeout=patience(30_000))
    box.fill("the blorp is good .")
    expect(page.get_by_text("1 piece is unknown to it")).to_be_visible(timeout=patience(30_000))
    box.fill("")
    expect(page.get_by_text("There is nothing to read yet")).to_be_visible(timeout=patience(30_000))

    slow, moving = "the film was slow", "the ending is very moving"
    for sample in (f"{slow} , but {moving} .", f"{moving} , but {slow} ."):
        page.get_by_role("button", name=sample).click()
        expect(text).to_contain_text(sample[:20])
    expect(page.get_by_text("The same bag, the same counts")).to_be_visible(timeout=patience(30_000))


def test_everything_fits_a_phone(server, browse):
    page = browse(f"{server.url}/reading?lang=zh&dataset=built_in", width=390, height=844, touch=True)
    page.wait_for_selector(".js-plotly-plot", timeout=patience(60_000))
    nothing_beside(page)
