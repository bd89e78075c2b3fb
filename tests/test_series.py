"""Series: the forecasts without a network, that no future leaks, the run, and what truly wins where."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore import plain_forecasts, series_views
from dlcore.cli import main
from dlcore.data import own
from dlcore.events import Checkpoint, Event, Finished, Snapshot, Started, Step, pack, unpack
from dlcore.experiments import lesson_of, series, series_look
from dlcore.experiments.series import Config, forecasting_of
from dlcore.figures import series as figures
from dlcore.knobs import build
from dlcore.steering import Steering
from dlcore.texts import Problem

QUICK = {"threads": 1, "hidden": 8, "steps": 6, "batch_size": 16, "evaluations": 2, "device": "cpu"}


def config(**given: Any) -> Config:
    return build(Config, {"threads": 1, "device": "cpu", **given})


def events(**given: Any) -> list[Event]:
    return list(series.run(config(**{**QUICK, **given})))


def ended(**given: Any) -> dict[str, Any]:
    last = list(series.run(config(**given)))[-1]
    assert isinstance(last, Finished)
    return last.metrics


def table(text: str) -> str:
    return own.keep(own.read_csv(text.encode(), series=True))


def kept(values, header: str = "value") -> str:
    return table("\n".join([header, *(f"{v:.10g}" if np.isfinite(v) else "" for v in values)]))


# -- forecasts without a network -------------------------------------------------------------------------------------

shapes = st.tuples(st.integers(1, 12), st.integers(1, 9), st.integers(1, 15))  # window, horizon, season


@given(shapes, st.integers(0, 99))
@settings(max_examples=25)
def test_naive_and_seasonal_are_their_definitions(shape, seed):
    window, horizon, season = shape
    values = np.random.default_rng(seed).normal(size=160)
    made = forecasting_of(config(dataset="csv", data_hash=kept(values), window=window, horizon=horizon, season=season))
    x = np.round(values, 20)
    naive_errors, seasonal_errors = [], []
    for t in range(made.split - 1, len(x) - horizon):
        naive_errors.append([abs(x[t + k] - x[t]) for k in range(1, horizon + 1)])
        seasonal_errors.append([abs(x[t + k] - x[t + k - season * -(-k // season)]) for k in range(1, horizon + 1)])
    np.testing.assert_allclose(made.baselines["naive"], np.mean(naive_errors, 0), rtol=1e-6)
    np.testing.assert_allclose(made.baselines["seasonal_naive"], np.mean(seasonal_errors, 0), rtol=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 1.0, 50.0])
@pytest.mark.parametrize("learns", series.LEARNS)
def test_linear_model_is_scikit_learns(penalty, learns):
    from sklearn.linear_model import LinearRegression, Ridge

    made = forecasting_of(config(window=12, horizon=5, ridge=penalty, learns=learns))
    past, held = made.past(made.train_origins), made.past(made.test_origins)
    Y = made.truth(made.train_origins, 5) - made.base(past, 5)
    fitted = (Ridge(penalty) if penalty else LinearRegression()).fit(made.inputs(past), Y)
    theirs = fitted.predict(made.inputs(held)) + made.base(held, 5)
    np.testing.assert_allclose(made.linear(held), theirs, atol=1e-8)
    error = np.abs(made.units(theirs) - made.units(made.truth(made.test_origins, 5)))
    assert made.baseline_metrics()["linear_mae"] == pytest.approx(error.mean(), rel=1e-8)


def test_linear_model_repeats_noiseless_waves_exactly():
    """Two waves obey a linear recurrence of four values: also free, over a whole run."""
    made = forecasting_of(config(noise=0.0, ridge=0.0, window=8))
    assert made.baselines["linear"].max() < 1e-6
    assert made.free_baselines["linear"].max() < 1e-4
    assert made.baselines["naive"].min() > 0.1


@pytest.mark.parametrize(("season", "noise"), [(7, 0.1), (12, 0.3), (24, 0.3)])
def test_a_season_is_found_where_there_is_one(season, noise):
    t = np.arange(400)
    values = np.sin(2 * np.pi * t / season) + 0.01 * t + noise * np.random.default_rng(1).normal(size=400)
    assert plain_forecasts.season_of(plain_forecasts.autocorrelation(values)) == season


def test_no_season_is_found_in_noise_or_a_straight_line():
    noise = np.random.default_rng(0).normal(size=500)
    assert plain_forecasts.season_of(plain_forecasts.autocorrelation(noise)) == 0
    assert plain_forecasts.season_of(plain_forecasts.autocorrelation(np.arange(100.0))) == 0


def test_autocorrelation_is_its_definition():
    x = np.random.default_rng(0).normal(size=90).cumsum()
    t = np.arange(90)
    e = x - np.polyval(np.polyfit(t, x, 1), t)
    r = plain_forecasts.autocorrelation(x)
    assert len(r) == 31
    np.testing.assert_allclose(r, [(e[: 90 - k] * e[k:]).sum() / (e * e).sum() for k in range(31)], atol=1e-10)


@pytest.mark.parametrize("learns", series.LEARNS)
@pytest.mark.parametrize("log", [False, True])
def test_inputs_and_bases_put_the_truth_back_together(learns, log):
    values = 50 + np.arange(200.0) + 10 * np.sin(np.arange(200) * 2 * np.pi / 12)
    made = forecasting_of(
        config(dataset="csv", data_hash=kept(values), learns=learns, log=log, season=12, window=10, horizon=15)
    )
    t = made.test_origins
    said = made.truth(t, 15) - made.base(made.past(t), 15)
    np.testing.assert_allclose(
        made.units(said + made.base(made.past(t), 15)), values[t[:, None] + np.arange(1, 16)], rtol=1e-9
    )
    assert made.inputs(made.past(t)).shape == (len(t), 10)
    before = made.z[t[:, None] + np.arange(-9, 1)]
    taken = {"value": 0, "change": made.z[t][:, None], "season": made.z[t[:, None] + np.arange(-21, -11)]}[learns]
    np.testing.assert_allclose(made.inputs(made.past(t)), before - taken)


# -- nothing of the future leaks -------------------------------------------------------------------------------------


def trained(fingerprint: str, **given_: Any) -> tuple[dict[str, Any], Checkpoint]:
    told = events(dataset="csv", data_hash=fingerprint, window=10, horizon=4, **given_)
    final = [event for event in told if isinstance(event, Checkpoint)][-1]
    assert isinstance(told[-1], Finished)
    return told[-1].metrics, final


@given(st.integers(0, 999), st.sampled_from(series.LEARNS), st.booleans(), st.floats(0.5, 50))
@settings(max_examples=6)
def test_another_future_changes_no_weight(seed, learns, log, size):
    rng = np.random.default_rng(seed)
    values = 100 + rng.normal(size=150).cumsum() + 5 * np.sin(np.arange(150) / 2)
    other = values.copy()
    other[120:] += size * (1 + rng.random(30))
    given_ = {"learns": learns, "log": log}
    if learns == "season":
        given_["season"] = 12
    (first, one), (second, two) = trained(kept(values), **given_), trained(kept(other), **given_)
    for name, array in one.state["model"].items():
        assert np.array_equal(array, two.state["model"][name]), name
    assert first["mae"] != second["mae"]
    a, b = (forecasting_of(Config(**point.state["config"])) for point in (one, two))
    assert (a.split, a.season, a.mean, a.std) == (b.split, b.season, b.mean, b.std)
    assert np.array_equal(a.weights, b.weights)
    assert np.array_equal(a.z[: a.split], b.z[: b.split])


def test_horizons_of_training_end_before_what_is_held_out():
    made = forecasting_of(config(window=20, horizon=7))
    assert made.train_origins[-1] + 7 == made.split - 1
    assert made.test_origins[0] + 1 == made.split
    assert made.test_origins[-1] + 7 == len(made.z) - 1
    assert made.free_origins[-1] + made.free_steps == len(made.z) - 1


# -- the run ---------------------------------------------------------------------------------------------------------


def test_command_line_name_leads_here():
    assert lesson_of("sequences", {"task": "series", "dataset": "airline"}) == ("series", {"dataset": "airline"})


def test_command_line_ends_with_mae_and_naive_mae(capsys):
    given_ = {"task": "series", "dataset": "walk", **QUICK}
    argv = [text for name, value in given_.items() for text in ("--set", f"{name}={value}")]
    assert main(["train", "sequences", *argv, "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["event"] == "finished"
    assert {"mae", "naive_mae", "linear_mae", "one_step_mae", "free_mae"} <= set(last)


def test_a_run_ends_with_all_errors():
    told = events(cell="all", window=12, horizon=4)
    assert isinstance(told[0], Started)
    assert told[0].info["naive_mae"] == pytest.approx(told[-1].metrics["naive_mae"])  # type: ignore[attr-defined]
    last = told[-1]
    assert isinstance(last, Finished)
    for cell in ("rnn", "lstm", "gru"):
        assert {f"{name}/{cell}" for name in ("mae", "rmse", "one_step_mae", "free_mae")} <= set(last.metrics)
    names = ("mae", "rmse", "naive_mae", "seasonal_naive_mae", "linear_mae", "one_step_mae", "free_mae")
    assert all(np.isfinite(last.metrics[name]) for name in names)
    assert last.metrics["mae"] == min(last.metrics[f"mae/{cell}"] for cell in ("rnn", "lstm", "gru"))
    steps = [event for event in told if isinstance(event, Step)]
    assert {"mae/rnn", "loss/gru", "gradient_norm/lstm"} <= set(steps[0].values)
    shown = [event for event in told if isinstance(event, Snapshot)]
    assert {event.name for event in shown} == {"frames", "by_step"}
    assert len([e for e in shown if e.name == "by_step"][-1].arrays["direct/lstm"]) == 4


def test_errors_of_a_network_are_measured_by_hand():
    """A network that always says 0 is “as yesterday” where it learns the change, in every number."""
    from dlcore.models.forecaster import Forecaster

    made = forecasting_of(config(learns="change", window=12, horizon=4))
    model = Forecaster("gru", 4, 4).eval()
    torch.nn.init.zeros_(model.head.weight)
    torch.nn.init.zeros_(model.head.bias)
    numbers, by_step = series.errors(made, model)
    assert numbers["mae"] == pytest.approx(made.baseline_metrics()["naive_mae"])
    np.testing.assert_allclose(by_step["direct"], made.baselines["naive"])
    np.testing.assert_allclose(by_step["free"], made.free_baselines["naive"])
    x, o = made.series.values, made.free_origins[:, None] + np.arange(made.free_steps)
    assert numbers["one_step_mae"] == pytest.approx(np.abs(x[o + 1] - x[o]).mean())


def test_a_free_run_reads_its_own_forecasts():
    from dlcore.models.forecaster import Forecaster

    made = forecasting_of(config(window=6, horizon=3))
    torch.manual_seed(0)
    model = Forecaster("lstm", 5, 3).eval()
    window = list(made.z[made.split - 6 : made.split])
    said = []
    for _step in range(8):
        with torch.inference_mode():
            value = float(model(torch.tensor([window[-6:]], dtype=torch.float32))[0, 0])
        said.append(value)
        window.append(value)
    found = series.free_run(made, model, np.array([made.split - 1]), 8)[0]
    np.testing.assert_allclose(found, said, atol=1e-5)


def test_a_cell_learns_alike_alone_and_among_others():
    alone, together = (
        next(event for event in events(cell=cell, window=12, horizon=4) if isinstance(event, Finished)).metrics
        for cell in ("lstm", "all")
    )
    assert alone["mae"] == pytest.approx(together["mae/lstm"], rel=1e-6)


def test_a_run_is_the_same_twice_and_goes_on_bit_for_bit():
    whole = [event for event in events(window=12, horizon=4) if isinstance(event, Checkpoint)][-1]
    steering = Steering()
    part: list[Event] = []
    run = series.run(config(**QUICK, window=12, horizon=4), steering=steering)
    steering.ask_checkpoint()
    for event in run:
        part.append(event)
        if isinstance(event, Checkpoint):
            break
    first = unpack(pack(part[-1].state))  # type: ignore[attr-defined]
    rest = list(series.run(config(**QUICK, window=12, horizon=4), resume=first))
    again = [event for event in rest if isinstance(event, Checkpoint)][-1]
    for name, array in whole.state["model"].items():
        assert np.array_equal(array, again.state["model"][name])


def test_a_runs_network_is_looked_into(tmp_path):
    told = events(cell="all", window=12, horizon=4)
    point = [event for event in told if isinstance(event, Checkpoint)][-1]
    path = tmp_path / "checkpoint.bin"
    path.write_bytes(pack(point.state))
    made = forecasting_of(Config(**point.state["config"]))
    found = series_look.from_here(str(path), "gru", 500)
    assert found["row"] == 500
    assert found["states"].shape == (12, 8)
    assert found["direct"][0] == pytest.approx(found["one_step"][0])
    assert found["free"][0] == pytest.approx(found["one_step"][0])
    assert len(found["residuals"]) == len(made.z) - made.split
    assert series_look.from_here(str(path), "rnn", 0)["row"] == made.first
    assert series_look.from_here(str(path), "rnn", 10**6)["row"] == len(made.z) - 1 - made.free_steps
    go.Figure(
        figures.picture(series_views.scene_at(made, 500), series_views.lines_from(made, "gru", 500, found)).figure
    )
    with pytest.raises(Problem, match="no LSTMX"):
        series_look.from_here(str(path), "lstmx", 0)


# -- what truly happens: the table on the page ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_network_wins_where_the_rule_is_bent_and_draws_where_it_is_straight(seed):
    """Also the way through the challenge “curved”."""
    chaos, sines = (ended(dataset=name, seed=seed) for name in ("chaos", "sines"))
    assert chaos["mae"] < 0.3 * chaos["linear_mae"]
    assert chaos["free_mae"] > 1.5 * chaos["one_step_mae"]
    assert 0.97 * sines["linear_mae"] < sines["mae"] < 0.25 * sines["naive_mae"]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("seed", [0, 1])
def test_airline_is_lost_as_values_and_saved_as_changes(seed):
    """Also the way through the challenge “airline”."""
    value, change, log = (
        ended(dataset="airline", seed=seed, **given_)
        for given_ in ({}, {"learns": "change"}, {"learns": "change", "log": True})
    )
    assert value["linear_mae"] < 20 < value["seasonal_naive_mae"] < value["mae"] < value["naive_mae"]
    assert 16 < change["mae"] < 30
    assert log["mae"] < 0.95 * change["mae"]
    assert value["mae"] > 3 * value["linear_mae"]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(("dataset", "seasonal_is_worse"), [("sunspots", True), ("temperature", True)])
def test_linear_model_is_as_good_as_the_network_on_real_series(dataset, seasonal_is_worse):
    end = ended(dataset=dataset)
    assert 0.95 * end["linear_mae"] < end["mae"] < 1.1 * end["linear_mae"]
    assert end["mae"] < end["naive_mae"]
    assert (end["seasonal_naive_mae"] > end["naive_mae"]) == seasonal_is_worse


@pytest.mark.slow
@pytest.mark.parametrize("series_seed", range(3))
def test_nothing_beats_the_last_value_of_a_random_walk(series_seed):
    end = ended(dataset="walk", series_seed=series_seed)
    assert end["mae"] > 0.95 * end["naive_mae"]
    assert end["linear_mae"] > 0.97 * end["naive_mae"]
