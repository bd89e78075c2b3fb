"""Figures: arrays in, ``plotly.graph_objects.Figure`` out. No state, no streamlit, no translation inside.

Texts on a figure go through the ``label`` argument (a translator, identity by default); mark them with ``N_``.
Colours of text, grid and background are left to the page, which knows whether it is light or dark.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

Label = Callable[[str], str]

# One colour per meaning on every page (Okabe and Ito 2008, safe for colour-blind eyes).
DATA = "#0072B2"
MODEL = "#D55E00"
GRADIENT = "#009E73"
REFERENCE = "#CC79A7"
WARNING = "#E69F00"
GREY = "#808080"
SKY, VIOLET, INDIGO = "#56B4E9", "#9467BD", "#4A3AA7"  # more, where many things need a colour each
# What each is on a dark page (contrast 4.5 : 1). Plots are recoloured by the browser: theme.js, the same table.
ON_DARK = {
    DATA: "#4fb3ea", MODEL: "#ff8a45", GRADIENT: "#2ecc9a", REFERENCE: "#e08fbd", WARNING: "#f2b134", SKY: "#c3e6fb",
    VIOLET: "#b99ae0", INDIGO: "#a79bf5", GREY: "#a3a3a3",
}  # fmt: skip
SEQUENTIAL = "Viridis"
DIVERGING = [[0.0, DATA], [0.5, "#F7F7F7"], [1.0, MODEL]]


def figure(data: list[dict[str, Any]], layout: dict[str, Any]) -> go.Figure:
    """A figure from plain dicts, unchecked: Plotly's validators cost more than the rest of a redraw (tests check).

    It has an empty template: the page brings its own, and copying Plotly's would cost as much as the figure.
    """
    base = {"template": {}, "margin": {"l": 56, "r": 16, "t": 16, "b": 48}, "showlegend": False, "uirevision": "keep"}
    return go.Figure(data=data, layout={**base, **layout}, _validate=False)
