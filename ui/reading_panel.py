"""Ask a reader: type a name or a sentence and see what it thinks after each piece, and which piece moved it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import reading_look
from dlcore.history import History
from dlcore.reading_story import SAMPLES, deaf_to_no, reordered, turned_at_the_end
from dlcore.texts import N_, Problem
from dlcore.trained import written
from ui.coloured_text import coloured_html
from ui.i18n import _, ngettext, plain, sentences, tell
from ui.lessons import Lesson
from ui.reading_lab import LABELS, reading_figure
from ui.session import owner, page_state
from ui.type_box import put_text, type_box

TICK, HEIGHT, MOST = 2.0, 300, 2000  # seconds; pixels; characters that may be typed
WAYS = {
    reading_look.LEAVE_OUT: N_("Leave each out"),
    reading_look.GRADIENTS: N_("Integrated gradients"),
}
STRONG = 3.0  # log-odds that are drawn in full colour: 95 % instead of an even chance
SUREST = 0.999  # that is told: nobody is 100.0% sure
KEPT = 40  # sentences that are remembered for the challenge


def ask_panel(lesson: Lesson, history: History) -> None:
    """Draw the panel; while the network trains it is asked again every two seconds."""
    going = history.state == "running"
    st.header(_("Ask it yourself"), anchor="ask")
    st.fragment(_panel, run_every=TICK if going else None)(lesson, history)


def _panel(lesson: Lesson, history: History) -> None:
    if not history.has_checkpoint:
        st.markdown(
            _("As soon as a network trains you can type here, and see what it thinks after each letter or word. "
              "Press *Train* above; the first answers come within seconds.")
        )  # fmt: skip
        return
    samples = SAMPLES[history.info["dataset"]]
    key = f"reading.text.{history.info['dataset']}"
    box, example = st.columns([1.3, 1], gap="large", vertical_alignment="bottom")
    with box:
        names = len(history.info["classes"]) > 2
        text = type_box(
            _("A name, or any word") if names else _("A sentence"), key=key, value=samples[0], most=MOST,
            help=_("Answered while you type."),
        )  # fmt: skip
    with example:
        _samples(key, samples)
    if jobs.status().state == "starting":
        st.caption(_("The networks are being woken up; this takes a few seconds."))
        return
    path = str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner()))
    try:
        found = _read(path, written(path), text)
        _say(found)
        reading_figure(
            found["probabilities"], found["tokens"], found["classes"], key="asked", height=HEIGHT,
            bag=None if names else float(found["bag"][1]),
        )  # fmt: skip
        _contributions(path, text, found)
    except Problem as problem:
        st.info(tell(problem), icon=":material/info:")
        if problem.kind != "text":  # not what was typed: a worker that was late, a file that is gone
            st.button(_("Try again"), icon=":material/refresh:", key="reading.again")
        return
    _note(lesson, found)


def _samples(key: str, samples: tuple[str, ...]) -> None:
    with st.container(horizontal=True, gap="small", key="reading-samples"):
        for n, sample in enumerate(samples):
            st.button(sample, key=f"{key}.sample.{n}", type="tertiary", on_click=put_text, args=(key, sample))


@st.cache_data(max_entries=512, show_spinner=False)
def _read(path: str, version: int, text: str) -> dict[str, Any]:
    return jobs.call(reading_look.read_text, path, text)


@st.cache_data(max_entries=256, show_spinner=False)
def _moved(path: str, version: int, text: str, way: str) -> dict[str, Any]:
    return jobs.call(reading_look.contributions, path, text, way)


def _say(found: dict[str, Any]) -> None:
    """The answer in words, the rival's, and what was not known."""
    shares, bag = found["probabilities"][-1], found["bag"]
    best, rival = int(shares.argmax()), int(bag.argmax())
    names = [plain(_(name)) for name in found["classes"]]
    words = _("The {cell} says **{name}**, {share} sure; the bag of the same pieces says {rival}, {other} sure.")
    said = words.format(
        cell=LABELS[found["cell"]], name=names[best], share=f"{min(float(shares[best]), SUREST):.1%}",
        rival=names[rival], other=f"{min(float(bag[rival]), SUREST):.1%}",
    )  # fmt: skip
    unknown = int((~found["known"]).sum())
    if unknown == len(found["tokens"]):
        said = sentences(said, _("It knows nothing of what stands here: the answer is a guess about the unknown."))
    elif unknown:
        note = ngettext(
            "{n} piece is unknown to it (underlined below).",
            "{n} pieces are unknown to it (underlined below).",
            unknown,
        )
        said = sentences(said, note.format(n=unknown))
    st.markdown(said)


def _contributions(path: str, text: str, found: dict[str, Any]) -> None:
    """The text in the colours of what each piece contributed."""
    way = st.segmented_control(
        _("How a piece’s share is measured"), list(WAYS), format_func=lambda name: _(WAYS[name]),
        default=reading_look.LEAVE_OUT, key="reading.way", required=True, label_visibility="collapsed",
        help=_("The answer without the piece; or the gradient along the way from nothing but unknowns to this text."),
    )  # fmt: skip
    moved = _moved(path, written(path), text, way)
    of = plain(_(found["classes"][moved["of"]]))
    gap = "" if found["kind"] in ("letters", "characters") else " "
    pieces = [token + gap for token in found["tokens"]]
    hover = [
        _("{token}: {value:+.2f}").format(token=token, value=value) + ("" if known else " · " + _("unknown"))
        for token, value, known in zip(found["tokens"], moved["values"].tolist(), found["known"], strict=True)
    ]
    st.html(coloured_html(
        [piece if known else _marked(piece) for piece, known in zip(pieces, found["known"], strict=True)],
        (moved["values"] / STRONG).tolist(), _("What each piece contributed to “{name}”.").format(name=of),
        hover=hover, legend=(_("against “{name}”").format(name=of), _("for “{name}”").format(name=of)),
    ))  # fmt: skip
    st.caption(_weighed(moved, found["tokens"], of))


def _marked(piece: str) -> str:
    """An unknown piece with a line under each of its letters (a combining mark: the colours stay as they are)."""
    return "".join(sign + "\u0332" if not sign.isspace() else sign for sign in piece)


def _weighed(moved: dict[str, Any], tokens: list[str], of: str) -> str:
    """The strongest piece, and what the numbers add up to."""
    values = moved["values"]
    most = int(np.abs(values).argmax())
    words = _("Most moved by “{token}”: {value:+.2f} of the log-odds of “{name}”, which are {whole:+.2f} in all.")
    said = words.format(token=plain(tokens[most]), value=float(values[most]), name=of, whole=moved["whole"])
    if moved["error"]:
        words = _(
            "All shares add up to {total:+.2f}, what sets the text apart from nothing but unknowns (error {error})."
        )
        said = sentences(said, words.format(total=float(values.sum()), error=f"{moved['error']:.1g}"))
    return said


def _note(lesson: Lesson, found: dict[str, Any]) -> None:
    """Remember what this reading showed, for the challenges; the whole page looks again when one is achieved."""
    state = page_state(lesson.slug)
    solved = state.get("solved", [])
    shown = {"last-letter": turned_at_the_end(found), "deaf": deaf_to_no(found), "order": False}
    if found["kind"] != "letters":
        told = state.setdefault("readings", [])
        told.append((tuple(found["tokens"]), float(found["probabilities"][-1, 1])))
        del told[:-KEPT]
        shown["order"] = reordered(told)
    state.setdefault("shown", {}).update({name: True for name, true in shown.items() if true})
    if any(true and name not in solved for name, true in shown.items()):
        st.rerun()
