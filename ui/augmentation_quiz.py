"""Is the label still valid? The reader marks the samples that have lost theirs; then a network says what it sees."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from dlcore import augmentation_story as story
from dlcore import jobs
from dlcore.experiments import augmentation_look
from dlcore.experiments.augmentation import Config
from dlcore.figures import DATA, GREY, MODEL, WARNING
from dlcore.figures import augmentation as figures
from dlcore.knobs import Knob
from dlcore.texts import N_, Problem
from ui import address
from ui.augmentation_lab import SLUG
from ui.controls import extra_choice, put_extra, read_extra
from ui.faults import unanswered
from ui.i18n import _, ngettext, sentences
from ui.live_plot import live_plot
from ui.session import imposed, page_state

COUNT, COLUMNS = 12, 6
HEIGHT, FOOT = 290, 6
WILD, MINE = "wild", "mine"
SOURCES = {WILD: N_("Turned, mirrored"), MINE: N_("With my settings")}
AGREED = 10  # of COUNT: the challenge
MOST_DRAWS = 1000
DRAW = Knob("quiz_draw", int, 0, 0, MOST_DRAWS - 1, label=N_("Pictures"))


@st.fragment
def quiz(config: Config, checkpoint: str | None) -> None:
    """Draw the quiz; a mark redraws it alone, other pictures the whole page: they are in the address.

    Args:
        checkpoint: of the reader's own network, for images that the shipped one does not know; None if there is none.
    """
    address.follow()
    with st.container(key="prose-quiz"):  # in the reading column
        _quiz(config, checkpoint)


def _quiz(config: Config, checkpoint: str | None) -> None:
    st.header(_("Is the label still valid?"), anchor="labels")
    if config.dataset not in story.DIGITS and checkpoint is None:
        st.markdown(_("The network that comes with the lesson knows digits only. Train yours first, then it is asked."))
        return
    if jobs.status().state == "starting":
        st.caption(_("The workers are being woken up; this takes a few seconds."))
        return
    st.markdown(
        _("Mark every picture that no longer shows what its label, in blue, says. Then see what a network sees.")
    )
    source, choose = extra_choice("quiz", list(SOURCES), slug=SLUG)
    st.segmented_control(
        _("Pictures"), list(SOURCES), format_func=lambda name: _(SOURCES[name]), required=True,
        label_visibility="collapsed", **imposed("quiz.source", source, choose),
    )  # fmt: skip
    settings, draw = asdict(story.WILD) if source == WILD else story.strengths(config), _draw()
    try:
        asked = _questions(config.dataset, settings, draw, checkpoint)
    except Problem as problem:
        unanswered(problem, "quiz.answer")
        return
    _ask(asked, _state((config.dataset, source, settings["rotate"], draw)))


def _draw() -> int:
    """Which twelve are asked about."""
    return read_extra(DRAW, slug=SLUG) or 0


@st.cache_data(max_entries=32, show_spinner=False)
def _questions(dataset: str, settings: dict[str, Any], seed: int, checkpoint: str | None) -> dict[str, Any]:
    own = None if dataset in story.DIGITS else checkpoint
    return jobs.call(augmentation_look.questions, dataset, settings, 100 + seed, COUNT, own, skip=seed * COUNT)


def _state(question: tuple) -> dict[str, Any]:
    """What was marked; other pictures begin anew."""
    state = page_state(SLUG).setdefault("quiz", {})
    if state.get("question") != str(question):
        state.update(question=str(question), marked=[], shown=False)
    return state


def _ask(asked: dict[str, Any], state: dict[str, Any]) -> None:
    place = figures.arrangement(asked["images"], COLUMNS, FOOT)

    def toggle(click: dict[str, Any]) -> None:
        tile = place.index(click["x"], click["y"])
        if tile is not None and not state["shown"]:
            state["marked"] = sorted(set(state["marked"]) ^ {tile})

    live_plot(
        figures.tiles(asked["images"], COLUMNS, foot=FOOT, notes=_notes(asked, shown=state["shown"]),
                      framed=state["marked"], frame=WARNING),
        key="quiz.tiles", height=HEIGHT, aspect=figures.aspect(place), on_click=toggle,
        alt=_("Twelve changed images, each with the label of its original; click those that have lost it."),
        table=_table(asked, shown=state["shown"]),
    )  # fmt: skip
    bound = imposed(
        "quiz.marked", [k + 1 for k in state["marked"]], lambda chosen: state.update(marked=[k - 1 for k in chosen])
    )
    st.pills(
        _("Label no longer valid"), list(range(1, COUNT + 1)), selection_mode="multi", disabled=state["shown"], **bound,
        format_func=lambda k: _named(asked, k - 1),
    )  # fmt: skip
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Ask the network"), icon=":material/visibility:", key="quiz.show", type="primary",
            disabled=state["shown"], on_click=lambda: state.update(shown=True),
        )  # fmt: skip
        st.button(_("Other pictures"), icon=":material/casino:", key="quiz.again", on_click=_again)
    if state["shown"]:
        _compare(asked, state)


def _named(asked: dict[str, Any], tile: int) -> str:
    """A picture's number in a ring and its label: the same under the picture and on its button."""
    return f"{chr(0x2460 + tile)} {_(asked['classes'][asked['labels'][tile]])}"


def _again() -> None:
    put_extra("quiz_draw", str((_draw() + 1) % MOST_DRAWS), slug=SLUG)


def _notes(asked: dict[str, Any], *, shown: bool) -> list[figures.Note]:
    """The label below each picture; when it has been asked, the network's answer beside it."""
    names = [_(name) for name in asked["classes"]]
    notes = [figures.Note(tile, _named(asked, tile), DATA) for tile in range(COUNT)]
    if shown:
        for tile, (label, row) in enumerate(zip(asked["labels"], asked["probabilities"], strict=True)):
            best = int(row.argmax())
            color = GREY if best == label else MODEL
            notes.append(figures.Note(tile, f"{names[best]} {min(row[best], 0.99):.0%}", color, right=True))
    return notes


def _table(asked: dict[str, Any], *, shown: bool) -> dict[str, Any]:
    names = [_(name) for name in asked["classes"]]
    table: dict[str, Any] = {_("image"): list(range(1, COUNT + 1)), _("label"): [names[k] for k in asked["labels"]]}
    if shown:
        table[_("answer")] = [names[int(row.argmax())] for row in asked["probabilities"]]
        table[_("probability")] = asked["probabilities"].max(1).round(3)
    return table


def _compare(asked: dict[str, Any], state: dict[str, Any]) -> None:
    """How far reader and network agree, and what that is worth."""
    same, doubted = story.agreement(state["marked"], asked["labels"], asked["probabilities"])
    marked, wrong = len(state["marked"]), len(doubted)
    parts = [
        ngettext("You marked {n} picture.", "You marked {n} pictures.", marked).format(n=marked),
        ngettext("The network gives {n} another name.", "The network gives {n} another name.", wrong).format(n=wrong),
        _("You agree on {same} of {count}.").format(same=same, count=COUNT),
    ]
    st.markdown(sentences(*parts))
    st.caption(_(
        "This is a network’s opinion, not the truth: it has seen upright images only, so it may give a wrong name to "
        "a picture that you can read, or be sure of a scribble. Where you differ, look again, and trust your eyes."
    ))  # fmt: skip
    remembered = page_state(SLUG)
    if marked and same >= AGREED:
        remembered["judged"] = True
        if "judge" not in remembered.get("solved", []):
            st.rerun()
