"""Where a network looks while it writes: one row for each symbol of the answer, one column for each letter read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcore.figures import Label, figure
from dlcore.figures.descent import Film
from dlcore.texts import N_

MOST_NAMED = 90  # letters below each other's columns; more would not be readable


def film(weights: np.ndarray, letters: str, symbols: str, *, played: bool = True, label: Label = str) -> Film:
    """The map over the frames of a run.

    Args:
        weights: (n, U, T) share of the attention that each letter gets; n may be 0.
        letters: (T) text read. symbols: (U) answer written.
        played: a bar to play it stands below, so there is no need to leave room for what is written there.
    """
    now = weights[-1] if len(weights) else np.full((len(symbols), len(letters)), np.nan)
    texts = [[f"{symbol} ← {_shown(letter)}" for letter in letters] for symbol in symbols]
    data = [
        {
            "type": "heatmap", "z": now, "zmin": 0.0, "zmax": 1.0, "colorscale": "Viridis", "xgap": 1, "ygap": 1,
            "text": texts, "hovertemplate": "%{text}: %{z:.1%}<extra></extra>", "hoverongaps": False,
            "colorbar": {"tickformat": ".0%", "thickness": 10, "len": 0.9},
        }
    ]  # fmt: skip
    layout = {
        "xaxis": _axis(letters, label(N_("read")), "top"),
        "yaxis": {**_axis(symbols, label(N_("written")), "left"), "range": [len(symbols) - 0.5, -0.5]},
        "margin": {"l": 48, "r": 8, "t": 52, "b": 6 if played else 32},
    }
    traces = {0: {"z": {"at": weights}}} if len(weights) else {}
    return Film(figure(data, layout), {"count": max(len(weights), 1), "traces": traces})


def _axis(letters: Sequence[str], title: str, side: str) -> dict[str, Any]:
    """An axis with a letter at each place."""
    count = len(letters)
    size = 13 if count <= 45 else 9
    return {
        "title": {"text": title}, "side": side, "range": [-0.5, count - 0.5], "showgrid": False, "zeroline": False,
        "tickvals": list(range(count)) if count <= MOST_NAMED else [], "ticktext": [_shown(c) for c in letters],
        "ticks": "", "tickangle": 0, "tickfont": {"size": size}, "fixedrange": True,
    }  # fmt: skip


def _shown(letter: str) -> str:
    return "␣" if letter == " " else letter.replace("<", "&lt;")
