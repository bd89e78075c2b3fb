"""The slider in a real browser, as a user's hand and eye meet it."""

from __future__ import annotations

import math
import time

import pytest

from tests.browser.components.kit import HIGH, LIMIT, LOW, handle, plot, ready, told, track, until

PLOTS = 0  # none are looked at here


def test_slider_sends_while_dragged_and_the_last_value_arrives(page):
    box = track(page, "Learning rate")
    middle = box["y"] + box["height"] / 2
    page.evaluate(SPY)
    page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    page.mouse.down()
    began, seen = time.monotonic(), set()
    while time.monotonic() - began < 2:
        share = 0.2 + 0.6 * (time.monotonic() - began) / 2
        page.mouse.move(box["x"] + share * box["width"], middle)
        seen.add(told(page)["rate"])
    lasted = time.monotonic() - began
    sent = page.evaluate("window.sent.length")
    assert 4 <= sent <= 10 * lasted + 1
    assert len(seen) >= 3, "Python heard nothing of the drag before the release"
    page.mouse.up()
    shown = float(handle(page, "Learning rate").get_attribute("aria-valuenow"))
    until(page, lambda: told(page)["rate"] == shown)


SPY = """() => {
  window.sent = [];
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) { window.sent.push(performance.now()); return send.call(this, data); };
}"""


def test_a_slow_page_still_redraws_during_a_drag(browse, url):
    page = ready(browse(url))
    page.get_by_text("slow").click()
    until(page, lambda: page.locator("[data-testid=stApp]").get_attribute("data-test-script-state") == "notRunning")
    box = track(page, "Learning rate")
    middle = box["y"] + box["height"] / 2
    drawn = int(plot(page, 2).get_attribute("data-drawn"))
    page.mouse.move(box["x"] + 0.2 * box["width"], middle)
    page.mouse.down()
    deadline, share = time.monotonic() + 30, 0.2
    while int(plot(page, 2).get_attribute("data-drawn")) < drawn + 3:
        assert time.monotonic() < deadline, "each value interrupted the run of the one before it"
        share = 0.2 if share > 0.8 else share + 0.002
        page.mouse.move(box["x"] + share * box["width"], middle)
        page.wait_for_timeout(15)
    page.mouse.up()


def test_logarithmic_track_puts_the_geometric_mean_in_the_middle(page):
    box = track(page, "Learning rate")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(page, lambda: told(page)["rate"] != 0.01)
    assert told(page)["rate"] == pytest.approx(math.sqrt(LOW * HIGH), rel=0.02)
    left = handle(page, "Learning rate").evaluate("node => parseFloat(node.style.left)")
    assert left == pytest.approx(50, abs=0.3)


def test_marks_stand_at_their_values_and_their_labels_do_not_touch(page):
    box = track(page, "Learning rate")
    slider = page.locator(".dl-slider", has_text="Learning rate")
    for kind, value in [("limit", LIMIT), ("best", 0.0164), ("note", 1e-3)]:
        tick = slider.locator(f".dl-tick-{kind}").bounding_box()
        share = math.log(value / LOW) / math.log(HIGH / LOW)
        assert tick["x"] + tick["width"] / 2 == pytest.approx(box["x"] + share * box["width"], abs=1.5)
    labels = [node.bounding_box() for node in slider.locator(".dl-label").all()]
    assert {"diverges above", "best rate", "a note"} <= set(slider.locator(".dl-label").all_inner_texts())
    for i, a in enumerate(labels):
        assert a["x"] >= box["x"] - 1
        assert a["x"] + a["width"] <= box["x"] + box["width"] + 1
        for b in labels[:i]:
            apart = a["x"] + a["width"] <= b["x"] or b["x"] + b["width"] <= a["x"]
            assert apart or abs(a["y"] - b["y"]) >= min(a["height"], b["height"]) * 0.8


def test_slider_by_keyboard(page):
    thumb = handle(page, "Learning rate")
    thumb.focus()
    for key, expected in [("End", HIGH), ("Home", LOW)]:
        page.keyboard.press(key)
        assert float(thumb.get_attribute("aria-valuenow")) == pytest.approx(expected)
    page.keyboard.press("PageUp")
    tenth = LOW * (HIGH / LOW) ** 0.1
    assert float(thumb.get_attribute("aria-valuenow")) == pytest.approx(tenth, rel=0.01)
    page.keyboard.press("ArrowRight")
    assert float(thumb.get_attribute("aria-valuenow")) > tenth
    until(page, lambda: told(page)["rate"] == float(thumb.get_attribute("aria-valuenow")))

    points = handle(page, "Points")
    points.focus()
    page.keyboard.press("ArrowUp")
    assert points.get_attribute("aria-valuenow") == "110"
    assert points.get_attribute("aria-valuetext") == "110 points"
    page.keyboard.press("PageUp")
    assert float(points.get_attribute("aria-valuenow")) == pytest.approx(310, abs=10)


def test_whole_numbers_stay_whole_on_a_logarithmic_track(page):
    """What is shown, spoken and sent is one number; a key always moves by at least one."""
    thumb, box = handle(page, "Epochs"), track(page, "Epochs")
    now = lambda: float(thumb.get_attribute("aria-valuenow"))  # noqa: E731
    thumb.focus()
    for value in (4, 5, 6):
        page.keyboard.press("ArrowRight")
        assert now() == value
    page.keyboard.press("ArrowLeft")
    assert now() == 5
    page.mouse.click(box["x"] + 0.66 * box["width"], box["y"] + box["height"] / 2)  # 60 ** 0.66 is 14.9
    assert now() in (14, 15, 16)
    until(page, lambda: told(page)["epochs"] == now())
    entry = page.get_by_role("textbox", name="Epochs")
    entry.fill("7.6")
    entry.press("Enter")
    until(page, lambda: told(page)["epochs"] == 8)


def test_a_typed_number_is_taken_exactly_and_kept_within_bounds(page):
    entry = page.get_by_role("textbox", name="Learning rate")
    for typed, value in (("1e-3", 1e-3), ("0,002", 0.002), ("99", HIGH), ("-4", LOW), ("3 × 10⁻⁴", 3e-4)):
        entry.fill(typed)
        entry.press("Enter")
        until(page, lambda value=value: told(page)["rate"] == pytest.approx(value, rel=1e-12))


def test_nonsense_typed_leaves_the_value_alone(page):
    entry = page.get_by_role("textbox", name="Learning rate")
    before = entry.input_value()
    for typed in ("fast", "", "1e999", "0x10g"):
        entry.fill(typed)
        entry.press("Enter")
        assert entry.input_value() == before
    assert told(page)["rate"] == 0.01


def test_zero_can_have_a_word_of_its_own(page):
    thumb, entry = handle(page, "Noise"), page.get_by_role("textbox", name="Noise")
    assert entry.input_value() == thumb.get_attribute("aria-valuetext") == "none"
    thumb.focus()
    page.keyboard.press("End")
    until(page, lambda: told(page)["noise"] == 1)
    assert entry.input_value() == "1"
    entry.fill("none")
    entry.press("Enter")
    until(page, lambda: told(page)["noise"] == 0)


def test_a_value_set_by_the_server_is_taken_over_and_the_user_can_go_on(page):
    thumb = handle(page, "Learning rate")
    thumb.focus()
    page.keyboard.press("Home")
    until(page, lambda: told(page)["rate"] == pytest.approx(LOW))
    for _round in range(2):  # the same value twice: the second time nothing but the reset has changed
        page.get_by_role("button", name="Reset", exact=True).click()
        until(page, lambda: told(page)["rate"] == 0.01 and thumb.get_attribute("aria-valuenow") == "0.01")
        thumb.focus()
        page.keyboard.press("End")
        until(page, lambda: told(page)["rate"] == pytest.approx(HIGH))


def test_the_value_stays_when_something_else_reruns_the_page(page):
    for name in ("Learning rate", "Noise"):
        handle(page, name).focus()
        page.keyboard.press("PageDown")
    until(page, lambda: told(page)["rate"] < 0.01 and told(page)["noise"] < 0)
    before = told(page)
    page.get_by_text("slow").click()
    page.wait_for_timeout(700)
    assert told(page) == before
    assert float(handle(page, "Noise").get_attribute("aria-valuenow")) == before["noise"]


def test_slider_by_touch_at_390_pixels(browse, url):
    page = ready(browse(f"{url}/?plots=none", width=390, height=844, touch=True), plots=0)
    handle(page, "Learning rate").scroll_into_view_if_needed()
    box = track(page, "Learning rate")
    page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    until(page, lambda: told(page)["rate"] == pytest.approx(LOW * (HIGH / LOW) ** 0.25, rel=0.05))
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 390, "the page must not scroll sideways on a phone"
