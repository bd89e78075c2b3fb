"""The series in a real browser: the picture follows the sliders, a run is ranked, a click moves the starting point."""

from __future__ import annotations

import re

import pytest

from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import patience, until

pytestmark = pytest.mark.browser

WINDOW = """() => { const plot = [...document.querySelectorAll('.js-plotly-plot')].find((p) => p._fullLayout?.yaxis2);
  const shape = plot?._fullLayout.shapes.filter((s) => s.xref === "x")[1]; return shape ? shape.x1 - shape.x0 : 0; }"""


def test_a_learners_way_through_the_series(server, browse):
    from playwright.sync_api import expect

    page = browse(
        f"{server.url}/series?lang=en&dataset=chaos&hidden=8&steps=30&horizon=4&window=12&threads=1", motion=False
    )
    expect(page.get_by_text("What a network has to beat")).to_be_visible(timeout=patience(60_000))
    until(lambda: page.evaluate(WINDOW) == 12, 30)
    on_one_screen(page, "h1", ".st-key-story", ".js-plotly-plot >> nth=0", ".js-plotly-plot >> nth=2")
    window = page.get_by_role("slider", name=re.compile("Window")).first
    window.focus()
    for _press in range(4):
        window.press("ArrowRight")
    asked = int(float(window.get_attribute("aria-valuenow") or 0))  # the track is even in the logarithm
    assert asked > 12
    until(lambda: page.evaluate(WINDOW) == asked, 30)  # all presses are in: a run is asked what the picture shows

    page.get_by_role("button", name=re.compile("^Train")).first.click()
    expect(page.get_by_text("Mean absolute error on the held-out end")).to_be_visible(timeout=patience(90_000))
    expect(page.get_by_text("What it holds in mind")).to_be_visible(timeout=patience(60_000))
    page.get_by_text("Running free", exact=True).first.click()
    expect(page.get_by_text("Fed only its own forecasts, for 60 steps")).to_be_visible(timeout=patience(30_000))

    start = page.get_by_role("slider", name=re.compile("Begin at")).first
    before = start.get_attribute("aria-valuenow")
    picture = page.locator(".dl-clickable").first
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.6 * box["height"])
    until(lambda: start.get_attribute("aria-valuenow") != before, 30)


def test_series_fit_a_phone(server, browse):
    page = browse(f"{server.url}/series?lang=zh", width=390, height=844, touch=True)
    page.wait_for_selector(".js-plotly-plot", timeout=patience(60_000))
    nothing_beside(page)
