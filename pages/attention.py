"""Where does it look while it writes? Dates in many forms become one, with and without attention."""

from dlcore import jobs
from dlcore.attention_story import caught_up, from_afar, numbers
from ui.attention_view import attention_view
from ui.challenge import Task, challenge
from ui.code_panel import code_panel
from ui.controls import controls
from ui.i18n import _
from ui.intro import intro, lab, outro, prose
from ui.lessons import lesson_for
from ui.names import ATTENTIONS, CELLS, OPTIMIZERS, SCHEDULES, STARTS
from ui.run_panel import run_panel
from ui.session import owner, page_state
from ui.translate_panel import translate_panel

LABELS = {**ATTENTIONS, **CELLS, **STARTS, **OPTIMIZERS, **SCHEDULES}
PARTS = ("ask", "what-you-see", "bottleneck", "formulas", "not-an-explanation", "transformers", "challenge", "code")
CODE = ("dlcore.models.seq2seq", "dlcore.experiments.attention:make_exercise", "dlcore.data.dates")
FOLDED = ("forget_bias", "learning_rate", "batch_size", "optimizer")


def runs():
    return [jobs.history(run.run_id, owner=owner()) for run in jobs.runs(owner(), "attention")]


lesson = lesson_for("attention")
state = page_state("attention")
intro(lesson, parts=PARTS)
panel, picture = lab()
with panel:
    config = controls(lesson.config, labels=LABELS, folded=FOLDED, extra=("text",))
with picture:
    history = run_panel(lesson, config, attention_view)
translate_panel(lesson, history, config.task)
for section in ("what-you-see", "bottleneck", "formulas", "not-an-explanation", "transformers"):
    prose(lesson.slug, section, numbers(history, config.hidden))
challenge(
    lesson,
    [
        Task(
            "catch-up",
            _("Get 90 % of the answers right without attention, from texts of 30 letters or more."),
            lambda: caught_up(runs()),
            hint=_("The vector is a bottleneck, no wall: what makes it wider, and what gives it more time?"),
            praise=_(
                "It can be done. Attention needs fewer steps for it, and the longer the text, the fewer in comparison."
            ),
        ),
        Task(
            "afar",
            _("Texts of 120 letters or more: get 95 % of the answers right within 600 steps."),
            lambda: from_afar(runs()),
            hint=_("Which network does not mind how long the text is? Give it a little more time than usual."),
            praise=_("From letter to symbol it is two steps, however far apart they stand."),
        ),
        Task(
            "impossible",
            _("Have it write a day that does not exist, and be more than 50 % sure of it."),
            lambda: state.get("impossible"),
            hint=_("How many days has February? Does the network know?"),
            praise=_(
                "It learned to carry letters over, not what a calendar is. A fluent answer need not be a true one."
            ),
        ),
        Task(
            "in-vain",
            _("Click a symbol with most of its attention on one letter that it can do without."),
            lambda: state.get("in_vain"),
            hint=_(
                "Compare “Where it looks” with “What it needs”, symbol by symbol. What do the letters beside it know?"
            ),
            praise=_("A letter’s state knows its neighbours. Where it looks is not yet why it writes what it writes."),
        ),
    ],
)
code_panel(lesson, config, history, show=CODE)
outro(lesson)
