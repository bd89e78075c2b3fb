"""The challenges of the series lesson, checked against the browser's runs."""

from __future__ import annotations

from functools import partial

from dlcore import jobs
from dlcore.history import History
from dlcore.series_story import fooled, half_of_linear, none_better, wins_on
from ui.challenge import Task
from ui.i18n import _
from ui.session import owner


def series_tasks() -> list[Task]:
    """The tasks; each is achieved by one of the runs that this browser has finished."""
    return [
        Task(
            "curved",
            _("A series on which the network pays: its error at most half of the linear model’s."),
            partial(_any, half_of_linear),
            hint=_("Two sine waves obey a linear rule. Which of the made series does not?"),
            praise=_("The Mackey–Glass equation bends, and a straight rule cannot follow. There a network is worth its "
                     "price."),
        ),
        Task(
            "fooled",
            _("On the random walk: halve the error of “as yesterday” on the training part, and lose to it on the "
              "held-out end."),
            partial(_any, fooled),
            hint=_("Many hidden units, many steps, a larger learning rate; a GRU is quickest at learning by heart."),
            praise=_("The training loss fell and fell, and nothing was learned that helps tomorrow."),
        ),
        Task(
            "airline",
            _("Airline: get below “as a season ago”. With the defaults the network does not."),
            partial(_any, partial(wins_on, "airline")),
            hint=_("It has never seen so many passengers. Under “More settings” it may say the change instead."),
            praise=_("Told to say the change, it no longer has to invent numbers larger than any it has seen."),
        ),
        Task(
            "draw",
            _("Find a real series (yours counts, too) and settings with which the network has the smallest error "
              "of all."),
            partial(_any, none_better),
            hint=_("Try what it says, the logarithm, the cell, the window, the seed. Count your tries."),
            praise=_("Well forecast. But you have chosen by looking at the held-out end: only later numbers confirm "
                     "it."),
        ),
    ]  # fmt: skip


def _any(check, *args) -> float:
    ends = (jobs.history(run.run_id, owner=owner()) for run in jobs.runs(owner(), "series"))
    return max((float(check(history)) for history in ends if _ended(history)), default=0.0)


def _ended(history: History) -> bool:
    return history.state == "finished" and "linear_mae" in history.metrics
