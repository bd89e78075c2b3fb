"""Own classes in a real browser: two classes of five pictures, trained, tried, taken home and brought back."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from dlcore.vision.networks import available
from tests.borrowed import picture
from tests.browser.test_cnn import patient
from tests.waiting import answered, patience, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not set(available()) - {"digits"}, reason="needs a trained network (the shipped one, or TORCH_HOME)"
    ),
]
COLOURS = ((200, 80, 70), (70, 90, 200))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """For each of two classes six files, one of them a photograph as phones take them: turned by its EXIF data."""
    folder, found = tmp_path_factory.mktemp("photos"), []
    for place, colour in enumerate(COLOURS):
        files = []
        for k in range(6):
            image = picture(colour, 10 * place + k, 320)
            image[:160] = image[:160] // 2  # darker above
            exif, path = Image.Exif(), folder / f"{place}{k}.jpg"
            exif[0x0112] = 3 if k == 0 else 1
            Image.fromarray(np.rot90(image, 2 if k == 0 else 0)).save(path, "JPEG", exif=exif)
            files.append(str(path))
        found.append(files)
    return found


def add(page, place: int, files: list[str]) -> None:
    page.locator(".dl-al-card").nth(place).locator("input[type=file]").set_input_files(files)


def test_two_classes_of_five_pictures(server, page, photos, tmp_path):
    expect = patient()
    page.goto(f"{server.url}/teach?lang=en&threads=1")
    train = page.locator(".st-key-run-buttons button").first
    expect(train).to_be_disabled()
    for place, name in enumerate(("warm", "cold")):
        page.locator(".dl-al-name").nth(place).fill(name)
        page.locator(".dl-al-name").nth(place).press("Enter")
        add(page, place, photos[place][:5])
    expect(page.locator(".dl-al-thumb")).to_have_count(10, timeout=1000 * patience(60))

    page.locator(".dl-al-thumb").first.click()  # taken out by mistake, and brought back
    expect(page.locator(".dl-al-thumb")).to_have_count(9)
    page.locator(".dl-al-foot").get_by_role("button", name="Undo").click()
    expect(page.locator(".dl-al-thumb")).to_have_count(10)
    until(lambda: "data_hash" in page.evaluate("location.href"), 60)

    train.click()
    expect(page.get_by_text("held-out pictures answered rightly")).to_be_visible(timeout=1000 * patience(120))
    page.locator(".dl-try input[type=file]").set_input_files(photos[1][5])
    expect(page.locator(".dl-try-says")).to_contain_text("“cold”", timeout=1000 * patience(60))
    expect(page.locator(".dl-try-bars li")).to_have_count(2)
    before = page.locator(".dl-try-says").inner_text().split(", after")[0]

    page.locator("#why").scroll_into_view_if_needed()
    answered(page, page.get_by_text("Vermilion: what “cold” hangs on"))  # Grad-CAM, which stands there first
    expect(page.locator(".st-key-inside-map .dl-plot")).to_have_attribute("data-drawn", re.compile("[1-9]"))
    answered(page, page.get_by_text("whose features are nearest"))  # of the album
    expect(page.get_by_text("The computation failed")).to_have_count(0)

    points = page.locator(".dl-pm-point")
    expect(points).to_have_count(10, timeout=1000 * patience(60))
    points.first.scroll_into_view_if_needed()
    box = points.first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # whichever picture lies on top there
    expect(page.locator(".dl-pm-card b")).to_have_text(re.compile("warm|cold"))
    page.mouse.move(1, 1)  # the page may still shift, and bring another picture under a pointer that rests
    expect(page.locator(".dl-pm-card")).to_be_hidden()
    page.locator(".dl-pm-point[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".dl-pm-card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".dl-pm-card")).to_be_hidden()

    with page.expect_download(timeout=1000 * patience(60)) as coming:
        page.get_by_role("button", name="Download your network").click()
    coming.value.save_as(tmp_path / "network.zip")

    page.goto(
        f"{server.url}/teach?lang=zh"
    )  # another session of the same browser: the board is empty, the run is there
    expect(page.locator(".dl-al-card")).to_have_count(2)
    field = page.locator("[data-testid=stFileUploader]", has_text="model.safetensors").locator("input[type=file]")
    field.set_input_files(tmp_path / "network.zip")
    expect(page.get_by_text("已载入：它认识warm、cold")).to_be_visible(timeout=1000 * patience(60))
    page.locator(".dl-try input[type=file]").set_input_files(photos[1][5])
    expect(page.locator(".dl-try-says")).to_contain_text("“cold”", timeout=1000 * patience(60))
    share = before.split(", ")[1].split("%")[0]
    expect(page.locator(".dl-try-says")).to_contain_text(f"{share}%")


def test_the_board_fits_a_phone(server, browse):
    page = browse(f"{server.url}/teach?lang=zh&dataset=drawings", width=390, height=844, theme="dark", touch=True)
    expect = patient()
    expect(page.locator(".dl-al-card")).to_have_count(4, timeout=1000 * patience(120))
    for place in range(4):
        box = page.locator(".dl-al-card").nth(place).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
