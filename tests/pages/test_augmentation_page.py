"""The augmentation page as its reader meets it: strengths, presets, the quiz, and two trainings beside each other."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import visit
from tests.pages.visit import said, shows


def open_page(**params: str) -> AppTest:
    at = visit.opened("augmentation", **params)
    assert not at.exception
    return at


def press(at: AppTest, key: str) -> AppTest:
    next(button for button in at.button if button.key == key).click().run()
    assert not at.exception
    return at


def given(at: AppTest) -> dict:
    return at.session_state["page:augmentation"]["given"]


def test_a_preset_sets_strengths_shows_their_group_and_doubts(jobs):
    at = open_page(lang="en")
    assert "Would you still give" in said(at)
    press(at, "preset.any")
    assert (given(at)["rotate"], given(at)["shift"]) == (180.0, 0.0)
    assert "A 6 turned round is a 9" in said(at)
    press(at, "preset.cutmix")
    assert given(at)["mix"] == "cutmix"
    assert at.session_state["page:augmentation"]["extra"]["group"] == "mix"
    assert "Two things are in the picture" in said(at)


def test_a_link_brings_strengths_and_group(jobs):
    at = open_page(lang="zh", rotate="90", group="cut", flip="0.5")
    assert given(at)["rotate"] == 90.0
    assert "镜像的数字不再是数字" in said(at)
    assert open_page(group="nonsense").session_state["page:augmentation"]["given"] == {}


def test_the_quiz_compares_marks_with_a_network_and_begins_anew(jobs):
    at = open_page(lang="en")
    next(group for group in at.button_group if "quiz.marked" in str(group.key)).set_value([1, 2]).run()
    assert at.session_state["page:augmentation"]["quiz"]["marked"] == [0, 1]
    press(at, "quiz.show")
    assert "You marked 2 pictures." in said(at)
    assert "This is a network’s opinion, not the truth" in said(at)
    press(at, "quiz.again")
    assert "You marked" not in said(at)
    assert at.session_state["page:augmentation"]["quiz"]["marked"] == []


def test_what_is_shown_below_is_in_the_link(jobs):
    shown = {"spread": "raw", "rate": "0.001", "quiz": "mine", "quiz_draw": "2"}
    at = open_page(lang="en", **shown)
    assert not at.exception
    assert shown.items() <= at.session_state["page:augmentation"]["address"].items()
    press(at, "quiz.again")
    assert at.session_state["page:augmentation"]["address"]["quiz_draw"] == "3"
    assert any("Pictures" in box.value for box in open_page(lang="en", quiz_draw="-1").warning)


def test_the_first_of_two_trainings_shows_its_bars_while_the_other_goes_on(monkeypatch):
    from types import SimpleNamespace

    from dlcore import augmentation_story
    from dlcore.experiments.augmentation import Config
    from dlcore.history import History
    from ui import augmentation_panels as panels

    config = Config(shift=3.0)
    plain, augmented = augmentation_story.twins(config)
    ended = History(config={**asdict(plain), "device": "cpu", "data_hash": "ab", "threads": plain.threads})
    runs = [SimpleNamespace(config=augmented, state="running")]
    monkeypatch.setattr(panels, "owner", lambda: "me")
    monkeypatch.setattr(panels.jobs, "runs", lambda *_whose: runs)
    assert panels._first(config, [ended]) is ended
    runs[0].state = "finished"
    assert panels._first(config, [ended]) is None


def test_clothes_are_asked_of_the_readers_own_network(jobs):
    at = open_page(lang="en", dataset="shapes")
    assert "knows digits only" in said(at)


@pytest.mark.slow
def test_two_trainings_become_bars_and_a_sentence(jobs):
    quick = {"train_size": "60", "epochs": "2", "views": "2", "precision": "float32", "memory_format": "contiguous",
             "threads": "1"}  # fmt: skip
    at = open_page(lang="en", **quick)
    assert "how each does on every kind of images will stand here" in said(at)
    press(at, "twins-start")
    shows(at, "The gap between training and test went from", 120)
    assert "| Without augmentation |" in said(at)
    press(at, "preset.mixup")
    assert "The newest pair that you trained" in said(at)
