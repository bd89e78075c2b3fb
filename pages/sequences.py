"""How long does a network remember? A cell, opened; the gradient through time; three cells that learn together."""

from dlcore import cell_story
from dlcore.memory_story import numbers
from ui import cell_lab, memory_lab
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.memory_ask import ask
from ui.memory_tasks import tasks

CODE = (
    "dlcore.cells",  # whole: it is meant to be read
    "dlcore.gradients_in_time",
    "dlcore.models.recurrent:recurrent",
    "dlcore.models.memory:Rememberer",
    "dlcore.data.memory_tasks:first_symbol",
)
PARTS = ("cell-opened", "cell-gradient", "cell-learns", "ask", "what-you-see", "formulas", "why-it-vanishes",
         "gates-that-keep", "challenge", "code")  # fmt: skip

lesson = lesson_for("sequences")
intro(lesson, parts=PARTS)
bench = live_lab(cell_lab.draw)
for section in ("cell-opened", "cell-formulas", "cell-gradient", "cell-learns"):
    prose(lesson.slug, section, cell_story.numbers(bench))
config, history, fresh = live_lab(memory_lab.draw)
ask(history)
told = numbers(config, fresh)
for section in ("what-you-see", "formulas", "why-it-vanishes", "gates-that-keep"):
    prose(lesson.slug, section, told)
challenge(lesson, [*cell_lab.tasks(bench), *tasks(config, fresh, history)])
code_panel(lesson, config, history, show=CODE)
outro(lesson)
