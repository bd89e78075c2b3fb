"""Ask the networks of a run: a text, the answer symbol by symbol, and which letters it came from."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlcore import attention_story as story
from dlcore import jobs
from dlcore.experiments import attention_look
from dlcore.experiments.attention import NONE
from dlcore.figures import attention
from dlcore.history import History
from dlcore.texts import Problem
from ui.alignment_view import alignment_view
from ui.controls import get_extra, put_extra
from ui.faults import unanswered
from ui.i18n import _, ngettext, plain, sentences
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import in_fragment, owner, page_state
from ui.type_box import put_text, type_box

BOX = "attention.ask"
EXAMPLES = {
    "dates": ("May the 3rd, '21", "二〇二一年五月三日", "nobody came on Feb 9, 1998", "31 February 2021", "3/5/2021"),
    "numerals": ("two hundred and five", "二百零五", "sixty-one thousand and nine", "两千零二", "ninety-ten"),
}
NOTED = {"impossible": "impossible", "in_vain": "in-vain"}  # what is remembered → the challenge that it is for
TICK = 3.0  # seconds between two looks at the checkpoint of a run that goes on


def translate_panel(lesson: Lesson, history: History, task: str) -> None:
    """Draw the panel; while the run goes on it asks the newest checkpoint again and again.

    Args:
        task: what the settings say, for as long as there is no run.
    """
    st.header(_("Ask it yourself"), anchor="ask")
    active = history.state in ("running", "queued")
    st.fragment(_panel, run_every=TICK if active else None)(lesson, history, history.config.get("task", task))


def _panel(lesson: Lesson, history: History, task: str) -> None:
    text = _text(lesson, task)
    if not history.has_checkpoint:
        st.caption(
            _("Nobody is here to answer yet: press Train above. After a few seconds you can ask, while it learns.")
        )
        return
    try:
        asked = _asked(text, *_checkpoint(lesson))
    except Problem as problem:
        unanswered(problem, "attention")
        return
    name = _choose(list(asked["networks"]))
    found = asked["networks"][name]
    st.markdown(_answer(asked, found))
    view, picture = st.columns([1.2, 1], gap="large")
    with view:
        alignment_view(asked, found, key=f"alignment-{name}", on_pick=lambda symbol: _picked(lesson, found, symbol))
    with picture:
        _map(asked, found)
    _note(lesson, asked)


def _text(lesson: Lesson, task: str) -> str:
    """What is asked: typed, chosen, or from the address."""
    given = get_extra("text", slug=lesson.slug) or EXAMPLES[task][0]
    text = type_box(
        _("A date, or a sentence with one") if task == "dates" else _("A number in words, or a sentence with one"),
        key=BOX, value=given, most=attention_look.MOST_LETTERS + 50, placeholder=EXAMPLES[task][0],
    )  # fmt: skip
    with st.container(horizontal=True, gap="small", key="attention-examples"):
        for i, example in enumerate(EXAMPLES[task]):
            st.button(example, key=f"{BOX}.{task}.{i}", on_click=put_text, args=(BOX, example), type="tertiary")
    put_extra("text", "" if text == EXAMPLES[task][0] else text, slug=lesson.slug)
    return text


def _checkpoint(lesson: Lesson) -> tuple[str, int]:
    path = jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner())
    return str(path), path.stat().st_mtime_ns


@st.cache_data(max_entries=256, show_spinner=False)
def _asked(text: str, checkpoint: str, version: int) -> dict[str, Any]:
    return jobs.call(attention_look.read, text, checkpoint)


def _choose(names: list[str]) -> str:
    """The network that is looked at; the one with attention first."""
    if len(names) == 1:
        return names[0]
    return st.segmented_control(
        _("Who answers"), names[::-1], format_func=lambda name: _(story.TITLES[name]).capitalize(), default=names[-1],
        key="attention.who", required=True, label_visibility="collapsed",
    )  # fmt: skip


def _answer(asked: dict[str, Any], found: dict[str, Any]) -> str:
    """The answer in words: how sure, what the others say, and what is strange about it."""
    parts = [_("It writes **{answer}**, and is {share} sure of the whole.").format(
        answer=_whole(found), share=f"{min(story.surest(found), 0.9999):.1%}")]  # fmt: skip
    for name, other in asked["networks"].items():
        if other is not found:
            words = _("Without attention: {answer}.") if name == NONE else _("With attention: {answer}.")
            parts.append(words.format(answer=_whole(other)))
    if story.impossible(asked["task"], found["answer"]):
        parts.append(
            _("There is no such day: it knows letters, no calendar.") if asked["task"] == "dates"
            else _("That is no number: it has never been told what one is.")
        )  # fmt: skip
    count = int(asked["unknown"].sum())
    if count:
        words = ngettext("{n} letter is unknown to it.", "{n} letters are unknown to it, all alike.", count)
        parts.append(words.format(n=count))
    return sentences(*parts)


def _whole(found: dict[str, Any]) -> str:
    """An answer in running text: with hyphens at which no line is broken."""
    return plain(found["answer"].replace("-", "\N{NON-BREAKING HYPHEN}")) or "∅"


def _map(asked: dict[str, Any], found: dict[str, Any]) -> None:
    """The whole map: what the view beside it shows row by row."""
    values = found["needs"] if found["looks"] is None else found["looks"]
    symbols = found["answer"] + story.END_SIGN * (len(found["said"]) - len(found["answer"]))
    words = _("What it needs: probability lost when a letter is hidden.") if found["looks"] is None else _(
        "Where it looks, all symbols at once: each row adds up to 100%."
    )  # fmt: skip
    st.caption(words)
    plot = attention.film(values[None], "".join(asked["letters"]), symbols, played=False, label=_)
    live_plot(plot.figure, key="attention-asked", height=320, alt=words)


def _picked(lesson: Lesson, found: dict[str, Any], symbol: int) -> None:
    if story.looked_in_vain(found, symbol):
        page_state(lesson.slug)["in_vain"] = True


def _note(lesson: Lesson, asked: dict[str, Any]) -> None:
    """Remember what was found, for the challenges; the whole page looks again when one is achieved."""
    state = page_state(lesson.slug)
    for found in asked["networks"].values():
        if asked["task"] == "dates" and story.impossible("dates", found["answer"]) and story.surest(found) > 0.5:
            state["impossible"] = True
    solved = state.get("solved", [])
    found_now = any(state.get(name) and task not in solved for name, task in NOTED.items())
    if found_now and in_fragment():  # otherwise the challenge is drawn below anyway
        st.rerun()
