"""A network of one's own in a real browser: an impossible layer, the sentence at its place, mended, trained."""

from __future__ import annotations

import pytest

from tests.browser.test_cnn import patient, press, progress
from tests.waiting import patience, until

pytestmark = pytest.mark.browser
RUN = "&epochs=2&train_size=200&precision=float32&memory_format=contiguous&threads=1"


def card(page, place: int):
    return page.locator(f'.dl-ed-card[data-place="{place}"]')


def field(page, place: int, name: str):
    return card(page, place).locator(f'[data-name="{name}"]')


def test_an_impossible_layer_is_told_mended_and_trained(server, page):
    expect = patient()
    page.goto(f"{server.url}/cnn?lang=en&network=own&layers=conv 4 3; relu; flatten; dense{RUN}")
    train = page.locator(".st-key-run-buttons button").first
    expect(card(page, 0)).to_contain_text("4 × 26 × 26")
    expect(card(page, 3)).to_contain_text("27,050 weights")
    expect(train).to_be_enabled()

    page.locator(".dl-ed-add").select_option("pool")  # it comes before the scores, where there are no maps any more
    fault = page.locator(".dl-ed-fault")
    expect(fault).to_contain_text("“pool” needs maps, but here is a list of 2704 numbers")
    expect(page.locator(".dl-ed-sum")).to_have_text("It cannot be trained like this: see layer 4.")
    expect(train).to_be_disabled()

    card(page, 3).focus()
    page.keyboard.press("Alt+ArrowLeft")  # before flatten
    expect(fault).to_have_count(0)
    expect(card(page, 2)).to_contain_text("4 × 13 × 13")
    expect(card(page, 2)).to_be_focused()
    field(page, 0, "window").fill("9")
    expect(card(page, 0)).to_contain_text("4 × 20 × 20")
    field(page, 0, "window").fill("99")  # out of bounds: marked, not sent
    expect(field(page, 0, "window")).to_have_attribute("aria-invalid", "true")
    field(page, 0, "window").blur()
    expect(field(page, 0, "window")).to_have_value("9")

    page.get_by_role("button", name="Undo", exact=True).click()
    expect(card(page, 0)).to_contain_text("4 × 26 × 26")
    until(lambda: "pool" in page.evaluate("location.href"), 60)  # a link to it repeats it
    expect(train).to_be_enabled()
    press(page, "Train")
    expect(progress(page)).to_contain_text("Finished", timeout=1000 * patience(120))
    expect(card(page, 0)).to_be_hidden()  # folded, so that the picture of the training is in sight
    view = page.locator("[data-testid=stVerticalBlock].st-key-training-view").bounding_box()
    assert view
    assert view["y"] + view["height"] <= 900

    page.get_by_text("Layers of your own network").click()
    expect(card(page, 0)).to_be_visible()
    field(page, 0, "window").fill("5")
    expect(card(page, 0)).to_contain_text("4 × 24 × 24")
    expect(card(page, 0)).to_be_visible()

    page.get_by_text("中文", exact=True).click()  # the cards follow, too
    expect(page.locator(".dl-ed-input")).to_contain_text("图片")
    expect(card(page, 0)).to_contain_text("卷积")
    expect(page.locator(".dl-ed-starts")).to_contain_text("从这里开始")
