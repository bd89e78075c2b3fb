"""Controls and picture that follow a held slider by themselves; the rest of the page follows when it is let go.

Drawing a whole page again costs the browser more than the picture does (prose, formulas, every other widget), so while
a slider is dragged only this part of the script is run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from ui.session import in_fragment
from ui.slider import is_held, released_too

T = TypeVar("T")


def live_lab(draw: Callable[[], T]) -> T:
    """Call ``draw``, which makes the controls and the picture, and return what it returns.

    Anything but a held slider (its release, a click, another widget) runs the whole page, as if this were not here.
    """

    @st.fragment
    def part() -> T:
        if in_fragment() and not is_held():
            st.rerun()
        with released_too():
            return draw()

    return part()
