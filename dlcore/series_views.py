"""What the series lesson draws and says of a forecast and of a run: lines, errors, sentences. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.experiments.series import Config, question
from dlcore.figures import DATA, GRADIENT, GREY, VIOLET
from dlcore.figures.cells import COLORS, NAMES
from dlcore.figures.curves import Curve, curves
from dlcore.figures.series import Line, Scene
from dlcore.forecasting import Forecasting, naive, seasonal
from dlcore.history import History
from dlcore.texts import N_

Label = Callable[[str], str]
AHEAD, FREE = "ahead", "free"  # what the picture shows: whole horizons, or step by step
BASELINES = {  # name, colour
    "naive": (N_("as yesterday"), GREY),
    "seasonal_naive": (N_("as a season ago"), VIOLET),
    "linear": (N_("linear model"), GRADIENT),
}
DRAW = 0.03  # errors that differ by a smaller share count as equal: another seed changes more
SMOOTHING = 30  # batches
TICKS = 5


def scene(made: Forecasting, shown: str) -> Scene:
    """The end of the series: two windows of what is known, and as much of the held-out part as is forecast."""
    origin, values = made.split - 1, made.series.values
    after = max(made.free_steps, made.horizon)
    before = max(int(1.4 * made.window), after)
    view = (max(origin - before, 0), min(origin + after, len(values) - 1))
    title = made.series.unit or made.series.title
    window, horizon = (origin - made.window + 1, origin), (origin + 1, origin + made.horizon)
    if shown == FREE:
        horizon = (origin + 1, origin + 1)
    return Scene(values, made.split, view, ticks(made, *view), title, window, horizon)


def ticks(made: Forecasting, low: int, high: int) -> list[tuple[int, str]]:
    """A few rows between two and their dates."""
    rows = np.unique(np.linspace(low, high, TICKS + 2).round().astype(int))[1:-1]
    return [(int(row), made.series.when(int(row))) for row in rows]


def baseline_lines(made: Forecasting, shown: str) -> list[Line]:
    """The forecasts without a network, as the picture shows them."""
    if shown == FREE:
        t = np.array([made.split - 1])
        x = made.split - 1 + np.arange(made.free_steps + 1)
        free = {"naive": naive(made.past(t), made.free_steps), "linear": made.linear_free(t)}
        return [_baseline(name, x, _from(made, t, z)) for name, z in free.items()]
    t = made.shown_origins
    past = made.past(t)
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
        y_range=(0.0, top or 1.0), label=label,
    )  # fmt: skip


def running_mean(values: np.ndarray, width: int) -> np.ndarray:
    """The mean of the last ``width`` values at each place (of fewer at the beginning), same length."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(ends - width, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


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
    return sorted(cells, key=lambda cell: last.get(f"mae/{cell}", np.inf))


# -- in words --------------------------------------------------------------------------------------------------------


def number(value: float) -> str:
    """To three digits, without an exponent where that can be."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def ranking(errors: Mapping[str, float], unit: str, label: Label) -> str:
    """Who is off by how much, the best first."""
    ordered = sorted(errors.items(), key=lambda pair: pair[1])
    return label(N_(", ")).join(f"**{label(name)}** {number(error)}{unit and ' ' + unit}" for name, error in ordered)


def without_network(made: Forecasting, label: Label) -> str:
    """What a network will have to beat."""
    errors = {BASELINES[name][0]: float(error.mean()) for name, error in made.baselines.items()}
    words = N_(
        "What a network has to beat, {n} held-out values, 1 to {horizon} steps ahead, mean absolute error: {ranking}."
    )
    return label(words).format(
        n=f"{len(made.z) - made.split:,}", horizon=made.horizon, ranking=ranking(errors, made.series.unit, label)
    )


def verdict(made: Forecasting, metrics: Mapping[str, Any], cells: Sequence[str], label: Label) -> tuple[str, str]:
    """How the run ended, as a kind ("best", "even", "beaten", "worse") and in two sentences of its numbers.

    "beaten": by something else than “as yesterday”; "worse": than even that.
    """
    others = {BASELINES[name][0]: float(error.mean()) for name, error in made.baselines.items()}
    nets = {NAMES[cell]: float(metrics[f"mae/{cell}"]) for cell in cells}
    rival = min(others, key=lambda name: others[name])
    net = min(nets, key=lambda name: nets[name])
    words = N_("Mean absolute error on the held-out end, 1 to {horizon} steps ahead: {ranking}.")
    told = label(words).format(horizon=made.horizon, ranking=ranking(others | nets, made.series.unit, label))
    kind = standing(nets[net], others[rival], others[BASELINES["naive"][0]])
    share = abs(1 - nets[net] / others[rival]) if others[rival] else 0.0
    values = {"net": net, "rival": label(rival), "share": f"{share:.0%}"}
    return kind, f"{told} {label(VERDICTS[kind]).format(**values)}"


def standing(mae: float, rival: float, naive_mae: float) -> str:
    """How a network's error stands to the best without a network and to “as yesterday”; see ``verdict``."""
    if abs(mae - rival) <= DRAW * rival:
        return "even"
    if mae < rival:
        return "best"
    return "worse" if mae > naive_mae else "beaten"


VERDICTS = {
    "best": N_("The {net} wins: its error is {share} smaller than that of the next, “{rival}”."),
    "even": N_("The {net} and “{rival}” are even: a difference of {share} is less than another seed makes."),
    "beaten": N_("The {net} beats “as yesterday”, and loses to “{rival}”, whose error is smaller."),
    "worse": N_("The {net} loses even to “as yesterday”, which has learned nothing."),
}


def running_free(made: Forecasting, metrics: Mapping[str, Any], label: Label) -> str:
    """One step ahead against its own outputs fed back, of the same points."""
    words = N_(
        "From true values, one step ahead, it is off by **{one}**. Fed only its own forecasts, for {k} steps, it is "
        "off by **{free}** on the same points."
    )
    unit = made.series.unit and " " + made.series.unit
    one, free = (number(metrics[name]) + unit for name in ("one_step_mae", "free_mae"))
    return label(words).format(one=one, free=free, k=made.free_steps)


def training_part(made: Forecasting, metrics: Mapping[str, Any], label: Label) -> str:
    """The error on what it learned from, beside the held-out one."""
    words = N_("On the part that it learned from, its error is {train}; on the held-out end {held}.")
    unit = made.series.unit and " " + made.series.unit
    train, held = (number(metrics[name]) + unit for name in (f"train_mae/{metrics['cell']}", "mae"))
    return label(words).format(train=train, held=held)
