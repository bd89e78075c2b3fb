"""Which weight is to blame? A graph that differentiates itself, the same in matrices, a check, and depth."""

from functools import partial

from dlcore.history import History
from ui import check_lab, depth_lab, graph_lab
from ui.challenge import Task, challenge
from ui.code_panel import code_panel
from ui.i18n import _
from ui.intro import intro, outro, prose
from ui.layer_view import found_largest, layer_view
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.run_panel import run_panel

CODE = (
    "dlcore.autograd",  # whole: it is meant to be read
    "dlcore.mlp:forward",
    "dlcore.mlp:backward",
    "dlcore.gradient_check:central_difference",
    "dlcore.depth:profile",
)

lesson = lesson_for("backpropagation")
intro(lesson)
bench = live_lab(graph_lab.draw)  # None while the formula cannot be read
prose(lesson.slug, "what-you-see")
checked = None
if bench and bench.leaf:
    prose(lesson.slug, "check", {"leaf": bench.leaf})
    checked = live_lab(partial(check_lab.draw, bench))
prose(lesson.slug, "layers")
shown = layer_view()
prose(lesson.slug, "formulas")
prose(lesson.slug, "depth")
config, profile = live_lab(depth_lab.draw)
prose(lesson.slug, "training")
history: History = run_panel(lesson, config, partial(depth_lab.training, config))
challenge(
    lesson,
    [
        Task(
            "blame",
            _("In the matrices: open the weight whose gradient is the largest of all."),
            lambda: found_largest(shown),
            hint=_("Switch to “Backward” and look for the number of largest size in the three matrices ∂L/∂W."),
            praise=_("A large activation met a large δ. Gradient descent will move this weight farthest."),
        ),
        Task(
            "epsilon",
            _("Find a step ε at which the difference quotient is right to 1e-8."),
            lambda: bool(checked and checked.error <= 1e-8 and checked.best > 0),  # a parabola is right at any ε
            hint=_("Smaller is better only down to a point. The bottom of the U is marked on the slider."),
            praise=_(
                "Two errors balance there: a smaller step loses digits to rounding, a larger one to the curve’s bend."
            ),
        ),
        Task(
            "deep",
            _("Thirty hidden layers or more, with the gradient kept within a factor of 10 from end to end."),
            lambda: depth_lab.kept(config, profile),
            hint=_("The slope has to be near 1 and the weights have to make up for the rest. Not with a sigmoid."),
            praise=_("Variance in, variance out: that is all that Xavier’s and He’s formulas are about."),
        ),
    ],
)
code_panel(lesson, config, history, show=CODE)
outro(lesson)
