"""What does a network see from where it stands? The loss around two networks, and the path of their run."""

from dlcore.landscape_story import numbers
from ui import landscape_lab
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for

CODE = (
    "dlcore.landscape:random_direction",
    "dlcore.landscape:normalised",
    "dlcore.landscape:Ground",
    "dlcore.landscape:principal",
    "dlcore.landscape:coordinates",
)
PARTS = ("what-you-see", "formulas", "caveats", "challenge", "code")

lesson = lesson_for("landscape")
intro(lesson, parts=PARTS)
config, history = landscape_lab.draw(lesson)
told = numbers(history)
prose(lesson.slug, "what-you-see", told)
prose(lesson.slug, "formulas", told)
prose(lesson.slug, "caveats", told)
challenge(lesson, landscape_lab.tasks())
code_panel(lesson, config, history, show=CODE)
outro(lesson)
