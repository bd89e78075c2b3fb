"""The challenges of the lesson on own classes, checked against the board, the runs and what was asked."""

from __future__ import annotations

from dlcore import jobs
from dlcore.data.album import Album
from dlcore.history import History
from ui.challenge import Task
from ui.i18n import _
from ui.session import owner, page_state
from ui.teach_try import ASKED

SLUG = "teach"
FEW, DOUBT = 10, 0.6


def teach_tasks(album: Album, history: History) -> list[Task]:
    """The tasks in the page's order."""
    state = page_state(SLUG)
    asked = len(state.get("asked", ()))
    mine = history.config.get("dataset") == "album" and history.state == "finished"
    return [
        Task(
            "few",
            _("Teach it two things of yours with ten pictures each, or fewer, and ask it about three new ones."),
            lambda: _trained_on_few(history) if mine and asked >= ASKED else asked / (ASKED + 1),
            hint=_("Two mugs, two plants, thumb up and thumb down: hold the camera’s button and move a little. "
                   "Then ask about three pictures that you drop or choose."),
            praise=_("A network from nothing would need thousands. Yours borrowed its eyes."),
        ),
        Task(
            "doubt",
            _("Show it something that leaves it in doubt: no class gets {most}.").format(most=f"{DOUBT:.0%}"),
            lambda: state.get("doubt", 1.0) < DOUBT,
            hint=_(
                "Something between the classes, or both in one picture. Something quite different often "
                "makes it sure!"
            ),
            praise=_(
                "It can only divide its trust among the classes that it knows. “None of these” it was "
                "never taught."
            ),
        ),
        Task(
            "none",
            _("Teach it to say “neither”: a third class with pictures of anything else."),
            lambda: mine and len(history.info.get("classes", ())) >= 3,
            hint=_("Add a class and fill it with what the camera sees when your things are not there."),
        ),
        Task(
            "two-maps",
            _("On the map, compare pixels with trained eyes: where do your classes lie apart?"),
            lambda: {"pixels", "features"} <= set(state.get("maps", [])),
            praise=_(
                "What makes two photographs alike is not their pixels. The eyes were trained on other "
                "pictures, and serve yours."
            ),
        ),
        Task(
            "eyes",
            _("Train the same pictures with two different eyes, and compare what they reach."),
            lambda: len(_eyes(history)) >= 2,
            hint=_("“The eyes” is a setting of step 2. Which networks are there depends on this machine."),
        ),
    ]  # fmt: skip


def _trained_on_few(history: History) -> bool:
    size = history.info.get("train_size", 0) + history.info.get("test_size", 0)
    return size <= FEW * len(history.info.get("classes", ()))


def _eyes(history: History) -> set[str]:
    """The networks with which the pictures of this run were learned, here or in other runs."""
    runs = [run for run in jobs.runs(owner(), SLUG) if run.state == "finished"]
    configs = [jobs.history(run.run_id, owner=owner()).config for run in runs]
    return {c["backbone"] for c in configs if c.get("data_hash") == history.config.get("data_hash")}
