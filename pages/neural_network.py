"""What can seven neurons learn? A network in the plane, seen and changed while it learns."""

from functools import partial

from dlcore.playground_view import numbers, solved, units
from ui import playground
from ui.challenge import Task, challenge
from ui.code_panel import code_panel
from ui.i18n import _
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab

CODE = (
    "dlcore.mlp:forward",
    "dlcore.mlp:backward",
    "dlcore.mlp:losses",
    "dlcore.mlp:loss_slope",
    "dlcore.mlp:initialize",
    "dlcore.mlp_training:advance",
)

lesson = lesson_for("neural_network")
intro(lesson)
config, history = live_lab(playground.draw)
told = numbers(config, history)
for section in ("what-you-see", "experiments", "formulas", "bias"):
    prose(lesson.slug, section, told)
challenge(
    lesson,
    [
        Task(
            "features",
            _("The circle without any hidden layer: a test loss below 0.05."),
            lambda: solved(history, loss=0.05, dataset="circle", layers=""),
            hint=_("A straight line in the features is a straight line in the plane only for x₁ and x₂ themselves."),
            praise=_("The right features take the place of a layer. Deep networks find such features by themselves."),
        ),
        Task(
            "xor",
            _("Exclusive or from x₁ and x₂ alone, with two hidden units only: a test loss below 0.05."),
            lambda: solved(history, loss=0.05, dataset="xor", features="x1,x2", layers=lambda text: units(text) <= 2),
            hint=_(
                "An edge that goes up and never down again is not enough. "
                "Look through the activations, and try other weights."
            ),
            praise=_(
                "Two waves do it: cos(x₁ − x₂) − cos(x₁ + x₂) is 2 sin x₁ sin x₂, which changes its sign on both axes."
            ),
        ),
        Task(
            "spiral",
            _("The spiral from x₁ and x₂ alone: a test loss below 0.05."),
            lambda: solved(history, loss=0.05, dataset="spiral", features="x1,x2"),
            hint=_("More layers, an optimizer with a step size for each weight, and patience."),
            praise=_("The last layer still draws a straight line. The layers before it have bent the plane."),
        ),
    ],
)
code_panel(lesson, config, history, show=CODE, data=partial(playground.csv_of, config))
outro(lesson)
