"""The landscape in a real browser: two networks are measured, seen from above and in 3-D, on both planes."""

from __future__ import annotations

import re

import pytest

from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import patience

pytestmark = pytest.mark.browser
QUICK = "&depth=4&width=8&epochs=2&train_size=200&batch_size=50&points=9&images=50&threads=1"
GROUND = """key => { const ground = document.querySelector(`.st-key-${key} .js-plotly-plot`)?.data?.[0];
  const rows = Array.from(ground?.z ?? [], (row) => Array.from(row).filter(Number.isFinite).length);
  return [ground?.type, rows.length, Math.min(...rows)]; }"""
LAB = ("h1", ".st-key-landscape-choice", ".st-key-landscape-player", ".st-key-landscape-story")


def test_two_networks_are_measured_and_seen_from_all_sides(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/landscape?lang=en{QUICK}", motion=False)
    story = page.locator(".st-key-landscape-story")
    expect(story).to_contain_text("First both networks are trained", timeout=patience(60_000))
    on_one_screen(page, *LAB, ".st-key-landscape-line-False", ".st-key-ground-plain-none")
    page.locator(".st-key-landscape-start-play_arrow button").click()
    expect(story).to_contain_text("the whole run is a dot", timeout=patience(90_000))
    on_one_screen(page, *LAB, ".st-key-landscape-line-True", ".st-key-ground-residual-random-map")
    for name in ("plain", "residual"):
        assert page.evaluate(GROUND, f"ground-{name}-random-map") == ["contour", 9, 9], "measured everywhere"
    page.get_by_role("radio", name="Along the run").click()
    expect(story).to_contain_text(
        re.compile(
            r"Look at step \d+ of the (plain|residual) network: .* loss of [\d.]+ \(solid line\), .* holds \d+% of"
        ),
        timeout=patience(30_000),
    )
    on_one_screen(page, *LAB, ".st-key-landscape-shadows", ".st-key-ground-residual-along-map")
    assert page.evaluate(GROUND, "ground-residual-along-map") == ["contour", 9, 9]
    page.set_viewport_size({"width": 700, "height": 500})  # fewer pixels: without a graphics card each one takes long
    page.get_by_role("radio", name="3-D").click()
    page.locator(".st-key-ground-residual-along-solid canvas").first.wait_for(timeout=patience(30_000))
    assert page.evaluate(GROUND, "ground-plain-along-solid") == ["surface", 9, 9]


def test_the_landscape_fits_a_phone(server, browse):
    from playwright.sync_api import expect

    page = browse(f"{server.url}/landscape?lang=zh", width=390, height=844, touch=True)
    expect(page.locator(".st-key-landscape-story")).to_contain_text("先训练两个网络", timeout=patience(60_000))
    nothing_beside(page)
