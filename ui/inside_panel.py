"""Why this answer? A map of what it hangs on, and two checks that tell whether the map is more than decoration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil
from typing import Any

import numpy as np
import streamlit as st

from dlcore.figures import attribution as figures
from dlcore.figures import images
from dlcore.texts import N_
from dlcore.vision.methods import BASELINES, METHODS, MOST_LEVELS, completeness, fractions, integrated, offered
from ui.asked import Asked, Subject, examined, signed, wanted
from ui.controls import extra_choice
from ui.i18n import _, sentences
from ui.in_pieces import Question, in_pieces, pieces_for
from ui.inside_checks import deleted, neighbours, randomised
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import imposed

EXTRA = ("why",)  # parameter of the address that the page must keep
HEIGHT = 330  # px
FIRST_LEVEL = 3  # 8 steps
MOST_PARTS = 12  # of one map, or of one doubling of the steps
CLASSES = 6  # that may be asked about: the likeliest
EMPTY = {"black": N_("black"), "grey": N_("grey"), "white": N_("white")}


@st.fragment
def inside_panel(lesson: Lesson, subject: Subject | None, *more: Callable[[Asked], None]) -> None:
    """Draw it; what is changed in it draws it alone again.

    Args:
        subject: the network and the picture; None: there is none yet.
        more: draw what else is to be seen of the answer, below.
    """

    def draw(asked: Asked) -> None:
        _panel(lesson, asked)
        if asked.subject.dataset:
            neighbours(asked)
        for draw_more in more:
            draw_more(asked)

    examined(_("Why this answer?"), "why", _("When a network has answered, its answer is taken apart here."), subject,
             draw)  # fmt: skip


def _panel(lesson: Lesson, asked: Asked) -> None:
    words, seen, found = st.columns([1.15, 1, 1], gap="large")
    with words:
        method = _method(lesson, asked)
        target = _target(asked)
        baseline, level = _settings(asked, method)
    with seen:
        st.caption(_("What it sees"))
        live_plot(
            images.pictures(asked.pixels[None], 1), key="inside.seen", height=HEIGHT, aspect=1.0,
            alt=_("The picture as it enters the network."),
        )  # fmt: skip
    with found, st.container(key="inside-found"):
        answers = _map(asked, method, target, baseline, level)
        if answers is None:
            return
        heat, parts = answers
        words = _("Vermilion: what “{name}” hangs on")
        if METHODS[method].signed:
            words = _("Vermilion speaks for “{name}”, blue against it")
        st.caption(words.format(name=asked.title(target)))
        live_plot(
            figures.overlay(asked.pixels, heat), key="inside.map", height=HEIGHT, aspect=1.0,
            alt=_("The picture in grey, with the places in colour that the answer hangs on."), table=_strongest(heat),
        )  # fmt: skip
    if parts:
        _complete(asked, target, parts)
    st.subheader(_("Is the map more than decoration?"), anchor="sanity")
    left, right = st.columns(2, gap="large")
    with left:
        deleted(lesson, asked, method, target, baseline, heat)
    with right:
        randomised(lesson, asked, method, target, baseline, heat)


def _method(lesson: Lesson, asked: Asked) -> str:
    methods = offered(asked.said["has_maps"], large=asked.large)
    chosen, choose = extra_choice("why", methods, slug=lesson.slug)
    titles = {name: _titled(asked, name) for name in methods}  # now: a test asks for them outside of a session
    st.selectbox(
        _("Method"), methods, format_func=titles.__getitem__,
        **imposed(f"inside.method.{methods[0]}.{len(methods)}", chosen, choose),
    )  # fmt: skip
    method = METHODS[chosen]
    st.markdown(_(method.about))
    st.caption(sentences(f"**{_('Beware.')}** {_(method.beware)}", f"*{method.paper}*"))
    if not asked.said["has_maps"]:
        st.caption(
            _("This network has no convolutions whose maps could be laid on the picture, so there is no Grad-CAM.")
        )
    return chosen


def _titled(asked: Asked, name: str) -> str:
    """A method's name, for large pictures with the time that it will take."""
    if not asked.large or name == "edges":
        return _(METHODS[name].title)
    seconds = asked.seconds(METHODS[name].passes)
    return _("{method} · about {s} s").format(
        method=_(METHODS[name].title), s=f"{seconds:.1f}" if seconds < 1 else ceil(seconds)
    )


def _target(asked: Asked) -> int:
    """The class that is asked about: one of the likeliest."""
    likely = np.argsort(-asked.said["probabilities"], kind="stable")[:CLASSES].tolist()
    shares = asked.said["probabilities"]
    return st.selectbox(
        _("Why does it say …"), likely, key=f"inside.target.{likely[0]}",
        format_func=lambda k: f"{asked.titles[k]} · {min(shares[k], 0.999):.1%}",
    )  # fmt: skip


def _settings(asked: Asked, method: str) -> tuple[str, int]:
    """The empty picture and how often the steps are doubled, where the method has them."""
    first = "grey" if len(asked.pixels) == 3 else "black"
    if method not in ("integrated", "occlusion"):
        return first, 0
    order = [first, *(name for name in BASELINES if name != first)]
    label = _("The empty picture") if method == "integrated" else _("The patch")
    baseline = st.segmented_control(
        label, order, format_func=lambda name: _(EMPTY[name]), default=first, required=True,
        key=f"inside.baseline.{first}",
    )  # fmt: skip
    if method == "occlusion":
        return baseline, 0
    most = MOST_LEVELS - 2 if asked.large else MOST_LEVELS
    steps = st.select_slider(
        _("Steps"), [2**k for k in range(most + 1)], value=2**FIRST_LEVEL, key=f"inside.steps.{most}",
        help=_("On how many points of the way from the empty picture to this one the gradient is taken."),
    )  # fmt: skip
    return baseline, steps.bit_length() - 1


def _map(
    asked: Asked, method: str, target: int, baseline: str, level: int
) -> tuple[np.ndarray, dict[str, Any] | None] | None:  # fmt: skip
    """The map ``(H, W)``, of integrated gradients also the sums that it is made of; None: it is still being made."""
    ask = partial(_path, level=level) if method == "integrated" else partial(_parts, method=method)
    questions = ask(asked, target=target, baseline=baseline)
    passes = sum(question.passes for question in questions)
    label = _("Make this map (about {s} s)").format(s=ceil(asked.seconds(passes)))
    if not wanted(asked, f"map.{method}.{level}", label, ":material/search:", passes=passes):
        return None
    answers = in_pieces(asked, f"map.{method}", questions)
    if answers is None:
        return None
    if method != "integrated":
        return np.sum([answer["map"] for answer in answers], axis=0), None
    parts = np.zeros((max(max(q.given[2]) for q in questions) + 1, *answers[0]["parts"].shape[1:]), np.float32)
    for question, answer in zip(questions, answers, strict=True):
        parts[list(question.given[2])] += answer["parts"]
    return integrated([*parts[: level + 1]]), {**answers[0], "parts": parts, "level": level}


def _parts(asked: Asked, *, method: str, target: int, baseline: str) -> list[Question]:
    """A map in parts."""
    passes = METHODS[method].passes
    count = pieces_for(asked, passes, MOST_PARTS) if method in ("occlusion", "smoothgrad") else 1
    given = (method, target)
    return [
        Question("attribution:explain", given, passes / count, {"baseline": baseline, "part": (k, count)})
        for k in range(count)
    ]


def _path(asked: Asked, *, level: int, target: int, baseline: str) -> list[Question]:
    """Integrated gradients: of a small picture all levels at once, for the slider; else as many as are wanted."""
    if not asked.large:
        return [Question("attribution:path_parts", (target, baseline, tuple(range(MOST_LEVELS + 1))), 3 * 2**level)]
    questions = []
    for k in range(level + 1):
        passes = 3 * len(fractions(k)[0])
        count = pieces_for(asked, passes, min(MOST_PARTS, len(fractions(k)[0])))
        questions += [
            Question("attribution:path_parts", (target, baseline, (k,)), passes / count, {"part": (part, count)})
            for part in range(count)
        ]
    return questions


def _strongest(heat: np.ndarray, count: int = 12) -> dict[str, Any]:
    """The places with the largest sizes, as a table."""
    rows, columns = np.unravel_index(np.argsort(-np.abs(heat).ravel(), kind="stable")[:count], heat.shape)
    return {_("row"): rows + 1, _("column"): columns + 1, _("weight"): heat[rows, columns].round(5)}


def _complete(asked: Asked, target: int, found: Mapping[str, Any]) -> None:
    """How far the sum of the map is from the whole score, live with the slider."""
    level, difference = found["level"], found["score"] - found["empty"]
    errors = completeness(found["parts"], difference)
    words, plot = st.columns([1.15, 2], gap="large", vertical_alignment="center")
    total = float(integrated(found["parts"][: level + 1]).sum())
    words.markdown(
        _("The score of “{name}” goes from {empty} for the empty picture to {score}: a difference of "
          "**{difference}**. The pixels of this map add up to **{total}**. The error is {error}; with enough steps it "
          "goes to 0.").format(
            name=asked.title(target), empty=signed(found["empty"]), score=signed(found["score"]),
            difference=signed(difference), total=signed(total), error=f"{errors[level]:.3g}",
        )
    )  # fmt: skip
    with plot:
        live_plot(
            figures.completeness(np.maximum(errors, 1e-6), level, label=_), key="inside.complete", height=220,
            alt=_("The completeness error against the number of steps; both axes are logarithmic."),
            table={_("steps"): 2 ** np.arange(len(errors)), _("completeness error"): errors},
        )  # fmt: skip
