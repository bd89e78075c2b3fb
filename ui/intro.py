"""The words round the lab: the question above it, the prose below it, and the way to the next lesson."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlcore.texts import N_
from ui.i18n import _, fill, language, ngettext, sections
from ui.lessons import Lesson, lesson_for, neighbours
from ui.session import set_up_by_teacher

HEADINGS = {  # sections that every lesson has; one of its own brings its heading in its text (# or, smaller, ###)
    "what-you-see": N_("What you see"),
    "formulas": N_("The mathematics"),
    "where-used": N_("Where this is used"),
    "reading": N_("Further reading"),
}
PARTS = {  # what is no prose, by its anchor
    "ask": N_("Ask it yourself"), "layers": N_("Look inside: layer by layer"), "evaluation": N_("How good is it?"),
    "compare": N_("Side by side"), "challenge": N_("Challenge"), "code": N_("The code"),
    "results": N_("Where it is wrong"), "map": N_("What it sees: the map"), "take": N_("It is yours"),
    "write": N_("Let it go on"), "units": N_("What its units know"), "surgery": N_("Take a block out"),
    "why": N_("Why this answer?"),
    "maps": N_("What its layers see"), "fooled": N_("How easily is it fooled?"), "harden": N_("What helps?"),
}  # fmt: skip
OWN_HEADING = re.compile(r"(#|###) +(.+)\n+")  # at the beginning of a section
DISPLAYED = re.compile(r"^\$\$(.+)\$\$$", re.MULTILINE)  # on one line, Markdown would take it for a formula in the text
PREPARED = N_("Set up by your teacher: look first, then explain.")  # instead of a lead that names knobs


def lab(wide: float = 2.7) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Places for the controls (narrow) and for the picture (``wide`` times that; first where they stack on a phone)."""
    with st.container(key="lab"):
        panel, picture = st.columns([1, wide], gap="large")
    return panel, picture


def prose(slug: str, name: str, numbers: Mapping[str, Any] | None = None) -> None:
    """One section of a page's prose, set in the reading column, with its heading.

    Args:
        name: section name as in ``assets/lessons/<slug>.<lang>.md``, e.g. ``"formulas"``.
        numbers: what the section's ``{{placeholders}}`` stand for, ready to print (strings with units and digits).
    """
    with st.container(key=f"prose-{name}"):
        text = passage(slug, name, numbers)
        own = OWN_HEADING.match(text)
        if name in HEADINGS:
            st.header(_(HEADINGS[name]), anchor=name)
        elif own:  # its anchor is the same in every language
            (st.header if own[1] == "#" else st.subheader)(own[2], anchor=name)
        st.markdown(text[own.end() :] if own else text)


def passage(slug: str, name: str, numbers: Mapping[str, Any] | None = None) -> str:
    """The Markdown of one section of a page's prose in the session's language, placeholders filled."""
    return DISPLAYED.sub(r"$$\n\1\n$$", fill(sections(slug, language())[name], numbers or {}))


def intro(lesson: Lesson, numbers: Mapping[str, Any] | None = None, *, parts: Sequence[str] = ()) -> None:
    """The lesson's opening: what kind, how long and what to know before; the question in large type; the lead.

    Args:
        parts: of a long page, by their anchors and in its order: links to them stand beside the question.
    """
    minutes = ngettext("{n} minute", "{n} minutes", lesson.minutes).format(n=lesson.minutes)
    with st.container(key="intro", gap="xsmall"):
        with st.container(key="eyebrow", horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"{_(lesson.section)} · {_(lesson.title)} · {minutes}", width="content")
            _prerequisites(lesson)
        st.title(_(lesson.question), anchor=False)
        with st.container(key="lead"):
            prepared = set_up_by_teacher()
            st.markdown(_(PREPARED) if prepared else passage(lesson.slug, "lead", numbers))
        if parts:
            with st.container(key="contents"):
                st.html(_contents(lesson.slug, parts))


def _contents(slug: str, parts: Sequence[str]) -> str:
    """What is on the page, as links; the lab needs none, it is in sight."""
    items = "".join(f'<li><a href="#{name}">{escape(title(slug, name))}</a></li>' for name in parts)
    label = escape(_("Further down on this page"))
    return f'<nav class="dl-contents" aria-label="{label}"><b>{label}</b><ol>{items}</ol></nav>'


def title(slug: str, name: str) -> str:
    """The heading of a part of the page, by its anchor, in the session's language."""
    known = HEADINGS.get(name) or PARTS.get(name)
    own = None if known else OWN_HEADING.match(sections(slug, language())[name] + "\n")
    return _(known) if known else own[2] if own else name


def _prerequisites(lesson: Lesson) -> None:
    """Links to the lessons that come before, as far as they are there."""
    known = [before for before in map(lesson_for, lesson.prerequisites) if before.ready]
    if known:
        st.caption(_("Good to know before:"), width="content")
    for before in known:
        lesson_link(before, _(before.title))


def outro(lesson: Lesson, numbers: Mapping[str, Any] | None = None) -> None:
    """The lesson's end: where it is used, what to read, and the lessons before and after."""
    for name in ("where-used", "reading"):
        prose(lesson.slug, name, numbers)
    before, after = neighbours(lesson)
    with st.container(key="outro", horizontal=True, horizontal_alignment="distribute"):
        if before:
            lesson_link(before, _(before.question), ":material/arrow_back:")
        else:
            home_link()
        if after:
            lesson_link(after, _(after.question), ":material/arrow_forward:", "right")


def lesson_link(lesson: Lesson, label: str, icon: str = "", side: Literal["left", "right"] = "left") -> None:
    """A link to a lesson that keeps the language, also in a new tab."""
    icon = icon or lesson.icon
    st.page_link(lesson.page, label=label, icon=icon, icon_position=side, query_params={"lang": language()})


def home_link() -> None:
    """A link to the concept map."""
    home, label = "../pages/home.py", _("All lessons")
    st.page_link(home, label=label, icon=":material/arrow_back:", query_params={"lang": language()})
