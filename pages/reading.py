"""Which word turned the sentence? A network reads names letter by letter and opinions word by word; ask it yourself."""

import streamlit as st

from dlcore.reading_story import numbers
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.controls import controls
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.reading_lab import LABELS, data_note, hidden, view
from ui.reading_panel import ask_panel
from ui.reading_results import embeddings_panel, mistakes_panel
from ui.reading_steps import steps_panel
from ui.reading_tasks import reading_tasks
from ui.run_panel import run_panel

CODE = (
    "dlcore.models.reader:Reader",
    "dlcore.data.tokens:Vocabulary",
    "dlcore.data.tokens:padded",
    "dlcore.experiments.reading_look:contributions",
    "dlcore.bag_of_words:fit",
)
PARTS = ("ask", "what-you-see", "text-to-numbers", "formulas", "embeddings", "mistakes", "does-order-pay", "challenge",
         "code")  # fmt: skip

lesson = lesson_for("reading")
intro(lesson, parts=PARTS)
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=LABELS, hidden=hidden, folded=("optimizer", "batch_size", "forget_bias"))
with picture:
    here = data_note(config)
    history = run_panel(lesson, config, view, ready=here)
asked = st.container(key="asked")
prose(lesson.slug, "what-you-see")
prose(lesson.slug, "text-to-numbers", numbers(history, config))
steps = st.container(key="steps")
prose(lesson.slug, "formulas", numbers(history, config))
prose(lesson.slug, "embeddings", numbers(history, config))
lookup = st.container(key="lookup")
prose(lesson.slug, "mistakes", numbers(history, config))
mistakes = st.container(key="mistakes")
prose(lesson.slug, "does-order-pay")
challenge(lesson, reading_tasks())
code_panel(lesson, config, history, show=CODE)
outro(lesson)
with asked:  # a worker answers: drawn last
    ask_panel(lesson, history)
with steps:
    steps_panel(config)
with lookup:
    embeddings_panel(lesson, history)
with mistakes:
    mistakes_panel(history)
