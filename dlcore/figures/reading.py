"""Reading, drawn: what a network thinks after each letter or word, a table of texts and what is computed of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, DIVERGING, GREY, MODEL, Label, figure
from dlcore.texts import N_

ROWS = 9  # classes that are drawn: the likeliest at the end
FROM_NOTHING = [[0.0, "rgba(213, 94, 0, 0)"], [1.0, "rgba(213, 94, 0, 1)"]]  # on a light and on a dark page
PADDED = "rgba(128, 128, 128, 0.28)"
LONGEST = 14  # letters of a token under an axis


def letter_by_letter(
    probabilities: np.ndarray, tokens: Sequence[str], classes: Sequence[str], *, label: Label = str
) -> go.Figure:
    """Probabilities ``(T, K)`` after each of ``tokens`` (T) as a table: letters across, the likeliest classes down."""
    rows = [int(k) for k in np.argsort(-probabilities[-1], kind="stable")[:ROWS]]
    z = probabilities[:, rows].T  # (rows, T)
    names = [label(classes[k]) for k in rows]
    trace = {
        "type": "heatmap", "z": z.astype(np.float32), "zmin": 0, "zmax": 1, "colorscale": FROM_NOTHING,
        "showscale": False, "xgap": 2, "ygap": 2,
        "hovertext": [[f"{name}: {p:.1%}" for p in row] for name, row in zip(names, z.tolist(), strict=True)],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {**_token_axis(tokens), "side": "top"},
        "yaxis": {"tickvals": list(range(len(names))), "ticktext": names, "range": [len(names) - 0.5, -0.5],
                  "showgrid": False, "zeroline": False, "ticks": "", "showline": False, "fixedrange": True},
        "margin": {"l": 104, "r": 12, "t": 44, "b": 34},
    }  # fmt: skip
    return figure([trace, _numbers(z)] if len(tokens) <= 16 else [trace], layout)


def _numbers(z: np.ndarray) -> dict[str, Any]:
    """The shares ``z`` (rows, T) as text in the page's colour: what a cell chooses takes each page for a white one."""
    rows, steps = np.indices(z.shape)
    return {
        "type": "scatter", "mode": "text", "x": steps.ravel(), "y": rows.ravel(), "hoverinfo": "skip",
        "text": [_percent(p) or "\u00a0" for p in z.ravel().tolist()],  # plotly never fills an empty text again
        "textfont": {"size": 12}, "showlegend": False,
    }  # fmt: skip


def word_by_word(
    praises: np.ndarray, tokens: Sequence[str], *, bag: float | None = None, label: Label = str
) -> go.Figure:
    """The probability ``(T,)`` that the text so far praises, after each token; ``bag`` is the rival's answer."""
    line = {
        "type": "scatter", "mode": "lines+markers", "x": np.arange(len(tokens)), "y": praises,
        "line": {"color": MODEL, "width": 2.5}, "marker": {"color": MODEL, "size": 8},
        "hovertext": list(tokens), "hovertemplate": "%{hovertext}: %{y:.1%}<extra></extra>",
    }  # fmt: skip
    middle = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5, "layer": "below"}
    shapes, notes = [{**middle, "line": {"color": GREY, "width": 1, "dash": "dot"}}], []
    if bag is not None:
        shapes.append({**middle, "y0": bag, "y1": bag, "line": {"color": GREY, "width": 1.5, "dash": "dash"}})
        notes.append({
            "xref": "paper", "x": 1, "y": bag, "xanchor": "right",
            "yanchor": "bottom" if 0.5 <= bag < 0.9 or bag < 0.1 else "top",  # away from the line in the middle
            "showarrow": False, "text": label(N_("bag of words")), "font": {"color": GREY, "size": 12},
        })  # fmt: skip
    layout = {
        "xaxis": {**_token_axis(tokens), "showgrid": True},
        "yaxis": {"range": [-0.02, 1.02], "tickformat": ".0%", "zeroline": False, "fixedrange": True,
                  "title": {"text": label(N_("praises"))}},
        "margin": {"l": 64, "r": 12, "t": 8, "b": 64 if max(map(len, tokens), default=0) > 2 else 40},
        "shapes": shapes, "annotations": notes,
    }  # fmt: skip
    return figure([line], layout)


def _token_axis(tokens: Sequence[str]) -> dict:
    long = max(map(len, tokens), default=0) > 2 and len(tokens) > 8
    return {
        "tickvals": list(range(len(tokens))), "ticktext": [_short(token) for token in tokens],
        "range": [-0.5, max(len(tokens), 1) - 0.5], "showgrid": False, "zeroline": False, "ticks": "",
        "showline": False, "fixedrange": True, "tickangle": -45 if long else 0,
        "tickfont": {"size": 12 if len(tokens) > 30 else 14},
    }  # fmt: skip


def _short(token: str) -> str:
    shown = token if len(token) <= LONGEST else token[: LONGEST - 1] + "…"
    return {" ": "␣"}.get(shown, shown.replace("<", "&lt;"))


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.05 else ""


def padded_table(
    tokens: Sequence[Sequence[str]], table: np.ndarray, *, numbers: bool = False, label: Label = str
) -> go.Figure:
    """A batch as a table ``(B, T)``: each cell's token, or its number; grey where a row is only filled up.

    Cells of unknown tokens (number 1) are purple.
    """
    steps = table.shape[1]
    state = np.where(table == 0, 0.0, np.where(table == 1, 1.0, 0.5)).astype(np.float32)
    texts = [
        [str(int(n)) if numbers or t >= len(row) else _short(row[t]) for t, n in enumerate(line)]
        for row, line in zip(tokens, table, strict=True)
    ]
    scale = [[0, PADDED], [0.25, PADDED], [0.25, "rgba(0, 114, 178, 0.16)"], [0.75, "rgba(0, 114, 178, 0.16)"],
             [0.75, "rgba(204, 121, 167, 0.45)"], [1, "rgba(204, 121, 167, 0.45)"]]  # fmt: skip
    trace = {
        "type": "heatmap", "z": state, "zmin": 0, "zmax": 1, "colorscale": scale, "showscale": False,
        "xgap": 2, "ygap": 2, "text": texts, "texttemplate": "%{text}" if steps <= 40 else "",
        "textfont": {"size": 12 if steps <= 24 else 9}, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    layout = {
        "xaxis": {**_steps_axis(steps), "side": "top", "title": {"text": label(N_("step")), "standoff": 4}},
        "yaxis": {"range": [len(table) - 0.5, -0.5], "showgrid": False, "zeroline": False, "ticks": "",
                  "showline": False, "fixedrange": True, "tickvals": list(range(len(table))),
                  "ticktext": [str(k + 1) for k in range(len(table))]},
        "margin": {"l": 32, "r": 8, "t": 48, "b": 34},
    }  # fmt: skip
    return figure([trace], layout)


def packed(sizes: np.ndarray, rows: int, *, label: Label = str) -> go.Figure:
    """How many rows are computed at each step, (T,): blue; grey, what a padded table would compute besides."""
    steps = np.arange(len(sizes))
    bars = [
        {"type": "bar", "x": steps, "y": values, "marker": {"color": color}, "name": label(name), "width": 0.92,
         "hovertemplate": "%{y}"}
        for values, color, name in ((sizes, DATA, N_("computed")), (rows - sizes, PADDED, N_("only padding")))
    ]  # fmt: skip
    layout = {
        "barmode": "stack", "xaxis": {**_steps_axis(len(sizes)), "title": {"text": label(N_("step"))}},
        "yaxis": {"range": [0, rows + 0.3], "title": {"text": label(N_("rows"))}, "fixedrange": True, "dtick": 2,
                  "zeroline": False},
        "margin": {"l": 48, "r": 8, "t": 8, "b": 40}, "hovermode": "x unified",
    }  # fmt: skip
    return figure(bars, layout)


def _steps_axis(steps: int) -> dict:
    every = max(1, -(-steps // 20))
    shown = list(range(0, steps, every))
    return {"tickvals": shown, "ticktext": [str(t + 1) for t in shown], "range": [-0.5, steps - 0.5],
            "showgrid": False, "zeroline": False, "ticks": "", "showline": False, "fixedrange": True}  # fmt: skip


def embedding_map(
    places: np.ndarray, tokens: Sequence[str], tone: np.ndarray, counts: np.ndarray, shares: np.ndarray,
    *, told: Sequence[str], label: Label = str,
) -> go.Figure:  # fmt: skip
    """Embeddings ``(n, 2)`` with their tokens; colour: ``tone`` (n,), vermilion for 1 and blue for −1.

    Args:
        counts: (n,) how often each occurs; frequent ones are larger.
        shares: (2,) of all variance, on the axes.
        told: what each says when it is pointed at.
    """
    size = 11 + 6 * np.sqrt(counts / max(counts.max(initial=1), 1))
    trace = {
        "type": "scatter", "mode": "markers+text", "x": places[:, 0], "y": places[:, 1], "text": list(tokens),
        "textposition": "top center", "textfont": {"size": 11}, "hovertext": list(told),
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {"size": size, "color": np.clip(np.nan_to_num(tone), -1, 1), "cmin": -1, "cmax": 1,
                   "colorscale": DIVERGING, "line": {"color": GREY, "width": 0.5}},
    }  # fmt: skip
    words = label(N_("principal axis {n}: {share} of the variance"))
    axes = [
        {"title": {"text": words.format(n=n + 1, share=f"{share:.0%}")}, "zeroline": False, "showticklabels": False}
        for n, share in enumerate(shares.tolist())
    ]
    return figure([trace], {"xaxis": axes[0], "yaxis": axes[1], "margin": {"l": 40, "r": 8, "t": 8, "b": 40}})
