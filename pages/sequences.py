"""How long does a network remember? The gradient through time, and three cells that learn from the same batches."""

from dlcore.memory_story import numbers
from ui import memory_lab
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.memory_ask import ask
from ui.memory_tasks import tasks

CODE = (
    "dlcore.gradients_in_time",
    "dlcore.models.recurrent:recurrent",
    "dlcore.models.memory:Rememberer",
    "dlcore.data.memory_tasks:first_symbol",
)
PARTS = ("ask", "what-you-see", "formulas", "why-it-vanishes", "gates-that-keep", "challenge", "code")

lesson = lesson_for("sequences")
intro(lesson, parts=PARTS)
config, history, fresh = live_lab(memory_lab.draw)
ask(history)
told = numbers(config, fresh)
for section in ("what-you-see", "formulas", "why-it-vanishes", "gates-that-keep"):
    prose(lesson.slug, section, told)
challenge(lesson, tasks(config, fresh, history))
code_panel(lesson, config, history, show=CODE)
outro(lesson)
