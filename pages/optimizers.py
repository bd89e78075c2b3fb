"""Why does a rolling ball arrive first? Update rules race down a surface, and then on a real network."""

from dlcore import race_story as words
from dlcore import race_views as look
from dlcore.history import History
from ui import race_lab
from ui.challenge import Task, challenge
from ui.code_panel import code_panel
from ui.i18n import _
from ui.intro import intro, outro, prose
from ui.lessons import lesson_for
from ui.live_lab import live_lab
from ui.real_race import real_race

RULES = ("gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
CODE = (*(f"dlcore.update_rules:{rule}" for rule in RULES), "dlcore.race:advance", "dlcore.update_rules:best_pair")

lesson = lesson_for("optimizers")
intro(lesson)
config, scene = live_lab(race_lab.draw)  # no scene while the typed surface cannot be read
numbers = words.numbers(config, scene)
prose(lesson.slug, "what-you-see")
prose(lesson.slug, "formulas", numbers)
prose(lesson.slug, "why-the-ball", numbers)
prose(lesson.slug, "own-rates", numbers)
challenge(
    lesson,
    [
        Task(
            "ravine",
            _("Cross the winding ravine with Momentum in fewer steps than Adam, whose settings stay as they are."),
            lambda: words.beats_adam(scene),
            hint=_(
                "Take the ball in hand and give it a larger rate. Where does it leave the valley? Then try another β."
            ),
            praise=_("A well-chosen rate and β beat a rule that chooses for itself. But somebody had to choose them."),
        ),
        Task(
            "pair",
            _("In a bowl with κ of at least 100, bring Momentum to a millionth of the distance within 100 steps."),
            lambda: words.best_ball(scene),
            hint=_("Both sliders have a mark for the best value. The rate’s moves with β."),
            praise=_("Plain descent needs about 700 steps for the same. The ball pays for √κ, not for κ."),
        ),
        Task(
            "rescue",
            _("Let somebody run away, rewind, and save it with a branch that arrives."),
            lambda: words.rescued(scene),
            hint=_(
                "A rate just above the limit runs away slowly. Stop the film early, branch, and lower the new rate."
            ),
            praise=_("That is what a learning-rate schedule does, and what people do who watch their training."),
        ),
    ],
)
real_race(lesson)
code_panel(lesson, config, look.record(scene) if scene else History(), show=CODE)
outro(lesson)
