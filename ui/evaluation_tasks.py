"""The challenges of the evaluation lesson, checked against what stands on the page and what has been trained."""

from __future__ import annotations

from dlcore.evaluation_story import (
    GOAL_PRECISION,
    Scene,
    believable,
    calibrated,
    really_better,
    screens,
    worthless,
)
from ui import repeats_lab
from ui.calibration_lab import Measured
from ui.challenge import Task
from ui.i18n import _


def tasks(scene: Scene | None, measured: Measured | None) -> list[Task]:
    """The tasks for what is on the page now; without a classifier none of the first four can be achieved."""
    before, after = (measured.before, measured.after) if measured else (None, None)
    return [
        Task(
            "worthless",
            _("Set up a classifier with more than 98% right answers that finds not a single positive."),
            lambda: worthless(scene),
            hint=_("Take the rare disease. Above which threshold is nobody called ill?"),
            praise=_("Accuracy counts the many. Balanced accuracy says 50%: no better than not looking."),
        ),
        Task(
            "screen",
            _("Screen for the rare disease: find 90% of the ill, with at least {share} of the alarms right.").format(
                share=f"{GOAL_PRECISION:.1%}"
            ),
            lambda: screens(scene),
            hint=_(
                "Go down with the threshold until recall is just 90%, and no further. The number can be typed, too."
            ),
            praise=_("Some 95 of 100 alarms are false. That may be worth it: a second test is cheap, a miss is not."),
        ),
        Task(
            "believe",
            _("Same test, same disease: let 80% of the alarms be right, with at least half of the ill found."),
            lambda: believable(scene),
            hint=_("No threshold will do it at 1%. In which waiting room would you use this test?"),
            praise=_("The test is the same, and so is its ROC curve. What an alarm means depends on who is tested."),
        ),
        Task(
            "calibrate",
            _("Bring a calibration error of more than 0.1 below 0.05, with the temperature alone."),
            lambda: calibrated(before, after),
            hint=_("“150 digits learned by heart” is far too sure of itself. Make it more modest."),
            praise=_("Not one answer has changed, and now its percentages mean something."),
        ),
        Task(
            "better",
            _("Find two models of which one is really better: an interval of the difference without zero."),
            lambda: really_better(repeats_lab.finished()),
            hint=_("On the two moons a straight line cannot follow the border. Take folds, and enough samples."),
            praise=_("A difference with an interval is a result. A difference alone is an anecdote."),
        ),
    ]
