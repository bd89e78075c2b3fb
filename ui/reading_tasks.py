"""The reading lesson's challenges, checked against what was typed and what was trained."""

from __future__ import annotations

from dlcore import jobs
from dlcore.history import History
from dlcore.reading_story import beats_bag
from ui.challenge import Task
from ui.i18n import _
from ui.session import owner, page_state

SLUG = "reading"


def reading_tasks() -> list[Task]:
    """The tasks in the page's order."""
    return [
        Task(
            "last-letter",
            _("Names: find one that changes its country with its last letter, more than half sure before and after."),
            lambda: _shown("last-letter"),
            hint=_("Which letters do names of one country end with? Add such an ending to a name of another."),
            praise=_("The state had kept the whole name; one more letter was enough to read it differently."),
        ),
        Task(
            "order",
            _("Opinions: type two sentences of the same words in another order that get opposite answers, both at "
              "least 70% sure."),
            lambda: _shown("order"),
            hint=_("Two clauses with “but” between them. Which has the last word? No bag of words can do this."),
            praise=_("The same bag, the same counts: only who reads in order can tell them apart."),
        ),
        Task(
            "deaf",
            _("Opinions: find a sentence with one “not” that fools it: without the “not” it says the same, at least "
              "70% sure both times."),
            lambda: _shown("deaf"),
            hint=_("Put words between the “not” and what it turns, or words that it knows from one side only."),
            praise=_("It has learned which words go together in its texts, not what “not” means."),
        ),
        Task(
            "beat",
            _("Beat the bag of words by ten percentage points on held-out texts."),
            lambda: beats_bag(_finished()),
            hint=_("Where does the order decide? Compare names, real reviews, and the sentences of the grammar."),
            praise=_("Here the order of the pieces carries what their counts do not."),
        ),
    ]  # fmt: skip


def _shown(name: str) -> bool:
    return page_state(SLUG).get("shown", {}).get(name, False)


def _finished() -> list[History]:
    runs = jobs.runs(owner(), SLUG)
    return [jobs.history(run.run_id, owner=owner()) for run in runs if run.state == "finished"]
