"""A lab that answers while a slider is dragged: only the lab is drawn again, the page around it when the hand lets go.

Most of the time from hand to picture is the browser drawing prose and formulas anew (benchmarks/page_latency.py), so a
fragment round the lab is what makes it quick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from ui.slider import dragging

Shown = TypeVar("Shown", bound=tuple)


def live_lab(draw: Callable[[], Shown]) -> Shown:
    """Draw the lab and return what it shows.

    Args:
        draw: draws controls and pictures, and returns a tuple whose first element is the config. It is called alone
            while the user drags; what follows it on the page then waits for the end of the drag.
    """
    told: dict[str, Any] = {}
    _draw(draw, told)
    return told["shown"]


@st.fragment
def _draw(draw: Callable[[], tuple], told: dict[str, Any]) -> None:
    shown = draw()
    if not told:
        told["shown"] = shown  # a run of the whole page: the rest of it follows
    elif shown[0] != told["shown"][0] and not dragging():
        st.rerun()
