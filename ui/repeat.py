"""A link can carry what was changed while its run went on: new runs repeat it until the user leaves it out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dlcore import changes as written
from dlcore.events import Changed
from dlcore.knobs import knobs_of
from dlcore.texts import Problem
from ui.controls import CHANGES, get_extra, put_extra
from ui.i18n import _, tell
from ui.lessons import Lesson


def changes(lesson: Lesson) -> Sequence[Changed]:
    """The changes that the address carries. Raises ``Problem`` where they cannot be read."""
    return written.read(get_extra(CHANGES), lesson.config)


def tell_changes(lesson: Lesson) -> None:
    """Say what new runs will repeat, with a button to leave it out; nothing where the address has no changes."""
    if not get_extra(CHANGES):
        return
    with st.container(key="repeat-changes", horizontal=True, vertical_alignment="center", gap="small"):
        try:
            st.caption(_("New runs repeat what the link tells: {changes}.").format(changes=_listed(lesson)))
        except Problem as problem:
            st.warning(tell(problem), icon=":material/info:")
        st.button(_("Leave it out"), key=f"{lesson.slug}.repeat", on_click=put_extra, args=(CHANGES, ""))


def _listed(lesson: Lesson) -> str:
    knobs = knobs_of(lesson.config)
    one = _("at step {step} {name} = {value}")
    return _("; ").join(
        one.format(step=f"{c.step:,}", name=_(knobs[c.name].label), value=f"{c.value:g}") for c in changes(lesson)
    )
