"""The depth lesson's challenges, checked against this browser's runs and the block on screen."""

from __future__ import annotations

from collections.abc import Sequence

from dlcore import resnet_story as story
from dlcore.resnet_story import Ended
from ui.challenge import Task
from ui.i18n import _
from ui.resnet_lab import Shown

STEPS = 12  # layers between a plain network that learns and one that does not
DEEP, DEEPER, NEARLY_ALL = 20, 40, 0.01


def tasks(shown: Shown, runs: Sequence[Ended]) -> list[Task]:
    """The challenges, for the settings on screen and the finished runs."""
    return [
        Task(
            "edge",
            _(
                "Find where the plain network stops learning: one depth at which it gets at most {learned} of its "
                "training images wrong, and one at most {n} layers deeper at which it gets more than half wrong."
            ).format(learned=f"{story.LEARNED:.0%}", n=STEPS),
            lambda: story.edge(runs, STEPS),
            hint=_("It is shallower than one would think. The picture by depth keeps all your runs."),
            praise=_("A few layers more, and a network that could do everything the smaller one does learns nothing."),
        ),
        Task(
            "without-a-link",
            _(
                "Make a plain network of {n} layers or more learn: at most {learned} of its training images wrong."
            ).format(n=DEEP, learned=f"{story.LEARNED:.0%}"),
            lambda: story.best(runs, "plain", DEEP) <= story.LEARNED,
            hint=_("Each layer makes the numbers smaller. Which first weights keep their variance through a ReLU?"),
            praise=_(
                "He’s rule keeps the size of a product, so nothing vanishes. Look what it does to the sums, though."
            ),
        ),
        Task(
            "forty",
            _("Train a residual network of {n} layers or more to at most {share} of its training images wrong.").format(
                n=DEEPER, share=f"{NEARLY_ALL:.0%}"
            ),
            lambda: story.best(runs, "residual", DEEPER) <= NEARLY_ALL,
            hint=_("Open the first and the last block and compare X. What would hold the branch’s share down?"),
            praise=_(
                "A branch that is normalised adds the same everywhere, so the sum grows slowly instead of by a factor."
            ),
        ),
        Task(
            "branch",
            _(
                "Without He’s first weights: open a block of an untrained residual network in which more gradient "
                "comes back through the branch than through the link."
            ),
            lambda: branch_wins(shown),
            hint=_("X must be small beside F(X). Where in the network is that so, once the branch is normalised?"),
            praise=_(
                "At the beginning the branch is as large as what the link carries; further up it is a small correction."
            ),
        ),
    ]


def branch_wins(shown: Shown) -> bool:
    """Whether in the opened block, before training, the branch brings more back than the link."""
    flow = {what: shown.fresh.get(f"{what}/residual") for what in ("through", "link")}
    if shown.config.init == "he" or shown.opened is None or any(row is None for row in flow.values()):
        return False
    through, link = (row[0] for row in flow.values() if row is not None)
    return shown.opened < len(link) and bool(through[shown.opened] > link[shown.opened])
