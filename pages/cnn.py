"""How does a network read your handwriting? The article's convolutional network, trained live on real images."""

from dlcore import jobs
from dlcore.cnn_story import beats_dense, best_accuracy, numbers
from dlcore.texts import N_
from ui.challenge import Task, challenge
from ui.code_panel import code_panel, set_csv
from ui.controls import controls
from ui.data_box import data_box
from ui.evaluation_panel import evaluation_panel
from ui.i18n import _
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.look_panel import UNSURE, look_panel
from ui.names import OPTIMIZERS, SCHEDULES
from ui.run_panel import run_panel
from ui.session import owner, page_state
from ui.training_view import training_view

LABELS = {
    "digits": N_("Built-in digits"), "mnist": "MNIST", "fashion_mnist": N_("Clothes"), "article": N_("Three conv."),
    "fast": N_("Fast"), "mlp": N_("Dense"), **OPTIMIZERS, **SCHEDULES,
}  # fmt: skip
GOAL, FEW = 0.935, 300  # right answers on the built-in digits, after so many images; docs/teaching.md has what was seen


def runs():
    return [jobs.history(run.run_id, owner=owner()) for run in jobs.runs(owner(), "cnn") if run.state == "finished"]


def unsure() -> bool:
    return page_state("cnn").get("surest", 1.0) < UNSURE


lesson = lesson_for("cnn")
intro(lesson)
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=LABELS)
with picture:
    here = data_box(config.dataset)
    history = run_panel(lesson, config, training_view, ready=here)
look_panel(lesson, history)
evaluation_panel(history)
for section in ("what-you-see", "seven-steps", "formulas", "why-convolution"):
    prose(lesson.slug, section, numbers(history))
challenge(
    lesson,
    [
        Task(
            "goal",
            _("Reach 93.5% right answers on the built-in digits with no more than 300 training images."),
            lambda: best_accuracy(runs(), "digits", most_images=FEW) / GOAL,
            hint=_(
                "“Training images” is under “More settings”. Few images make few steps in an epoch. "
                "And which network does not have to learn a stroke anew at every place?"
            ),
        ),
        Task(
            "beat-dense",
            _("Beat the dense network with fewer weights: more right answers on the same images."),
            lambda: beats_dense(runs()),
            hint=_("Train “Dense” first, then another network on the same images. Count the weights in the thread."),
        ),
        Task(
            "unsure",
            _("Draw something that leaves the network in doubt: no digit gets more than half."),
            unsure,
            hint=_("Something halfway between two digits. A mere scribble will not do: it is sure of most of them."),
        ),
    ],
)
code_panel(
    lesson,
    config,
    history,
    show=["dlcore.models.cnn:article", "dlcore.training:fit"],
    data=lambda: set_csv(history),
)
outro(lesson)
