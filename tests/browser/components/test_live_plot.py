"""The plot in a real browser, as a user's hand and eye meet it."""

from __future__ import annotations

import csv
import io
import re
import struct

import numpy as np
import pytest

from tests.browser.components.kit import handle, plot, ready, told, until


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
