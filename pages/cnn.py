"""How does a network read your handwriting? The article's convolutional network, trained live on real images."""

import streamlit as st

from dlcore.cnn_story import numbers
from ui.challenge import challenge
from ui.cnn_tasks import cnn_tasks
from ui.code_panel import code_panel, set_csv
from ui.controls import controls
from ui.data_box import data_box
from ui.evaluation_panel import evaluation_panel
from ui.gallery import gallery
from ui.hardening_lab import hardening_lab
from ui.intro import intro, lab, outro, prose
from ui.layer_editor import folded_editor, shows_own
from ui.lessons import lesson_for
from ui.look_panel import EXTRA, look_panel
from ui.names import DATASETS, NETWORKS, OPTIMIZERS, PIXELS, PUSHES, SCHEDULES
from ui.own_images import own_images_box
from ui.run_panel import find_run, run_panel
from ui.run_shelf import run_shelf
from ui.training_view import training_view
from ui.why_convolution import why_convolution

LABELS = {**DATASETS, **NETWORKS, **PIXELS, **OPTIMIZERS, **SCHEDULES, **PUSHES}
PARTS = ("ask", "layers", "why", "fooled", "evaluation", "what-you-see", "seven-steps", "formulas", "compare", "harden",
         "why-convolution", "challenge", "code")  # fmt: skip

lesson = lesson_for("cnn")
intro(lesson, parts=PARTS)
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=LABELS, hidden=("layers", "own_form"), extra=EXTRA)
with picture:
    here = data_box(config.dataset) and own_images_box(config)
    show_images = gallery(config, folded=config.network == "own") if here else None
    fits = here and folded_editor(lesson.slug, config, unfolded=not shows_own(find_run(lesson)))
    history = run_panel(lesson, config, training_view, ready=fits)
asked, examined = st.container(key="asked"), st.container(key="examined")  # a worker answers: drawn last
for section in ("what-you-see", "seven-steps", "formulas"):
    prose(lesson.slug, section, numbers(history))
run_shelf(lesson, config, labels=LABELS, ready=fits)
hardening_lab(lesson, config, ready=fits)
why_convolution(lesson)
challenge(lesson, cnn_tasks())
code_panel(
    lesson,
    config,
    history,
    show=["dlcore.models.cnn:build", "dlcore.training:fit"],
    data=lambda: set_csv(history),
)
outro(lesson)
if show_images:
    show_images()
with asked:
    look_panel(lesson, history)
with examined:
    evaluation_panel(history)
