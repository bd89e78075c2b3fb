"""The CNN page as its reader meets it: before, during and after a run, in both languages, with and without the data."""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dlcore.data import catalogue
from dlcore.events import Changed
from tests.pages import visit
from tests.pages.visit import said, shows, trained

open_page = partial(visit.opened, "cnn")


def thread(at: AppTest) -> str:
    """The seven steps, as HTML."""
    return next(element.proto.body for element in at.get("html") if "dl-thread" in element.proto.body)


def train(at: AppTest, words: str) -> AppTest:
    """Press the button and follow the run to its end, as a browser's ticks do."""
    assert at.button(key="cnn.start.play_arrow").label == words
    return trained(at, lambda: "lit" in thread(at) and "#evaluation" in said(at), 120)


SMALL = {
    "network": "mlp",
    "epochs": "3",
    "train_size": "400",
    "memory_format": "contiguous",
    "precision": "float32",
    "threads": "1",
}


@pytest.mark.slow
@pytest.mark.parametrize(("code", "button"), [("en", "Train"), ("zh", None)])
def test_from_the_first_look_to_the_examined_run(jobs, code, button):
    at = open_page(lang=code, **SMALL)
    assert not at.exception
    assert thread(at).count("<li") == 7
    assert 'class="lit"' not in thread(at), "nothing runs yet"
    from ui.i18n import catalogue as words

    speak = words(code).gettext
    assert not at.get("download_button")
    train(at, button or speak("Train"))
    assert "400" in thread(at)
    assert speak("The worst mistakes") in [element.value for element in at.subheader]
    assert len(re.findall(r"^\| \*\*\d\*\* \|", said(at), re.MULTILINE)) == 10, "a row of scores for each class"
    choices = next(group for group in at.segmented_control if str(group.key).startswith("look.network"))
    assert len(choices.options) == 2, "the trained network may be asked now"
    assert speak("Look inside: layer by layer") in [element.value for element in at.subheader]


def test_without_the_files_the_page_offers_them(jobs, monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    at = open_page(dataset="fashion_mnist")
    assert not at.exception
    assert "python -m dlcore download fashion_mnist" in said(at)
    assert any(button.key == "data-box.fashion_mnist" for button in at.button)
    assert catalogue.locate("fashion_mnist") is None
    assert next(button for button in at.button if button.label == "Train").disabled, "a run that must fail"
    next(button for button in at.button if button.key == "data-box.fashion_mnist.stand-in").click().run()
    assert not at.exception
    assert not any(str(button.key).startswith("data-box") for button in at.button)
    assert not next(button for button in at.button if button.label == "Train").disabled


def test_a_download_that_fails_says_why(jobs, monkeypatch, tmp_path):
    from dataclasses import replace

    monkeypatch.setenv("DLCORE_DATA", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    entry = replace(catalogue.CATALOGUE["mnist"], mirrors=())
    monkeypatch.setitem(catalogue.CATALOGUE, "mnist", entry)
    at = open_page(dataset="mnist")
    next(button for button in at.button if button.key == "data-box.mnist").click().run()
    shows(at, "no connection", 20)


def test_a_link_repeats_what_was_changed_until_it_is_left_out(jobs, monkeypatch):
    asked = []
    monkeypatch.setattr("ui.run_panel.jobs.submit", lambda *_args, changes, **_more: asked.append(list(changes)))
    at = open_page(lang="en", changes='[[5,"learning_rate",0.02]]', **SMALL)
    assert "at step 5 Learning rate = 0.02" in said(at)
    next(button for button in at.button if button.label == "Train").click().run()
    assert asked == [[Changed(5, "learning_rate", 0.02)]]
    next(button for button in at.button if button.label == "Leave it out").click().run()
    assert "at step 5" not in said(at)
    broken = open_page(lang="en", changes="[[5]]", **SMALL)
    assert "tells of no changes" in said(broken)
    assert not broken.exception


def gallery(at: AppTest) -> str:
    return next(element.proto.body for element in at.get("html") if "dl-gallery" in element.proto.body)


def shown(at: AppTest) -> AppTest:
    """Wait for the strips of images, which a worker cuts."""
    return shows(at, lambda: "<figure" in gallery(at), 60)


def test_a_dataset_is_seen_before_anything_is_learned(jobs):
    at = shown(open_page(lang="zh", dataset="shapes"))
    assert not at.exception
    assert gallery(at).count("<figure") == gallery(at).count("data:image/png") == 8
    assert "五角星 <small>150" in gallery(at)
    assert "1,200 张图像用于训练" in said(at)


def bring(at: AppTest, files: dict[str, bytes]) -> AppTest:
    """Upload a zip of these files and wait until it is read or refused."""
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    at.file_uploader[0].set_value(("mine.zip", blob.getvalue(), "application/zip")).run()
    return shows(at, lambda: page_state(at).get("own_reading") is None, 60).run()


def page_state(at: AppTest) -> dict:
    return at.session_state["page:cnn"]


def test_own_pictures_are_read_kept_and_put_aside(jobs, tmp_path, monkeypatch):
    blob = io.BytesIO()
    Image.new("RGB", (30, 20), "red").save(blob, "PNG")
    at = open_page(lang="en", dataset="own", network="mlp")
    assert not at.exception
    assert "Teach it something of yours" in said(at)
    assert next(button for button in at.button if button.label == "Train").disabled
    at = bring(at, {"cats/1.png": blob.getvalue(), "cats/2.png": blob.getvalue()})
    assert "are in one folder, “cats”" in said(at)
    files = {f"{kind}/{n}.png": blob.getvalue() for kind in ("cats", "猫", "b*c") for n in range(3)}
    at = shown(bring(at, {**files, "one/1.png": blob.getvalue(), "notes.txt": b"x"}))
    assert not at.exception
    assert "are in one folder" not in said(at)
    assert gallery(at).count("<figure") == 4
    assert "“one” has one picture only" in said(at)
    assert at.expander[0].label == "1 file was left out" or "1 file was left out" in [e.label for e in at.expander]
    assert not next(button for button in at.button if button.label == "Train").disabled
    fingerprint = page_state(at)["given"]["data_hash"]
    next(box for box in at.selectbox if box.label == "Dataset").set_value("shapes").run()
    assert "data_hash" not in page_state(at)["given"], "the pictures' fingerprint is not that of the shapes"
    next(box for box in at.selectbox if box.label == "Dataset").set_value("own").run()
    assert page_state(at)["given"]["data_hash"] == fingerprint
    linked = open_page(lang="en", dataset="own", data_hash="0123456789abcdef")
    assert "Choose the same zip" in " ".join(element.value for element in linked.info)
