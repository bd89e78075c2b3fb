"""The lesson in a real browser: a network is trained with an interruption, then asked what a drawn digit is."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from PIL import Image

from dlcore.data import shapes
from tests.waiting import answered, patience, until

pytestmark = pytest.mark.browser
SEVEN = ((0.28, 0.24), (0.72, 0.24), (0.45, 0.82))  # corners of the stroke, as shares of the pad's side
RUN = "&epochs=10&batch_size=16&threads=1&precision=float32&memory_format=contiguous"  # long enough to be interrupted


def patient(seconds: float = 90):
    """Playwright's ``expect``, with the time that a busy machine may need."""
    from playwright.sync_api import expect

    expect.set_options(timeout=1000 * seconds)
    return expect


def lesson(server, page, params: str = "") -> None:
    page.goto(f"{server.url}/cnn?lang=en{params}")
    answered(page, page.get_by_text("It says:"))  # the workers are there: this is their answer to the example


def press(page, name: str) -> None:
    button = page.get_by_role("button", name=re.compile(rf"\b{name}\b")).first
    patient()(button).to_be_enabled()
    button.click()


def draw(page, corners) -> None:
    """One stroke of the mouse over the pad."""
    pad = page.locator(".dl-pad-canvas")
    pad.hover()  # waits until it stands still
    box = pad.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=12)
    page.mouse.up()


def progress(page):
    return page.locator(".st-key-run-panel [data-testid=stProgress]")


def step(page) -> int:
    """The step that the progress line tells, 0 before there is one."""
    found = re.search(r"step ([\d,]+) of", progress(page).inner_text())
    return int(found[1].replace(",", "")) if found else 0


def says(page, name: str) -> None:
    """The drawing is what is answered (not the example), and the answer is ``name``."""
    answered(page, page.get_by_text("What it sees: 28 × 28 numbers"))
    patient()(page.get_by_text(re.compile(rf"^It says: {name}, and is \d+\.\d+% sure"))).to_be_visible()


def test_a_seven_is_read_before_anything_is_trained(server, page):
    lesson(server, page)
    draw(page, SEVEN)
    says(page, "7")
    patient()(page.get_by_role("heading", name="Look inside: layer by layer")).to_be_visible()


def test_train_pause_reload_resume_finish_and_read_a_seven(server, page):
    expect = patient()
    lesson(server, page, RUN)
    press(page, "Train")
    until(lambda: step(page) > 0, 60)
    press(page, "Pause")
    expect(progress(page)).to_contain_text("Paused; everything is kept")
    paused = step(page)
    assert 0 < paused < 10 * 91, "it was interrupted on the way"

    page.reload()
    expect(progress(page)).to_contain_text("Paused; everything is kept")
    assert step(page) == paused, "the same run, where it was left"

    press(page, "Resume")
    expect(progress(page)).to_contain_text("Finished", timeout=1000 * patience(120))
    assert step(page) == 10 * 91  # 1,442 images in batches of 16
    expect(page.get_by_text(re.compile(r"of 355 test images were answered right"))).to_be_visible()
    expect(page.get_by_text("The worst mistakes")).to_be_visible()

    expect(page.get_by_text("My network")).to_be_visible()
    draw(page, SEVEN)
    says(page, "7")


def test_a_trained_network_is_opened_layer_by_layer_and_unit_by_unit(server, page):
    """Train, click a layer, click a map: its weights, its strongest images and the image that it wants."""
    expect = patient()
    lesson(server, page, "&network=fast&epochs=2&threads=1&precision=float32&memory_format=contiguous")
    press(page, "Train")
    expect(progress(page)).to_contain_text("Finished", timeout=1000 * patience(120))
    anatomy = page.locator(".dl-an")
    until(lambda: "shipped" not in (anatomy.get_attribute("data-network") or "shipped"), 60)
    names = anatomy.locator(".dl-an-layer").evaluate_all("cards => cards.map((card) => card.dataset.layer)")
    assert names == ["standardize", "conv1", "relu1", "conv2", "pool1", "relu2", "flatten", "dense1", "relu3", "logits"]

    anatomy.locator("[data-layer=conv2]").click()
    expect(anatomy.get_by_text("conv2 · convolution · 32 × 10 × 10")).to_be_visible()
    maps = anatomy.locator(".dl-an-maps canvas")
    maps.hover(position={"x": 30, "y": 20})
    expect(anatomy.locator(".dl-an-read")).to_contain_text("sees 9 × 9 pixels")
    maps.click(position={"x": 30, "y": 20})
    expect(anatomy.get_by_text("conv2: unit 0")).to_be_visible()
    expect(anatomy.get_by_text("16 kernels of 3 × 3 weights (conv2)")).to_be_visible()
    expect(anatomy.locator(".dl-an-best canvas")).to_have_count(9)
    expect(anatomy.get_by_text(re.compile("Of the 1,442 images asked"))).to_be_visible()
    expect(anatomy.get_by_text(re.compile("Its value: .* for the noise"))).to_be_visible()

    anatomy.locator("[data-layer=logits]").click()
    shares = anatomy.locator(".dl-an-soft tbody td:nth-child(4)").all_inner_texts()
    assert len(shares) == 11
    assert abs(sum(float(share.removesuffix("%")) for share in shares[:10]) - 100) < 0.1
    maps.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(anatomy.get_by_text("logits: the number for “1”")).to_be_visible()


def own_zip() -> bytes:
    """Thirty pictures of discs and as many of bars, one file that is none, and a hidden one."""
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w") as archive:
        X, y = shapes.draw(480)
        for kind, label in (("圆盘", 0), ("bars", 6)):
            for n, image in enumerate(X[y == label][:30, 0]):
                file = io.BytesIO()
                Image.fromarray(image).save(file, "PNG")
                archive.writestr(f"mine/{kind}/{n}.png", file.getvalue())
        archive.writestr("mine/notes.txt", "x")
        archive.writestr("__MACOSX/mine/._notes.txt", "x")
    return blob.getvalue()


def test_pictures_of_ones_own_are_brought_seen_and_learned(server, page):
    plain = "&threads=1&precision=float32&memory_format=contiguous"
    page.goto(f"{server.url}/cnn?lang=en&dataset=own&network=mlp&epochs=3{plain}")
    expect = patient(120)
    upload = page.locator('input[type="file"]').first
    expect(upload).to_be_attached()
    expect(page.get_by_role("button", name=re.compile(r"^Train")).first).to_be_disabled()
    upload.set_input_files({"name": "mine.zip", "mimeType": "application/zip", "buffer": own_zip()})
    expect(page.locator(".dl-gallery figure")).to_have_count(2)
    expect(page.locator(".dl-gallery")).to_contain_text("圆盘")
    expect(page.get_by_text("2 files were left out")).to_be_visible()
    until(lambda: "data_hash=" in page.evaluate("location.href"), 30)
    press(page, "Train")
    expect(page.get_by_text("of 12 test images were answered right")).to_be_visible()
