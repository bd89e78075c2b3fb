"""The opened cell in a real browser: its arithmetic is dlcore's; steps, keys, held gates, typed weights, a phone."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dlcore.cell_presets import PRESETS
from dlcore.cell_story import HOLDABLE, Bench
from tests.browser.seen import nothing_beside
from tests.waiting import patience, until

pytestmark = pytest.mark.browser

COMPUTE = """async (benches) => {
  const { backward, belt, forward, shares } = await import("/components/cell_math.js");
  return benches.map(({ cell, params, X, holds, unit }) => {
    const steps = forward(cell, params, X, holds);
    const units = steps[0].h.map((_v, u) => u);
    return { steps, belt: steps.map((v) => belt(cell, v)), gradient: backward(cell, params, steps, unit, holds),
             shares: units.map((u) => shares(cell, steps, u)) };
  });
}"""


def query(page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.evaluate("location.href")).query).items()}


def lesson(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/sequences?lang=en{params}")
    page.wait_for_selector(".dl-belt-letter", timeout=patience(60_000))


def some_benches() -> list[Bench]:
    """Every cell and preset, with a gate held and a weight typed in some."""
    rng, found = np.random.default_rng(0), []
    for cell, gates in HOLDABLE.items():
        for preset in PRESETS:
            word = "".join(rng.choice(list("abcd"), int(rng.integers(2, 13))))
            holds = {gate: (int(rng.integers(0, 6)), float(rng.random())) for gate in gates if rng.random() < 0.4}
            edits = {("wh", 1, 1): float(rng.normal()), ("bh", 0, 0): 1.5}
            found.append(Bench(cell, preset, int(rng.integers(2, 5)), 3, word, None, edits, holds))
    return found


def test_browsers_numbers_are_pythons(server, page):
    """Every value of every step, the belt, what is left of each step, and the gradient by time."""
    benches = some_benches()
    page.goto(server.url)
    told = [
        {"cell": b.cell, "params": {name: value.tolist() for name, value in b.params.items()}, "X": b.X.tolist(),
         "holds": b.holds, "unit": 1}
        for b in benches
    ]  # fmt: skip
    exact: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12}
    for bench, found in zip(benches, page.evaluate(COMPUTE, told), strict=True):
        for ours, theirs in zip(bench.steps, found["steps"], strict=True):
            for name, value in ours.items():
                if bench.cell != "rnn" or name != "a":  # there a is the sum in Python, the state here
                    np.testing.assert_allclose(theirs[name], value, err_msg=f"{bench.cell} {name}", **exact)
        np.testing.assert_allclose(found["belt"], bench.belt(), **exact)
        np.testing.assert_allclose(found["gradient"]["total"], bench.gradients(1), **exact)
        shares = bench.shares()
        for u, rows in enumerate(found["shares"]):
            for t, row in enumerate(rows):
                np.testing.assert_allclose(row, shares[t, : t + 1, u], **exact)


def test_a_learners_way_through_the_cell(server, browse):
    """Step, walk by keys, hold a gate, let it go, type a weight, undo; the leak mended counts as a challenge."""
    from playwright.sync_api import expect

    page = browse("about:blank", motion=False)
    lesson(server, page)
    title, story = page.locator(".dl-cell-step h4"), page.locator(".dl-cell-story")
    expect(title).to_contain_text("Step 8, letter d, unit 3")  # without motion: the end of the film
    expect(story).to_contain_text("is left at the end: 98%")
    sums = page.locator(".dl-cell-sums").bounding_box()
    assert sums["y"] + sums["height"] <= 900, "all of the lab fits a laptop's screen"
    belt = page.locator(".dl-belt")
    belt.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        belt.press(key)
    expect(title).to_contain_text("Step 4, letter d, unit 3")
    belt.press("ArrowDown")
    expect(title).to_contain_text("unit 4")
    belt.press("ArrowUp")
    until(lambda: query(page).get("place") == "3_2", 30)

    bar = page.locator('tr[data-gate="f"] .dl-gauge')
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 8)
    expect(page.locator('tr[data-gate="f"] .dl-cell-value')).to_have_text("0.5")  # while it is dragged
    page.mouse.move(box["x"], box["y"] + 8)
    page.mouse.up()
    expect(page.locator('tr[data-gate="f"]')).to_contain_text("held from step 4 on")
    until(lambda: query(page).get("holds") == "f.3_0", 30)
    expect(story).to_contain_text("0 is left at the end: 0%")
    page.get_by_role("button", name="Let go of gate f").click()
    until(lambda: "holds" not in query(page), 30)
    expect(story).to_contain_text("98%")

    lesson(server, page, "&preset=leaky&place=7_2")
    expect(story).to_contain_text("is left at the end: 1%")
    bias = page.locator('tr[data-gate="f"] input[data-kind="bh"]')
    bias.click()
    page.keyboard.type("6")
    page.keyboard.press("Enter")
    until(lambda: query(page).get("edits") == "bh.6.0_6", 30)
    expect(story).to_contain_text("98%")
    weight = page.locator('tr[data-gate="o"] input[data-kind="wi"]').first
    weight.click()
    page.keyboard.type("much")
    page.keyboard.press("Enter")
    expect(weight).to_have_value("0")
    page.get_by_role("button", name="Undo my changes").click()
    until(lambda: "edits" not in query(page), 30)
    expect(story).to_contain_text("1%")


def test_cell_fits_a_phone(server, browse):
    address = f"{server.url}/sequences?lang=zh&opened=gru&preset=drawn"
    page = browse(address, width=390, height=844, touch=True, motion=False)
    page.wait_for_selector(".dl-belt-letter", timeout=patience(60_000))
    nothing_beside(page)
    belt = page.locator(".dl-belt").bounding_box()
    page.locator(".dl-belt-area").nth(2).tap()
    until(lambda: query(page).get("place", "").startswith("2_"), 30)
    assert belt["width"] <= 360
