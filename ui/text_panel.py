"""Ask a language model: what it expects after your words, how they surprised it, and what it would write itself."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import text_look
from dlcore.figures import letters
from dlcore.figures.cells import NAMES
from dlcore.history import History
from dlcore.text_story import goes_in_circles, visible
from dlcore.texts import N_, Problem
from dlcore.trained import written
from ui.coloured_text import coloured_html
from ui.faults import unanswered
from ui.i18n import _
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import owner, page_state
from ui.slider import slider
from ui.type_box import put_text, type_box

SHIPPED, OWN = "shipped", "own"
NETWORKS = {SHIPPED: N_("Shipped network (Alice)"), OWN: N_("My network")}
BOX, MOST, WRITTEN = "text.typed", 400, 420  # letters
SURPRISE = 8.0  # bits: as dark as it gets
EXAMPLES = {
    "alice": ("`I don't know,' said the ", "`Oh dear!' said Ali", "xqzjw"),
    "shakespeare": ("ROMEO:\nMy lo", "To be, or not to ", "First Citi"),
    "poems": ("春風", "明月", "獨坐"),
    "own": ("The ", "and then ", "?"),
}
TEMPERATURES = (0.3, 0.8, 1.4)
ENOUGH, CALM = 30, 1.2  # letters that a challenge wants typed, and bits per letter on average


@dataclass(frozen=True)
class Asked:
    """Which network answers: a checkpoint (None is the shipped one), of which version, and what it has read."""

    checkpoint: str | None = None
    version: int = 0
    source: str = "alice"


@st.fragment
def text_panel(lesson: Lesson, history: History) -> None:
    """Draw the panel; every letter that is typed redraws it alone."""
    st.header(_("Ask it yourself"), anchor="ask")
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        st.caption(_("The networks are being woken up; this takes a few seconds."))
        return
    try:
        asked = choose(lesson, history, "ask")
        left, right = st.columns([1.7, 1], gap="large")
        with left:
            text = _typed(asked)
            heard = _listen(text, asked.checkpoint, asked.version)
            _surprise(text, heard)
        with right:
            _next(heard)
        _note_surprise(lesson, text, heard)
        _writes(lesson, asked, text)
    except Problem as problem:
        unanswered(problem, "ask")


def choose(lesson: Lesson, history: History, key: str) -> Asked:
    """The network that answers: the shipped one, or the run's newest checkpoint, also while it trains."""
    there = history.has_checkpoint
    chosen = st.segmented_control(
        _("Who answers"), [SHIPPED, OWN] if there else [SHIPPED], format_func=lambda name: _(NETWORKS[name]),
        default=OWN if there else SHIPPED, key=f"{key}.network.{there}", required=True, label_visibility="collapsed",
    )  # fmt: skip
    if chosen != OWN:
        return Asked()
    path = str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner()))
    return Asked(path, written(path), history.config["source"])


def _typed(asked: Asked) -> str:
    examples = EXAMPLES[asked.source]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for place, example in enumerate(examples):
            shown = example.replace("\n", " ↵ ")
            st.button(shown, key=f"text.example.{asked.source}.{place}", on_click=put_text, args=(BOX, example))
    return type_box(
        _("Your text"), key=BOX, value=examples[0], lines=3, most=MOST,
        placeholder=_("Begin a sentence, and watch what it expects."),
    )  # fmt: skip


def _surprise(text: str, heard: dict[str, Any]) -> None:
    """The typed text, coloured by how surprising each letter was."""
    if not text:
        st.caption(_("Nothing typed yet: the bars show how it would begin."))
        return
    words = _("{bits:.1f} bits, expected {letter}")
    hover = [
        words.format(bits=bits, letter=visible(letter))
        for bits, letter in zip(heard["bits"].tolist(), heard["expected"], strict=True)
    ]
    mean = float(heard["bits"].mean())
    told = _("How surprised it was by each letter: **{bits:.2f} bits** on average, as if it chose among {n:.1f}.")
    st.caption(told.format(bits=mean, n=2**mean))
    st.html(coloured_html(
        list(text), (heard["bits"] / SURPRISE).tolist(), _("The darker a letter, the more it surprised the network."),
        scale="sequential", hover=hover, height=140, legend=(_("expected"), _("surprising ({n:.0f} bits)").format(n=8)),
    ))  # fmt: skip
    if n := int(heard["unknown"].sum()):
        st.caption(_("{n} of these letters are not in the text that it has read; to it they are all the same sign.")
                   .format(n=n))  # fmt: skip


def _next(heard: dict[str, Any]) -> None:
    names = [visible(letter) for letter in heard["next"]]
    st.caption(_("What comes next? The ten likeliest of {n} signs ({cell})").format(
        n=heard["symbols"], cell=NAMES[heard["cell"]]))  # fmt: skip
    live_plot(
        letters.expected(names, heard["probabilities"], label=_), key="next-letter", height=310,
        alt=_("The likeliest next letters and the probability of each."),
        table={_("letter"): names, _("probability"): heard["probabilities"].round(4)},
    )  # fmt: skip


def _writes(lesson: Lesson, asked: Asked, text: str) -> None:
    """Let it go on, as boldly as the sliders say; and beside that, timid, usual and wild."""
    state = page_state(lesson.slug)
    st.subheader(_("Let it go on"), anchor="write")
    panel, paper = st.columns([1, 2.7], gap="large")
    with panel:
        temperature = slider(
            _("Temperature"), key="text.temperature", low=0.0, high=2.0, value=0.7, step=0.05,
            zero=_("the likeliest"),
            help=_("Divides the scores before they become probabilities: low is timid, high is wild, 1 is as learned."),
        )  # fmt: skip
        top_k = slider(
            _("Choose among the likeliest"), key="text.top_k", low=0, high=40, value=0, step=1, zero=_("all"),
            help=_("Top-k: only so many letters may be drawn at each place."),
        )  # fmt: skip
        again = st.button(_("Again, with other chance"), icon=":material/casino:", key="text.again")
        state["write_seed"] = seed = state.get("write_seed", 0) + again
    made = _go_on(text, [temperature], asked.checkpoint, asked.version, int(top_k), seed)[0]
    with paper:
        _paper(text, made)
    state["circles"] = state.get("circles", False) or (text.strip() != "" and goes_in_circles(made))
    with st.expander(_("Timid, usual, wild: three temperatures, the same chance")):
        trio = _go_on(text, list(TEMPERATURES), asked.checkpoint, asked.version, int(top_k), seed)
        for column, value, words in zip(st.columns(3), TEMPERATURES, trio, strict=True):
            with column:
                st.caption(_("Temperature {value}").format(value=value))
                _paper(text, words)
    if state["circles"] and "circles" not in state.get("solved", []):
        st.rerun()


def _paper(text: str, made: str) -> None:
    """What was typed (quiet) and what the network wrote."""
    st.html(f'<div class="dl-paper" dir="auto"><span class="dl-paper-given">{escape(text)}</span>{escape(made)}</div>')


def _note_surprise(lesson: Lesson, text: str, heard: dict[str, Any]) -> None:
    """Remember the calmest and the wildest of what was typed, for the challenges."""
    if len(text) < ENOUGH:
        return
    state, mean = page_state(lesson.slug), float(np.mean(heard["bits"]))
    state["calmest"] = min(state.get("calmest", np.inf), mean)
    if state["calmest"] < CALM and "calm" not in state.get("solved", []):
        st.rerun()


@st.cache_data(max_entries=256, show_spinner=False)
def _listen(text: str, checkpoint: str | None, version: int) -> dict[str, Any]:
    return jobs.call(text_look.listen, text, checkpoint)


@st.cache_data(max_entries=128, show_spinner=False)
def _go_on(
    text: str, temperatures: list[float], checkpoint: str | None, version: int, top_k: int, seed: int
) -> list[str]:
    return jobs.call(text_look.go_on, text, temperatures, checkpoint, length=WRITTEN, top_k=top_k, seed=seed)
