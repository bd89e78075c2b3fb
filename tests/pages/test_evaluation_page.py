"""The evaluation page as its reader meets it, short of the browser: sources, threshold, cells, challenges, a run."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dlcore.data.images import load
from dlcore.events import Snapshot
from dlcore.history import History
from tests.pages import visit
from tests.pages.visit import said, trained

STATE = "page:evaluation"
opened = partial(visit.opened, "evaluation")


def measures(at: AppTest) -> str:
    """The tables of measures, as HTML."""
    return "\n".join(e.proto.body for e in at.get("html") if "dl-measures" in e.proto.body)


def solved(at: AppTest) -> list[str]:
    return at.session_state[STATE]["solved"]


def test_opens_on_99_percent_that_find_almost_nobody(jobs):
    at = opened(lang="en")
    assert not at.exception
    assert "Of 10,000 samples 100 are **ill**: 6 found, 94 missed" in said(at)
    assert "**99.0%** of all answers are right" in said(at)
    assert "6 / (6 + 94)" in measures(at)
    assert r"\frac{ 6 }{ 6 + 94 } = 6.0\%" in said(at), "the formulas have the numbers of the matrix"
    assert solved(at) == []


def test_threshold_of_the_link_moves_all_numbers(jobs):
    at = opened(threshold="0.0101", cost="50")
    assert not at.exception
    told = re.search(r"(\d+) found (\d+) missed (\d+) false", said(at).replace(",", ""))
    assert told
    found, missed, alarms = map(int, told.groups())
    assert found + missed == 100
    assert found > 85
    assert alarms > 1000
    assert f"{found} / ({found} + {missed})" in measures(at)
    assert rf"\frac{{ {found} }}{{ {found} + {alarms} }}" in said(at).replace("{,}", "")
    assert f"{alarms:,} + 50 · {missed}" in measures(at)


def test_challenges_of_the_threshold(jobs):
    assert solved(opened(threshold="0.99")) == ["worthless"]
    assert solved(opened(threshold="0.008")) == ["screen"]
    assert solved(opened(threshold="0.05", share="0.3")) == ["believe"]
    assert solved(opened(threshold="0.05", share="0.01")) == []


def test_prevalence_leaves_the_roc_curve_alone(jobs):
    pages = opened(threshold="0.05"), opened(threshold="0.05", share="0.3")
    (area, average), (same_area, other) = (re.findall(r"here \$([\d.]+)\$", said(at))[:2] for at in pages)
    assert area == same_area
    assert float(other) > 2 * float(average)


def test_digits_learned_by_heart_can_be_made_modest(jobs):
    at = opened(source="by_heart", temperature="4")
    assert not at.exception
    assert solved(at) == ["calibrate"]
    assert len(re.findall(r"^\| \*\*\d\*\* \|", said(at), re.MULTILINE)) == 10
    assert re.search(r"\d+ samples are \*\*1\*\* and were called \*\*8\*\*", said(at)), (
        "the cell of most mistakes is open"
    )
    assert solved(opened(source="by_heart", temperature="1")) == []


def test_a_cell_is_opened_by_link_and_by_name(jobs):
    at = opened(source="by_heart", cell="4_9")
    assert "are **4** and were called **9**" in said(at)
    at.selectbox(key="evaluation.cell.0.10").set_value(8).run()
    assert "are **8** and were called **9**" in said(at)
    at = opened(source="by_heart", cell="0_0", view="threshold", positive="3")
    assert "are **3** and were called **3**" in said(at)
    assert "are **not 3** and were called **3**" in said(
        opened(source="by_heart", cell="1_0", view="threshold", positive="3")
    )


@pytest.mark.parametrize(
    "params",
    [{"source": "oracle"}, {"source": "run:abc"}, {"threshold": "7"}, {"threshold": "nan"}, {"cost": "-1"},
     {"share": "x"}, {"cell": "99_0"}, {"cell": "a_b"}, {"positive": "12"}, {"temperature": "0"}, {"view": "moon"},
     {"cell": f"{'9' * 5000}_0"}, {"source": "by_heart", "positive": "9" * 5000}],
    ids=lambda params: str(params)[:40],
)  # fmt: skip
def test_bad_links_are_answered(jobs, params):
    at = opened(**params)
    assert not at.exception
    assert "samples" in said(at)
    told = {
        "threshold": "Threshold",
        "cost": "A miss costs",
        "share": "Share of positives",
        "temperature": "Temperature T",
    }
    for name in told.keys() & params.keys():
        assert any(told[name] in box.value for box in at.warning), "named as on the page"
    if params.get("source") in ("oracle", "run:abc"):
        assert "not among this browser’s finished runs" in said(at)


def test_a_bad_link_is_told_until_the_reader_touches_something(jobs):
    def told(at: AppTest) -> bool:
        return any("Threshold" in box.value for box in at.warning)

    at = opened(source="by_heart", threshold="7")
    assert told(at)
    assert told(at.run()), "a rerun is no touch"
    at.selectbox(key="evaluation.cell.0.10").set_value(8).run()
    assert not told(at.run())


def test_what_is_shown_below_is_in_the_link(jobs):
    at = opened(source="by_heart", cells="share", cases="200")
    assert not at.exception
    state = at.session_state[STATE]
    assert {"cells": "share", "cases": "200"}.items() <= state["address"].items()
    at.segmented_control(key="evaluation.cells").set_value("count").run()
    assert "cells" not in at.session_state[STATE]["address"]


def test_teacher_can_hide_the_controls(jobs):
    at = opened(hide="controls", source="by_heart", threshold="0.9")
    assert not at.exception
    assert not at.selectbox
    assert "samples are **1** and were called **8**" in said(at)


def test_folds_are_trained_and_compared(jobs):
    at = opened(lang="en", dataset="moons", rival="knn", size="300")
    trained(at, "The interval lies", 60)
    assert "The interval lies below zero: B: Nearest neighbours is better" in said(at)
    assert solved(at) == ["better"]


def own_run(labels: np.ndarray, probabilities: np.ndarray) -> History:
    """A finished run as the image lessons leave it."""
    history = History(state="finished", config={"dataset": "digits", "network": "mlp"}, metrics={"test_accuracy": 0.5})
    history.info = {"classes": list("0123456789")}
    arrays = {"probabilities": probabilities.astype(np.float32), "labels": labels.astype(np.uint8)}
    history.snapshots["test_predictions"] = Snapshot(1, "test_predictions", arrays)
    return history


@pytest.mark.parametrize("missing", [False, True], ids=["all classes", "without an eight"])
def test_a_run_of_ones_own_is_examined_with_its_images(jobs, monkeypatch, missing):
    labels = load("digits").y_test
    labels = np.where(labels == 8, 3, labels) if missing else labels
    noise = np.random.default_rng(0).random((len(labels), 10))
    probabilities = noise + 2 * np.eye(10)[labels]
    probabilities /= probabilities.sum(1, keepdims=True)
    name = f"own-{missing}"
    monkeypatch.setattr("ui.sources.own_runs", lambda: {name: own_run(labels, probabilities)})
    at = opened(lang="en", source=f"run:{name}", cell="3_3")
    assert not at.exception
    assert not [box for box in at.warning if "run" in box.value]
    assert f"Of 355 samples {(labels == 8).sum()} are **8**" in said(at)
    assert "are **3** and were called **3**" in said(at)
    assert any("Yours: Dense on Built-in digits, 50.0% right" in option for option in at.selectbox[0].options)
    if missing:
        assert "–" in measures(at), "no positives: recall is 0/0"


def test_pictures_of_ones_own_are_named_whole_and_their_classes_are_no_markup(jobs, monkeypatch):
    """What lies in a cell is asked for by the zip's fingerprint and form; folders may be called anything."""
    asked = []
    monkeypatch.setattr("ui.confusion_lab._pictures", lambda *given: asked.append(given) or np.zeros((1, 1, 28, 28)))
    history = own_run(np.array([0, 1, 1]), np.eye(2)[[0, 0, 1]])
    history.config |= {"dataset": "own", "data_hash": "ab" * 8, "own_form": "grey28"}
    history.info = {"classes": ["![x](http://a.example/b.png)", "a|b"]}
    monkeypatch.setattr("ui.sources.own_runs", lambda: {"strange": history})
    at = opened(lang="en", source="run:strange", cell="0_1")
    assert not at.exception
    assert {dataset for dataset, *_rest in asked} == {f"own:{'ab' * 8}:grey28"}
    assert r"a\|b" in said(at)
    assert "![x](http" not in said(at)
