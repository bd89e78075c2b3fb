"""What can two pictures teach? New classes from a few pictures, with what a network has learned from others."""

from dlcore.transfer_story import pupil_times
from ui import transfer_lab
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.transfer_cards import cards
from ui.transfer_tasks import finished, tasks

CODE = (
    "dlcore.models.transferred:begin",
    "dlcore.models.transferred:LowRank",
    "dlcore.models.transferred:Seat",
    "dlcore.transfer_stages:few_task",
    "dlcore.transfer_pupils:pupils",
)
PARTS = ("what-you-see", "cost", "formulas", "which-blocks", "lora", "distil", "photographs", "challenge", "code")

lesson = lesson_for("transfer")
intro(lesson, parts=PARTS)
shown = live_lab(transfer_lab.draw)
prose(lesson.slug, "what-you-see")
prose(lesson.slug, "cost")
transfer_lab.cost(shown.history)
told = {"times": pupil_times(shown.config)}
for section in ("formulas", "which-blocks", "lora", "distil", "photographs"):
    prose(lesson.slug, section, told)
cards(shown.config)
challenge(lesson, tasks(finished()))
code_panel(lesson, shown.config, shown.history, show=CODE)
outro(lesson)
