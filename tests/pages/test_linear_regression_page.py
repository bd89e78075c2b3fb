"""The lesson's page as a reader drives it, short of the browser: knobs, own data, challenges, bad links."""

from __future__ import annotations

import re
from functools import partial

import numpy as np
import pytest

from dlcore.data import own
from dlcore.experiments import linear_regression as lr
from tests.pages import visit
from tests.pages.visit import said

GIVEN = "page:linear_regression"


opened = partial(visit.opened, "linear_regression")


def test_opens_on_a_descent_that_converges():
    at = opened()
    assert not at.exception
    assert "It converged. From step 66 on" in said(at)
    assert "3890" in said(at)


def test_page_is_thin():
    lines = (visit.SHELL.parents[1] / "pages" / "linear_regression.py").read_text().splitlines()
    assert len(lines) <= 80


@pytest.mark.parametrize("feature", ["bmi", "s1", "all"])
def test_rate_over_the_limit_is_explained(feature):
    at = opened(feature=feature)
    limit = lr.task(lr.Config(feature=feature)).spectrum.limit()
    visit.put(at, GIVEN, learning_rate=1.02 * limit, steps=200)
    assert not at.exception
    assert "It diverges. The rate is 1.02 × the limit" in said(at)
    assert "1.04 times as large" in said(at)


def test_run_beyond_all_numbers_still_draws():
    at = opened(learning_rate="1.5", steps="2000")
    assert not at.exception
    assert "too large for the computer to hold" in said(at)


@pytest.mark.parametrize("dataset", ["line", "points", "csv", "diabetes"])
def test_every_data_set_opens(dataset):
    at = opened(dataset=dataset)
    assert not at.exception
    if dataset == "csv":
        assert len(at.get("file_uploader")) == 1
        assert "…" in said(at)  # the formulas stand there without numbers
    else:
        assert re.search("converged|Still on its way", said(at))


def test_rate_that_nobody_set_follows_the_data():
    at = opened()
    assert "at step 80" in said(at)
    visit.put(at, GIVEN, dataset="line", standardize=False)
    assert "learning_rate" not in at.session_state[GIVEN]["given"]
    assert "Still on its way: at step 200" in said(at)
    assert "0.022" in said(at)


def test_challenges_are_checked_against_the_run():
    at = opened()
    solved = at.session_state[GIVEN]["solved"]
    assert solved == []
    visit.put(at, GIVEN, learning_rate=1.1)
    assert at.session_state[GIVEN]["solved"] == ["diverge"]
    visit.put(at, GIVEN, learning_rate=0.5)
    assert at.session_state[GIVEN]["solved"] == ["diverge", "converge"]
    visit.put(at, GIVEN, feature="all", momentum=0.83, learning_rate=0.41)  # nine tenths of the limit
    assert at.session_state[GIVEN]["solved"] == ["diverge", "converge", "momentum"]
    assert "All done" in said(at)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"learning_rate": "fast"}, "is not a number"),
        ({"steps": "99999"}, "out of range"),
        ({"dataset": "moon"}, "cannot be “moon”"),
        ({"colour": "red"}, "colour"),
        ({"dataset": "points", "points": "1_2~x_y"}, "cannot be read"),
        ({"dataset": "points", "points": "1_2"}, "at least two points"),
        ({"dataset": "csv", "data_hash": "0123456789abcdef"}, "is not on this computer"),
        ({"dataset": "csv", "data_hash": "../../etc/passwd"}, "is not on this computer"),
    ],
    ids=str,
)
def test_bad_links_are_answered(params, sentence):
    at = opened(**params)
    assert not at.exception
    assert sentence in said(at)


def kept_table() -> str:
    rng = np.random.default_rng(0)
    x = rng.uniform(20, 120, 60)
    rent = 200 + 12 * x + rng.normal(0, 50, 60)
    return own.keep(own.Table(("floor", "area", "rent"), np.column_stack([np.full(60, 3.0), x, rent])))


def test_own_table_by_link():
    at = opened(dataset="csv", data_hash=kept_table())
    assert not at.exception
    assert "60 rows, 3 columns of numbers." in said(at)
    assert [box.value for box in at.selectbox][-2:] == ["area", "rent"]  # the constant column is passed over
    assert "It converged" in said(at)


def test_constant_column_is_answered():
    at = opened(dataset="csv", data_hash=kept_table(), x_column="floor")
    assert not at.exception
    assert "“floor” has the same value in every row" in said(at)


UPLOADS = {
    "good": ("a;b\n1,5;2\n2,5;4\n3,5;5\n", "3 rows, 2 columns of numbers."),
    "empty": ("", "This file is empty"),
    "words": ("a,b\nx,y\nz,w\n", "two columns of numbers"),
    "one row": ("a,b\n1,2\n", "at least two"),
    "binary": (bytes(range(256)) * 10, "not a text file"),
}


@pytest.mark.parametrize(("content", "sentence"), UPLOADS.values(), ids=UPLOADS.keys())
def test_uploads_are_answered(content, sentence):
    at = opened(dataset="csv")
    blob = content.encode() if isinstance(content, str) else content
    at.file_uploader[0].upload("table.csv", blob, "text/csv").run()
    assert not at.exception
    assert sentence in said(at)


def test_clicked_points_change_the_data(monkeypatch):
    from ui import own_data

    values = {}
    monkeypatch.setattr(own_data, "put_value", values.__setitem__)
    own_data.clicked_point({"x": 5.0, "y": 6.0, "curve": None, "point": None, "n": 1}, "1_2~3_4", 1)
    assert values == {"dataset": "points", "points": "1_2~3_4~5_6"}
    own_data.clicked_point({"x": 1.0, "y": 2.0, "curve": 1, "point": 0, "n": 2}, "1_2~3_4", 1)
    assert values["points"] == "3_4"
    own_data.clicked_point({"x": 1.0, "y": 2.0, "curve": 2, "point": 0, "n": 3}, "3_4", 1)  # on the line: a new point
    assert values["points"] == "3_4~1_2"


def test_more_points_than_a_link_holds_become_a_table(monkeypatch):
    from ui import own_data

    values = {}
    monkeypatch.setattr(own_data, "put_value", values.__setitem__)
    many = "~".join(f"{k}_{k}" for k in range(100))
    own_data.clicked_point({"x": 5.5, "y": 6.0, "curve": None, "point": None, "n": 1}, many, 1)
    assert values["dataset"] == "csv"
    assert len(own.load(values["data_hash"]).values) == 101
