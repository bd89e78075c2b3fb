"""A learner's way through the lesson on pictures: a photograph as a phone takes it, its answer, and a cover dragged."""

from __future__ import annotations

import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dlcore.vision import samples
from dlcore.vision.networks import available
from tests.waiting import answered, patience

pytestmark = pytest.mark.browser


def phone_like(picture: np.ndarray) -> bytes:
    """The picture as a phone held upright stores it: lying on its side, with a note which way is up."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a phone"
    buffer = BytesIO()
    Image.fromarray(np.rot90(picture)).resize((1200, 1200)).save(buffer, "JPEG", exif=exif, quality=92)
    return buffer.getvalue()


def table(page) -> list[str]:
    """The first answer and its probability, as the plot's data table has them."""
    return page.locator(".st-key-classify-table .dl-plot-table td").all_inner_texts()[:2]


def test_a_phone_s_photograph_is_named_and_a_cover_is_dragged(server, browse):
    from playwright.sync_api import expect

    known = available()[0] not in ("digits", "backbone")
    photo = phone_like(samples.sample("clock" if known else "digit"))
    page = browse(f"{server.url}/classify?lang=zh&source=files" + ("" if known else "&model=digits"))
    upload = page.locator("input[type=file]").first
    upload.wait_for(state="attached", timeout=patience(90_000))
    upload.set_input_files({"name": "照片 1.jpg", "mimeType": "image/jpeg", "buffer": photo})
    picture = page.locator(".dl-box-image")
    answered(page, picture)
    story = page.locator(".st-key-classify-story")
    expect(story).to_contain_text(re.compile("指针式时钟|挂钟" if known else "4"), timeout=patience(60_000))
    ratio = picture.evaluate("(image) => image.naturalWidth / image.naturalHeight")
    assert ratio == pytest.approx(1, abs=0.01)

    before = story.inner_text()
    frame = page.locator(".dl-box-frame")
    frame.scroll_into_view_if_needed()
    area = frame.bounding_box()
    assert area
    x, y, side = area["x"], area["y"], area["width"]
    page.mouse.move(x + 0.15 * side, y + 0.15 * side)
    page.mouse.down()
    page.mouse.move(x + 0.85 * side, y + 0.85 * side, steps=8)
    page.mouse.up()
    expect(page.locator(".dl-box-note")).to_have_text("49.0%", timeout=patience(20_000))
    answered(page, lambda: story.inner_text(timeout=5000) != before)
    expect(page).to_have_url(re.compile(r"width=0\.7"), timeout=patience(20_000))

    cover = page.locator(".dl-box-cover")
    cover.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"left=0\.17"), timeout=patience(20_000))
    cover.press("Shift+ArrowLeft")
    expect(page).to_have_url(re.compile(r"width=0\.68"), timeout=patience(20_000))
    cover.press("Delete")
    expect(page.get_by_role("button", name="遮住一部分")).to_be_visible()
    answered(page, lambda: story.inner_text(timeout=5000) == before)

    text = {"name": "笔记.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"}
    upload.set_input_files([text, {"name": "b.jpg", "mimeType": "image/jpeg", "buffer": photo}])
    rows = page.locator(".dl-batch tbody tr")
    answered(page, lambda: rows.count() == 3)
    expect(rows.nth(1)).to_contain_text("不是能读取的图片", timeout=patience(20_000))
    with page.expect_download() as download:
        page.get_by_role("button", name="下载表格").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == "image,rank,label,index,probability,error"
    assert len(lines) == 1 + 5 + 1 + 5
