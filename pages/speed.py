"""Why is training slow? From the plain loop to the fast one, a switch at a time, each timed on this machine."""

from dlcore.speed_story import numbers, timed
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.controls import controls
from ui.data_box import data_box
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.names import DATASETS
from ui.run_panel import run_panel
from ui.speed_lab import COMPARE, viewer
from ui.speed_tasks import guess, tasks

CODE = (
    "dlcore.plain_loop",  # whole: what the clock is set against
    "dlcore.rungs:rung_task",
    "dlcore.training:fit",
    "dlcore.schedules:linear",
)
PARTS = ("what-you-see", "formulas", "amdahl", "switches", "fair-clock", "challenge", "code")

lesson = lesson_for("speed")
intro(lesson, parts=PARTS)
panel, picture = lab()
with panel:
    guess()
    config = controls(lesson.config, labels={**DATASETS, **COMPARE})
with picture:
    history = run_panel(lesson, config, viewer(config), ready=data_box(config.dataset))
told = numbers(timed(history))
for section in ("what-you-see", "formulas", "amdahl", "switches", "fair-clock"):
    prose(lesson.slug, section, told)
challenge(lesson, tasks())
code_panel(lesson, config, history, show=CODE)
outro(lesson)
