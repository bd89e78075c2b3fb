"""The words and pictures of a descent: each says what the run did, in the run's own numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from dlcore import descent_story as story
from dlcore import descent_views as look
from dlcore.data import own
from dlcore.data.tabular import write_points
from dlcore.descent import descend
from dlcore.events import Finished, Step
from dlcore.experiments import linear_regression as lr
from dlcore.knobs import build, knobs_of
from dlcore.quadratic import plane, within

STORIES = [
    ({}, "converged"),
    ({"learning_rate": 1.02}, "diverged"),
    ({"learning_rate": 1.5, "steps": 2000}, "diverged"),
    ({"learning_rate": 1.0}, "limit"),
    ({"learning_rate": 0.001}, "under way"),
    ({"standardize": False}, "under way"),
    ({"dataset": "line", "learning_rate": 0.05, "batch_size": 10, "steps": 500}, "floor"),
    ({"dataset": "line", "learning_rate": 0.6, "batch_size": 1, "steps": 200}, "noise"),
    ({"theta0": 152.13348416289594, "theta1": 45.160030020462926}, "start"),
]


@pytest.mark.parametrize(("given", "kind"), STORIES, ids=str)
def test_story_is_the_runs_own(given, kind):
    config = build(lr.Config, given)
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    told = look.story_text(task, config, path)
    assert told[0][0] == kind
    assert "{" not in told[0][1]
    if kind == "diverged" and config.steps < 1000:
        assert "1.04 times" in told[0][1]
        assert story.say(path.loss[-1], 3) in told[0][1]
    if kind == "converged":
        assert f"step {story.arrival(path)} on" in told[0][1]


def test_under_way_foretells_the_steps():
    """The promised number of further steps is kept, within a tenth."""
    config = build(lr.Config, {"dataset": "line", "standardize": False})
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    promised = int(story.story(task, config, path)[0][2]["more"])
    longer = descend(task.X, task.y, lr.Config(**{**vars(config), "steps": 1500}))
    assert story.arrival(longer) == pytest.approx(config.steps + promised, abs=0.1 * promised)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0249877, "0.02499"), (-118.2, "−118.2"), (29074.4, "29070"), (1.154e9, "1.15\u00a0×\u00a010⁹"),
     (3e-7, "3\u00a0×\u00a010⁻⁷"), (0, "0"), (np.inf, "∞"), (99999.6, "100000")],
)  # fmt: skip
def test_say(value, text):
    assert story.say(value) == text


def test_update_line_holds_the_numbers_of_the_step():
    for extra in ({}, {"momentum": 0.8}, {"batch_size": 5}):
        config = build(lr.Config, {"dataset": "line", "steps": 30, **extra})
        task = lr.task(config)
        path = descend(task.X, task.y, config)
        template, v = look.update_line(config, path)
        for k in range(2):
            pushed = config.momentum * v[f"v{k}"] if config.momentum else 0.0
            np.testing.assert_allclose(
                v[f"old{k}"] + pushed - v["rate"] * v[f"g{k}"], v[f"new{k}"], rtol=1e-9, atol=1e-12
            )
            np.testing.assert_array_equal(v[f"new{k}"][1:], path.theta[1:, k])
        assert ("{beta}" in template) == bool(config.momentum)


def test_plane_agrees_with_the_loss():
    """Two parameters: the loss itself. Eleven: the two components that the axes name."""
    for given in ({}, {"dataset": "line", "standardize": False}):
        config = build(lr.Config, given)
        task = lr.task(config)
        path = descend(task.X, task.y, config)
        cut = plane(task.spectrum, path.theta)
        np.testing.assert_allclose(cut.excess(cut.path), path.excess, rtol=1e-6, atol=1e-9 * path.excess[0])
        assert (
            np.abs(cut.path - cut.optimum) <= cut.half * 1.0001
        ).all()  # a descent that converges stays in the window
    task = lr.task(lr.Config(feature="all"))
    path = descend(task.X, task.y, build(lr.Config, {"feature": "all"}))
    cut, bowl = plane(task.spectrum, path.theta), task.spectrum
    parts = (path.theta - bowl.optimum) @ bowl.eigenvectors[:, [-1, 0]]
    expected = 0.5 * parts**2 @ bowl.eigenvalues[[-1, 0]]
    np.testing.assert_allclose(cut.excess(cut.path), expected, rtol=1e-9, atol=1e-9)


def test_far_states_are_drawn_in_for_pictures_only():
    path = np.array([[0.0, 0.0], [10, 10], [1e200, -1e200], [np.inf, 0]])
    drawn = within(path, np.zeros(2), np.ones(2), far=30)
    np.testing.assert_array_equal(drawn[:2], path[:2])
    np.testing.assert_allclose(drawn[2], [30, -30])
    assert np.isfinite(drawn).all()


def test_challenges_measure_the_run():
    def path_of(**given):
        config = build(lr.Config, given)
        task = lr.task(config)
        return descend(task.X, task.y, config)

    assert 0 < (look.grown(path_of(learning_rate=1.02, steps=10), 10) or 0) < 1
    assert look.grown(path_of(learning_rate=1.02, steps=80), 10) == 1
    assert look.grown(path_of(learning_rate=1.5, steps=2000), 10) == 1
    assert look.grown(path_of(), 10) == 0
    assert 0 < (look.arrived_by(path_of(), 20) or 0) < 1
    assert look.arrived_by(path_of(learning_rate=0.5), 20) == 1
    assert look.arrived_by(path_of(learning_rate=1.02), 20) == 0
    assert look.grown(None, 10) is None
    assert look.arrived_by(None, 20) is None


def test_comparison_is_in_the_units_of_the_data():
    config = lr.Config(learning_rate=0.5, steps=50)
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    table = look.comparison(task, path, lr.sklearn_optimum(task.X, task.y))
    reference = LinearRegression().fit(task.data.X, task.y)
    expected = [story.say(v, 6) for v in (reference.intercept_, reference.coef_[0])]
    for column in ("Your descent", "Normal equation", "scikit-learn"):
        assert table[column][:2] == expected
        assert table[column][2] == "3890.46"


def test_record_is_the_history_of_the_run():
    config = build(lr.Config, {"dataset": "line"})
    task = lr.task(config)
    history = look.record(task, config, descend(task.X, task.y, config))
    assert len(history.steps) == config.steps + 1
    assert history.state == "finished"
    assert history.config["data_hash"] == task.data.digest
    assert lr.Config(**history.config).learning_rate == config.learning_rate


def test_hidden_and_bounded_knobs_follow_the_data():
    for dataset, unseen in (("diabetes", "noise"), ("line", "feature"), ("points", "noise"), ("csv", "feature")):
        assert unseen in look.hidden({"dataset": dataset})
    assert set(look.hidden({"dataset": "line"})) < set(knobs_of(lr.Config))
    missing = {**vars(lr.Config()), "dataset": "csv"}
    assert (look.bounds(missing)["learning_rate"].low or 0) > 0
    assert look.asked(missing) is None


def test_own_tables_and_points_run_like_the_rest(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    rng = np.random.default_rng(0)
    x = rng.uniform(1000, 2000, 50)
    kept = own.keep(own.Table(("area", "rent"), np.column_stack([x, 300 + 0.5 * x + rng.normal(0, 20, 50)])))
    for given in (
        {"dataset": "csv", "data_hash": kept},
        {"dataset": "csv", "data_hash": kept, "standardize": False},
        {"dataset": "points", "points": write_points(np.array([[1, 2], [2, 3.5], [4, 4]]))},
    ):
        config = build(lr.Config, given)
        events = list(lr.run(config))
        assert isinstance(events[-1], Finished)
        assert events[-1].metrics["loss"] < next(e for e in events if isinstance(e, Step)).loss
