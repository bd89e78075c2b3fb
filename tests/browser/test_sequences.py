"""The memory lesson in a real browser: the gradient follows the slider, three cells learn, a phone shows all of it."""

from __future__ import annotations

import pytest

from tests.browser.seen import nothing_beside
from tests.waiting import patience

pytestmark = pytest.mark.browser


def test_a_learners_way_from_the_gradient_to_the_score(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/sequences?lang=en&length=10&hidden=16&steps=60&threads=1", motion=False)
    story = page.locator(".st-key-memory-story")
    expect(story).to_contain_text("step 1 gets this share of the gradient that step 10 gets", timeout=patience(60_000))
    before = story.inner_text()
    bias = page.get_by_role("slider", name="Bias of the keeping gate")
    bias.focus()
    bias.press("End")
    expect(story).not_to_have_text(before)
    top, bottom = (page.locator(f".st-key-memory-{name}").bounding_box() for name in ("example", "story"))
    assert bottom["y"] + bottom["height"] - top["y"] <= 800, "the lab fits a laptop's screen"

    page.get_by_role("button", name="Train").click()
    expect(story).to_contain_text("Distance 10, after 60 steps: RNN", timeout=patience(60_000))
    names = page.locator(".js-plotly-plot .annotation-text, .annotation text")
    for name in ("RNN", "LSTM", "GRU"):
        assert names.filter(has_text=name).count() >= 2, "at the ends of the gradients and of the scores"
    page.get_by_role("radio", name="By distance").click()
    expect(page.get_by_text("distance", exact=True).first).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    nothing_beside(page)
