"""What does one filter see? A window that slides over pixels, sum by sum; then a filter that nobody writes."""

from dlcore import jobs
from dlcore.convolution_story import numbers, tells_edges_apart
from dlcore.experiments.convolution import FOUND
from ui import convolution_lab, kernel_lab
from ui.challenge import Task, challenge
from ui.code_panel import code_panel
from ui.i18n import _
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.session import owner

CODE = (
    "dlcore.convolution",  # whole: it is meant to be read
    "dlcore.experiments.convolution:mse_and_gradient",
    "dlcore.filters:preset",
)
STEPS = 100


def runs():
    return [jobs.history(run.run_id, owner=owner()) for run in jobs.runs(owner(), "convolution")]


lesson = lesson_for("convolution")
intro(lesson, parts=("what-you-see", "formulas", "learn-back", "what-pictures-tell", "challenge", "code"))
bench = live_lab(convolution_lab.draw)
for section in ("what-you-see", "formulas", "learn-back"):
    prose(lesson.slug, section, numbers(bench))
config, history = kernel_lab.draw(lesson, bench.W)
prose(lesson.slug, "what-pictures-tell")
challenge(
    lesson,
    [
        Task(
            "half",
            _("In the workshop: an output with exactly half as many rows and columns as the picture."),
            bench.halves,
            hint=_("The formula under the sum: which number divides? Then mend what the window’s size takes away."),
            praise=_("So a network makes pictures smaller on the way from pixels to meaning."),
        ),
        Task(
            "edges",
            _("Write a filter of your own that answers 0 to every level edge, and 1 or more to an upright one."),
            lambda: not bench.pools and convolution_lab.is_own() and tells_edges_apart(bench.W),
            hint=_("On a level edge all columns are alike. What must the weights of each row add up to?"),
            praise=_("Rows that add up to 0 are blind to whatever does not change from left to right."),
        ),
        Task(
            "learn",
            _("Learn a filter of 3 × 3 or more back within {n} steps: no weight off by more than {error}.").format(
                n=STEPS, error=FOUND
            ),
            lambda: kernel_lab.found_within(runs(), STEPS),
            hint=_("Which pictures tell most about a weight? And how near to the limit may the rate go?"),
            praise=_("Pictures in which every pixel differs from its neighbours make the bowl rounder."),
        ),
        Task(
            "fooled",
            _("Let the learner fail without its noticing: a loss below 0.000001, and yet a weight off by 0.1."),
            lambda: kernel_lab.fooled(runs()),
            hint=_("Show it pictures in which neighbours never differ, or only in one direction."),
            praise=_("The loss measures answers, not weights. What the examples do not show, nobody can learn."),
        ),
    ],
)
code_panel(lesson, config, history, show=CODE)
outro(lesson)
