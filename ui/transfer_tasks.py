"""The transfer lesson's challenges, checked against this browser's finished runs."""

from __future__ import annotations

from collections.abc import Sequence

from dlcore import jobs
from dlcore import transfer_story as story
from dlcore.transfer_methods import DRAWN
from dlcore.transfer_story import Ended
from ui.challenge import Task
from ui.i18n import _
from ui.session import owner, page_state

SLUG, NEWEST = "transfer", 40
FEW, MANY, LEAD, LITTLE = 2, 50, 0.2, 0.1
PART, BEHIND = 0.6, 0.03  # share of all numbers that may be trained, and how far that may fall behind all


def finished() -> list[Ended]:
    """The finished runs, newest first; each is read once."""
    kept: dict[str, Ended] = page_state(SLUG).setdefault("ended", {})
    rows: list[Ended] = []
    for run in jobs.runs(owner(), SLUG)[:NEWEST]:
        if run.state == "finished":
            if run.run_id not in kept:
                kept[run.run_id] = story.ended(run.config, jobs.history(run.run_id, owner=owner()).metrics)
            rows.append(kept[run.run_id])
    return rows


def tasks(runs: Sequence[Ended]) -> list[Task]:
    """The challenges, for the finished runs. What is worded about shapes counts runs on them alone."""
    drawn = [run for run in runs if run.config.dataset == DRAWN]
    return [
        Task(
            "gap",
            _("With {n} pictures of each class: let frozen features be ahead of training from scratch by at least "
              "{lead} points.").format(n=FEW, lead=round(100 * LEAD)),
            lambda: story.gap(drawn, FEW) >= LEAD,
            hint=_("The settings as they stand at first will do. Train, and read the two lines at {n}.").format(n=FEW),
            praise=_("Both heads saw the same eight pictures. One of them looked at them with eyes that were trained."),
        ),
        Task(
            "few",
            _("Click together a method that trains less than {part} of all numbers and with {n} pictures of each class "
              "is at most {behind} points behind fine-tuning.").format(
                  part=f"{PART:.0%}", n=MANY, behind=round(100 * BEHIND)),
            lambda: story.own_lead(runs, MANY, PART) >= -BEHIND,
            hint=_("The counter over the network knows the share. Which blocks have learned what any shape needs, and "
                   "which what only the old ones needed?"),
            praise=_("Edges are edges for any shape. What comes late is particular, and there a change pays."),
        ),
        Task(
            "useless",
            _("Make what was learned before worth less: with {n} pictures of each class, frozen features less than "
              "{lead} points ahead of training from scratch.").format(n=5, lead=10),
            lambda: story.gap(drawn, 5) < LITTLE,
            hint=_("What could the network know so little of that its features do not help? Two settings decide it."),
            praise=_("Features are only as good as what they were needed for. Two classes need few of them."),
        ),
        Task(
            "pupil",
            _("Let a pupil that gets the teacher’s doubts be at least {lead} points ahead of one that has the labels "
              "alone.").format(lead=round(100 * LITTLE)),
            lambda: story.doubts_worth(runs) >= LITTLE,
            hint=_("Choose the question “Distillation”, and few pictures with labels."),
            praise=_("The teacher has judged 200 pictures that nobody had named, and said how sure it was."),
        ),
    ]  # fmt: skip
