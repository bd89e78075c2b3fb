"""What the series lesson draws and says of a forecast and of a run: lines, errors, sentences. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.data.years import moment
from dlcore.experiments.series import Config, question
from dlcore.figures import DATA, GRADIENT, GREY, INDIGO
from dlcore.figures.cells import COLORS, NAMES
from dlcore.figures.curves import Curve, curves, running_mean
from dlcore.figures.series import Line, Scene
from dlcore.forecasting import Forecasting
from dlcore.history import History
from dlcore.plain_forecasts import naive, seasonal
from dlcore.texts import N_

Label = Callable[[str], str]
AHEAD, FREE = "ahead", "free"  # what the picture shows: whole horizons, or step by step
BASELINES = {  # name, colour
    "naive": (N_("as yesterday"), GREY),
    "seasonal_naive": (N_("as a season ago"), INDIGO),
    "linear": (N_("linear model"), GRADIENT),
}
SMOOTHING = 30  # batches
TICKS = 6
PERIODS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)  # months


def scene(made: Forecasting, shown: str) -> Scene:
    """The end of the series: two windows of what is known, and as much of the held-out part as is forecast."""
    origin, values = made.split - 1, made.series.values
    before = max(int(1.4 * made.window), made.shown_steps)
    view = (max(origin - before, 0), origin + made.shown_steps)
    title = made.series.unit or made.series.title
    window, horizon = (origin - made.window + 1, origin), (origin + 1, origin + made.horizon)
    if shown == FREE:
        horizon = (origin + 1, origin + 1)
    return Scene(values, made.split, view, ticks(made, *view), title, window, horizon)


def ticks(made: Forecasting, low: int, high: int) -> list[tuple[int, str]]:
    """A few rows from one to another with their dates, where months, quarters, years or decades begin.

    Where these are too far apart, every so many rows; none where only the row is known, which Plotly writes well.
    """
    if made.series.times is None:
        return []
    when = [moment(year) for year in made.series.times[low : high + 1]]
    months = np.array([12 * at.year + at.month - 1 for at in when])
    for length in PERIODS:
        rows = low + 1 + np.flatnonzero(np.diff(months // length))
        if len(rows) <= TICKS:
            break
    if len(rows) < 2:
        rows = np.arange(low, high + 1, -(-(high + 1 - low) // TICKS))
    return [(int(row), made.series.when(int(row))) for row in rows]


def baseline_lines(made: Forecasting, shown: str) -> list[Line]:
    """The forecasts without a network, as the picture shows them."""
    if shown == FREE:
        t = np.array([made.split - 1])
        x = made.split - 1 + np.arange(made.free_steps + 1)
        free = {"naive": naive(made.past(t), made.free_steps), "linear": made.linear_free(t)}
        return [_baseline(name, x, _from(made, t, z)) for name, z in free.items()]
    t = made.shown_origins
    past = made.past(t, made.season)
    said = {"naive": naive(past, made.horizon)}
    if made.season:
        said["seasonal_naive"] = seasonal(past, made.season, made.horizon)
    said["linear"] = made.linear(past)
    return [_baseline(name, *blocks(made, t, made.units(z))) for name, z in said.items()]


def _baseline(name: str, x: np.ndarray, y: np.ndarray) -> Line:
    return Line(x, y, *BASELINES[name], dash="dot", width=2)


def _from(made: Forecasting, t: np.ndarray, z: np.ndarray) -> np.ndarray:
    """A forecast (1, k) in units, beginning at the last known value."""
    return np.concatenate([made.series.values[t], made.units(z)[0]])


def blocks(made: Forecasting, origins: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts (…, b, horizon) of origins (b,) as one line with gaps: rows (n,) and values (…, n).

    Each begins at the last value that was known.
    """
    x = origins[:, None] + np.arange(made.horizon + 2)  # the last is the gap
    start = np.broadcast_to(made.series.values[origins][:, None], (*said.shape[:-1], 1))
    gap = np.full((*said.shape[:-1], 1), np.nan)
    y = np.concatenate([start, said, gap], -1)
    return x.ravel(), y.reshape(*said.shape[:-2], -1)


def network_lines(made: Forecasting, film: Mapping[str, np.ndarray], cells: Sequence[str], shown: str) -> list[Line]:
    """The networks' forecasts over the frames of a film (``dlcore.experiments.series.look``); of one when step by step.

    Args:
        cells: those to draw, the best first.
    """
    lines, t = [], np.array([made.split - 1])
    for cell in cells if shown == AHEAD else cells[:1]:
        if f"direct/{cell}" not in film:
            continue
        if shown == AHEAD:
            said = film[f"direct/{cell}"].reshape(-1, len(made.shown_origins), made.horizon)
            lines.append(Line(*blocks(made, made.shown_origins, said), NAMES[cell], COLORS[cell], width=2.5))
            continue
        x = made.split - 1 + np.arange(made.free_steps + 1)
        known = np.broadcast_to(made.series.values[t], (len(film["step"]), 1))
        for name, dash in (("one_step", "solid"), ("free", "dash")):
            y = np.concatenate([known, film[f"{name}/{cell}"]], 1)
            lines.append(Line(x, y, FREE_NAMES[name], COLORS[cell], dash, 1.5 if name == "one_step" else 2.5))
    return lines


FREE_NAMES = {"one_step": N_("one step ahead"), "free": N_("running free")}


def error_lines(made: Forecasting, by_step: Mapping[str, np.ndarray], cells: Sequence[str], shown: str) -> list[Line]:
    """Mean absolute errors against steps ahead, of the networks and of the forecasts without one."""
    if shown == FREE:
        lines = [_error(*BASELINES[name], error) for name, error in made.free_baselines.items()]
        for cell in cells[:1]:
            for name, dash in (("one_step", "solid"), ("free", "dash")):
                if f"{name}/{cell}" in by_step:
                    lines.append(_error(FREE_NAMES[name], COLORS[cell], by_step[f"{name}/{cell}"], dash))
        return lines
    lines = [_error(*BASELINES[name], error) for name, error in made.baselines.items()]
    found = [cell for cell in cells if f"direct/{cell}" in by_step]
    return lines + [_error(NAMES[cell], COLORS[cell], by_step[f"direct/{cell}"], "solid") for cell in found]


def _error(name: str, color: str, error: np.ndarray, dash: str = "dot") -> Line:
    return Line(np.arange(1, len(error) + 1), np.asarray(error, float), name, color, dash)


def learning(made: Forecasting, history: History, cells: Sequence[str], total: int, *, label: Label = str) -> go.Figure:
    """The mean absolute error while it trains, on batches and on the held-out end, beside those without a network."""
    ends, rows = np.array([0.0, float(total)]), history.steps
    lines = [
        Curve(ends, np.full(2, error), BASELINES[name.removesuffix("_mae")][0], BASELINES[name.removesuffix("_mae")][1],
              dash="dot")
        for name, error in made.baseline_metrics().items()
    ]  # fmt: skip
    if cells and len(rows):
        batches = running_mean(rows.column(f"mae/{cells[0]}"), SMOOTHING)
        lines.append(Curve(rows.column("step"), batches, N_("training part"), DATA, width=1.5))
    for cell in cells:
        held = history.epochs.column(f"mae/{cell}")
        if len(held):
            lines.append(Curve(history.epochs.column("step"), held, NAMES[cell], COLORS[cell], markers=True))
    top = 1.25 * max(made.baseline_metrics().values())
    return curves(
        lines, x_title=N_("step"), y_title=made.series.unit or N_("mean error"), x_range=(0.0, float(total)),
        y_range=(0.0, top or 1.0), line_height=0.17, label=label,
    )  # fmt: skip


# -- the run ---------------------------------------------------------------------------------------------------------


def config_of(history: History) -> Config | None:
    """The config that a run began with; None where there is no run."""
    known = set(Config.__dataclass_fields__)
    return Config(**{k: v for k, v in history.config.items() if k in known}) if history.config else None


def same_question(history: History, config: Config) -> bool:
    """Whether the run was asked what the settings on the page ask now."""
    ran = config_of(history)
    return ran is not None and question(ran) == question(config)


def cells_by_error(history: History) -> list[str]:
    """The cells that a run trains, the best on the held-out end first."""
    cells = list(history.info.get("cells", ()))
    last = history.epochs.rows[-1] if len(history.epochs) else {}
    errors = {cell: last.get(f"mae/{cell}", np.nan) for cell in cells}
    return sorted(cells, key=lambda cell: (np.isnan(errors[cell]), errors[cell]))  # one that diverged comes last


# -- from one starting point -----------------------------------------------------------------------------------------


def scene_at(made: Forecasting, row: int) -> Scene:
    """The series round a starting point."""
    after = max(made.free_steps, made.horizon)
    low, high = max(row - max(int(1.4 * made.window), after), 0), min(row + after, len(made.z) - 1)
    title = made.series.unit or made.series.title
    rows = (row - made.window + 1, row), (row + 1, row + made.horizon)
    return Scene(made.series.values, made.split, (low, high), ticks(made, low, high), title, *rows)


def lines_from(made: Forecasting, cell: str, row: int, found: Mapping[str, np.ndarray]) -> list[Line]:
    """What was forecast from there on (``dlcore.experiments.series_look.from_here``), beginning at the last value."""
    looks = {"one_step": (FREE_NAMES["one_step"], "solid", 1.5), "free": (FREE_NAMES["free"], "dash", 2.5),
             "direct": (N_("at once"), "solid", 4.0)}  # fmt: skip
    lines = [Line(*_joined(made, row, naive(made.past(np.array([row])), made.free_steps)[0]), *BASELINES["naive"],
                  dash="dot")]  # fmt: skip
    for name, (words, dash, width) in looks.items():
        y = np.concatenate([made.series.values[row : row + 1], found[name]])
        lines.append(Line(row + np.arange(len(y)), y, words, COLORS[cell], dash, width))
    return lines


def _joined(made: Forecasting, row: int, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = np.concatenate([made.series.values[row : row + 1], made.units(z)])
    return row + np.arange(len(y)), y
