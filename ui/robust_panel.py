"""How easily is it fooled? An attack beside random noise of the same size; then bad pictures, and strange ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from dlcore.figures import attribution as figures
from dlcore.texts import N_
from ui.asked import Asked, Subject, examined, wanted
from ui.challenge import achieved
from ui.controls import extra_choice
from ui.i18n import _
from ui.in_pieces import Question, in_pieces, pieces_for
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.odd_pictures import strangers, weather
from ui.session import imposed, page_state
from ui.slider import slider

EXTRA = ("attack",)  # parameter of the address that the page must keep
HEIGHT, LOW = 250, 280  # px
METHODS = {"fgsm": N_("One step (FGSM)"), "pgd": N_("Many steps (PGD)")}
ABOUT = {
    "fgsm": N_("Each pixel moves by ε in the direction that raises the loss: one gradient (Goodfellow et al. 2015)."),
    "pgd": N_("{n} smaller steps, each put back to within ε of the picture (Madry et al. 2018). Stronger than one."),
}
MOST_STEPS, LEAST_STEPS = 10, 3
PATIENT = 12.0  # seconds that the steps of PGD may take; with a slow network there are fewer
SMALL_PUSH = 1.0  # grey levels of 255, for the challenge; half of what stands there at first
PHOTO = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)  # of 255: sizes for photographs
SMALL = tuple(round(0.02 * k, 2) for k in range(16))  # for grey images, whose ink is black and white
CLASSES = 8  # that may be wished for


@st.fragment
def robust_panel(lesson: Lesson, subject: Subject | None) -> None:
    """Draw it; what is changed in it draws it alone again. ``subject``: None, there is none yet."""

    def draw(asked: Asked) -> None:
        _attack(lesson, asked)
        weather(asked)
        strangers(asked)

    examined(_("How easily is it fooled?"), "fooled",
             _("When a network has answered, its answer is put to the test here."), subject, draw)  # fmt: skip


def _attack(lesson: Lesson, asked: Asked) -> None:
    steps = max(LEAST_STEPS, min(MOST_STEPS, int(PATIENT / asked.seconds(3)))) if asked.large else MOST_STEPS
    words, shown = st.columns([1, 2.7], gap="large")
    with words:
        method = _method(lesson, steps)
        target = _wish(asked)
        sizes, epsilon = _size(asked)
    with shown, st.container(key="robust-shown"):
        answers = in_pieces(asked, "attack", _steps(asked, method, epsilon, target, steps))
        if answers is not None:
            _pictures(asked, answers[-1], epsilon)
            st.markdown(_verdict(asked, answers[-1], target))
            _note(page_state(lesson.slug), asked, answers[-1], epsilon, target)
    left, right = st.columns([1, 2.7], gap="large")
    left.markdown(
        _("**The same size, another direction.** Random noise moves every pixel just as far, and takes the answer "
          "away only when it is large; the attack knows in which direction the network is weak. In a picture of {n} "
          "numbers, many tiny pushes that all pull the same way add up.").format(n=f"{asked.pixels.size:,}")
    )  # fmt: skip
    with right:
        _sweep(asked, method, target, sizes, epsilon, steps)


def _steps(asked: Asked, method: str, epsilon: float, target: int | None, steps: int) -> list[Question]:
    """The attack as questions: of a slow network's many steps a few at a time, each from where the last came to."""
    given = (method, epsilon, target)
    if method == "fgsm":
        return [Question("attacks:attack", given, 6)]
    share = np.array_split(np.arange(steps), pieces_for(asked, 3 * steps, steps))
    return [
        Question("attacks:attack", given, 3 * len(some) + 3, {"steps": steps, "now": len(some)}, "start" if k else "")
        for k, some in enumerate(share)
    ]


def _note(state: dict[str, Any], asked: Asked, one: Mapping[str, Any], epsilon: float, target: int | None) -> None:
    """Remember for the challenges what an attack has achieved where noise of the same size has not."""
    before, attacked, noisy = (int(k) for k in one["probabilities"].argmax(1))
    fooled = attacked != before == noisy
    small = len(asked.pixels) == 3 and epsilon <= SMALL_PUSH / 255 + 1e-9
    achieved(state, "pushed_over", fooled and small)
    achieved(state, "as_wished", fooled and target is not None and attacked == target)


def _method(lesson: Lesson, steps: int) -> str:
    chosen, choose = extra_choice("attack", list(METHODS), slug=lesson.slug)
    st.segmented_control(
        _("Attack"), list(METHODS), format_func=lambda name: _(METHODS[name]), required=True,
        **imposed("robust.method", chosen, choose),
    )  # fmt: skip
    st.caption(_(ABOUT[chosen]).format(n=steps))
    return chosen


def _wish(asked: Asked) -> int | None:
    """The class that the attack wishes for, or None: any but the answer."""
    likely = np.argsort(-asked.said["probabilities"], kind="stable")[:CLASSES].tolist()
    return st.selectbox(
        _("It shall say"), [None, *likely[1:]], key=f"robust.wish.{likely[0]}",
        format_func=lambda k: _("anything else") if k is None else asked.titles[k],
    )  # fmt: skip


def _size(asked: Asked) -> tuple[tuple[float, ...], float]:
    """The sizes that are tried together, and the chosen one, on the scale 0 to 1."""
    if len(asked.pixels) == 3:
        level = slider(
            _("Size of the push ε, in grey levels of 255"), key="robust.size.photo", low=0.0, high=PHOTO[-1],
            value=2.0, step=0.5,
        )  # fmt: skip
        return tuple(e / 255 for e in PHOTO), level / 255
    size = slider(
        _("Size of the push ε, of black to white"), key="robust.size.small", low=0.0, high=SMALL[-1], value=0.1,
        step=0.01,
    )  # fmt: skip
    return SMALL, size


def _pictures(asked: Asked, one: Mapping[str, Any], epsilon: float) -> None:
    """Picture, push and sum for the attack; then the same for random noise."""
    best = one["probabilities"].argmax(1)
    answers = [f"{asked.titles[k]} {p[k]:.0%}" for k, p in zip(best, one["probabilities"], strict=True)]
    pushes = np.stack([figures.amplified(push, epsilon) for push in one["pushes"]])
    shown = np.concatenate([one["pictures"][:2], pushes[:1], one["pictures"][2:], pushes[1:]])
    size = f"ε = {epsilon:.3g}"
    below = [answers[0], answers[1], size, answers[2], size]
    above = [_("untouched"), _("attacked"), _("its push, enlarged"), _("random noise"), _("the noise, enlarged")]
    order = [0, 2, 1, 4, 3]
    live_plot(
        figures.row(shown[order], [below[k] for k in order], [above[k] for k in order]), key="robust.pictures",
        height=HEIGHT, aspect=4.3,
        alt=_("The picture untouched, the attack's push and what it makes, random noise and what it makes."),
        table={_("picture"): [above[k] for k in order], _("answer"): [below[k] for k in order]},
    )  # fmt: skip


def _verdict(asked: Asked, one: Mapping[str, Any], target: int | None) -> str:
    before, attacked, _noisy = (int(k) for k in one["probabilities"].argmax(1))
    now = one["probabilities"]
    numbers = {
        "name": asked.title(before), "other": asked.title(attacked), "sure": f"{now[0, before]:.1%}",
        "left": f"{now[1, before]:.1%}", "noise": f"{now[2, before]:.1%}", "now": f"{now[1, attacked]:.1%}",
    }  # fmt: skip
    if attacked == before:
        words = _("Attacked, it still says “{name}”: {sure} before, {left} now. With random noise of the same size: "
                  "{noise}. Make ε larger.")  # fmt: skip
    elif attacked == target:
        words = _("Attacked, it says what was wished for: **{other}**, {now} sure. “{name}” keeps {left} of {sure}; "
                  "with random noise of the same size it keeps {noise}.")  # fmt: skip
    else:
        words = _("Attacked, it says **{other}**, {now} sure. “{name}” keeps {left} of {sure}; with random noise of "
                  "the same size it keeps {noise}.")  # fmt: skip
    return words.format(**numbers)


def _sweep(
    asked: Asked, method: str, target: int | None, sizes: tuple[float, ...], epsilon: float, steps: int
) -> None:  # fmt: skip
    if not wanted(asked, f"sweep.{method}", _("Try all sizes"), ":material/show_chart:"):
        return
    each = [(size,) for size in sizes] if asked.large else [sizes]
    passes = len(sizes) / len(each) * ((3 if method == "fgsm" else 3 * steps) + 2)
    more = {"steps": steps}
    questions = [Question("attacks:sweep", (method, some, target), passes if asked.large else 1, more) for some in each]
    answers = in_pieces(asked, "sweep", questions)
    if answers is None:
        return
    attack, noise = (np.concatenate([answer[name] for answer in answers]) for name in ("attack", "noise"))
    wished = None if target is None else np.concatenate([answer["wished"] for answer in answers])
    live_plot(
        figures.pushed(np.array(sizes), attack, noise, wished, epsilon, label=_),
        key="robust.sweep", height=LOW, alt=_("The probability of the first answer against the size of the push."),
        table={"ε": np.round(sizes, 4), _("attack"): attack.round(4), _("random noise"): noise.round(4)},
    )  # fmt: skip
