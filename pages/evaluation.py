"""When is 99% accuracy worthless? One threshold, what its mistakes cost, and how far a score can be trusted."""

from functools import partial

from dlcore.evaluation_story import numbers
from ui import calibration_lab, certainty_lab, confusion_lab, repeats_lab, threshold_lab
from ui.challenge import challenge
from ui.code_panel import code_panel
from ui.controls import controls
from ui.evaluation_tasks import tasks
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.run_panel import run_panel

EXTRA = (*threshold_lab.EXTRA, *confusion_lab.EXTRA, *calibration_lab.EXTRA, *certainty_lab.EXTRA)
CODE = (
    "dlcore.thresholds:curves",
    "dlcore.thresholds:counts",
    "dlcore.calibration:reliability",
    "dlcore.calibration:tempered",
    "dlcore.resampling:bootstrap_means",
    "dlcore.experiments.evaluation:fold_of",
)

lesson = lesson_for("evaluation")
intro(lesson)
shown = live_lab(threshold_lab.draw)  # None while there is no classifier to examine
source, scene = shown or (None, None)
prose(lesson.slug, "what-you-see", numbers(scene))
prose(lesson.slug, "formulas", numbers(scene))
prose(lesson.slug, "choosing")
prose(lesson.slug, "confusion")
measured = None
if source and scene:
    confusion_lab.draw(source, scene)
    confusion_lab.class_scores(source)
prose(lesson.slug, "calibration")
if source:
    measured = live_lab(partial(calibration_lab.draw, source))
prose(lesson.slug, "certainty")
if source:
    certainty_lab.draw(source)
prose(lesson.slug, "again")
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=repeats_lab.LABELS, extra=EXTRA)
with picture:
    history = run_panel(lesson, config, repeats_lab.view)
repeats_lab.verdict(history)
prose(lesson.slug, "bias-and-variance")
prose(lesson.slug, "leakage")
challenge(lesson, tasks(scene, measured))
code_panel(lesson, config, history, show=CODE)
outro(lesson)
