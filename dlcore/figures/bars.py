"""Shares side by side: one bar each, with its number at its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import GREY, Label, figure


def shares(
    names: Sequence[str], values: np.ndarray, colors: Sequence[str], *, faint: Sequence[bool] = (),
    level: float = 0.0, level_name: str = "", x_title: str = "", label: Label = str,
) -> go.Figure:  # fmt: skip
    """Bars for ``values`` (n,), 0 to 1, from the top down; where one is NaN its name waits alone.

    Args:
        faint: which bars are drawn pale, the second of a pair; all full where it is not given.
        level: a reference line across all bars, 0 for none; ``level_name`` stands over it.
    """
    known = np.isfinite(values)
    texts = [f"{v:.1%}" if k else "" for v, k in zip(values.tolist(), known, strict=True)]
    pale = [0.5 if is_pale else 1.0 for is_pale in faint] or 1.0
    trace = {
        "type": "bar", "orientation": "h", "x": np.where(known, values, 0.0), "y": [label(name) for name in names],
        "marker": {"color": list(colors), "opacity": pale}, "width": 0.68,
        "text": texts, "textposition": "outside", "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:.2%}<extra></extra>",
    }  # fmt: skip
    line = {"type": "line", "x0": level, "x1": level, "yref": "paper", "y0": 0, "y1": 1}
    note = {
        "x": level, "y": 1, "yref": "paper", "yanchor": "bottom", "showarrow": False, "text": label(level_name),
        "font": {"color": GREY, "size": 12},
    }  # fmt: skip
    layout = {
        "xaxis": {"range": [0, 1.1], "tickformat": ".0%", "dtick": 0.25, "title": {"text": label(x_title)},
                  "fixedrange": True},
        "yaxis": {"type": "category", "autorange": "reversed", "showgrid": False, "fixedrange": True, "ticks": "",
                  "automargin": True},
        "shapes": [{**line, "line": {"color": GREY, "dash": "dot", "width": 1.5}}] if level else [],
        "annotations": [note] if level and level_name else [],
        "margin": {"l": 8, "r": 8, "t": 22, "b": 44},
        "transition": {"duration": 200},
    }  # fmt: skip
    return figure([trace], layout)
