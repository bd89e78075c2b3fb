"""The CNN lesson's challenges, checked against the runs and against what was asked of the networks."""

from __future__ import annotations

from dlcore import jobs
from dlcore.cnn_story import NARROW, WIDE, beats_dense, best_accuracy, growth
from dlcore.history import History
from ui.challenge import Task
from ui.i18n import _
from ui.look_panel import UNSURE
from ui.session import owner, page_state

SLUG = "cnn"
MOST_WEIGHTS, SHAPES_GOAL = 10_000, 0.95  # 97% was seen with 6,152
GOAL, FEW = 0.935, 300  # right answers on the built-in digits, after so many images; docs/teaching.md has what was seen


def cnn_tasks() -> list[Task]:
    """The tasks in the page's order."""
    return [
        Task(
            "goal",
            _("Reach 93.5% right answers on the built-in digits with no more than 300 training images."),
            lambda: best_accuracy(_finished(), "digits", most_images=FEW) / GOAL,
            hint=_(
                "“Training images” is under “More settings”. Few images make few steps in an epoch. "
                "And which network does not have to learn a stroke anew at every place?"
            ),
        ),
        Task(
            "beat-dense",
            _("Beat the dense network with fewer weights: more right answers on the same images."),
            lambda: beats_dense(_finished()),
            hint=_("Train “Dense” first, then another network on the same images. Count the weights in the thread."),
        ),
        Task(
            "small",
            _("Build a network of at most 10,000 weights that gets 95% of the shapes right, wherever they stand."),
            lambda: best_accuracy(_finished(), "shapes", most_params=MOST_WEIGHTS) / SHAPES_GOAL,
            hint=_(
                "Choose “Your own” and the dataset “Shapes”. After “flatten” a dense layer pays for every place; “Map "
                "maximum” asks only whether the pattern is there. Give it some more epochs and a larger rate."
            ),
        ),
        Task(
            "unsure",
            _("Draw something that leaves the network in doubt: no digit gets more than half."),
            lambda: page_state(SLUG).get("surest", 1.0) < UNSURE,
            hint=_("Something halfway between two digits. A mere scribble will not do: it is sure of most of them."),
        ),
        Task(
            "one-class",
            _("Find a specialist: a map of a convolution whose nine strongest training images are all of one class."),
            lambda: page_state(SLUG).get("one_class", False),
            hint=_(
                "Click a layer, then its maps one by one. The deeper the layer, the more of them know one class only."
            ),
            praise=_("Nobody told this unit that there is such a class; it was useful for the answer."),
        ),
        Task(
            "growth",
            _(
                "See the view grow: open a unit that sees at most {narrow} pixels across, and one that sees {wide} or "
                "more."
            ).format(narrow=NARROW, wide=WIDE),
            lambda: growth(page_state(SLUG).get("widths", [])),
            hint=_(
                "The shipped network is too shallow for the second. Train “Three conv.” and open its last convolution."
            ),
        ),
    ]


def _finished() -> list[History]:
    runs = jobs.runs(owner(), SLUG)
    return [jobs.history(run.run_id, owner=owner()) for run in runs if run.state == "finished"]
