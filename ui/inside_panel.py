"""Why this answer? A map of what it hangs on, and two checks that tell whether the map is more than decoration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.figures import attribution as figures
from dlcore.figures import images
from dlcore.texts import N_, Problem
from dlcore.vision.methods import BASELINES, METHODS, MOST_LEVELS, completeness, integrated, offered
from ui import address
from ui.asked import Asked, ask, signed, waiting
from ui.controls import extra_choice
from ui.i18n import _, sentences, tell
from ui.inside_checks import deleted, neighbours, randomised
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import imposed

EXTRA = ("why",)  # parameter of the address that the page must keep
HEIGHT = 330  # px
FIRST_LEVEL = 3  # 8 steps
CLASSES = 6  # that may be asked about: the likeliest
EMPTY = {"black": N_("black"), "grey": N_("grey"), "white": N_("white")}


@st.fragment
def inside_panel(
    lesson: Lesson, picture: np.ndarray | None, model_name: str, *, version: int = 0, dataset: str = "",
    train_size: int = 0,
) -> None:  # fmt: skip
    """Draw it; what is changed in it draws it alone again.

    Args:
        picture: ``(H, W, 3)`` uint8 RGB, or ``(C, H, W)`` uint8 as the network takes it; None: none yet.
        model_name: as ``dlcore.vision.models.model`` takes it.
        version: another number whenever the weights under that name are others.
        dataset, train_size: whose images are searched for the nearest ones; "" for none.
    """
    address.follow()
    st.header(_("Why this answer?"), anchor="why")
    if picture is None or jobs.status().state == "starting":
        st.markdown(_("When a network has answered, its answer is taken apart here."))
        return
    try:
        asked = ask(model_name, version, picture)
        _panel(lesson, asked)
        if dataset:
            neighbours(asked, dataset, train_size)
    except Problem as problem:
        st.warning(tell(problem))
        st.button(_("Try again"), icon=":material/refresh:", key="inside.again")


def _panel(lesson: Lesson, asked: Asked) -> None:
    words, seen, found = st.columns([1.15, 1, 1], gap="large")
    with words:
        method = _method(lesson, asked)
        target = _target(asked)
        baseline, levels = _settings(asked, method)
    heat, parts = _map(asked, method, target, baseline, levels)
    with seen:
        st.caption(_("What it sees"))
        live_plot(
            images.pictures(asked.pixels[None], 1), key="inside.seen", height=HEIGHT, aspect=1.0,
            alt=_("The picture as it enters the network."),
        )  # fmt: skip
    with found:
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
        deleted(asked, method, target, baseline, heat)
    with right:
        randomised(lesson, asked, method, target, baseline)


def _method(lesson: Lesson, asked: Asked) -> str:
    methods = offered(asked.said["has_maps"], large=asked.large)
    chosen, choose = extra_choice("why", methods, slug=lesson.slug)
    titles = {name: _(METHODS[name].title) for name in methods}  # now: a test asks for them outside of a session
    st.selectbox(
        _("Method"), methods, format_func=titles.__getitem__,
        **imposed(f"inside.method.{methods[0]}.{len(methods)}", chosen, choose),
    )  # fmt: skip
    method = METHODS[chosen]
    st.markdown(_(method.about))
    st.caption(sentences(f"**{_('Beware.')}** {_(method.beware)}", f"*{method.paper}*"))
    return chosen


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
) -> tuple[np.ndarray, dict[str, Any] | None]:  # fmt: skip
    """The map ``(H, W)``; of integrated gradients also the sums that it is made of."""
    about = METHODS[method]
    passes = 3 * 2**level if method == "integrated" else about.passes
    with waiting(asked, passes):
        if method != "integrated":
            return asked.call("attribution:explain", method, target, baseline=baseline)["map"], None
        most = MOST_LEVELS if not asked.large else level
        groups = [list(range(most + 1))] if not asked.large else [[k] for k in range(most + 1)]
        found = [asked.call("attribution:path_parts", target, baseline, group) for group in groups]
    parts = np.concatenate([piece["parts"] for piece in found])
    return integrated([*parts[: level + 1]]), {**found[0], "parts": parts, "level": level}


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
