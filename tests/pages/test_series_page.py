"""The series' page as a reader drives it, short of the browser: links, own tables, a run, a look inside, challenges."""

from __future__ import annotations

import numpy as np
import pytest

from dlcore import forecasting
from dlcore.data import own
from dlcore.data import series as data
from tests.pages.visit import opened, put, said, trained

STATE = "page:series"
FAST = {"window": "12", "horizon": "4", "hidden": "8", "steps": "20", "threads": "1", "evaluations": "2"}


def kept(values, header: str = "sales") -> str:
    text = "\n".join(
        [f"day,{header}", *(f"2020-{1 + i // 28:02d}-{1 + i % 28:02d},{v:.6g}" for i, v in enumerate(values))]
    )
    return own.keep(own.read_csv(text.encode(), series=True))


def test_opens_with_what_a_network_has_to_beat():
    at = opened("series")
    assert not at.exception
    assert "What a network has to beat on 120 held-out values" in said(at)
    assert "**linear model** 0.191, **as a season ago** 0.629, **as yesterday** 0.998" in said(at)
    assert "two sine waves: the season is 24 steps." in said(at)
    assert "When a network has been trained, choose here" in said(at)
    assert at.session_state[STATE]["solved"] == []


@pytest.mark.parametrize("dataset", data.MADE)
@pytest.mark.parametrize("shown", ["ahead", "free"])
def test_every_made_series_opens_by_link(dataset, shown):
    at = opened("series", dataset=dataset, lang="zh")
    at.segmented_control(key="series.shown").set_value(shown).run()
    assert not at.exception
    assert "网络要在留出的" in said(at)


@pytest.mark.data
@pytest.mark.parametrize("dataset", data.REAL)
def test_every_real_series_opens_by_link(dataset):
    at = opened("series", dataset=dataset)
    assert not at.exception
    assert "What a network has to beat" in said(at)


def test_without_the_file_a_download_and_the_stand_in_are_offered(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data.real.cache_clear()
    forecasting.posed.cache_clear()
    at = opened("series", dataset="airline")
    assert not at.exception
    assert "not on this machine" in said(at)
    at.button(key="data-box.airline.stand-in").click().run()
    assert not at.exception
    assert "two sine waves: the season is 24 steps." in said(at)
    data.real.cache_clear()


@pytest.mark.parametrize(
    ("params", "sentence"),
    [({"window": "500"}, "1 to 400"), ({"dataset": "moon"}, "one of"), ({"horizon": "x"}, "whole number"),
     ({"dataset": "walk", "learns": "season"}, "No season is known"),
     ({"dataset": "walk", "log": "true"}, "A logarithm needs values above 0"),
     ({"dataset": "csv"}, "a column of dates is recognized"),
     ({"dataset": "csv", "data_hash": "0" * 16}, "not on this computer")],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_told_and_the_page_stands(params, sentence):
    at = opened("series", **params)
    assert not at.exception
    assert sentence in said(at)
    assert "Challenge" in "\n".join(header.value for header in at.header)


def test_own_table_is_forecast_and_put_aside():
    values = 10 + np.sin(np.arange(120) * 2 * np.pi / 7) + 0.1 * np.random.default_rng(0).normal(size=120)
    values[5] = np.nan
    at = opened("series", dataset="csv", data_hash=kept(values))
    assert not at.exception
    assert "Dates: day. " in said(at)
    assert "1 missing value was replaced by the one before." in said(at)
    assert "sales: the season is 7 steps." in said(at)
    at = put(at, STATE, dataset="sines")
    assert not at.exception
    assert "data_hash" not in at.session_state[STATE]["given"]
    at = put(at, STATE, dataset="csv")
    assert "sales: the season is 7 steps." in said(at)


@pytest.mark.parametrize("values", [[5.0] * 60, list(range(22))], ids=["constant", "short"])
def test_tables_that_cannot_be_forecast_are_answered(values):
    at = opened("series", dataset="csv", data_hash=kept(values), window="20", horizon="10")
    assert not at.exception
    assert "is always 5" in said(at) or "values are too few" in said(at)


def test_a_teachers_link_shows_the_picture_without_knobs():
    at = opened("series", dataset="chaos", hide="controls")
    assert not at.exception
    assert not at.selectbox
    assert "What a network has to beat" in said(at)


def test_a_run_is_ranked_looked_into_and_kept_apart_from_other_settings(jobs):
    at = opened("series", dataset="chaos", **FAST)
    trained(at, "Mean absolute error on the held-out end")
    assert "**LSTM**" in said(at)
    assert "On the part that it learned from, its error is" in said(at)
    assert "What it holds in mind" in said(at)
    assert "On average it is off by" in said(at)
    at.segmented_control(key="series.shown").set_value("free").run()
    assert "Fed only its own forecasts, for 60 steps" in said(at)
    at = put(at, STATE, window=13)
    assert not at.exception
    assert "What a network has to beat" in said(at)
