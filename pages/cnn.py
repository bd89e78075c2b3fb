"""How does a network read your handwriting? The article's convolutional network, trained live on real images."""

from dlcore.cnn_story import numbers
from dlcore.texts import N_
from ui.challenge import challenge
from ui.cnn_tasks import cnn_tasks
from ui.code_panel import code_panel, set_csv
from ui.controls import controls
from ui.data_box import data_box
from ui.evaluation_panel import evaluation_panel
from ui.gallery import gallery
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.look_panel import look_panel
from ui.names import OPTIMIZERS, SCHEDULES
from ui.own_images import own_images_box
from ui.run_panel import run_panel
from ui.training_view import training_view

LABELS = {
    "digits": N_("Built-in digits"), "shapes": N_("Shapes"), "mnist": "MNIST", "fashion_mnist": N_("Clothes"),
    "cifar10": N_("Photographs"), "own": N_("Your own"), "article": N_("Three conv."), "fast": N_("Fast"),
    "small": N_("Small"), "norm": N_("Batch norm"), "mlp": N_("Dense"), **OPTIMIZERS, **SCHEDULES,
}  # fmt: skip

lesson = lesson_for("cnn")
intro(lesson)
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=LABELS, hidden=("own_form",))
with picture:
    here = data_box(config.dataset) and own_images_box(config)
    show_images = gallery(config) if here else None
    history = run_panel(lesson, config, training_view, ready=here)
look_panel(lesson, history)
evaluation_panel(history)
for section in ("what-you-see", "seven-steps", "formulas", "why-convolution"):
    prose(lesson.slug, section, numbers(history))
challenge(lesson, cnn_tasks())
code_panel(
    lesson,
    config,
    history,
    show=["dlcore.models.cnn:build", "dlcore.training:fit"],
    data=lambda: set_csv(history),
)
outro(lesson)
if show_images:
    show_images()
