"""The lesson in a real browser: the film of the graph, its keys, leaves that move, weights that open."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import patience, until

pytestmark = pytest.mark.browser


def query(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.evaluate("location.href")).query).items()}


def lesson(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/backpropagation?lang=en{params}")
    page.wait_for_selector(".dl-node", timeout=patience(60_000))


def texts(page, kind: str) -> list[str]:
    return page.evaluate(f"[...document.querySelectorAll('.dl-node .dl-{kind}')].map(e => e.textContent)")


def test_a_learners_way_through_the_lesson(server, browse):
    """Step through the film, open a node by keyboard, move a leaf, open the largest gradient, check, and train."""
    from playwright.sync_api import expect

    page = browse("about:blank", motion=False)
    lesson(server, page)
    until(lambda: all(texts(page, "gradient")), 30)  # without motion: the end of the film
    bar = page.locator(".dl-graph .dl-bar")
    bar.get_by_role("slider").press("Home")
    until(lambda: not any(texts(page, "gradient")))
    assert sum(bool(t) for t in texts(page, "value")) == 6, "only the leaves"
    page.get_by_role("button", name="One step", exact=True).first.click()
    until(lambda: sum(bool(t) for t in texts(page, "value")) == 7)
    page.get_by_role("button", name="One step back").click()
    until(lambda: sum(bool(t) for t in texts(page, "value")) == 6)
    bar.get_by_role("slider").press("End")
    until(lambda: all(texts(page, "gradient")))

    node = page.get_by_role("button", name="w1", exact=False).and_(page.locator(".dl-node"))
    node.focus()
    node.press("Enter")
    expect(page.locator(".dl-opened")).to_contain_text("w1")
    expect(page.locator(".dl-opened")).to_contain_text("−4.727")
    until(lambda: query(page).get("leaf") == "w1", 30)
    node.press("Escape")
    expect(page.locator(".dl-opened")).to_be_hidden()

    before = texts(page, "gradient")
    slider = page.get_by_role("slider", name="w1", exact=True)
    slider.hover()  # waits until it stands still
    handle = slider.bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 6):
        page.mouse.move(x + 8 * step, y)
        page.wait_for_timeout(80)
    until(lambda: texts(page, "gradient") != before, 30)  # the finger is still down
    page.mouse.up()
    until(lambda: query(page).get("leaves", "").startswith("w1_"), 30)

    expect(page.locator(".st-key-lab-check")).to_contain_text("torch.autograd")
    ours = page.locator(".st-key-lab-check code").nth(0)
    theirs = page.locator(".st-key-lab-check code").nth(1)
    until(lambda: theirs.inner_text()[:12] == ours.inner_text()[:12], 60)

    page.get_by_role("button", name="Backward", exact=True).click()
    cells = page.locator('[data-cell^="dW-"] button')
    sizes = cells.evaluate_all("cells => cells.map(c => Math.abs(Number(c.textContent.replace('−', '-'))))")
    cells.nth(sizes.index(max(sizes))).click()
    expect(page.locator(".dl-layers-path")).to_contain_text("∂L/∂w")
    expect(page.get_by_text("A large activation met a large δ")).to_be_visible(timeout=patience(30_000))

    page.get_by_role("button", name="Train", exact=False).first.click()
    expect(page.get_by_text("no better than guessing")).to_be_visible(timeout=patience(90_000))


def test_film_plays_by_itself_and_gradients_flow_last(server, lively):
    page = lively
    lesson(server, page, "&graph=zero_grad")
    until(lambda: any(texts(page, "value")) and not any(texts(page, "gradient")), 30)
    until(lambda: all(texts(page, "gradient")), 60)
    until(lambda: "added to" in page.locator(".dl-graph-now").inner_text(), 60)


def test_everything_fits_a_phone_and_the_graph_scrolls_in_its_box(server, browse):
    page = browse(f"{server.url}/backpropagation?lang=zh", width=390, height=844)
    page.wait_for_selector(".dl-node", timeout=patience(60_000))
    page.wait_for_selector(".dl-layers-row", timeout=patience(60_000))
    nothing_beside(page)
    assert page.evaluate("(b => b.scrollWidth > b.clientWidth)(document.querySelector('.dl-graph-box'))")


def test_lab_fits_a_laptop_screen(server, page):
    lesson(server, page)
    on_one_screen(page, "h1", ".dl-graph-now", ".st-key-story")
