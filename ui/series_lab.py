"""The lab of the series: what is read and what is forecast, drawn as the sliders move; then the run, live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dlcore import series_story as story
from dlcore import series_views as views
from dlcore.data import series as data
from dlcore.experiments.series import Config, forecasting_of
from dlcore.figures import series as figures
from dlcore.forecasting import Forecasting
from dlcore.history import History
from dlcore.knobs import Knob, knobs_of
from dlcore.plain_forecasts import LAGS, autocorrelation
from dlcore.series_views import AHEAD, FREE
from dlcore.texts import N_, Problem
from ui import own_data
from ui.controls import controls
from ui.data_box import data_box
from ui.i18n import _, ngettext, plain, sentences, tell
from ui.intro import lab
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.names import OPTIMIZERS, SCHEDULES
from ui.run_panel import run_panel
from ui.session import page_state

SLUG = "series"
LABELS = {
    **OPTIMIZERS, **SCHEDULES, "sines": N_("Sine waves"), "walk": N_("Random walk"), "chaos": N_("Mackey–Glass"),
    "sunspots": N_("Sunspots"), "temperature": N_("Temperature"), "airline": N_("Airline"),
    "csv": N_("My CSV file"), "rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "all": N_("All three"),
    "learns.value": N_("value"), "learns.change": N_("change"), "learns.season": N_("since a season"),
    "usual": N_("as usual"), "orthogonal": N_("orthogonal"),
}  # fmt: skip
FOLDED = ("noise", "optimizer", "batch_size", "forget_bias", "log", "learns", "steps")
SHOWN = {AHEAD: N_("The whole horizon"), FREE: N_("Running free")}
ICONS = {
    "best": ":green[:material/check_circle:]", "even": ":blue[:material/equal:]",
    "beaten": ":orange[:material/trending_flat:]", "worse": ":red[:material/trending_down:]",
}  # fmt: skip
TALL, LOW, STORY = 244, 150, 84  # px; the lab fits a laptop's screen with its question above it
GROUP = "series"


def draw(lesson: Lesson) -> tuple[Config, History, Forecasting | None]:
    """Draw the controls, the picture and the run; None for the forecasting while there is nothing to forecast."""
    panel, picture = lab()
    with panel:
        config = controls(Config, labels=LABELS, hidden=_hidden, folded=FOLDED, overrides=_bounds)
        own_data.put_aside(config)
    with picture:
        made = _made(config)
        history = run_panel(lesson, config, partial(view, config, made), ready=made is not None)
    return config, history, made


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    """What this series does not have, and what the page draws itself."""
    hidden = ["column", "data_hash", "gradient_norms"]
    if values["dataset"] != "sines":
        hidden += ["period", "second_period"]
    if values["dataset"] not in ("sines", "chaos"):
        hidden += ["noise"]
    if values["dataset"] not in data.MADE:
        hidden += ["series_seed"]
    return hidden


def _bounds(values: Mapping[str, Any]) -> dict[str, Knob]:
    """Window and horizon cannot be longer than the series allows."""
    try:
        made = forecasting_of(Config(**{name: values[name] for name in knobs_of(Config)}))
    except Problem:
        return {}  # it is told in the picture's place
    known = knobs_of(Config)
    longest = max(2, min(400, made.split // 3))
    window = {"high": longest, "default": min(values["window"], longest)}
    return {"window": replace(known["window"], **window)}


def _made(config: Config) -> Forecasting | None:
    """The series as it is to be forecast; or why there is none, told."""
    if config.dataset == "csv" and not _own(config):
        return None
    if config.dataset in data.REAL and not data_box(config.dataset):
        return None
    try:
        return forecasting_of(config)
    except Problem as problem:
        st.info(tell(problem), icon=":material/info:")
        return None


def _own(config: Config) -> bool:
    """The upload, or the choice of the column; says whether a table is here."""
    hint = _(
        "One column of numbers, in the order of time; a column of dates is recognized. Sales, steps, water levels …"
    )
    table = own_data.table_of(config, hint, series=True)
    if table is None:
        return False
    column, another = st.columns([3, 1], vertical_alignment="bottom")
    with column:
        own_data.one_column("column", _("Column to forecast"), data.value_columns(table))
    with another:
        own_data.other_file(series=True)
    said = [own_data.what_was_read(table)]
    try:
        filled = data.from_table(config.data_hash, config.column).filled
    except Problem:
        filled = 0  # told where the picture would stand
    if filled:
        said.append(
            ngettext("{n} missing value was replaced by the one before.",
                     "{n} missing values were replaced by the one before.", filled).format(n=filled)
        )  # fmt: skip
    st.caption(sentences(*said))
    return True


def view(config: Config, made: Forecasting | None, history: History) -> None:
    """The picture, what it says in words, and the errors, of the run where it was asked the same."""
    if made is None:
        return
    mine = history if views.same_question(history, config) else History()
    cells, film = views.cells_by_error(mine), mine.frames.all()
    choice, words = st.columns([1, 2.2], gap="small")
    with choice:
        shown = _choice()
    with words, st.container(key="story", height=STORY, border=False):
        st.markdown(said(made, mine, cells, shown))
    _picture(made, mine, film, cells, shown)
    left, right = st.columns(2)
    with left:
        live_plot(
            views.learning(made, mine, cells, mine.total_steps or config.steps, label=_), key="series-learning",
            height=LOW, alt=_("Mean absolute error against training steps, beside the forecasts without a network."),
        )  # fmt: skip
    with right:
        by_step = mine.snapshots.get("by_step")
        lines = views.error_lines(made, by_step.arrays if by_step else {}, cells, shown)
        live_plot(
            figures.by_step(lines, unit=made.series.unit, label=_), key=f"series-steps-{shown}", height=LOW,
            alt=_("Mean absolute error on the held-out end against the number of steps ahead."),
        )  # fmt: skip


def _picture(made: Forecasting, history: History, film: Mapping[str, Any], cells: Sequence[str], shown: str) -> None:
    """The end of the series with the forecasts, which get better as a film."""
    nets = views.network_lines(made, film, cells, shown) if film else []
    plot, frames = figures.picture(views.scene(made, shown), [*views.baseline_lines(made, shown), *nets], label=_)
    ended = history.state == "finished"
    group = f"{GROUP}-{page_state(SLUG).get('run')}" if ended else GROUP
    told = film["step"] if film else np.zeros(0)  # the player is there from the beginning: nothing moves down
    live_plot(
        plot, key=f"series-{shown}", height=TALL,
        frames={**frames, "group": group, "autoplay": ended, "steps": told, "controls": True},
        alt=_("The end of the series: what is read, what is held out, and the forecasts. Above: the whole series."),
    )  # fmt: skip


def _choice() -> str:
    """What the picture shows: whole horizons, or one-step forecasts and free runs."""
    return st.segmented_control(
        _("Forecast"), list(SHOWN), format_func=lambda name: _(SHOWN[name]), default=AHEAD, required=True,
        key=f"{SLUG}.shown", label_visibility="collapsed",
    )  # fmt: skip


def said(made: Forecasting, history: History, cells: Sequence[str], shown: str) -> str:
    """What happened, in the run's numbers; before a run what is to be beaten."""
    if history.state != "finished" or not cells:
        return ":blue[:material/flag:] " + story.without_network(made, _)
    if shown == FREE:
        return ":blue[:material/all_inclusive:] " + story.running_free(made, history.metrics, _)
    kind, *told = story.verdict(made, history.metrics, cells, _)
    return f"{ICONS[kind]} {sentences(*told)}"


def training_part(config: Config, made: Forecasting, history: History) -> None:
    """The run's error on what it learned from, beside the held-out one, under the words on what that means."""
    if history.state == "finished" and views.same_question(history, config):
        with st.container(key="prose-training-part"):
            st.markdown(":blue[:material/visibility:] " + story.training_part(made, history.metrics, _))


def season_picture(made: Forecasting) -> None:
    """The autocorrelation of the training part, with the season that is used."""
    r = autocorrelation(made.z[: made.split], max(LAGS, made.season + 20))
    with st.container(key="prose-autocorrelation"):  # in the column of the text
        live_plot(
            figures.seasons(r, made.season, label=_), key="autocorrelation", height=260,
            alt=_("Autocorrelation of the training part against the distance of two values in steps."),
        )  # fmt: skip
        if made.season:
            words = _("{title}: the season is {n} steps.").format(title=plain(_(made.series.title)), n=made.season)
        else:
            words = _("{title}: no season was found.").format(title=plain(_(made.series.title)))
        st.caption(words)


def numbers(made: Forecasting | None, config: Config) -> dict[str, str]:
    """What the formulas' placeholders stand for."""
    season = str(made.season) if made and made.season else "m"
    return {
        "window": str(config.window),
        "horizon": str(config.horizon),
        "season": season,
        "hidden": str(config.hidden),
    }


def csv_of(made: Forecasting) -> str:
    """The series as CSV: when, the value, and which part it is in."""
    part = [_("known")] * made.split + [_("held out")] * (len(made.z) - made.split)
    rows = [f"{made.series.when(i)},{value:.10g},{name}" for i, (value, name) in
            enumerate(zip(made.series.values, part, strict=True))]  # fmt: skip
    return "\n".join([",".join((_("time"), _("value"), _("part"))), *rows, ""])
