"""The workshop in a real browser: sums right to the last digit, film, keys, typed weights, a filter learned."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dlcore.convolution import Geometry, correlate
from dlcore.convolution_story import Bench, Settings
from dlcore.filters import preset
from dlcore.small_pictures import sample
from tests.browser.seen import nothing_beside, on_one_screen
from tests.waiting import patience, until

pytestmark = pytest.mark.browser

SUMS = """async (benches) => {
  const { channelsOf, subtotal, terms, winner } = await import("/components/window_sum.js");
  return benches.map((data) => data.output.map((plane, c) => plane.map((row, r) => row.map((_v, q) => {
    if (data.kernel) return channelsOf(data, c).reduce((sum, k) => sum + subtotal(data, k, r, q), data.bias);
    const found = terms(data, c, r, q);
    if (data.operation === "max") return winner(found).value;
    return found.reduce((sum, term) => sum + term.value, 0) / found.length;
  }))));
}"""


def query(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.evaluate("location.href")).query).items()}


def lesson(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/convolution?lang=en{params}")
    page.wait_for_selector(".dl-conv-term", timeout=patience(60_000))


def shown(page) -> dict:
    """The terms on screen as [x, w] pairs, and the value that they are said to make."""
    return page.evaluate("""() => ({
      terms: [...document.querySelectorAll(".dl-conv-term")].map((t) => [Number(t.dataset.x), Number(t.dataset.w)]),
      texts: [...document.querySelectorAll(".dl-conv-term")].map((t) => t.textContent),
      value: Number(document.querySelector(".dl-conv-total [data-value]").dataset.value),
      text: document.querySelector(".dl-conv-total").textContent })""")


def _plain(value):
    return value.tolist() if isinstance(value, np.ndarray) else value


def test_browsers_sums_are_pythons_answers(server, page):
    """Every output number of many benches, from the pixels and weights that the browser has."""
    rng, benches = np.random.default_rng(0), []
    pairs = (("house", "filter"), ("flag", "filter"), ("flag", "max"), ("ring", "average"), ("slope", "max"))
    for name, operation in pairs:
        for _trial in range(4):
            k = int(rng.integers(1, 6))
            settings = Settings(operation, k, int(rng.integers(1, 5)), int(rng.integers(0, k // 2 + 1)),
                                int(rng.integers(1, 3)), float(rng.normal()))  # fmt: skip
            picture = sample(name)
            benches.append(Bench(settings, picture, rng.normal(size=(len(picture), k, k))))
    page.goto(server.url)  # no lesson is needed for this; a file opened by itself may run no script
    plain = [{name: _plain(value) for name, value in bench.payload().items()} for bench in benches]
    for bench, made in zip(benches, page.evaluate(SUMS, plain), strict=True):
        assert bench.output is not None
        np.testing.assert_allclose(made, bench.output, atol=1e-9)


@pytest.mark.parametrize(
    "params", ["&at=8_0", "&at=3_5&padding=2&dilation=2&stride=2&bias=0.5", "&at=0_0&filter=box&padding=1"]
)
def test_displayed_sum_is_the_displayed_value_and_the_lab_fits_a_laptop(server, page, params):
    lesson(server, page, params)
    on_one_screen(page, "h1", ".dl-conv-bench", ".dl-conv-sum", ".st-key-story")
    seen = shown(page)
    bias = float(query(page).get("bias", 0))
    assert sum(x * w for x, w in seen["terms"]) + bias == pytest.approx(seen["value"], abs=1e-9)
    given = query(page)
    geometry = Geometry(
        3, *(int(given.get(*known)) for known in (("stride", "1"), ("padding", "0"), ("dilation", "1")))
    )
    row, column = map(int, given["at"].split("_"))
    W = preset(given.get("filter", "sobel_x"), 3)[None]
    assert correlate(sample("house"), W, bias, geometry)[row, column] == pytest.approx(seen["value"], abs=1e-12)


def test_a_learners_way_through_the_workshop(server, browse):
    """Step, scrub, point, walk by keys, type weights, break the settings and mend them; then learn a filter back."""
    from playwright.sync_api import expect

    page = browse("about:blank", motion=False)
    lesson(server, page)
    place = page.locator(".dl-conv-total")
    expect(place).to_contain_text("row 12, column 12")  # without motion: the end of the film
    bar = page.locator(".dl-conv .dl-bar").get_by_role("slider")
    bar.press("Home")
    expect(place).to_contain_text("row 1, column 1")
    page.get_by_role("button", name="One step", exact=True).click()
    expect(place).to_contain_text("row 1, column 2")
    page.get_by_role("button", name="One step back").click()
    expect(place).to_contain_text("row 1, column 1")
    bar.press("End")

    output = page.locator(".dl-conv-output canvas")
    cell = output.bounding_box()["width"] / 12
    output.hover(position={"x": 3.5 * cell, "y": 8.5 * cell})
    expect(place).to_contain_text("row 9, column 4")
    page.mouse.move(2, 2)
    expect(place).to_contain_text("row 12, column 12")
    output.focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowUp", "ArrowLeft"):
        output.press(key)
    expect(place).to_contain_text("row 9, column 11")
    until(lambda: query(page).get("at") == "8_10", 30)

    weights = page.locator(".dl-kernel input")
    weights.nth(0).click()
    page.keyboard.type("1/9")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")  # its text is selected: on to the next cell
    page.keyboard.type("-2,5")
    page.keyboard.press("Enter")
    until(lambda: query(page).get("filter") == "0.111111_0_-2.5_-2_0_2_-1_0_1", 30)
    expect(weights.nth(0)).to_have_value("1/9")
    until(lambda: shown(page)["terms"][2][1] == -2.5, 30)
    seen = shown(page)
    assert sum(x * w for x, w in seen["terms"]) == pytest.approx(seen["value"], abs=1e-9)
    weights.nth(1).click()
    page.keyboard.type("much")
    page.keyboard.press("Enter")
    expect(weights.nth(1)).to_have_value("0")

    page.goto(f"{server.url}/convolution?lang=en&picture=bars&window=7&dilation=3")  # no sum there to wait for
    expect(page.locator(".dl-conv-problem")).to_contain_text("The window reaches over 19 pixels")
    expect(output).to_be_hidden()

    lesson(server, page, "&images=noise&learning_rate=0.4")
    page.get_by_role("button", name="Learn it").click()
    expect(page.get_by_text("Found: no weight is off by more than")).to_be_visible(timeout=patience(90_000))
    expect(page.get_by_text("Pictures in which every pixel differs")).to_be_visible(timeout=patience(30_000))


def test_film_plays_by_itself_and_fills_the_output(server, lively):
    page = lively
    lesson(server, page)
    done = page.locator(".dl-conv .dl-count")
    until(lambda: "144 of 144" not in done.inner_text(), 30)
    page.locator(".dl-conv .dl-bar select").select_option("4")
    until(lambda: "144 of 144" in done.inner_text(), 60)


def test_colour_shows_one_channel_and_adds_up_all(server, page):
    lesson(server, page, "&picture=flag&at=2_3&filter=laplacian")
    tabs = page.locator(".dl-conv-tabs button")
    assert tabs.all_inner_texts() == ["red", "green", "blue"]
    first = shown(page)
    sums = [first]
    for name in ("green", "blue"):
        tabs.filter(has_text=name).click()
        sums.append(shown(page))
    assert len({tuple(map(tuple, s["terms"])) for s in sums}) > 1
    total = sum(x * w for s in sums for x, w in s["terms"])
    assert all(s["value"] == pytest.approx(total, abs=1e-9) for s in sums)


def test_everything_fits_a_phone(server, browse):
    address = f"{server.url}/convolution?lang=zh&window=7&filter=gaussian&at=1_1"
    page = browse(address, width=390, height=844, touch=True)
    page.wait_for_selector(".dl-conv-term", timeout=patience(60_000))
    nothing_beside(page)
    boxes = [page.locator(f".dl-conv-{name}").bounding_box() for name in ("input", "kernel", "output")]
    assert boxes[0]["y"] < boxes[1]["y"] < boxes[2]["y"]
    output = page.locator(".dl-conv-output canvas")
    output.tap(position={"x": 90, "y": 60})
    until(lambda: query(page).get("at", "1_1") != "1_1", 30)
