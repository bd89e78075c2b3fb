"""Our own components in a real browser, as a user's hand and eye meet them."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
import struct
import time
from collections.abc import Callable

import numpy as np
import pytest

LIMIT = 0.0249
LOW, HIGH = LIMIT / 1000, 3 * LIMIT
PLOTS = "document.querySelectorAll('.dl-plot[data-drawn]').length === 3"


@pytest.fixture(scope="module")
def url(serve) -> str:
    return serve("tests/browser/components/app.py", health="/_stcore/health").url


@pytest.fixture
def page(browse, url):
    return ready(browse(url))


def ready(page):
    """The page with all plots drawn and the last script run over."""
    page.wait_for_function(PLOTS, timeout=90_000)  # generous: machines are shared
    page.wait_for_selector("text=opened=None", timeout=90_000)
    page.wait_for_function("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")
    return page


def told(page) -> dict[str, float]:
    """What Python says that the sliders returned."""
    text = page.locator("text=/^rate=/").inner_text()
    return {name: float(value) for name, value in re.findall(r"(\w+)=([-\d.e]+)", text)}


def until(page, condition: Callable[[], bool], seconds: float = 30) -> None:
    """As ``tests.waiting.until``, while the browser's events go on (Playwright handles them only in its own waits)."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        page.wait_for_timeout(20)


def handle(page, name: str):
    return page.get_by_role("slider", name=name)


def track(page, name: str) -> dict[str, float]:
    return page.locator(".dl-slider", has_text=name).locator(".dl-slider-track").bounding_box()


def plot(page, index: int):
    return page.locator(".dl-plot").nth(index)


# --- the slider ---


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


def test_a_slow_page_still_redraws_during_a_drag(page):
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


@pytest.mark.parametrize(
    ("typed", "value"), [("1e-3", 1e-3), ("0,002", 0.002), ("99", HIGH), ("-4", LOW), ("3 × 10⁻⁴", 3e-4)]
)
def test_a_typed_number_is_taken_exactly_and_kept_within_bounds(page, typed, value):
    entry = page.get_by_role("textbox", name="Learning rate")
    entry.fill(typed)
    entry.press("Enter")
    until(page, lambda: told(page)["rate"] == pytest.approx(value, rel=1e-12))


def test_nonsense_typed_leaves_the_value_alone(page):
    entry = page.get_by_role("textbox", name="Learning rate")
    before = entry.input_value()
    for typed in ("fast", "", "1e999", "0x10g"):
        entry.fill(typed)
        entry.press("Enter")
        assert entry.input_value() == before
    assert told(page)["rate"] == 0.01


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
    page = ready(browse(url, width=390, height=844, touch=True))
    handle(page, "Learning rate").scroll_into_view_if_needed()
    box = track(page, "Learning rate")
    page.touchscreen.tap(box["x"] + 0.25 * box["width"], box["y"] + box["height"] / 2)
    until(page, lambda: told(page)["rate"] == pytest.approx(LOW * (HIGH / LOW) ** 0.25, rel=0.05))
    wide = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
    assert wide <= 390, "the page must not scroll sideways on a phone"


# --- the plot ---


def test_six_updates_keep_the_node_and_the_zoom(page):
    surface = plot(page, 1)
    surface.evaluate("node => { node.mine = true }")
    area = surface.locator(".nsewdrag").bounding_box()
    page.mouse.move(area["x"] + 0.3 * area["width"], area["y"] + 0.3 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.7 * area["width"], area["y"] + 0.7 * area["height"], steps=4)
    page.mouse.up()
    ranges = "node => [node._fullLayout.xaxis.range, node._fullLayout.yaxis.range].flat().map(Number)"
    until(page, lambda: surface.evaluate(ranges)[0] > -2)
    zoomed = surface.evaluate(ranges)
    handle(page, "Learning rate").focus()
    for _update in range(6):
        before, drawn = told(page)["rate"], int(surface.get_attribute("data-drawn"))
        page.keyboard.press("PageDown")
        until(page, lambda b=before: told(page)["rate"] != b)
        until(page, lambda d=drawn: int(surface.get_attribute("data-drawn")) > d)
    assert surface.evaluate("node => node.mine === true"), "the chart was thrown away and made anew"
    assert surface.evaluate(ranges) == pytest.approx(zoomed)


def test_a_plot_tells_what_it_shows_and_gives_its_numbers(page):
    assert plot(page, 2).get_attribute("role") == "img"
    assert plot(page, 2).get_attribute("aria-label") == "Loss against steps"
    figure = page.locator(".dl-figure").nth(2)
    figure.get_by_role("button", name="Data table").click()
    table = figure.locator("table")
    assert table.locator("th").all_inner_texts() == ["a x", "a y"]
    assert table.locator("tbody tr").count() == 200
    assert "2000" in figure.locator(".dl-table p").inner_text()
    with page.expect_download() as download:
        figure.get_by_role("button", name="Download as CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["a x", "a y"]
    assert len(rows) == 2001
    theta = descent(0.01)
    assert float(rows[5][1]) == pytest.approx(theta[4, 0] ** 2 + 30 * theta[4, 1] ** 2, rel=1e-12)


def test_clicks_on_points_and_on_the_empty_area(page):
    target = plot(page, 0)
    area = target.locator(".nsewdrag").bounding_box()
    page.mouse.click(area["x"] + area["width"] * 0.25, area["y"] + area["height"] * 0.2)
    page.wait_for_selector("text=/click=\\{.*'curve': None, 'point': None, 'n': 1/")
    text = page.locator("text=/^click=/").inner_text()
    assert float(re.findall(r"'y': ([-\d.e]+)", text)[0]) == pytest.approx(25 - 0.2 * 30, abs=0.3)
    where = target.evaluate(
        """node => { const {xaxis, yaxis} = node._fullLayout, box = node.getBoundingClientRect(), trace = node.data[0];
        return [box.left + xaxis._offset + xaxis.d2p(trace.x[40]), box.top + yaxis._offset + yaxis.d2p(trace.y[40]),
                trace.x[40], trace.y[40]] }"""
    )
    page.mouse.move(where[0], where[1])
    page.mouse.click(where[0], where[1])
    page.wait_for_selector("text=/click=\\{.*'curve': 0, 'point': 40, 'n': 2/")
    text = page.locator("text=/^click=/").inner_text()
    assert float(re.findall(r"'x': ([-\d.e]+)", text)[0]) == pytest.approx(where[2])


def test_the_plot_follows_the_theme_without_being_made_anew(page):
    ink = "node => getComputedStyle(node.querySelector('.xtick text')).fill"
    light = plot(page, 0).evaluate(ink)
    plot(page, 0).evaluate("node => { node.mine = true }")
    page.emulate_media(color_scheme="dark")
    until(page, lambda: plot(page, 0).evaluate(ink) != light)
    assert plot(page, 0).evaluate("node => node.mine === true")
    points = plot(page, 0).locator(".point").first.evaluate("node => getComputedStyle(node).fill")
    assert points == "rgb(79, 179, 234)"  # the data's blue, lightened


# --- the film ---


def descent(rate: float) -> np.ndarray:
    theta = np.empty((2000, 2))
    theta[0] = (-1.5, 2.5)
    for k in range(1, 2000):
        theta[k] = theta[k - 1] - rate * np.array([2.0, 60.0]) * theta[k - 1]
    return theta


def frame(page) -> int:
    return int(page.locator("#now").inner_text())


def test_one_playhead_moves_linked_plots_and_the_formula(page):
    page.get_by_role("button", name="Play").click()
    until(page, lambda: 100 < frame(page) < 1900)
    moving = page.evaluate(  # read at one instant, while it plays: what is painted on each plot, and the text
        """() => { const [data, surface, loss] = document.querySelectorAll('.dl-plot');
        const marks = surface.querySelectorAll('.scatterlayer .trace')[1];
        const ball = marks.querySelector('.point').getAttribute('transform');
        const {xaxis, yaxis} = surface._fullLayout;
        const [x, y] = ball.match(/-?[\\d.]+/g).map(Number);
        const end = loss.querySelector('.js-line').getAttribute('d').split('L').at(-1).split(',')[0];
        return {k: Number(document.querySelector('#now').textContent), theta: [xaxis.p2d(x), yaxis.p2d(y)],
                step: loss._fullLayout.xaxis.p2d(Number(end))} }"""
    )
    assert moving["theta"] == pytest.approx(descent(0.01)[moving["k"]], abs=0.02)
    assert moving["step"] == pytest.approx(min(moving["k"], 2000), abs=4)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(600)
    k = frame(page)
    assert 100 < k < 1999
    rested = [plot(page, i).evaluate("node => node.data.map(trace => Array.from(trace.y))") for i in range(3)]
    theta = descent(0.01)[k]
    assert rested[0][1] == pytest.approx([theta[1] + 2, 10 * (theta[0] + 1.5) + theta[1] + 2])
    assert len(rested[1][1]) == len(rested[2][0]) == k + 1
    assert rested[1][2] == pytest.approx([theta[1]])
    assert f"{k}" in page.locator(".dl-count").inner_text()


def test_the_film_by_keyboard(page):
    page.locator(".dl-bar input[type=range]").focus()
    page.keyboard.press("Home")
    until(page, lambda: frame(page) == 0)
    for key, expected in [("ArrowRight", 1), ("PageUp", 11), ("ArrowLeft", 10), ("End", 1999), ("Home", 0)]:
        page.keyboard.press(key)
        assert frame(page) == expected
    page.keyboard.press(" ")
    until(page, lambda: frame(page) > 20)
    page.keyboard.press(" ")
    stopped = frame(page)
    page.wait_for_timeout(300)
    assert frame(page) == stopped


def test_no_motion_where_it_is_unwelcome(browse, url):
    page = ready(browse(url, motion=False))
    page.locator(".dl-bar input[type=range]").focus()
    page.keyboard.press("Home")
    page.evaluate(
        "() => { window.frames_seen = []; const node = document.querySelector('#now');"
        " new MutationObserver(() => window.frames_seen.push(node.textContent)).observe(node, {childList: true}) }"
    )
    page.get_by_role("button", name="Play").click()
    until(page, lambda: frame(page) == 1999)
    page.wait_for_timeout(300)
    assert set(page.evaluate("window.frames_seen")) <= {"0", "1999"}


def test_a_playhead_in_the_middle_stays_there_when_the_figure_changes(page):
    page.locator(".dl-bar input[type=range]").focus()
    page.keyboard.press("Home")
    for _step in range(3):
        page.keyboard.press("PageUp")
    handle(page, "Learning rate").focus()
    before = told(page)["rate"]
    page.keyboard.press("PageDown")
    until(page, lambda: told(page)["rate"] != before)
    theta = descent(told(page)["rate"])
    ball = "node => node.data[2].y[0]"
    until(page, lambda: plot(page, 1).evaluate(ball) == pytest.approx(theta[30, 1]))
    assert frame(page) == 30


def test_clicks_by_keyboard(page):
    picture = page.get_by_role("application", name="Points and a line")
    page.keyboard.press("Tab")  # so that the focus is a keyboard's
    picture.focus()
    cross = page.locator(".dl-cross:visible")
    assert cross.count() == 1
    before = cross.bounding_box()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    after = cross.bounding_box()
    assert after["x"] > before["x"] + 10
    assert after["y"] < before["y"]
    for _leap in range(3):
        page.keyboard.press("Shift+ArrowUp")  # away from the markers: a click near one means the marker
    told = page.locator(".dl-told:not(:empty)").inner_text().split("; ")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=/click=\\{.*'n': 1/")
    text = page.locator("text=/^click=/").inner_text()
    x, y = (float(re.findall(rf"'{axis}': ([-\d.e]+)", text)[0]) for axis in "xy")
    assert [x, y] == pytest.approx([float(part.replace("−", "-")) for part in told], rel=0.01)


def test_the_picture_as_a_file_by_keyboard(page):
    figure = page.locator(".dl-figure").first
    button = figure.get_by_role("button", name="Download as PNG")
    button.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    blob = download.value.path().read_bytes()
    assert blob[:8] == b"\x89PNG\r\n\x1a\n"
    width, _height = struct.unpack(">II", blob[16:24])
    assert width == pytest.approx(2 * plot(page, 0).bounding_box()["width"], abs=4)


# --- the pad and the map ---


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
    page = ready(browse(url, width=390, height=844))
    boxes = [node.bounding_box() for node in page.locator(".dl-map-node").all()]
    assert len({round(box["x"]) for box in boxes}) == 1
    assert all(a["y"] + a["height"] <= b["y"] for a, b in itertools.pairwise(boxes))
    assert all(box["height"] >= 40 for box in boxes), "too small for a finger"
