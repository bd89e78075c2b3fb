"""The playground in a real browser: it computes what NumPy computes, moves while it learns, and can be edited."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from dlcore.data import points2d
from dlcore.mlp import ACTIVATIONS, Architecture, Layer, forward, losses, unflatten
from tests.browser.seen import nothing_beside
from tests.waiting import patience, until

pytestmark = pytest.mark.browser
REDRAWS = 20  # a second, at least
NETWORKS = {
    "none": ((), False),
    "every activation": (tuple(Layer(3, name) for name in ACTIVATIONS), False),
    "normalized": ((Layer(5, "tanh", batch_norm=True), Layer(4, "relu", batch_norm=True)), False),
    "residual": ((Layer(6, "gelu"), Layer(6, "sin"), Layer(6, "tanh", batch_norm=True), Layer(3, "relu")), True),
    "large": (tuple(Layer(32, "tanh") for _ in range(8)), False),
}
EVALUATE = """async ([network, parameters, x1, x2, y]) => {
    const {Network, confusion, meanLoss} = await import("/components/playground/network.js");
    const net = new Network(network);
    const values = net.forward(Float32Array.from(parameters), net.features(x1, x2), x1.length);
    const losses = Object.fromEntries(["mse", "cross_entropy", "hinge"].map(n => [n, meanLoss(values.at(-1), y, n)]));
    const counts = confusion([0, 0, 1, -1], [1, -1, 1, -1]); // an answer of 0 says +1
    return {size: net.size, values: values.map((v) => Array.from(v)), losses, counts};
}"""


def query(page) -> dict[str, str]:
    """The address line as it is now; ``page.url`` stands still between two calls of Playwright."""
    address = page.evaluate("location.href")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def lesson(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/neural_network?lang=en{params}")
    drawn(page)


def drawn(page) -> None:
    page.wait_for_function("document.querySelector('.dl-pg')?.dataset.step !== undefined", timeout=patience(60_000))


def shown(page, name: str = "step") -> int:
    """Which step the picture shows, or how often it was drawn (``redraws``)."""
    return int(page.evaluate("(name) => document.querySelector('.dl-pg').dataset[name]", name))


def press(page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def train(page, steps: int = 1) -> None:
    press(page, "Train")
    until(lambda: shown(page) >= steps, 60)


def pause(page) -> None:
    press(page, "Pause")
    page.get_by_role("button", name="One step").wait_for(timeout=patience(30_000))


def test_browser_computes_what_numpy_computes(server, page):
    """Every layer's values and the loss, to 1e-5 of their size, from the same flat parameters."""
    page.goto(server.url)  # no lesson is needed for this; a file opened by itself may run no script
    for name, (hidden, residual) in NETWORKS.items():
        computes_alike(page, hidden, residual, name)


def computes_alike(page, hidden: tuple[Layer, ...], residual: bool, name: str) -> None:
    names = tuple(points2d.FEATURES)
    network = Architecture(len(names), (*hidden, Layer(1)), residual)
    rng = np.random.default_rng(0)
    flat = rng.normal(0, 0.4, network.size).astype(np.float32)
    for layer in unflatten(flat, network):
        if layer.var is not None:
            layer.var[...] = np.abs(layer.var) + 0.1
    X, y = rng.uniform(-6, 6, (40, 2)).astype(np.float32), rng.choice([-1.0, 1.0], 40)
    described = [
        {"units": a.units, "activation": a.activation, "batch_norm": a.batch_norm, "residual": network.is_linked(i)}
        for i, a in enumerate(hidden)
    ]
    found = page.evaluate(EVALUATE, [{"inputs": names, "layers": described}, flat.tolist(), *X.T.tolist(), y.tolist()])
    params = unflatten(flat.astype(np.float64), network)
    cache = forward(params, network, points2d.expand(X, names).astype(np.float64))
    assert found["size"] == network.size, name
    for mine, numpy in zip(found["values"], cache.a, strict=True):
        assert np.reshape(mine, numpy.T.shape) == pytest.approx(numpy.T, rel=1e-5, abs=1e-5), name
    assert found["counts"] == [[1, 1], [0, 2]]
    for kind, loss in found["losses"].items():
        assert loss == pytest.approx(float(losses(cache.output, y, kind).mean()), rel=1e-5, abs=1e-5), name


def test_running_network_is_redrawn_at_least_twenty_times_a_second(server, lively):
    page = lively
    lesson(server, page, "&dataset=spiral&layers=8,8,8&epochs=3000")
    train(page, 500)
    before, began = shown(page, "redraws"), time.monotonic()
    page.wait_for_timeout(2500)
    rate = (shown(page, "redraws") - before) / (time.monotonic() - began)
    press(page, "Stop")
    assert rate >= REDRAWS / max(1.0, patience(1.0)), f"{rate:.1f} redraws a second"


def test_network_is_edited_in_the_picture(server, page):
    lesson(server, page)
    for _click in range(3):  # quicker than the page answers
        press(page, "Layer 1: one unit more")
    until(lambda: query(page).get("layers") == "7,2", 30)
    press(page, "One hidden layer more")
    until(lambda: query(page).get("layers") == "7,2,2", 30)
    press(page, "Feature x₁²")
    press(page, "Feature x₂")
    until(lambda: query(page).get("features") == "x1,x1^2", 30)
    page.get_by_label("Activation of layer 2").select_option("relu")
    until(lambda: query(page).get("activation") == "tanh,relu,tanh", 30)
    until(lambda: page.locator(".dl-net-unit[data-unit]").count() == 7 + 2 + 2 + 1, 30)
    press(page, "One hidden layer less")
    until(lambda: query(page).get("layers") == "7,2" and query(page).get("activation") == "tanh,relu", 30)


def test_the_film_can_be_rewound_and_any_epoch_computed_again(server, page):
    lesson(server, page, "&layers=8,8,8&epochs=100000&epochs_per_second=0")
    train(page, 2000)
    pause(page)
    until(lambda: shown(page) > 2000)
    bar = page.locator(".dl-bar input[type=range]")
    bar.press("Home")
    until(lambda: shown(page) == 0)
    entry = page.get_by_label("Go to this epoch")
    for epoch in (7, 53):  # at full speed frames are further apart
        entry.fill(str(epoch))
        entry.press("Enter")
        until(lambda epoch=epoch: shown(page) == 25 * epoch, 60)
    bar.press("End")
    until(lambda: shown(page) > 2000)


def test_the_loss_curve_tells_its_values_and_is_a_way_back(server, page):
    lesson(server, page, "&epochs=40&epochs_per_second=0")
    assert page.locator(".dl-loss-tip").is_hidden()
    train(page, 1000)
    canvas = page.locator(".dl-loss-canvas")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 34, box["y"] + 40)  # the axis: epoch 0
    page.locator(".dl-loss-tip").wait_for(timeout=patience(30_000))
    first = page.locator(".dl-loss-tip").inner_text().split()
    assert first[:2] == ["Epoch", "0"]
    assert all(float(loss) > 0.1 for loss in first[2:4])
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 40)
    until(lambda: page.locator(".dl-loss-tip").inner_text().split()[:2] == ["Epoch", "40"])
    page.mouse.move(box["x"] + 34, box["y"] + 40)
    page.mouse.down()
    page.mouse.up()
    until(lambda: shown(page) == 0)
    assert "40 epochs took" in page.get_by_text("epochs a second.").inner_text()


def test_a_weight_changed_by_hand_reaches_the_run_and_its_record(server, page):
    from playwright.sync_api import expect

    lesson(server, page, "&epochs=100000")
    train(page, 50)
    page.get_by_role("button", name="layer 1, unit 2").click()
    entry = page.locator(".dl-unit input[type=text]").first
    entry.fill("2,5")
    entry.press("Enter")
    page.wait_for_timeout(1500)
    pause(page)
    page.get_by_role("tab", name="Repeat it").click()
    expect(page.get_by_text("'weight', [0, 0, 1, 2.5])").first).to_be_attached(timeout=patience(30_000))
    page.get_by_role("checkbox", name="freeze x₁").check()  # while it rests: the run goes on with it
    entry.fill("-1.5")
    entry.press("Enter")
    until(lambda: entry.input_value() == "−1.5")
    until(lambda: page.get_by_role("checkbox", name="freeze x₁").is_checked())
    page.wait_for_timeout(700)
    before = shown(page)
    press(page, "One step")
    until(lambda: shown(page) == before + 1, 30)
    until(lambda: entry.input_value() == "−1.5" and page.get_by_role("checkbox", name="freeze x₁").is_checked(), 30)
    page.keyboard.press("Escape")
    expect(page.get_by_text("'weight', [0, 0, 1, -1.5])").first).to_be_attached(timeout=patience(30_000))
    expect(page.get_by_text("'freeze', [0, 0, 1, True])").first).to_be_attached(timeout=patience(30_000))


def test_a_fresh_networks_weights_are_what_the_run_begins_with(server, page):
    lesson(server, page, "&epochs_per_second=1")
    canvas, source, target = (
        page.locator(s).bounding_box() for s in (".dl-net-canvas", '[data-name="f0"]', '[data-name="u0-0"]')
    )
    assert canvas["width"] > 400
    x, y = (source["x"] + source["width"] + target["x"]) / 2, source["y"] + source["height"] / 2
    page.mouse.move(x, y)
    until(lambda: "x₁ → layer 1, unit 1" in page.locator(".dl-link").inner_text())
    page.mouse.click(x, y)
    entry = page.locator(".dl-link-form input[type=text]")
    entry.fill("3")
    loss = page.locator(".dl-loss-train").inner_text()
    entry.press("Enter")
    until(lambda: page.locator(".dl-loss-train").inner_text() != loss)  # the picture knows it at once
    changed = page.locator(".dl-loss-train").inner_text()
    press(page, "Train")
    until(lambda: shown(page) > 0, 60)
    page.locator(".dl-bar input[type=range]").press("Home")
    until(lambda: shown(page) == 0)
    page.get_by_role("button", name="layer 1, unit 1").click()
    until(lambda: page.locator(".dl-unit input[type=text]").first.input_value() == "3", 30)
    assert changed == page.locator(".dl-loss-train").inner_text()
    press(page, "Stop")


def test_opened_unit_adds_up(server, page):
    """The products in the panel sum to the z that stands above them."""
    lesson(server, page, "&layers=4,2")
    page.get_by_role("button", name="layer 2, unit 1").click()
    page.locator(".dl-out-canvas").hover(position={"x": 60, "y": 90})

    def numbers(texts):
        return [float(text.split("=")[-1].replace("−", "-").replace(" × 10", "e").strip()) for text in texts]

    products = numbers(page.locator(".dl-unit tbody td:nth-child(4)").all_inner_texts())
    z = numbers([page.locator(".dl-unit-sums p").first.inner_text()])[0]
    assert len(products) == 5
    assert sum(products) == pytest.approx(z, abs=0.01)


def test_points_are_drawn_erased_and_brought_back(server, page):
    lesson(server, page, "&dataset=points&points=-3_-3_-1~3_3_1~-2_-3_-1")
    box = page.locator(".dl-out-canvas").bounding_box()
    place = box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25
    page.mouse.click(*place)
    until(lambda: query(page)["points"].endswith("~-3_3_1"), 30)
    page.get_by_role("button", name="Draw points of class −1", pressed=False).click()
    page.get_by_role("button", name="Draw points of class −1", pressed=True).wait_for()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75)
    until(lambda: query(page)["points"].endswith("~3_-3_-1"), 30)
    page.mouse.click(*place, button="right")
    until(lambda: "-3_3_1" not in query(page)["points"], 30)
    press(page, "Undo")
    until(lambda: "-3_3_1" in query(page)["points"], 30)
    press(page, "Remove all")
    until(lambda: not query(page).get("points"), 30)
    surface = page.locator(".dl-out-canvas")
    for key in ("ArrowLeft", "Enter", "Shift+ArrowUp", "Enter"):
        surface.press(key)
    until(lambda: query(page).get("points") == "-0.2_0_-1~-0.2_1_-1", 30)


def test_held_slider_redraws_the_network_before_it_is_let_go(server, page):
    lesson(server, page)
    handle = page.get_by_role("slider", name="Noise").bounding_box()
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    seen = {page.locator(".dl-loss-train").inner_text()}
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 13):
        page.mouse.move(x + 8 * step, y)
        page.wait_for_timeout(150)
        seen.add(page.locator(".dl-loss-train").inner_text())
    until(lambda: seen.add(page.locator(".dl-loss-train").inner_text()) or len(seen) >= 4, 30)
    page.mouse.up()
    until(lambda: float(query(page).get("noise", 0)) > 0.1)


@pytest.mark.parametrize("dataset", ["hills", "points"])
def test_lab_fits_a_laptop_screen(server, page, dataset):
    lesson(server, page, f"&dataset={dataset}")
    for selector in ("h1", ".dl-net", ".dl-pg-bar", ".dl-out", ".dl-loss", ".dl-matrix", ".dl-sets"):
        if (box := page.locator(selector).first.bounding_box()) is None:
            assert (selector, dataset) == (".dl-matrix", "hills"), "only numbers have no right and wrong"
            continue
        assert 0 <= box["y"] < box["y"] + box["height"] <= 900, selector
    nothing_beside(page)


def test_everything_fits_a_phone(server, browse):
    page = browse(f"{server.url}/neural_network?lang=en&layers=8,8,8,8,8,8,8,8", width=390, height=844)
    drawn(page)
    nothing_beside(page)
    picture, panel = (page.locator(s).first.bounding_box() for s in (".dl-out", ".st-key-controls"))
    assert picture["y"] < panel["y"], "the picture comes first"


def test_a_teachers_page_leaves_the_network_as_it_is(server, page):
    lesson(server, page, "&hide=controls&layers=3")
    assert page.locator(".dl-sets").count() == 0
    assert page.get_by_role("button", name="Layer 1: one unit more").is_disabled()
    assert page.get_by_role("button", name="Feature x₂", exact=True).is_disabled()
    train(page, 5)
