"""Can a network learn to write? It reads letter by letter, guesses the next one, and is asked what it knows."""

from functools import partial

import streamlit as st

from dlcore.text_story import numbers
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.controls import controls
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.names import CELLS, OPTIMIZERS, SCHEDULES, STARTS, TEXTS
from ui.own_text import source_box
from ui.run_panel import run_panel
from ui.text_panel import text_panel
from ui.text_tasks import text_tasks
from ui.text_view import text_view
from ui.units_panel import units_panel

LABELS = {**TEXTS, **CELLS, **STARTS, **OPTIMIZERS, **SCHEDULES}
PARTS = ("ask", "write", "units", "what-you-see", "formulas", "temperature", "what-it-is-not", "challenge", "code")

lesson = lesson_for("text")
intro(lesson, parts=PARTS)
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=LABELS)
with picture:
    here = source_box(config)
    history = run_panel(lesson, config, partial(text_view, config), ready=here)
asked, studied = st.container(key="asked"), st.container(key="studied")  # a worker answers: drawn last
for section in ("what-you-see", "formulas", "temperature", "what-it-is-not"):
    prose(lesson.slug, section, numbers(history))
challenge(lesson, text_tasks())
code_panel(
    lesson,
    config,
    history,
    show=["dlcore.models.letters:LetterModel", "dlcore.models.letters:write", "dlcore.models.letters:choose"],
)
outro(lesson)
with asked:
    text_panel(lesson, history)
with studied:
    units_panel(lesson, history)
