"""The transfer lesson's page as a reader drives it, short of the browser: the network, a run, what it costs, tasks."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dlcore import transfer_story as story
from dlcore.data import album as albums
from dlcore.experiments.transfer import Config
from dlcore.history import History
from dlcore.knobs import build
from dlcore.transfer_story import Ended
from tests.borrowed import two_colours
from tests.pages import visit
from tests.pages.visit import put, said
from tests.waiting import patience
from ui.transfer_tasks import tasks

STATE = "page:transfer"
QUICK = {"seeds": "1", "steps": "10", "images": "5", "source_epochs": "1", "threads": "1"}

opened = partial(visit.opened, "transfer")


def finished(at: AppTest, words: str) -> AppTest:
    """Train, and look until the page says so."""
    next(button for button in at.button if button.key == "transfer.start.play_arrow").click().run()
    deadline = time.monotonic() + patience(90)
    while words not in said(at):
        assert time.monotonic() < deadline, said(at)
        assert not at.exception
        time.sleep(1.0)
        at.run()
    return at


def test_a_run_is_told_and_counted(jobs) -> None:
    at = opened(**QUICK)
    assert "Say so before you train" in said(at)
    finished(at, "With 5 pictures of each class.")
    table = next(m.value for m in at.markdown if "| from scratch |" in m.value)
    assert "| 24,908 |" in table
    assert "| 196 |" in table
    (kept,) = at.session_state[STATE]["ended"].values()
    assert kept.accuracy("frozen", 5) == kept.metrics["by_images"]["frozen"][1]
    put(at, STATE, question="layers")
    assert not at.exception


def test_pupils_are_told_in_chinese(jobs) -> None:
    at = finished(opened(**QUICK, question="distil", lang="zh"), "连疑惑一起学的答对")
    assert not at.exception


@pytest.mark.parametrize(
    "given", [{"own": "tx"}, {"dataset": "insects"}, {"question": "layers", "lang": "zh"}], ids=str
)
def test_every_link_opens(given: dict[str, str]) -> None:
    at = opened(**given)
    assert not at.exception


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_without_photographs_and_imagenet_the_page_is_whole(monkeypatch, tmp_path, lang: str) -> None:
    """Shapes as ever; what is asked of photographs says what is missing, offers no other base, and starts nothing."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setattr("dlcore.data.catalogue.cache_root", lambda: tmp_path)
    at = opened(lang=lang)
    assert not at.exception
    assert not start(at).disabled
    at = opened(lang=lang, dataset="insects", base="mobilenet_v2")
    assert not at.exception
    assert start(at).disabled
    assert "download mobilenet_v2" in said(at)


def start(at: AppTest):
    return next(button for button in at.button if button.key == "transfer.start.play_arrow")


def test_classes_of_ones_own_come_from_their_lesson(jobs) -> None:
    at = opened(dataset="album")
    assert not at.exception
    assert start(at).disabled
    assert "no classes of your own yet" in said(at)
    at.session_state["page:teach"] = {"album_hash": albums.keep(two_colours(5), at.session_state["owner"])}
    at.run()
    assert not at.exception
    assert not start(at).disabled
    put(at, STATE, dataset="shapes")
    assert not at.exception
    assert "data_hash" not in at.session_state[STATE]["given"]
    assert not start(at).disabled
    somebody = albums.keep(two_colours(3), "somebody else")
    assert start(opened(dataset="album", data_hash=somebody)).disabled


def ended(dataset: str = "shapes", **given) -> Ended:
    accuracy = {name: [0.7, 0.8] for name in ("scratch", "frozen", "finetuned", "own")}
    metrics = {"by_images": {"images": [2, 50], **accuracy}, "trained/own": 50, "trained/finetuned": 100}
    for name, shares in given.items():
        if name in accuracy:
            metrics["by_images"][name] = shares
        else:
            metrics[name.replace("__", "/")] = shares
    return Ended(build(Config, {"dataset": dataset}), metrics)


def test_tasks_read_the_runs() -> None:
    assert story.gap([ended(frozen=[0.9, 0.9])], 2) == pytest.approx(0.2)
    assert not story.gap([], 2) >= 0
    assert story.gap([Ended(Config(), {}), ended(scratch=[0.4, 0.5])], 50) == pytest.approx(0.3)
    assert story.own_lead([ended(own=[0.1, 0.79])], 50, 0.6) == pytest.approx(-0.01)
    assert story.own_lead([ended(trained__own=70)], 50, 0.6) < -1
    assert story.doubts_worth([ended(), ended(soft_accuracy=0.6, alone_accuracy=0.45)]) == pytest.approx(0.15)
    assert story.doubts_worth([ended()]) < -1


def test_what_is_worded_about_shapes_counts_shapes() -> None:
    ahead: dict[str, Any] = {"frozen": [0.9, 0.9], "scratch": [0.5, 0.9]}

    def solved(*runs: Ended) -> set[str]:
        return {task.name for task in tasks(runs) if task.check()}

    assert "gap" not in solved(ended("insects", **ahead))
    assert "gap" in solved(ended("insects"), ended(**ahead)), "the newest run on shapes"


def test_a_run_on_own_classes_is_told_by_how_many_there_are() -> None:
    config = build(Config, {"dataset": "album", "images": 20})
    assert story.minutes(config, 6) > story.minutes(config, 2)
    assert story.minutes(replace(config, images=3), 2) < story.minutes(config, 2)
    words, _values = story.said(config, History())
    assert "not among them" not in words, "they may be among those of CIFAR-10"
