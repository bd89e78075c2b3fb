"""A learner asks why: a phone's photograph, its answer in Chinese, Grad-CAM, and a cover dragged over the thing."""

from __future__ import annotations

import re

import pytest

from dlcore.vision import samples
from dlcore.vision.networks import here
from tests.browser.test_classify import phone_like
from tests.waiting import answered, patience

pytestmark = pytest.mark.browser
NETWORK = "mobilenet_v2"


@pytest.mark.skipif(here(NETWORK) is None, reason="needs the weights of mobilenet_v2: python -m dlcore download")
def test_a_photograph_is_explained_and_the_map_follows_a_cover_that_is_dragged(server, browse) -> None:
    from playwright.sync_api import expect

    page = browse(f"{server.url}/classify?lang=zh&source=files&model={NETWORK}&why=gradcam")
    upload = page.locator("input[type=file]").first
    upload.wait_for(state="attached", timeout=patience(90_000))
    photo = phone_like(samples.sample("clock"))
    upload.set_input_files({"name": "照片 1.jpg", "mimeType": "image/jpeg", "buffer": photo})
    story = page.locator(".st-key-classify-story")
    answered(page, page.locator(".dl-box-image"))
    expect(story).to_contain_text(re.compile("指针式时钟|挂钟"), timeout=patience(120_000))

    found = page.locator(".st-key-inside-found")
    found.scroll_into_view_if_needed(timeout=patience(60_000))
    heat = found.locator(".js-plotly-plot image, .js-plotly-plot canvas").first
    expect(heat).to_be_visible(timeout=patience(60_000))
    expect(found).to_contain_text(re.compile("朱红：答案“(指针式时钟|挂钟)”"))
    found.locator("button[aria-expanded]").first.click()
    strongest = found.locator(".dl-table tbody tr").first
    before, place = story.inner_text(), strongest.inner_text()
    row, column = (int(cell) for cell in strongest.locator("td").all_inner_texts()[:2])
    assert 20 < row < 205, "the clock fills the middle of 224 pixels"
    assert 20 < column < 205

    frame = page.locator(".dl-box-frame")
    frame.scroll_into_view_if_needed()
    area = frame.bounding_box()
    assert area
    page.mouse.move(area["x"] + 0.12 * area["width"], area["y"] + 0.12 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.88 * area["width"], area["y"] + 0.88 * area["height"], steps=8)
    page.mouse.up()
    expect(story).not_to_have_text(before, timeout=patience(60_000))
    expect(strongest).not_to_have_text(place, timeout=patience(60_000))

    page.get_by_text("各层看到了什么", exact=True).last.scroll_into_view_if_needed()
    expect(page.locator(".st-key-maps-list .js-plotly-plot, .st-key-maps-one .js-plotly-plot")).to_have_count(2)
