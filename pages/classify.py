"""Is a sure answer a right one? Any picture, any network, and what it takes to change its mind."""

from functools import partial

import streamlit as st

from dlcore.classify_story import numbers
from dlcore.history import History
from ui import break_lab, classify_lab
from ui.batch_panel import batch_panel
from ui.challenge import challenge
from ui.classify_inside import alike, examinee
from ui.classify_tasks import tasks
from ui.code_panel import code_panel
from ui.inside_panel import inside_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.maps_panel import feature_maps
from ui.robust_panel import robust_panel
from ui.tensor_panel import tensor_panel

CODE = (
    "dlcore.vision.answers:probabilities",
    "dlcore.vision.changes:changed",
    "dlcore.vision.models:model",
    "dlcore.data.uploads:read_image",
)
PARTS = ("what-you-see", "where-it-breaks", "numbers", "why", "maps", "fooled", "sure-and-right", "formulas",
         "challenge", "code")  # fmt: skip

lesson = lesson_for("classify")
intro(lesson, parts=PARTS)
scene, config = live_lab(classify_lab.draw)
answer = scene.answers[0] if scene else None
told = numbers(answer, classify_lab.first_name(scene))
if scene:
    batch_panel(scene.names[0])
prose(lesson.slug, "what-you-see")
prose(lesson.slug, "where-it-breaks")
if scene:
    break_lab.draw(scene)
prose(lesson.slug, "numbers")
if scene:
    tensor_panel(scene)
why, fooled = st.container(key="why-part"), st.container(key="fooled-part")  # workers answer: drawn last
prose(lesson.slug, "sure-and-right", told)
prose(lesson.slug, "formulas", told)
challenge(lesson, tasks(scene))
code_panel(lesson, config, History(), show=CODE)
outro(lesson)
shown = examinee(scene)
with why:
    inside_panel(lesson, shown, feature_maps, *([partial(alike, scene)] if scene else []))
    prose(lesson.slug, "inside")
with fooled:
    robust_panel(lesson, shown)
    prose(lesson.slug, "pushed")
