"""Is a six turned round still a six? Random variants of images, the labels that bear them, and what training gains."""

from dlcore import augmentation_story as story
from dlcore.history import History
from ui.augmentation_lab import draw
from ui.augmentation_panels import own_network, results, runs, scaling_panel, scaling_race, two_trainings
from ui.augmentation_quiz import AGREED, quiz
from ui.challenge import Task, challenge
from ui.code_panel import code_panel
from ui.i18n import _
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.session import page_state

CODE = ["dlcore.augmentation:augment", "dlcore.warps:maps", "dlcore.warps:warp", "dlcore.augmentation:mixed"]

lesson = lesson_for("augmentation")
intro(lesson)
config, made, here = live_lab(draw)
numbers = story.numbers(config, made)
prose(lesson.slug, "two-trainings")
two_trainings(config, ready=here)
pair = results(config)
prose(lesson.slug, "what-you-see")
quiz(config, own_network(config))
for section in ("when-labels-break", "formulas", "at-test-time"):
    prose(lesson.slug, section, numbers)
prose(lesson.slug, "scaling")
if here:
    scaling_panel(config)
    prose(lesson.slug, "scaling-race")
scaling_race(config, ready=here)
challenge(
    lesson,
    [
        Task(
            "robust",
            _("Reach 80% on the shifted built-in digits, and lose no more than a point on the clean ones."),
            lambda: story.robust(runs()),
            hint=_("Show the network what it will be tried on. How far are the shifted images moved?"),
            praise=_("It was never shown a new digit, only the same 300 in other places."),
        ),
        Task(
            "hurt",
            _("Find strengths that cost at least 5 points on the clean test images."),
            lambda: story.hurtful(runs()),
            hint=_("What would you have to do to a digit so that its label is wrong?"),
            praise=_("Augmentation is a claim about the world. A false one is learned just as faithfully."),
        ),
        Task(
            "judge",
            _("Agree with the network on at least {n} of the 12 pictures, after marking some of them.").format(
                n=AGREED
            ),
            lambda: page_state(lesson.slug).get("judged", False),
            hint=_("A 6 on its head gets the name 9. What does a 7 on its head get?"),
        ),
    ],
)
code_panel(lesson, config, pair.with_ if pair else History(), show=CODE)
outro(lesson)
