"""The lesson in a real browser: the threshold is dragged and everything follows; a cell of the matrix is clicked."""

from __future__ import annotations

import re

from tests.waiting import until


def drawn(page, key: str) -> int:
    """How often the plot of that key has been drawn."""
    return int(page.locator(f".st-key-{key} .dl-plot").get_attribute("data-drawn") or 0)


def thumb(page, name: str):
    return page.get_by_role("slider", name=name, exact=True)


def found(page) -> int:
    """How many the sentence says are found."""
    text = page.get_by_text(re.compile(r"\d+ found, ")).inner_text()
    match = re.search(r"([\d,]+) found", text)
    assert match
    return int(match[1].replace(",", ""))


PLOTS = ("scores", "two-by-two", "roc", "pr")


def test_a_dragged_threshold_moves_every_view(server, page):
    page.goto(f"{server.url}/evaluation?lang=en")
    until(lambda: all(page.locator(f".st-key-{key} .dl-plot[data-drawn]").count() for key in PLOTS), 120)
    assert found(page) == 6
    before = {key: drawn(page, key) for key in PLOTS}
    point = "() => document.querySelector('.st-key-roc .dl-plot').data[2].x[0]"
    start = page.evaluate(point)
    handle = thumb(page, "Threshold")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 60, box["y"] + box["height"] / 2, steps=6)
    until(lambda: found(page) > 50, 30)  # while it is still held
    until(lambda: all(drawn(page, key) > before[key] for key in PLOTS), 30)
    until(lambda: page.evaluate(point) > start, 30)
    assert page.locator(".dl-measures").first.inner_text().count("/") >= 5
    page.mouse.up()
    until(lambda: "threshold=" in page.evaluate("location.search"), 60)
    held = found(page)
    page.reload()
    until(lambda: page.get_by_text(re.compile(r"\d+ found, ")).count() and found(page) == held, 120)


def test_a_clicked_cell_shows_its_images(server, page):
    page.goto(f"{server.url}/evaluation?lang=en&source=by_heart")
    plot = page.locator(".st-key-cells .dl-plot[data-drawn]")
    plot.wait_for(timeout=120_000)
    page.get_by_text("are 1 and were called 8").wait_for(timeout=60_000)
    plot.scroll_into_view_if_needed()

    def click(row: int, column: int) -> None:
        place = "([r, c]) => { const p = document.querySelector('.st-key-cells .dl-plot'), b = p.getBoundingClientRect(), l = p._fullLayout; return [b.left + l.xaxis._offset + l.xaxis.d2p(c), b.top + l.yaxis._offset + l.yaxis.d2p(r)]; }"  # noqa: E501
        page.mouse.click(*page.evaluate(place, [row, column]))

    click(4, 9)
    page.get_by_text(re.compile(r"are 4 and were called 9")).wait_for(timeout=60_000)
    page.locator(".st-key-cell-images .dl-plot[data-drawn]").wait_for(timeout=60_000)
    notes = "() => document.querySelector('.st-key-cell-images .dl-plot').layout.annotations.map((a) => a.text)"
    until(lambda: set(page.evaluate(notes)[::2]) == {"4"}, 30)
    assert all(text.startswith("9 ") for text in page.evaluate(notes)[1::2])
