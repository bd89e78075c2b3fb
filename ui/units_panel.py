"""What the units of a language model know: the best for each feature of the text, and the text coloured by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import text_look
from dlcore.history import History
from dlcore.text_features import FEATURES
from dlcore.texts import Problem
from ui.coloured_text import coloured_html
from ui.faults import unanswered
from ui.i18n import _, sentences
from ui.lessons import Lesson
from ui.session import imposed, page_state
from ui.text_panel import Asked, choose

BEST = 3  # units that are offered for each feature
HEIGHT = 430
KNOWS = 0.25  # by how much |r| must exceed what an untrained network has, for the challenge


@st.fragment
def units_panel(lesson: Lesson, history: History) -> None:
    """Draw the panel; a click on a unit redraws it alone."""
    st.header(_("What its units know"), anchor="units")
    if jobs.status().state == "starting":
        st.caption(_("The networks are being woken up; this takes a few seconds."))
        return
    try:
        asked = choose(lesson, history, "units")
        found = _study(asked.checkpoint, asked.version)
    except Problem as problem:
        unanswered(problem, "units")
        return
    state = page_state(lesson.slug)
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        feature = _feature(state, found)
        unit = _unit(state, found, feature, asked)
        st.markdown(_verdict(found, feature, unit))
    with right:
        _text(found, unit, feature)
    state["best_unit"] = max(state.get("best_unit", 0.0), _own_knowledge(found, feature, unit))
    if state["best_unit"] >= KNOWS and "unit" not in state.get("solved", []):
        st.rerun()


def _own_knowledge(found: dict[str, Any], feature: int, unit: int) -> float:
    """By how much the unit's |r| exceeds that of the best unit before training."""
    return float(abs(found["r"][unit, feature]) - max(found["untrained"][feature], found["chance"][feature]))


def _feature(state: dict[str, Any], found: dict[str, Any]) -> int:
    """What is asked of the units; the list says how well the best of them follows it."""
    r = found["r"]
    order = np.argsort(-(np.abs(r).max(0) - np.maximum(found["untrained"], found["chance"])))
    names = [found["features"][i] for i in order]
    chosen = state.get("feature") if state.get("feature") in names else names[0]
    st.radio(
        _("Which unit knows …"), names, key="units.feature", index=names.index(chosen),
        format_func=lambda name: f"{_(FEATURES[name])} ({np.abs(r[:, found['features'].index(name)]).max():.2f})",
        help=_("In brackets: how closely the best unit follows it, from 0 (not at all) to 1 (exactly)."),
    )  # fmt: skip
    state["feature"] = st.session_state["units.feature"]
    return found["features"].index(state["feature"])


def _unit(state: dict[str, Any], found: dict[str, Any], feature: int, asked: Asked) -> int:
    """A unit: the best for the feature, or any by its number."""
    r = found["r"][:, feature]
    best = np.argsort(-np.abs(r))[:BEST].tolist()
    key = (asked.checkpoint, feature)
    if state.get("unit_for") != key:
        state["unit_for"], state["unit"] = key, best[0]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for place, unit in enumerate(best):
            st.button(
                _("Unit {k} (r = {r})").format(k=unit + 1, r=f"{r[unit]:+.2f}".replace("-", "−")),
                key=f"units.best.{place}", on_click=state.update, kwargs={"unit": unit},
                type="primary" if unit == state["unit"] else "secondary",
            )  # fmt: skip
    st.number_input(
        _("Any unit, 1–{n}").format(n=len(r)), 1, len(r),
        **imposed(f"units.number.{len(r)}", min(state["unit"], len(r) - 1) + 1,
                  lambda number: state.update(unit=int(number) - 1)),
    )  # fmt: skip
    return min(state["unit"], len(r) - 1)


def _verdict(found: dict[str, Any], feature: int, unit: int) -> str:
    """How strong it is, in words that claim no more than the number does."""
    r, before, chance = (float(x) for x in (found["r"][unit, feature], found["untrained"][feature],
                                            found["chance"][feature]))  # fmt: skip
    size, level = abs(r), max(before, chance)
    if size < level + 0.05:
        words = _("That is no more than chance or a network that has learned nothing reaches ({before}, {chance}).")
    elif size < 0.5:
        words = _("More than chance ({chance}) and more than before training ({before}), but it leaves most of the "
                  "variation unexplained: knowledge here is spread over many units.")  # fmt: skip
    else:
        words = _("Far more than chance ({chance}); the best unit before training had {before}. It explains {share} "
                  "of the variation.")  # fmt: skip
    told = words.format(before=f"{before:.2f}", chance=f"{chance:.2f}", share=f"{size**2:.0%}")
    head = _("**Unit {k}** and “{feature}”: r = {r} over {n:,} held-out letters.").format(
        k=unit + 1, feature=_(FEATURES[found["features"][feature]]), r=f"{r:+.2f}".replace("-", "−"), n=found["studied"]
    )
    return sentences(head, told)


def _text(found: dict[str, Any], unit: int, feature: int) -> None:
    activity = found["activity"][:, unit].astype(float)
    moved = activity - np.median(activity)
    spread = max(float(np.quantile(np.abs(moved), 0.98)), 1e-6)  # so that few extremes do not pale all the rest
    kind = _("cell state") if found["cell"] == "lstm" else _("hidden state")
    st.html(coloured_html(
        list(found["text"]), (moved / spread).tolist(),
        _("Held-out text, coloured by the {kind} of unit {k}.").format(kind=kind, k=unit + 1),
        hover=[f"{value:+.2f}".replace("-", "−") for value in activity.tolist()], height=HEIGHT,
        legend=(_("{kind} below its usual value").format(kind=kind), _("above")),
    ))  # fmt: skip


@st.cache_data(max_entries=8, show_spinner=False)
def _study(checkpoint: str | None, version: int) -> dict[str, Any]:
    return jobs.call(text_look.study, checkpoint, timeout=60.0)
