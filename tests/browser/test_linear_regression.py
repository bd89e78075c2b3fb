"""The lesson in a real browser: the pictures follow the finger, the path plays, clicks and files change the data."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import patience, until

pytestmark = pytest.mark.browser
PLOT = {"data": 0, "map": 1, "curve": 2}  # in the order of the page


def query(page) -> dict[str, str]:
    """The address line as it is now; ``page.url`` stands still between two calls of Playwright."""
    address = page.evaluate("location.href")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def lesson(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/linear_regression?lang=en{params}")
    drawn(page)


def drawn(page, plots: int = 3) -> None:
    page.wait_for_function(
        f"document.querySelectorAll('.dl-plot[data-drawn]').length >= {plots}", timeout=patience(60_000)
    )


def trace(page, plot: str, index: int, axis: str = "x") -> list[float]:
    """What a trace shows now."""
    script = "([plot, index, axis]) => Array.from(document.querySelectorAll('.dl-plot')[plot].data[index][axis])"
    return page.evaluate(script, [PLOT[plot], index, axis])


def place(page, plot: str, x: float, y: float) -> tuple[float, float]:
    """Where the data coordinates (x, y) of a plot are on the screen."""
    script = """([plot, x, y]) => {
        const node = document.querySelectorAll('.dl-plot')[plot], box = node.getBoundingClientRect();
        const {xaxis, yaxis} = node._fullLayout;
        return [box.left + xaxis._offset + xaxis.d2p(x), box.top + yaxis._offset + yaxis.d2p(y)];
    }"""
    return tuple(page.evaluate(script, [PLOT[plot], x, y]))


def told(page):
    return page.locator(".st-key-story")


def test_rate_dragged_over_the_limit_is_explained_while_the_finger_is_down(server, page):
    from playwright.sync_api import expect

    lesson(server, page)
    expect(told(page)).to_contain_text("It converged", timeout=patience(30_000))
    handle = page.get_by_role("slider", name="Learning rate").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    before = trace(page, "curve", 1, "y")
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 14):
        page.mouse.move(x + 10 * step, y)
        page.wait_for_timeout(60)
    expect(told(page)).to_contain_text("It diverges. The rate is", timeout=patience(30_000))  # the finger is still down
    expect(told(page)).to_contain_text("× the limit 1", timeout=patience(30_000))
    until(lambda: trace(page, "curve", 1, "y") != before)
    page.mouse.up()
    until(lambda: float(query(page).get("learning_rate", 0)) > 1)
    assert len(trace(page, "data", 1)) == 442, "the data stay in the picture"
    expect(page.get_by_text("Above the limit every step makes the error larger")).to_be_visible(
        timeout=patience(30_000)
    )  # first challenge


def test_path_plays_in_all_plots_together(server, lively):
    page = lively
    lesson(server, page, "&dataset=line&standardize=false&steps=2000")
    bar = page.locator(".dl-bar")
    until(
        lambda: "2000 / 2000" in bar.locator("output").inner_text().replace(",", ""), 90
    )  # the film that plays by itself at first
    until(lambda: len(trace(page, "map", 2)) == 2001)
    bar.get_by_role("button", name="Play").click()
    until(lambda: len(trace(page, "map", 2)) < 1900, 30)  # a long film: there is time to catch it under way
    bar.get_by_role("button", name="Pause").click()
    shown = int(bar.locator("output").inner_text().replace(",", "").split()[1])
    until(lambda: len(trace(page, "map", 2)) == len(trace(page, "curve", 3)) == shown + 1)
    bar.get_by_role("slider").press("Home")
    until(lambda: len(trace(page, "map", 2)) == 1)
    until(lambda: trace(page, "map", 2) == [0.0])
    until(lambda: trace(page, "data", 3, "y") == [0.0, 0.0])  # the line of θ = (0, 0)


def test_click_on_the_map_starts_there(server, page):
    lesson(server, page)
    page.mouse.click(*place(page, "map", 250, 0))
    until(lambda: "theta0" in query(page), 30)
    assert float(query(page)["theta0"]) == pytest.approx(250, abs=3)
    assert float(query(page).get("theta1", 0)) == pytest.approx(0, abs=3)
    until(lambda: abs(trace(page, "map", 2)[0] - 250) < 3, 30)


def test_points_are_added_and_removed_by_click(server, page):
    from playwright.sync_api import expect

    lesson(server, page, "&dataset=points&points=1_1~2_2~9_9")
    page.mouse.click(*place(page, "data", 4, 8))
    until(lambda: query(page)["points"].count("~") == 3, 30)
    x, y = map(float, query(page)["points"].split("~")[-1].split("_"))
    assert (x, y) == (pytest.approx(4, abs=0.15), pytest.approx(8, abs=0.15))
    until(lambda: len(trace(page, "data", 1)) == 4, 30)
    page.wait_for_timeout(500)
    page.mouse.click(*place(page, "data", 9, 9))
    until(lambda: query(page)["points"].count("~") == 2 and "9_9" not in query(page)["points"], 30)
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_text("A line needs at least two points, and there are 0.")).to_be_visible(
        timeout=patience(30_000)
    )
    until(lambda: not query(page).get("points"), 30)  # the address follows a moment later
    drawn(page, 1)
    for x, y in ((2, 3), (6, 5)):
        count = query(page).get("points", "").count("_")
        page.wait_for_timeout(500)
        page.mouse.click(*place(page, "data", x, y))
        until(lambda count=count: query(page).get("points", "").count("_") == count + 1, 30)
    expect(told(page)).to_contain_text("It converged", timeout=patience(30_000))


def test_own_file_is_read_and_its_link_works_for_others(server, page, browse):
    from playwright.sync_api import expect

    page.goto(f"{server.url}/linear_regression?lang=en&dataset=csv")
    rows = "\n".join(f"{k},{'abc'[k % 3]},{2 * k + 5}" for k in range(1, 41))
    upload = page.locator("input[type=file]")
    upload.wait_for(state="attached", timeout=patience(60_000))
    upload.set_input_files({"name": "mine.csv", "mimeType": "text/csv", "buffer": f"x,kind,y\n{rows}".encode()})
    expect(page.get_by_text("40 rows, 2 columns of numbers. Without numbers, so left out: kind.")).to_be_visible(
        timeout=patience(30_000)
    )
    drawn(page)
    until(lambda: "data_hash" in query(page), 30)
    other = browse(page.url)
    drawn(other)
    assert len(trace(other, "data", 1)) == 40


def test_everything_fits_a_phone(server, browse):
    page = browse(f"{server.url}/linear_regression?lang=en", width=390, height=844)
    drawn(page)
    nothing_beside(page)
    picture, panel = (page.locator(s).first.bounding_box() for s in (".dl-plot", ".st-key-controls"))
    assert picture["y"] < panel["y"], "the picture comes first"


def test_lab_fits_a_laptop_screen(server, page):
    lesson(server, page)
    on_one_screen(page, "h1", ".st-key-story", ".dl-bar")
