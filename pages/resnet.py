"""Why can a deeper network do worse? The same layers with and without links; the block with its sum; real networks."""

from dlcore.resnet_blocks import chain
from dlcore.resnet_story import numbers
from ui import resnet_lab, resnet_runs
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.resnet_cards import cards
from ui.resnet_tasks import tasks
from ui.surgery_lab import surgery_lab

CODE = (
    "dlcore.models.resnet:Residual",
    "dlcore.models.resnet:Block",
    "dlcore.models.stacks:DenseBlock",
    "dlcore.depth_film:by_block",
)
PARTS = ("what-you-see", "by-depth", "formulas", "norm", "not-only-gradients", "variants", "real",
         "surgery", "challenge", "code")  # fmt: skip

lesson = lesson_for("resnet")
intro(lesson, parts=PARTS)
shown = live_lab(resnet_lab.draw)
told = numbers(shown.fresh, len(chain(shown.config).kind_of))
runs = resnet_runs.finished()
prose(lesson.slug, "what-you-see", told)
prose(lesson.slug, "by-depth", told)
resnet_runs.by_depth(shown.config, runs)
for section in ("formulas", "norm", "not-only-gradients", "variants", "real"):
    prose(lesson.slug, section, told)
cards(shown.config)
surgery_lab(shown.config, shown.history)
challenge(lesson, tasks(shown, runs))
code_panel(lesson, shown.config, shown.history, show=CODE)
outro(lesson)
