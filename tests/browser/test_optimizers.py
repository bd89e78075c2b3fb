"""The lesson in a real browser: the race follows the finger and the click, a branch is made at the step shown."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import patience, until

pytestmark = pytest.mark.browser
MOMENTUM_PATH = 16  # its grown line on the map, as the racer in hand drawn last: three traces for each of five


def query(page) -> dict[str, str]:
    address = page.evaluate("location.href")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def opened(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/optimizers?lang=en{params}")
    drawn = "document.querySelectorAll('.dl-plot[data-drawn]').length >= 3"
    page.wait_for_function(drawn, timeout=patience(60_000))


def trace(page, index: int, axis: str = "x") -> list[float]:
    """What a trace of the map shows now."""
    script = "([index, axis]) => Array.from(document.querySelectorAll('.dl-plot')[0].data[index][axis])"
    return page.evaluate(script, [index, axis])


def place(page, x: float, y: float) -> tuple[float, float]:
    script = """([x, y]) => {
        const node = document.querySelectorAll('.dl-plot')[0], box = node.getBoundingClientRect();
        const {xaxis, yaxis} = node._fullLayout;
        return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
    }"""
    return tuple(page.evaluate(script, [x, y]))


def test_a_journey_through_the_race(server, browse):
    from playwright.sync_api import expect

    page = browse("about:blank", motion=False)
    opened(server, page)
    ranking, story = page.locator(".dl-ranking"), page.locator(".st-key-story")
    expect(ranking).to_contain_text("89 steps", timeout=patience(30_000))

    # the rate is dragged over the limit: told while the finger is down
    before = trace(page, MOMENTUM_PATH)
    handle = page.get_by_role("slider", name="Learning rate").first.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 12):
        page.mouse.move(x + 8 * step, y)
        page.wait_for_timeout(60)
    expect(story).to_contain_text("× the limit 3.8", timeout=patience(30_000))
    page.mouse.up()
    until(lambda: float(query(page).get("momentum_learning_rate", 0)) > 3.8)
    until(lambda: trace(page, MOMENTUM_PATH) != before)

    # a branch at step 4 with a third of the rate saves it; the old way stays as a ghost
    bar = page.locator(".dl-bar").first.get_by_role("slider")
    bar.press("Home")
    for _ in range(4):
        bar.press("ArrowRight")
    page.get_by_role("button", name="Branch at step 4").click()
    until(lambda: query(page).get("branches", "").startswith("momentum_4_momentum_"), 30)
    expect(ranking).to_contain_text("Momentum from step 4", timeout=patience(30_000))
    expect(page.get_by_role("slider", name="Learning rate η from step 4 on")).to_be_visible(timeout=patience(30_000))

    # and is taken back
    page.get_by_role("button", name="Undo").click()
    until(lambda: "branches" not in query(page), 30)
    expect(ranking).not_to_contain_text("from step 4", timeout=patience(30_000))

    # a click on the map starts there
    page.mouse.click(*place(page, 3.0, -2.0))
    until(lambda: abs(float(query(page).get("start_x", 0)) - 3) < 0.1, 30)
    assert float(query(page)["start_y"]) == pytest.approx(-2, abs=0.1)
    until(lambda: abs(trace(page, MOMENTUM_PATH)[0] - 3) < 0.1, 30)


def test_the_lab_fits_a_laptop_and_a_phone(server, page, browse):
    opened(server, page)
    on_one_screen(page, "h1", ".dl-ranking", ".dl-bar", ".dl-frame-text")
    phone = browse("about:blank", width=390, height=844)
    opened(server, phone)
    nothing_beside(phone)
