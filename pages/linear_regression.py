"""How big may a step be? Gradient descent on a line: data, loss surface and loss curve move together."""

from functools import partial

from dlcore import descent_views as look
from ui import descent_lab
from ui.challenge import Task, challenge
from ui.code_panel import code_panel, rows_csv
from ui.i18n import _
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab

CODE = (
    "dlcore.descent:descend",
    "dlcore.quadratic:compress",
    "dlcore.quadratic:mse_and_gradient",
    "dlcore.descent:update",
    "dlcore.quadratic:spectrum",
    "dlcore.quadratic:optimum",
)

lesson = lesson_for("linear_regression")
intro(lesson)
config, task, path = live_lab(descent_lab.draw)  # no task while there is no data to fit a line to
numbers = look.numbers(task, config, path)
prose(lesson.slug, "what-you-see")
prose(lesson.slug, "compare")
if task and path:
    descent_lab.compare(task, path)
prose(lesson.slug, "formulas", numbers)
prose(lesson.slug, "limit", numbers)
challenge(
    lesson,
    [
        Task(
            "diverge",
            _("Make it diverge: end with a loss ten times as high as it began."),
            lambda: look.grown(path, 10),
            hint=_("The red end of the learning rate’s slider."),
            praise=_("Above the limit every step makes the error larger. Nothing else has changed."),
        ),
        Task(
            "converge",
            _("Now converge: at most 20 steps until a millionth of the excess loss is left."),
            lambda: look.arrived_by(path, 20),
            hint=_("The best rate is marked on the slider. Where it is still too slow, look at the shape of the bowl."),
            praise=_("In a round bowl one rate suits every direction. That is what standardizing is for."),
        ),
        Task(
            "momentum",
            _("All ten measurements, standardized: the same within 150 steps."),
            lambda: look.arrived_by(path, 150) if config.feature == "all" and config.dataset == "diabetes" else None,
            hint=_("Plain descent needs about 1,300 steps here. Momentum near 0.83 needs far fewer."),
            praise=_("Plain descent pays for the condition number κ, momentum only for its square root."),
        ),
    ],
)
if task and path:
    code_panel(lesson, config, look.record(task, config, path), show=CODE, data=partial(rows_csv, task.data))
outro(lesson)
