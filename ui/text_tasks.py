"""The challenges of the text lesson."""

from __future__ import annotations

from dlcore import jobs
from dlcore.text_story import beats_pairs, learned_by_heart
from ui.challenge import Task
from ui.i18n import _
from ui.session import owner, page_state
from ui.text_panel import CALM, ENOUGH
from ui.units_panel import KNOWS

SLUG = "text"


def text_tasks() -> list[Task]:
    """Tasks that are checked against the runs of this browser and what was asked of the networks."""
    state = page_state(SLUG)
    runs = [jobs.history(run.run_id, owner=owner()) for run in jobs.runs(owner(), SLUG)]
    return [
        Task(
            "pairs",
            _("Train a network that needs half a bit less per held-out letter than the table of letter pairs."),
            lambda: beats_pairs(runs),
            hint=_("The grey line “pairs of letters” in the picture: half a bit below it. Press Train."),
            praise=_("A table sees one letter back. The network has found a use for those before it."),
        ),
        Task(
            "circles",
            _("Make a network talk in circles: the same twenty letters three times in one text."),
            lambda: state.get("circles", False),
            hint=_("What happens when it always takes the likeliest letter? Type a beginning first."),
            praise=_("Always the likeliest letter is not the likeliest text: chance belongs to writing."),
        ),
        Task(
            "calm",
            _("Type {n} letters or more that surprise a network by less than {bits} bits each, on average.").format(
                n=ENOUGH, bits=CALM
            ),
            lambda: state.get("calmest", 99.0) < CALM,
            hint=_("Which phrases come again and again in its text? The bars tell you how it would go on."),
            praise=_("What it predicts well can be stored in few bits: that is how text is compressed."),
        ),
        Task(
            "unit",
            _("Find a unit that follows a feature of the text closer, by {r} or more, than chance and than any unit of "
              "the untrained network.").format(r=KNOWS),
            lambda: state.get("best_unit", -1.0) >= KNOWS,
            hint=_("What is seen in the letter itself an untrained memory follows, too. Which feature needs a look at "
                   "the letter before?"),
            praise=_("Nobody told it to. It helped to guess the next letter, so it was learned."),
        ),
        Task(
            "heart",
            _("Overdo it: train until the held-out text costs 0.1 bits more than it did at its best."),
            lambda: learned_by_heart(runs),
            hint=_("A short text, many units, many steps. Watch the two curves part."),
            praise=_("It has begun to learn the text by heart instead of the language."),
        ),
    ]  # fmt: skip
