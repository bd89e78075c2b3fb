"""What is drawn and said of forecasts: pictures before and after a run, verdicts, and the challenges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import pytest

from dlcore import series_story, series_views
from dlcore.data.series import Series
from dlcore.data.years import date
from dlcore.experiments.series import forecasting_of
from dlcore.figures import series as figures
from dlcore.history import History
from tests.test_series import QUICK, config, events


@pytest.mark.parametrize("shown", [series_views.AHEAD, series_views.FREE])
def test_pictures_are_valid_before_and_after_a_run(shown):
    history = History()
    asked = config(**QUICK, window=12, horizon=4)
    made = forecasting_of(asked)
    for told in ((), events(window=12, horizon=4)):
        for event in told:
            history.add(event)
        cells, film = series_views.cells_by_error(history), history.frames.all()
        nets = series_views.network_lines(made, film, cells, shown) if film else []
        plot, frames = figures.picture(
            series_views.scene(made, shown), [*series_views.baseline_lines(made, shown), *nets]
        )
        go.Figure(plot.to_dict())  # checked by Plotly
        assert bool(frames["traces"]) == bool(film)
        by_step = history.snapshots["by_step"].arrays if film else {}
        go.Figure(figures.by_step(series_views.error_lines(made, by_step, cells, shown)).to_dict())
        go.Figure(series_views.learning(made, history, cells, 6).to_dict())
    assert series_views.same_question(history, asked)
    assert not series_views.same_question(history, replace(asked, window=13))
    assert series_views.same_question(history, replace(asked, hidden=9))


def test_forecasts_are_drawn_where_they_belong():
    made = forecasting_of(config(window=12, horizon=4))
    line = series_views.baseline_lines(made, series_views.AHEAD)[0]
    x, y = line.x[:6], line.y[:6]
    assert x[0] == made.split - 1
    assert y[0] == y[1] == y[4] == made.series.values[made.split - 1]
    assert np.isnan(y[5])


def test_dates_below_the_picture_begin_periods():
    for rows, begins in (((100, 143), "-01"), ((100, 112), ("-01", "-03", "-05", "-07", "-09", "-11"))):
        times = np.array([date(f"{1949 + m // 12}-{m % 12 + 1:02d}") for m in range(144)], float)
        shown = replace(forecasting_of(config()), series=Series(np.arange(144.0), "", times=times))
        named = series_views.ticks(shown, *rows)
        assert 3 <= len(named) <= series_views.TICKS
        assert all(name.endswith(begins) for _row, name in named)
        assert len(set(np.diff([row for row, _name in named]))) == 1


# -- in words, and the challenges --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mae", "kind"), [(0.5, "best"), (0.99, "even"), (1.01, "even"), (1.5, "beaten"), (2.5, "worse")]
)
def test_verdicts_follow_the_numbers(mae, kind):
    assert series_story.standing(mae, 1.0, 2.0) == kind


def test_sentence_ranks_all_by_the_runs_own_numbers():
    made = forecasting_of(config(window=12, horizon=4))
    best = min(float(e.mean()) for e in made.baselines.values())
    kind, words, verdict = series_story.verdict(made, {"mae/lstm": 0.5 * best, "mae/rnn": 9.0}, ["lstm", "rnn"], str)
    assert kind == "best"
    assert words.index("**LSTM**") < words.index("**linear model**") < words.index("**as yesterday**")
    assert words.index("**as yesterday**") < words.index("**RNN** 9")
    assert verdict.startswith("The error of the LSTM is ")
    assert "50% smaller than that of “linear model”" in verdict
    naive = float(made.baselines["naive"].mean())
    assert f"{1 - 0.5 * best / naive:.0%} smaller than that of “as yesterday”" in verdict
    assert verdict.count("“") == len(made.baselines)


def test_a_network_that_diverged_is_named_last_and_never_the_winner():
    made = forecasting_of(config(window=12, horizon=4))
    best = min(float(e.mean()) for e in made.baselines.values())
    metrics = {"mae/rnn": np.nan, "mae/lstm": 0.5 * best}
    kind, words, verdict = series_story.verdict(made, metrics, ["rnn", "lstm"], str)
    assert (kind, verdict[:22]) == ("best", "The error of the LSTM ")
    assert words.index("**as yesterday**") < words.index("**RNN** nan")


def test_what_is_left_in_the_errors_is_told():
    noise = np.random.default_rng(0).normal(size=400)
    assert "nothing is left to learn" in series_story.what_is_left(noise, "", str)
    assert "something left to learn" in series_story.what_is_left(noise.cumsum(), "°C", str)
    assert series_story.what_is_left(np.zeros(5), "", str)


def finished(dataset: str, **metrics: float) -> History:
    history = History(config={"dataset": dataset}, state="finished")
    history.metrics = {"cell": "lstm", "naive_mae": 1.4, "linear_mae": 1.5, **metrics}
    return history


def test_challenges_are_checked_against_the_numbers():
    assert series_story.half_of_linear(finished("chaos", mae=0.75)) == 1
    assert series_story.half_of_linear(finished("chaos", mae=1.5)) == 0.5
    assert series_story.fooled(finished("walk", mae=1.6, **{"train_mae/lstm": 0.7})) == 1
    assert series_story.fooled(finished("walk", mae=1.6, **{"train_mae/lstm": 1.4})) == 0.5
    assert series_story.fooled(finished("walk", mae=1.2, **{"train_mae/lstm": 0.5})) == 0
    assert series_story.fooled(finished("sines", mae=1.6, **{"train_mae/lstm": 0.5})) == 0
    assert series_story.wins_on("airline", finished("airline", mae=1.0, seasonal_naive_mae=1.2)) == 1
    assert series_story.wins_on("airline", finished("sines", mae=1.0, seasonal_naive_mae=1.2)) == 0
    assert series_story.none_better(finished("sunspots", mae=1.3)) == 1
    assert series_story.none_better(finished("sunspots", mae=1.45)) < 1
    assert series_story.none_better(finished("chaos", mae=0.1)) == 0
