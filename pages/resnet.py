"""Why can a deeper network do worse? The same layers with and without links; the block with its sum; real networks."""

from dlcore.resnet_story import numbers
from ui import resnet_lab
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.resnet_tasks import tasks

CODE = (
    "dlcore.models.resnet:Residual",
    "dlcore.models.resnet:Block",
    "dlcore.models.stacks:DenseBlock",
    "dlcore.depth_film:by_block",
)
PARTS = ("what-you-see", "formulas", "not-only-gradients", "variants", "challenge", "code")

lesson = lesson_for("resnet")
intro(lesson, parts=PARTS)
shown = live_lab(resnet_lab.draw)
told = numbers(shown.first, len(next(iter(shown.first.values()), ())) or shown.config.depth)
for section in ("what-you-see", "formulas", "not-only-gradients", "variants"):
    prose(lesson.slug, section, told)
challenge(lesson, tasks(shown))
code_panel(lesson, shown.config, shown.history, show=CODE)
outro(lesson)
