"""How easily is it fooled? An attack beside random noise of the same size; then bad pictures, and strange ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.figures import attribution as figures
from dlcore.texts import N_, Problem
from ui import address
from ui.asked import Asked, ask, waiting, wanted
from ui.controls import extra_choice
from ui.i18n import _, tell
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.odd_pictures import strangers, weather
from ui.session import imposed
from ui.slider import slider

EXTRA = ("attack",)  # parameter of the address that the page must keep
HEIGHT, LOW = 250, 280  # px
METHODS = {"fgsm": N_("One step (FGSM)"), "pgd": N_("Ten steps (PGD)")}
ABOUT = {
    "fgsm": N_("Each pixel moves by ε in the direction that raises the loss: one gradient (Goodfellow et al. 2015)."),
    "pgd": N_("Ten smaller steps, each put back to within ε of the picture (Madry et al. 2018). Stronger than one."),
}
PHOTO = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)  # of 255: sizes for photographs
SMALL = tuple(round(0.02 * k, 2) for k in range(16))  # for small grey images, whose ink is black and white
CLASSES = 8  # that may be wished for


@st.fragment
def robust_panel(lesson: Lesson, picture: np.ndarray | None, model_name: str, *, version: int = 0) -> None:
    """Draw it; what is changed in it draws it alone again. Arguments as for ``inside_panel``."""
    address.follow()
    st.header(_("How easily is it fooled?"), anchor="fooled")
    if picture is None or jobs.status().state == "starting":
        st.markdown(_("When a network has answered, its answer is put to the test here."))
        return
    try:
        asked = ask(model_name, version, picture)
        _attack(lesson, asked)
        weather(asked)
        strangers(asked)
    except Problem as problem:
        st.warning(tell(problem))
        st.button(_("Try again"), icon=":material/refresh:", key="robust.again")


def _attack(lesson: Lesson, asked: Asked) -> None:
    words, shown = st.columns([1, 2.7], gap="large")
    with words:
        method = _method(lesson)
        target = _wish(asked)
        sizes, epsilon = _size(asked)
    passes = (4 if method == "fgsm" else 31) if asked.large else 1
    with shown:
        with waiting(asked, passes):
            one = asked.call("attacks:attack", method, epsilon, target)
        _pictures(asked, one, epsilon)
        st.markdown(_verdict(asked, one, target))
    left, right = st.columns([1, 2.7], gap="large")
    left.markdown(
        _("**The same size, another direction.** Random noise moves every pixel just as far, and takes the answer "
          "away only when it is large; the attack knows in which direction the network is weak. In a picture of {n} "
          "numbers, many tiny pushes that all pull the same way add up.").format(n=f"{asked.pixels.size:,}")
    )  # fmt: skip
    with right:
        _sweep(asked, method, target, sizes, epsilon)


def _method(lesson: Lesson) -> str:
    chosen, choose = extra_choice("attack", list(METHODS), slug=lesson.slug)
    st.segmented_control(
        _("Attack"), list(METHODS), format_func=lambda name: _(METHODS[name]), required=True,
        **imposed("robust.method", chosen, choose),
    )  # fmt: skip
    st.caption(_(ABOUT[chosen]))
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
    if asked.large:
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
        height=HEIGHT,
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


def _sweep(asked: Asked, method: str, target: int | None, sizes: tuple[float, ...], epsilon: float) -> None:
    if not wanted(asked, f"sweep.{method}", _("Try all sizes"), ":material/show_chart:"):
        return
    passes = len(sizes) * (5 if method == "fgsm" else 32) if asked.large else 1
    with waiting(asked, passes):
        found = asked.call("attacks:sweep", method, list(sizes), target)
    live_plot(
        figures.pushed(np.array(sizes), found["attack"], found["noise"], found["wished"], epsilon, label=_),
        key="robust.sweep", height=LOW, alt=_("The probability of the first answer against the size of the push."),
        table={"ε": np.round(sizes, 4), _("attack"): found["attack"].round(4),
               _("random noise"): found["noise"].round(4)},
    )  # fmt: skip
