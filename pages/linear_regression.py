"""How big may a step be? Gradient descent on a line: data, loss surface and loss curve move together."""

import streamlit as st

from dlcore import descent_views as look
from dlcore.data.tabular import DIABETES, read_points
from dlcore.descent_story import NEAR, arrival, story
from dlcore.experiments import linear_regression as lr
from dlcore.texts import N_, Problem
from ui import own_data
from ui.challenge import Task as Goal
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.controls import controls, put_value
from ui.i18n import _, tell
from ui.intro import intro, lab, outro, prose
from ui.later import later
from ui.lessons import lesson_for
from ui.live_plot import frame_text, live_plot
from ui.slider import Mark

LABELS = {**DIABETES, "all": N_("All ten measurements"), "diabetes": N_("Diabetes patients"), "line": N_("Generated line"),
          "points": N_("My own points"), "csv": N_("My CSV file")}  # fmt: skip
ICONS = {"diverged": ":red[:material/trending_up:]", "noise": ":red[:material/trending_up:]",
         "limit": ":orange[:material/swap_vert:]", "converged": ":green[:material/check_circle:]"}  # fmt: skip


def marks(values):
    if (task := look.asked(values)) is None:
        return {}
    config = lr.Config(**values)
    limit, noisy = look.limit_now(task, config)
    name = _("limit for this batch") if noisy else "2(1+β)/λmax" if config.momentum else "2/λmax"
    return {"learning_rate": [Mark(limit, name, "limit"), Mark(task.spectrum.best(config.momentum), _("best"), "best")]}


def draw(task, config, path):
    bowl = st.session_state.get("surface") == "bowl"
    shown = look.views(task, config, path, bowl=bowl, label=_)
    left, right = st.columns(2)
    with left:
        click = (lambda c: own_data.clicked_point(c, config.points, 1)) if config.dataset == "points" else False
        live_plot(shown.data.figure, key="data", height=330, frames=shown.data.frames | GROUP, on_click=click,
                  alt=_("The data, the line of the descent, and the best line."))  # fmt: skip
    with right:
        click = start_here if task.X.shape[1] == 2 and not bowl else False
        live_plot(shown.surface.figure, key=f"surface-{bowl}", height=330, frames=shown.surface.frames | GROUP,
                  on_click=click, alt=_("The loss over the parameters, and the path of the descent on it."))  # fmt: skip
    frame_text(*look.update_line(config, path), group="descent", key="update")
    live_plot(shown.curve.figure, key="curve", height=200, frames=shown.curve.frames | GROUP | {"controls": True},
              alt=_("Loss over steps, beside the loss of the closed form."))  # fmt: skip
    for kind, sentence, numbers in story(task, config, path):
        st.markdown(f"{ICONS.get(kind, ':blue[:material/arrow_forward:]')} {_(sentence).format(**numbers)}")


GROUP = {"group": "descent"}


def start_here(click):
    put_value("theta0", float(f"{click['x']:.4g}"))
    put_value("theta1", float(f"{click['y']:.4g}"))


lesson = lesson_for("linear_regression")
intro(lesson)
panel, picture = lab()
with panel:
    config = controls(lesson.config, overrides=look.bounds, marks=marks, labels=LABELS, hidden=look.hidden)
with picture:
    task = lr.task(config)
    path = lr.descend(task.X, task.y, config)
    draw(task, config, path)
