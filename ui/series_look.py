"""Ask the trained network: a starting point on the series, what it reads, what it holds in mind, what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore import series_story as story
from dlcore import series_views as views
from dlcore.experiments import series_look
from dlcore.experiments.series import forecasting_of
from dlcore.figures import series as figures
from dlcore.forecasting import Forecasting
from dlcore.history import History
from dlcore.texts import Problem
from dlcore.trained import written
from ui.i18n import _, tell
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import owner, page_state
from ui.slider import put, slider

TALL, LOW = 320, 240
KEY = "series.look.from"  # “series.start” is the knob of the first weights


@st.fragment
def draw(lesson: Lesson, history: History) -> None:
    """Draw the panel; a moved starting point redraws it alone."""
    st.header(_("Ask it yourself"), anchor="ask")
    config = views.config_of(history)
    if config is None or not history.has_checkpoint:
        st.markdown(
            _("When a network has been trained, choose here where on the series it is to begin, and look inside.")
        )
        return
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        return
    try:
        made = forecasting_of(config)
        cells = views.cells_by_error(history)
        cell = _cell(cells) if len(cells) > 1 else cells[0]
        _look(lesson, made, cell, _start(made))
    except Problem as problem:
        st.warning(tell(problem), icon=":material/info:")


def _cell(cells: list[str]) -> str:
    return st.segmented_control(
        _("Cell"), cells, format_func=views.NAMES.__getitem__, default=cells[0], required=True, key="series.look.cell",
        label_visibility="collapsed",
    )  # fmt: skip


def _start(made: Forecasting) -> int:
    """The last row that it may read, by a slider or by a click on the picture."""
    last = len(made.z) - 1 - made.free_steps
    chosen = slider(
        _("Begin at"), key=KEY, low=made.first, high=last, value=min(made.split - 1, last), step=1,
        help=_("The last value that it may read. A click on the picture does the same."),
    )  # fmt: skip
    return int(chosen)


def _look(lesson: Lesson, made: Forecasting, cell: str, row: int) -> None:
    path = str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner()))
    found = _answer(path, cell, row, written(path))
    row, unit = found["row"], made.series.unit
    live_plot(
        figures.picture(views.scene_at(made, row), views.lines_from(made, cell, row, found), label=_).figure,
        key="series-look", height=TALL, on_click=_moved(made),
        alt=_("The series round the starting point: what is read, what is forecast, and what came. Click to move it."),
    )  # fmt: skip
    mind, off = st.columns(2, gap="large")
    with mind:
        st.caption(_("What it holds in mind: each row a hidden unit, each column a value that was read."))
        live_plot(figures.states(found["states"], label=_), key="series-states", height=LOW,
                  alt=_("The hidden state while the window is read, unit by unit."))  # fmt: skip
    with off:
        st.caption(_("How far off it is one step ahead, for every held-out value: truth less forecast."))
        rows, left = found["residual_rows"], found["residuals"]
        live_plot(
            figures.residuals(rows, left, row + 1, views.ticks(made, rows[0], rows[-1]), unit=unit, label=_),
            key="series-residuals", height=LOW, alt=_("Errors of the one-step forecasts over the held-out end."),
        )  # fmt: skip
    with st.container(key="look-story"):
        st.markdown(story.what_is_left(found["residuals"], unit, _))


def _moved(made: Forecasting) -> Any:
    last = len(made.z) - 1 - made.free_steps

    def move(click: dict[str, Any]) -> None:
        put(KEY, float(np.clip(round(click["x"]), made.first, last)))

    return move


@st.cache_data(max_entries=128, show_spinner=False)
def _answer(checkpoint: str, cell: str, row: int, version: int) -> dict[str, Any]:
    return jobs.call(series_look.from_here, checkpoint, cell, row)
