"""Figures are what Plotly accepts, show what they were given, and stay readable when a run does not."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore import descent_views as look
from dlcore import figures
from dlcore.descent import descend
from dlcore.experiments import linear_regression as lr
from dlcore.figures import cells, descent, kernels
from dlcore.figures.curves import Curve, Level, curves, spread
from dlcore.knobs import build


def validated(figure: go.Figure) -> Any:
    """The same figure through Plotly's own validators; raises where an attribute is unknown or malformed."""
    return go.Figure(data=[dict(trace) for trace in figure._data], layout=dict(figure._layout))


def test_the_browser_has_the_same_colours():
    """Recoloured plots (theme.js), the page's variables (style.css) and Streamlit's theme."""
    assets = Path(figures.__file__).parents[2]
    lower = {light.lower(): dark for light, dark in figures.ON_DARK.items()}
    script = (assets / "assets/components/theme.js").read_text()
    table = re.search(r"const ON_DARK = \{(.*?)\};", script, re.DOTALL)
    assert table
    assert dict(re.findall(r'"(#\w+)": "(#\w+)"', table.group(1))) == lower
    style = (assets / "assets/components/style.css").read_text()
    for name in ("data", "model", "gradient", "reference", "warning"):
        light = getattr(figures, name.upper()).lower()
        assert f"--dl-{name}: light-dark({light}, {lower[light]});" in style
    theme = tomllib.loads((assets / ".streamlit/config.toml").read_text())["theme"]
    plain = [figures.DATA, figures.MODEL, figures.GRADIENT, figures.REFERENCE, figures.WARNING, figures.GREY]
    assert theme["light"]["chartCategoricalColors"] == plain
    assert [c.lower() for c in theme["dark"]["chartCategoricalColors"]] == [figures.ON_DARK[c] for c in plain]


def films(bowl=False, **given):
    config = build(lr.Config, given)
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    return look.views(task, config, path, bowl=bowl), path


CASES = [
    {},
    {"feature": "all"},
    {"dataset": "line", "standardize": False},
    {"dataset": "line", "standardize": False, "learning_rate": 0.0255},
    {"learning_rate": 1.5, "steps": 2000},
    {"dataset": "line", "batch_size": 1, "steps": 300},
    {"dataset": "points", "points": "1_2~3_4"},
    {"dataset": "points", "points": "1_0~3_0"},
]


@pytest.mark.parametrize("bowl", [False, True])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_films_are_valid_and_complete(case, bowl):
    shown, path = films(bowl, **case)
    for film in shown:
        figure = validated(film.figure)
        assert film.frames["count"] == len(path.loss)
        for index, attributes in film.frames["traces"].items():
            for name, rule in attributes.items():
                standing = np.asarray(getattr(figure.data[index], name), dtype=float)
                for key, value in rule.items():
                    last = frame(key, value, len(path.loss) - 1)
                    assert len(last) == len(standing)
                    if np.isfinite(last).all() and name in "xy" and not bowl:
                        np.testing.assert_allclose(last, standing)  # what stands still is the film's last frame


def frame(key, value, k):
    """Frame ``k`` by the rules told in ui/live_plot.py."""
    if key == "grow":
        return np.asarray(value)[: k + 1]
    if key == "at":
        return np.atleast_1d(np.asarray(value)[k])
    coefficients, basis = value
    return np.asarray(basis) @ np.asarray(coefficients)[k]


def test_line_film_draws_the_line_of_each_state():
    config = build(lr.Config, {"dataset": "line", "standardize": False})
    task = lr.task(config)
    path = descend(task.X, task.y, config)
    film = look.views(task, config, path).data
    ends = np.array(film.figure._data[3]["x"])
    for k in (0, 1, 50, 200):
        np.testing.assert_allclose(frame("at", film.frames["traces"][3]["y"]["at"], k), path.theta[k] @ [[1, 1], ends])
        residuals = frame("mix", film.frames["traces"][0]["y"]["mix"], k).reshape(-1, 3)
        np.testing.assert_allclose(residuals[:, 0], task.y)
        np.testing.assert_allclose(residuals[:, 1], task.X @ path.theta[k])
        assert np.isnan(residuals[:, 2]).all()


def test_map_is_the_loss():
    config = build(lr.Config, {"dataset": "line", "standardize": False})
    task = lr.task(config)
    shown = look.views(task, config, descend(task.X, task.y, config)).surface.figure._data[0]
    z = np.asarray(shown["z"], dtype=float)
    rng = np.random.default_rng(0)
    floor = task.spectrum.optimum_loss
    corner = max(
        lr.mse_and_gradient(np.array([a, b]), task.X, task.y)[0] - floor
        for a in (shown["x"][0], shown["x"][-1])
        for b in (shown["y"][0], shown["y"][-1])
    )
    for i, j in rng.integers(0, len(shown["x"]), (20, 2)):
        theta = np.array([shown["x"][i], shown["y"][j]])
        excess = lr.mse_and_gradient(theta, task.X, task.y)[0] - floor
        assert z[j, i] == pytest.approx(np.log10(max(excess / corner, 10**-descent.DECADES)), abs=1e-4)


def test_bowl_is_light_and_the_path_lies_on_it():
    shown, path = films(True)
    surface, track = shown.surface.figure._data[0], shown.surface.figure._data[1]
    assert surface["z"].dtype == np.float32
    assert surface["z"].nbytes < 10_000
    lift = np.asarray(track["z"]) - path.loss
    np.testing.assert_allclose(lift, 0.012 * np.ptp(surface["z"]), rtol=1e-3, atol=1e-6 * np.ptp(surface["z"]))


def test_diverging_run_keeps_its_axes_readable():
    calm, _ = films(dataset="line", standardize=False)
    wild, path = films(dataset="line", standardize=False, learning_rate=0.075, steps=500)
    assert path.loss.max() > 1e100
    for view in ("xaxis", "yaxis"):  # the same data and start: the same window
        assert wild.data.figure._layout[view]["range"] == calm.data.figure._layout[view]["range"]
        assert wild.surface.figure._layout[view]["range"] == calm.surface.figure._layout[view]["range"]
    low, high = wild.curve.figure._layout["yaxis"]["range"]
    assert high - low < 20  # decades
    drawn = np.asarray(wild.curve.figure._data[1]["y"], dtype=float)
    assert np.isfinite(drawn).all()
    assert np.nanmax(drawn) <= 10**high * 1.0001
    for film in wild:
        for trace in film.figure._data:
            for axis in "xy":
                values = np.asarray(trace.get(axis, []), dtype=float)
                assert np.abs(values[np.isfinite(values)]).max(initial=0) < 1e12


def test_window_does_not_move_while_the_rate_is_dragged():
    ranges = set()
    for rate in (0.001, 0.01, 0.024, 0.026, 0.07):
        shown, _ = films(dataset="line", standardize=False, learning_rate=rate)
        ranges.add(str([shown.surface.figure._layout[a]["range"] for a in ("xaxis", "yaxis")]))
    assert len(ranges) == 1


def test_large_tables_are_thinned():
    rng = np.random.default_rng(0)
    x = rng.normal(size=20_000)
    film = descent.data_space(x, x, np.zeros((5, 2)), np.array([0.0, 1.0]), x_title="x", y_title="y")
    assert len(film.figure._data[descent.POINTS_TRACE]["x"]) == descent.MOST_DRAWN
    assert len(film.figure._data[0]["x"]) == 3 * descent.MOST_RESIDUALS


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_points_are_drawn_all_the_same(n):
    film = descent.scattered(np.arange(n, dtype=float), np.arange(n, dtype=float), x_title="x", y_title="y")
    assert len(validated(film.figure).data[descent.POINTS_TRACE].x) == n


def test_every_text_goes_through_the_label():
    shown = look.views(*_one(), label=lambda text: f"«{text}»")
    assert shown.curve.figure._layout["xaxis"]["title"]["text"] == "«step»"
    names = {note["text"] for note in shown.curve.figure._layout["annotations"]}
    assert {"«loss»", "«closed form»", "«above the optimum»"} == names
    assert shown.surface.figure._layout["xaxis"]["title"]["text"] == "«intercept θ₀»"
    assert shown.data.figure._layout["yaxis"]["title"]["text"] == "«Disease progression after a year»"


def _one():
    config = lr.Config()
    task = lr.task(config)
    return task, config, descend(task.X, task.y, config)


def test_curves_name_their_lines_at_their_ends():
    steps = np.arange(10.0)
    lines = [Curve(steps, steps**2, "train"), Curve(steps[:5], np.full(5, 40.0), "test", figures.DATA)]
    figure = validated(curves(lines, x_title="step", y_title="loss", x_range=(0, 20)))
    train, test = figure.layout.annotations
    assert (train.text, train.x, train.y) == ("train", 9, pytest.approx(81))
    assert (test.text, test.x, test.font.color) == ("test", 4, figures.DATA)
    assert figure.layout.xaxis.range == (0, 20)


def test_curves_on_logarithmic_axes():
    steps = np.array([1.0, 10, 100, 1000])
    figure = validated(
        curves(
            [Curve(steps, np.array([1e3, 0.0, -1, 1e-3]), "loss")],
            log_x=True,
            log_y=True,
            levels=[Level(1e-2, "floor"), Level(50, "here", upright=True)],
        )
    )
    np.testing.assert_array_equal(np.isnan(np.asarray(figure.data[0].y)), [False, True, True, False])
    places = {note.text: (note.x, note.y) for note in figure.layout.annotations}
    assert places["loss"] == (3, pytest.approx(-3))
    assert places["floor"][1] == pytest.approx(-2)
    assert places["here"][0] == pytest.approx(np.log10(50))
    low, high = figure.layout.yaxis.range
    assert low < -3 < 3 < high


@pytest.mark.parametrize(
    "y", [[], [np.nan, np.nan], [5.0, 5.0], [0.0, 0.0], [np.inf, 1.0], [1e300, -1e300], [1e-300, 1e-300]], ids=str
)
@pytest.mark.parametrize("log", [False, True])
def test_curves_bear_odd_values(y, log):
    figure = validated(curves([Curve(np.arange(len(y)), np.array(y), "y")], log_y=log))
    low, high = figure.layout.yaxis.range
    assert np.isfinite([low, high]).all()
    assert low < high


def test_curves_without_lines_are_an_empty_plot():
    assert validated(curves([], x_title="step")).layout.xaxis.title.text == "step"


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_labels_are_spread_in_order(places):
    moved = spread(np.array(places), 0.07)
    order = np.argsort(places, kind="stable")
    assert (np.diff(moved[order]) >= 0.07 - 1e-9).all()
    assert moved.min() >= 0.035
    assert moved.max() <= 0.965 + 1e-9
    if np.all(np.diff(sorted(places)).astype(float) >= 0.07) and min(places) >= 0.035 and max(places) <= 0.965:
        np.testing.assert_allclose(moved, places)  # where nothing touches, nothing moves


def test_figures_import_plotly_and_numpy_only():
    allowed = {"plotly", "numpy", "dlcore", "collections", "dataclasses", "typing", "__future__", "math", "functools"}
    for path in Path(figures.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {name.split(".")[0] for name in names} <= allowed, path
            dlcore = {name for name in names if name.startswith("dlcore")}
            assert all(name.startswith(("dlcore.figures", "dlcore.texts")) for name in dlcore), path


def test_room_for_the_names_is_kept_before_there_is_data():
    none = np.array([])
    still, test = Curve(none, none, "training"), Curve(none, none, "test")
    before = curves([still, test], x_range=(0, 9), y_range=(0, 1))
    drawn = Curve(np.array([0.0, 9.0]), np.array([0.0, 1.0]), "training")
    after = curves([drawn, test], x_range=(0, 9), y_range=(0, 1))
    assert before.layout.margin == after.layout.margin


def test_short_logarithmic_axes_name_1_2_and_5():
    assert curves([], log_y=True, y_range=(0.1, 3.0)).layout.yaxis.dtick == "D2"


def test_the_learned_filter_is_as_large_as_the_hidden_one():
    for path in (np.zeros((0, 3, 3)), np.ones((5, 3, 3))):
        layout = kernels.pair(np.eye(3), path).figure.layout
        assert layout.xaxis.range == layout.xaxis2.range == (-0.5, 2.5)


def test_the_three_cells_have_their_colours_and_their_names_at_the_lines_ends():
    x = np.arange(4.0)
    lines = {cell: (x, x + 1 + place) for place, cell in enumerate(cells.COLORS)}
    plot = cells.by_cell(lines, under=lines, log_y=True, x_title="step")
    validated(plot)
    assert [trace["line"]["color"] for trace in plot._data] == [*cells.COLORS.values()] * 2
    assert [note["text"] for note in plot._layout["annotations"]] == ["RNN", "LSTM", "GRU"]
    assert len(set(cells.COLORS.values())) == 3
    nothing = cells.by_cell({}, x_range=(0.0, 100.0), y_range=(0.0, 1.0))
    validated(nothing)
