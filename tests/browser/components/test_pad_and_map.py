"""The drawing pad and the concept map in a real browser."""

from __future__ import annotations

import itertools
import re

from tests.browser.components.kit import ready, until

PLOTS = 0  # none are looked at here


def test_pad_by_keyboard(page):
    page.wait_for_selector("text=pad=None")
    page.locator(".dl-pad-canvas").focus()
    for key in ["Space", *["ArrowDown"] * 12, "Space"]:
        page.keyboard.press(key)
    page.wait_for_selector("text=/pad=\\(28, 28\\) uint8/")
    rows = [int(n) for n in re.findall(r"row=\[(.*)\]", page.locator("text=/^pad=/").inner_text())[0].split(",")]
    assert [i for i, row in enumerate(rows) if row > 100] == list(range(6, 20))
    page.keyboard.press("ArrowDown")  # the pen is up
    page.keyboard.press("Delete")
    page.wait_for_selector("text=pad=None")


def test_arrows_of_the_map_end_at_what_builds_on(page):
    page.wait_for_selector(".dl-map-lines path", state="attached")
    for path in page.locator(".dl-map-lines path").all():
        assert path.get_attribute("d").count("M") == 2, "a line and its head"


def test_a_stroke_arrives_as_an_array_and_can_be_undone(page):
    page.wait_for_selector("text=pad=None")
    pad = page.locator(".dl-pad-canvas")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    for height in (0.25, 0.75):
        page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + height * box["height"])
        page.mouse.down()
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + height * box["height"], steps=8)
        page.mouse.up()
    page.wait_for_selector("text=/pad=\\(28, 28\\) uint8/")
    until(page, lambda: strong(page) == {6, 7, 20, 21})
    page.get_by_role("button", name="Undo").click()
    until(page, lambda: strong(page) == {6, 7})
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector("text=pad=None")


def strong(page) -> set[int]:
    """The rows of the picture in which a stroke is at its whitest."""
    text = page.locator("text=/^pad=/").inner_text()
    return {i for i, value in enumerate(re.findall(r"\d+", text.split("row=")[-1])) if int(value) > 200}


def test_the_map_opens_by_mouse_and_keyboard_and_what_is_not_ready_does_not(page):
    page.get_by_role("link", name="Neural network").click()
    page.wait_for_selector("text=opened=nn")
    link = page.get_by_role("link", name="Convolutional network")
    assert link.get_attribute("href") == "?open=cnn&lang=en"
    link.focus()
    outline = link.evaluate("node => getComputedStyle(node).outlineStyle")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert outline != "none" or link.evaluate("node => getComputedStyle(node).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.wait_for_selector("text=opened=cnn")
    assert page.get_by_role("link", name="Optimizers").count() == 0
    assert page.locator(".dl-map-is-coming").inner_text().split("\n") == ["Optimizers", "in preparation"]


def test_the_map_is_a_list_on_a_phone(browse, url):
    page = ready(browse(f"{url}/?plots=none", width=390, height=844), plots=0)
    page.wait_for_selector(".dl-map-node")
    boxes = [node.bounding_box() for node in page.locator(".dl-map-node").all()]
    assert len({round(box["x"]) for box in boxes}) == 1
    assert all(a["y"] + a["height"] <= b["y"] for a, b in itertools.pairwise(boxes))
    assert all(box["height"] >= 40 for box in boxes), "too small for a finger"
