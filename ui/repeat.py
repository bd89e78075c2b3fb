"""A link can carry what was changed while its run went on: new runs repeat it until the user leaves it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from dlcore import changes as written
from dlcore.events import Changed
from dlcore.knobs import knobs_of
from dlcore.texts import Problem
from ui.controls import CHANGES, get_extra, put_extra
from ui.i18n import _, tell
from ui.lessons import Lesson

SHOWN = 6  # changes in the sentence


def changes(lesson: Lesson, config: Any) -> Sequence[Changed]:
    """The changes that the address carries. Raises ``Problem`` where they do not fit this config."""
    return written.read(get_extra(CHANGES), lesson.slug, asdict(config))


def tell_changes(lesson: Lesson, config: Any) -> None:
    """Say what new runs will repeat, with a button to leave it out; nothing where the address has no changes."""
    if not get_extra(CHANGES):
        return
    with st.container(key="repeat-changes", horizontal=True, vertical_alignment="center", gap="small"):
        try:
            st.caption(_("New runs repeat what the link tells: {changes}.").format(changes=_listed(lesson, config)))
        except Problem as problem:
            st.warning(tell(problem), icon=":material/info:")
        st.button(_("Leave it out"), key=f"{lesson.slug}.repeat", on_click=put_extra, args=(CHANGES, ""))


def _listed(lesson: Lesson, config: Any) -> str:
    """The first changes in words; a link can carry hundreds."""
    knobs, one, told = knobs_of(lesson.config), _("at step {step} {name} = {value}"), changes(lesson, config)
    names = {name: _(knob.label) for name, knob in knobs.items()}
    words = [
        one.format(step=f"{c.step:,}", name=names.get(c.name, c.name), value=_value(c.value)) for c in told[:SHOWN]
    ]
    return _("; ").join([*words, "…"] if len(told) > SHOWN else words)


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
