"""The laboratory of a descent: data, loss surface and loss curve that move together, and what happened, in words.

Every plot of the group ``descent`` shows the same step; the browser plays them by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dlcore import descent_views as look
from dlcore.data.tabular import DIABETES, read_points
from dlcore.descent import Path, Task, descend, is_batched
from dlcore.experiments import linear_regression as lr
from dlcore.experiments.linear_regression import Config
from dlcore.figures import descent
from dlcore.figures.descent import Film
from dlcore.texts import N_, Problem
from ui import own_data
from ui.controls import controls, put_value
from ui.i18n import _, tell
from ui.intro import lab
from ui.later import as_it_comes, later
from ui.live_plot import frame_text, live_plot
from ui.slider import Mark

GROUP = "descent"
TALL, LOW = 290, 190  # px; the lab fits a laptop's screen with its question above it
ICONS = {
    "diverged": ":red[:material/trending_up:]",
    "noise": ":red[:material/trending_up:]",
    "limit": ":orange[:material/swap_vert:]",
    "converged": ":green[:material/check_circle:]",
    "zigzag": ":gray[:material/swap_vert:]",
}
UNDER_WAY = ":blue[:material/arrow_forward:]"


def marks(values: Mapping[str, Any]) -> dict[str, Sequence[Mark]]:
    """The limit and the best rate of the data on screen, for the slider of the learning rate."""
    task = look.asked(values)
    if task is None:
        return {}
    config = Config(**values)
    limit, noisy = look.limit_now(task, config)
    if is_batched(config, len(task.y)):  # the best rate of the full gradient is no advice for small batches
        name = _("limit for this batch") if noisy else _("limit of the full batch")
        return {"learning_rate": [Mark(limit, name, "limit")]}
    name = "2(1+β)/λmax" if values["momentum"] else "2/λmax"
    best = task.spectrum.best(values["momentum"])
    return {"learning_rate": [Mark(limit, name, "limit"), Mark(best, _("best"), "best")]}


LABELS = {
    "diabetes": N_("Diabetes patients"),
    "line": N_("Generated line"),
    "points": N_("My own points"),
    "csv": N_("My CSV file"),
    "all": N_("All ten measurements"),
    **DIABETES,
}
# How the lesson draws its controls: what the choices are called, and what the data says about the rest.
KNOBS: dict[str, Any] = {"labels": LABELS, "overrides": look.bounds, "marks": marks, "hidden": look.hidden}


def draw() -> tuple[Config, Task | None, Path | None]:
    """Draw controls and pictures; returns what they show, without task and path while there is no data to fit."""
    panel, picture = lab()
    with panel:
        config = controls(Config, **KNOBS)
    with picture:
        return config, *_show(config)


def _show(config: Config) -> tuple[Task | None, Path | None]:
    if config.dataset == "csv" and not own_data.own_table(config):
        return None, None
    try:
        task = lr.task(config)
    except Problem as problem:
        _without_line(config, problem)
        return None, None
    path = descend(task.X, task.y, config)
    _pictures(task, config, path)
    return task, path


def _without_line(config: Config, problem: Problem) -> None:
    """Why there is no line; for clicked points the picture to click into."""
    if config.dataset == "points":
        try:
            pairs = read_points(config.points)
        except Problem:
            pairs = read_points("")
        own_data.points_bar(pairs)
        film = descent.scattered(pairs[:, 0], pairs[:, 1], x_title="x", y_title="y")
        _plot(film, "data", TALL, _("Your points."), on_click=_edits(config))
    st.info(tell(problem), icon=":material/touch_app:")


def _pictures(task: Task, config: Config, path: Path) -> None:
    own = config.dataset == "points"
    flat = task.X.shape[1] == 2
    left, right = st.columns(2)
    with left, st.container(height=44, border=False, vertical_alignment="center"):
        if own:
            own_data.points_bar(task.data.X)
        else:
            st.caption(_("Each grey bar is an error; the loss is the mean of their squares.") if flat else _(
                "Each dot is a patient; a perfect model would put all of them on the diagonal."))  # fmt: skip
    with right:
        bowl = _surface_choice(flat)
    shown = look.views(task, config, path, bowl=bowl, label=_)
    with left:
        _plot(
            shown.data, "data", TALL, _("The data, the line of the descent, and the best line."),
            on_click=_edits(config) if own else False, autoplay=True, start="begin",
        )  # fmt: skip
    with right:
        alt = _("The loss over the parameters, and the path of the descent on it.")
        _plot(shown.surface, f"surface-{bowl}", TALL, alt, on_click=_start_here if flat and not bowl else False)
    left, right = st.columns([1.25, 1])
    with left:
        _plot(shown.curve, "curve", LOW, _("Loss over steps, beside the loss of the closed form."), controls=True)
    with right:
        _words(task, config, path)


def _surface_choice(flat: bool) -> bool:
    """Map or bowl; says whether it is the bowl."""
    names = {"map": _("Map"), "bowl": _("3-D")}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        hint = _("Click on the map to start elsewhere.") if flat else _("A cut through ten slopes and an intercept.")
        st.caption(_("Drag to turn it.") if st.session_state.get("surface") == "bowl" else hint)
        chosen = st.segmented_control(
            _("Loss surface"), list(names), default="map", required=True, key="surface",
            format_func=names.__getitem__, label_visibility="collapsed",
        )  # fmt: skip
    return chosen == "bowl"


def _words(task: Task, config: Config, path: Path) -> None:
    """This step's update with its numbers, and what happened."""
    frame_text(*look.update_line(config, path), group=GROUP, key="update")
    with st.container(key="story"):
        for kind, sentence in look.story_text(task, config, path, _):
            st.markdown(f"{ICONS.get(kind, UNDER_WAY)} {sentence}")


def _plot(
    film: Film,
    key: str,
    height: int,
    alt: str,
    *,
    on_click: bool | Callable[[dict[str, Any]], None] = False,
    **frames: Any,
) -> None:
    live_plot(film.figure, key=key, height=height, alt=alt, frames={**film.frames, "group": GROUP, **frames},
              on_click=on_click)  # fmt: skip


def _start_here(click: dict[str, Any]) -> None:
    """A click on the map sets the initial point."""
    put_value("theta0", float(f"{click['x']:.4g}"))
    put_value("theta1", float(f"{click['y']:.4g}"))


def _edits(config: Config) -> Callable[[dict[str, Any]], None]:
    return lambda click: own_data.clicked_point(click, config.points, descent.POINTS_TRACE)


def compare(task: Task, path: Path) -> None:
    """A table of the descent's parameters beside the normal equation's and scikit-learn's, which a worker computes."""
    key = ("sklearn", task.data.digest, bool(task.mean.any()))
    as_it_comes(partial(_comparison, task, path), partial(later, key, lr.sklearn_optimum, task.X, task.y))


def _comparison(task: Task, path: Path, fitted: Any, problem: Problem | None) -> None:
    with st.container(key="prose-comparison"):  # in the column of the text
        st.markdown(look.markdown_table(look.comparison(task, path, fitted, _)))  # st.table would import pandas, 70 MB
        if fitted is None and problem is None:
            st.caption(_("scikit-learn answers in a worker; its column comes as soon as it does."))
