"""The challenges of the lesson on pictures, checked against what is on the table."""

from __future__ import annotations

from dlcore.vision.changes import Changes
from dlcore.vision.samples import STRANGE
from ui.challenge import Task
from ui.classify_lab import Scene
from ui.i18n import _
from ui.inside_checks import GAIN
from ui.picture_source import SLUG
from ui.session import page_state

SMALL, SURE = 0.05, 0.8
ROUND = 90.0  # degrees


def tasks(scene: Scene | None) -> list[Task]:
    """The challenges, for the picture and the answers on screen."""
    return [
        Task(
            "small-cover",
            _("Make the network change its answer with nothing but a cover of at most {share} of the picture.").format(
                share=f"{SMALL:.0%}"
            ),
            lambda: scene is not None and _covered_away(scene),
            hint=_("What would you cover if the network had to guess? Begin with a picture that it is not sure of."),
            praise=_("Few pixels decided. Whether they were the ones that you would look at is another question."),
        ),
        Task(
            "sure-of-nothing",
            _("Find a picture of nothing that it could know, and yet an answer that is at least {share} sure.").format(
                share=f"{SURE:.0%}"
            ),
            lambda: scene is not None and _sure_of_nothing(scene),
            hint=_("Three of the examples show nothing. Their size and their brightness may be changed, too."),
            praise=_("The shares must go somewhere. Certainty says nothing about whether the question made sense."),
        ),
        Task(
            "faithful",
            _("Find a picture whose answer stays the same when it is turned by at least {degrees:.0f}°.").format(
                degrees=ROUND
            ),
            lambda: scene is not None and _faithful(scene),
            hint=_("Which things look alike from every side, or lie on the ground in the photographs of the training?"),
            praise=_("Turning is no part of what a convolution forgives. Where the answer holds, the data taught it."),
        ),
        Task(
            "two-minds",
            _("Put a second network beside the first and find a picture on which their first answers differ."),
            lambda: scene is not None and _two_minds(scene),
            hint=_("Without ImageNet’s networks ours will do: ask both about something that neither knows."),
            praise=_("The same picture, two answers, both with a number that looks like certainty."),
        ),
        Task(
            "pushed-over",
            _(
                "Change the answer to a photograph with an attack that moves no pixel by more than one grey level of "
                "255, where noise of the same size does not."
            ),
            lambda: page_state(SLUG).get("pushed_over", False),
            hint=_("Many steps are stronger than one, and an answer that was unsure falls first."),
            praise=_("Nobody would see the difference. What the network looks at is not only what we look at."),
        ),
        Task(
            "as-wished",
            _("Make it say a class that you have chosen before, while noise of the same size leaves the answer alone."),
            lambda: page_state(SLUG).get("as_wished", False),
            hint=_("Choose under “It shall say”, take many steps, and make ε larger until it gives in."),
            praise=_(
                "Not only away from the right answer: to the one that you wanted. That is what makes it an attack."
            ),
        ),
        Task(
            "told-apart",
            _(
                "Find, for one picture, a map whose deletion beats chance by at least {gain} of the area, and a method "
                "whose map does no better than chance."
            ).format(gain=GAIN),
            lambda: page_state(SLUG).get("told_apart", False),
            hint=_(
                "The methods are in the list under “Why this answer?”; press “Take it away” if it is there, then try "
                "one method after the other."
            ),
            praise=_("Both maps look like explanations. Only a test with the network itself tells them apart."),
        ),
    ]


def _changed(scene: Scene) -> bool:
    first, now = scene.first[0], scene.answers[0]
    return "problem" not in first and "problem" not in now and first["index"][0] != now["index"][0]


def _only(config: Changes, *names: str) -> bool:
    """Whether nothing but these was changed (a box without area is none)."""
    box = ("left", "top", "width", "height")
    others = (n for n in Changes.__dataclass_fields__ if n not in (*names, *box))
    covered = config.boxed and "width" not in names
    return not covered and all(getattr(config, n) == getattr(Changes(), n) for n in others)


def _covered_away(scene: Scene) -> bool:
    config = scene.config
    return config.boxed and config.width * config.height <= SMALL and _only(config, "width") and _changed(scene)


def _sure_of_nothing(scene: Scene) -> bool:
    strange = scene.picture.key in {f"sample:{name}" for name in STRANGE}
    return strange and any(answer["shares"][0] >= SURE for answer in scene.answers if "problem" not in answer)


def _faithful(scene: Scene) -> bool:
    turned = abs(scene.config.rotate) >= ROUND and _only(scene.config, "rotate")
    return turned and not _changed(scene) and "problem" not in scene.answers[0] and scene.first[0]["shares"][0] >= 0.3


def _two_minds(scene: Scene) -> bool:
    said = [answer for answer in scene.answers if "problem" not in answer]
    return len(said) > 1 and said[0]["labels"][0] != said[1]["labels"][0]
