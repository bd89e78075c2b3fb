"""The page of pictures as a reader drives it, short of the browser: links, examples, covers, networks side by side."""

from __future__ import annotations

import numpy as np
import pytest

from tests.pages.visit import opened, put, said

STATE = "page:classify"


@pytest.fixture(autouse=True)
def only_ours(tmp_path, monkeypatch):
    """No ImageNet network on this machine: the page must do without."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize(("lang", "words"), [("en", "It says **4**"), ("zh", "它说是**4**")])
def test_an_example_is_answered_without_any_network_fetched(jobs, lang, words):
    at = opened("classify", lang=lang, image="digit", model="digits")
    assert not at.exception
    assert words in said(at)


def test_a_cover_changes_the_answer_and_is_told(jobs):
    at = opened("classify", image="digit", model="digits")
    assert "It says **4**" in said(at)
    put(at, STATE, left=0.0, top=0.0, width=1.0, height=0.6)
    assert not at.exception
    assert "to the picture as it was" in said(at) or "Still **4**" in said(at)
    at.button(key="classify.reset").click().run()
    assert "It says **4**" in said(at)


def test_a_picture_without_ink_is_a_sentence(jobs):
    at = opened("classify", image="digit", model="digits", left="0.0", top="0.0", width="1.0", height="1.0")
    assert not at.exception
    assert "looks like ink" in said(at)


def test_two_networks_side_by_side_and_one_that_must_be_fetched(jobs):
    at = opened("classify", image="digit", model="digits")
    titles = at.selectbox(key="classify.network").options
    assert any("ResNet-50 (to be downloaded: 103 MB)" in title for title in titles)
    at.selectbox(key="classify.network").select("resnet18").run()
    assert not at.exception
    assert "ResNet-18 is not on this machine" in said(at)
    assert any("Download 47 MB now" in button.label for button in at.button)
    assert at.session_state[STATE]["given"]["model"] == "resnet18"


def test_where_it_breaks_is_said(jobs):
    from tests.waiting import until

    at = opened("classify", image="digit", model="digits", change="rotate", steps="8")
    until(lambda: "at first) " in said(at.run()))
    assert not at.exception
    assert "Our digit reader: **4**" in said(at)
    at.segmented_control(key="classify.change").set_value("occlude").run()
    assert at.session_state[STATE]["given"]["change"] == "occlude"


def test_without_a_picture_the_table_invites(jobs):
    at = opened("classify", source="files")
    assert not at.exception
    assert "Your picture comes here" in said(at)
    at = opened("classify", source="camera", lang="zh")
    assert not at.exception
    assert "举到镜头前" in said(at)


def test_the_box_that_the_browser_sends_is_checked():
    from ui.picture_box import _Known

    known = _Known()
    assert known.valid([0.1, 0.2, 0.3, 0.4]) == (0.1, 0.2, 0.3, 0.4)
    assert known.valid([0.8, 0.9, 0.5, 0.5]) == (0.8, 0.9, 0.2, 0.1)
    short, flag = [0.1, 0.2, 0.3], [0.1, 0.2, 0.3, True]
    for wrong in (None, "box", short, flag, [0, 0, 2, 1], [np.nan, 0, 0.1, 0.1], [-1, 0, 1, 1]):
        assert known.valid(wrong) is None


def test_a_csv_holds_no_formula():
    from ui.spreadsheet import harmless

    assert harmless("=1+1.jpg") == "'=1+1.jpg"
    assert harmless("猫.jpg") == "猫.jpg"
