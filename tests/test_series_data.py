"""Series as they are read: dates, files of one's own with gaps, and what cannot be read or asked."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.data import own
from dlcore.data import series as data
from dlcore.data.years import date, moment, read_dates
from dlcore.experiments import series
from dlcore.forecasting import posed
from dlcore.texts import Problem
from tests.test_series import config, kept, table


@given(st.datetimes(min_value=moment(1001.0), max_value=moment(2998.0)))
def test_dates_come_back_from_years(when):
    when = when.replace(second=0, microsecond=0)
    year = date(when.strftime("%Y-%m-%d %H:%M"))
    assert year is not None
    assert moment(year) == when


@pytest.mark.parametrize(
    ("cell", "iso"),
    [("1949-07", "1949-07-01"), ("1949-07-02", "1949-07-02"), ("1949/7/2", "1949-07-02"), ("1949年7月", "1949-07-01"),
     ("1949年7月2日", "1949-07-02"), ("2.7.1949", "1949-07-02"), ("7/2/1949", "1949-07-02"),
     ("1949-07-02T12:30:00Z", "1949-07-02")],
)  # fmt: skip
def test_dates_are_read_as_they_are_written(cell, iso):
    year = date(cell)
    assert year is not None
    assert moment(year).strftime("%Y-%m-%d") == iso


@pytest.mark.parametrize("cell", ["", "1949", "1949-13", "1949-02-30", "yesterday", "1.5", "99/99/1949"])
def test_what_is_no_date_is_none(cell):
    assert date(cell) is None


def test_one_date_that_can_only_be_read_day_first_decides_for_all():
    assert read_dates(["1/2/2020", "13/2/2020", ""])[0] == date("2020-02-01")
    assert read_dates(["1/2/2020", "2/13/2020"])[0] == date("2020-01-02")


def test_made_series_are_what_they_say():
    quiet = data.sines(24.0, 7.0, 0.0, 3).values
    assert np.allclose(quiet[168:], quiet[:-168])  # the least common multiple of the periods
    steps = np.diff(data.walk(0).values)
    assert abs(steps.mean()) < 0.15
    assert 0.9 < steps.std() < 1.1
    chaos = data.chaos(0.0, 0).values
    assert 0.2 < chaos.min() < chaos.max() < 1.5
    for made in (data.sines(24.0, 7.0, 0.2, 0), data.walk(0), data.chaos(0.0, 0)):
        assert len(made.values) == data.LENGTH
        assert len(made.digest) == 16


@pytest.mark.data
@pytest.mark.parametrize(("name", "count", "first", "last"), [
    ("airline", 144, "1949-01", "1960-12"), ("sunspots", 2820, "1749-01", "1983-12"),
    ("temperature", 3650, "1981-01-01", "1990-12-31"),
])  # fmt: skip
def test_real_series_have_their_dates(name, count, first, last):
    made = data.real(name)
    assert len(made.values) == count
    assert (made.when(0), made.when(count - 1)) == (first, last)


def test_a_missing_real_series_is_told(monkeypatch, tmp_path):
    for remembered in (data.real, posed):  # another test of this process may have asked for it
        remembered.cache_clear()
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(Problem, match="not on this machine"):
        series.resolve(config(dataset="airline"))
    data.real.cache_clear()


def test_own_dates_order_the_rows_and_gaps_take_the_value_before():
    rows = [f"2020-01-{day:02d},{day}" for day in range(1, 31)]
    rows[4] = "2020-01-05,"
    rows[9] = "2020-01-10,n/a"
    fingerprint = table("\n".join(["day,sales", *reversed(rows)]))
    loaded = own.load(fingerprint)
    assert loaded.dates == ("day",)
    assert data.value_columns(loaded) == ("sales",)
    made = data.from_table(fingerprint, "")
    assert made.values.tolist()[:10] == [1, 2, 3, 4, 4, 6, 7, 8, 9, 9]
    assert made.filled == 2
    assert made.when(29) == "2020-01-30"


def test_a_column_of_years_is_a_date_and_rows_without_any_are_counted():
    assert data.from_table(table("\n".join(f"{1900 + i},{i % 7}" for i in range(30))), "").when(3) == "1903"
    assert data.from_table(kept(np.arange(30.0)), "").when(3) == "3"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "empty"), ("a\nx\ny\nz\n", "needs a column of numbers"), ("a\n1\n", "at least two are needed"),
        ("a\n" + "\n".join("12345"), "a series needs 20"), ("a\n" + "5\n" * 40, "is always 5"),
        ("a,b\n" + "x,y\n" * 40, "needs a column of numbers"), ("a\n" + "1\n2\n" * 500_000, "has 1000001 rows"),
        ("a\n" + ",\n" * 30 + "1\n2\n", "a series needs 20"),
    ],
    ids=["empty", "words", "one", "five", "constant", "text columns", "a million rows", "nearly all missing"],
)  # fmt: skip
def test_bad_tables_are_answered_in_a_sentence(text, sentence):
    with pytest.raises(Problem, match=sentence):
        series.resolve(config(dataset="csv", data_hash=table(text)))


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"log": True}, "A logarithm needs values above 0"), ({"learns": "season"}, "No season is known"),
        ({"window": 200}, "values are too few"), ({"column": "nothing"}, "no column"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_asked_is_told(given_, sentence):
    fingerprint = kept(np.random.default_rng(0).normal(size=120).cumsum())
    with pytest.raises(Problem, match=sentence):
        series.resolve(config(dataset="csv", data_hash=fingerprint, **given_))


def test_a_training_part_that_never_changes_is_told():
    with pytest.raises(Problem, match="What is left to learn from is always 3"):
        series.resolve(config(dataset="csv", data_hash=kept([3.0] * 90 + list(range(10)))))
