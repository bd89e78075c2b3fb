"""Maps of what an answer hangs on, laid over the picture; curves of deletion and of pushes; answers to odd pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, Label, figure
from dlcore.figures.curves import Curve, Level, curves
from dlcore.figures.images import captioned, mosaic, pictures
from dlcore.texts import N_

FAINT = 0.55  # how much of the picture's contrast is left below a map
CUT = 99.5  # percentile of a map's sizes that gets the full colour: a single pixel must not pale all others
HEAD = 40  # px above pictures for two lines
BLUE, VERMILION = (0, 114, 178), (213, 94, 0)  # DATA and MODEL: against the answer, and for it


def strength(heat: np.ndarray) -> np.ndarray:
    """A map ``(H, W)`` on a scale from −1 (against the answer) to 1 (for it)."""
    most = float(np.percentile(np.abs(heat), CUT)) or float(np.abs(heat).max()) or 1.0
    return np.clip(heat / most, -1, 1)


def laid_over(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """The picture ``(C, H, W)`` uint8, pale and grey, with the map in colour on it: ``(3, H, W)`` uint8.

    Vermilion speaks for the answer, blue against it; where the map is 0, only the grey picture is seen.
    """
    grey = picture.astype(np.float32).mean(0)
    under = 127.5 + FAINT * (grey - 127.5)
    scaled = strength(heat)
    colours = np.where(scaled[None] < 0, *(np.array(c, np.float32)[:, None, None] for c in (BLUE, VERMILION)))
    weight = np.abs(scaled)[None]
    return np.rint(under[None] * (1 - weight) + colours * weight).astype(np.uint8)


def overlay(picture: np.ndarray, heat: np.ndarray) -> go.Figure:
    """One map on its picture; see ``laid_over``."""
    return pictures(laid_over(picture, heat)[None], 1)


def deletion(shares: np.ndarray, by_map: np.ndarray, at_random: np.ndarray, *, label: Label = str) -> go.Figure:
    """The answer's probability while the picture goes: the map's order ``(n,)``, and random ones ``(draws, n)``."""
    lines = [Curve(shares, row, color=GREY, width=1, opacity=0.35) for row in at_random]
    lines.append(Curve(shares, at_random.mean(0), N_("at random"), GREY, markers=True))
    lines.append(Curve(shares, by_map, N_("by the map"), MODEL, markers=True))
    return curves(
        lines, x_title=N_("share of the picture that is gone"), y_title=N_("probability of the answer"),
        x_range=(0.0, 1.0), y_range=(0.0, 1.02), y_format=".0%", label=label,
    )  # fmt: skip


def completeness(errors: np.ndarray, chosen: int, *, label: Label = str) -> go.Figure:
    """The error ``(levels,)`` for 1, 2, 4, … steps on a logarithmic scale, with a line at the chosen level."""
    steps = 2.0 ** np.arange(len(errors))
    return curves(
        [Curve(steps, errors, color=MODEL, markers=True)], x_title=N_("steps"), y_title=N_("completeness error"),
        log_x=True, log_y=True, levels=[Level(2.0**chosen, upright=True)], label=label,
    )  # fmt: skip


def randomising(shares: np.ndarray, correlations: np.ndarray, *, label: Label = str) -> go.Figure:
    """How alike the map stays, ``(n,)`` rank correlations, while more and more layers lose what they learned."""
    line = Curve(shares, correlations, color=MODEL, markers=True)
    low = min(-0.3, float(np.nanmin(correlations, initial=0.0)) - 0.1)
    return curves(
        [line], x_title=N_("share of the layers randomised, from the answer back"), y_title=N_("rank correlation"),
        x_range=(0.0, 1.0), y_range=(low, 1.05), levels=[Level(0.0)], label=label,
    )  # fmt: skip


def pushed(
    epsilons: np.ndarray, attack: np.ndarray, noise: np.ndarray, wished: np.ndarray | None, chosen: float, *,
    label: Label = str,
) -> go.Figure:  # fmt: skip
    """The first answer's probability against the size of the push, under attack and under noise, ``(n,)`` each."""
    lines = [
        Curve(epsilons, noise, N_("random noise"), GREY, markers=True),
        Curve(epsilons, attack, N_("attack"), MODEL, markers=True),
    ]
    if wished is not None:
        lines.append(Curve(epsilons, wished, N_("the class wished for"), DATA, markers=True))
    return curves(
        lines, x_title=N_("size of the push ε"), y_title=N_("probability"), x_range=(0.0, float(epsilons[-1])),
        y_range=(0.0, 1.02), y_format=".0%", levels=[Level(chosen, upright=True)], label=label,
    )  # fmt: skip


def accuracies(
    epsilons: np.ndarray, lines: Sequence[tuple[str, str, str, np.ndarray]], *, label: Label = str
) -> go.Figure:
    """Right answers against ε; each line is its name, colour, dash and shares ``(n,)``."""
    drawn = [Curve(epsilons, shares, name, color, dash, markers=True) for name, color, dash, shares in lines]
    return curves(
        drawn, x_title=N_("size of the push ε"), y_title=N_("right answers"), x_range=(0.0, float(epsilons[-1])),
        y_range=(0.0, 1.02), y_format=".0%", label=label,
    )  # fmt: skip


def tenths(sure: np.ndarray) -> np.ndarray:
    """How many of the probabilities ``(n,)`` lie in each tenth from 0 to 1, ``(10,)``."""
    return np.histogram(sure, bins=10, range=(0.0, 1.0))[0]


def certainties(known: np.ndarray, strange: np.ndarray, cut: float, *, label: Label = str) -> go.Figure:
    """Two histograms of the largest probability: known pictures upwards, strangers downwards; a line at ``cut``."""
    middles = 0.05 + 0.1 * np.arange(10)
    up, down = (tenths(sure) / max(len(sure), 1) for sure in (known, strange))
    bars = [
        {"type": "bar", "x": middles, "y": shares, "width": 0.09, "hoverinfo": "skip", "marker": {"color": color}}
        for shares, color in ((up, DATA), (-down, MODEL))
    ]
    most = 1.1 * max(float(up.max()), float(down.max()))
    note = {"showarrow": False, "xref": "x domain", "yref": "y domain", "xanchor": "left", "x": 0.02}
    names = [
        {**note, "y": y, "yanchor": anchor, "text": label(text), "font": {"color": color, "size": 13}}
        for y, anchor, text, color in ((0.98, "top", N_("known pictures"), DATA),
                                       (0.02, "bottom", N_("strangers"), MODEL))
    ]  # fmt: skip
    line = {"type": "line", "x0": cut, "x1": cut, "y0": 0, "y1": 1, "yref": "y domain",
            "line": {"color": GREY, "width": 1.5, "dash": "dot"}}  # fmt: skip
    ticks = [round(0.25 * k, 2) for k in range(-4, 5) if abs(0.25 * k) <= most]
    layout = {
        "barmode": "overlay", "shapes": [line], "annotations": names,
        "xaxis": {"title": {"text": label(N_("probability of the answer"))}, "range": [0, 1], "tickformat": ".0%",
                  "zeroline": False},
        "yaxis": {"title": {"text": label(N_("share of the pictures"))}, "range": [-most, most], "tickvals": ticks,
                  "ticktext": [f"{abs(t):.0%}" for t in ticks]},
        "margin": {"l": 62, "r": 12, "t": 10, "b": 46},
    }  # fmt: skip
    return figure(bars, layout)


def amplified(push: np.ndarray, epsilon: float) -> np.ndarray:
    """What was added ``(C, H, W)``, made large enough to see: grey where nothing was, ε is black or white; uint8."""
    return np.rint(127.5 * (1 + np.clip(push / max(epsilon, 1e-9), -1, 1))).astype(np.uint8)


def row(shown: np.ndarray, answers: Sequence[str], titles: Sequence[str]) -> go.Figure:
    """Pictures ``(n, C, H, W)`` uint8 side by side: what each is above it, what is answered to it below."""
    foot = shown.shape[-1] // 6
    drawn = captioned(shown, answers, [""] * len(shown), (MODEL, GREY), len(shown), foot=foot)
    place = mosaic(shown, len(shown), foot=foot)
    above = [
        {"x": place.corner(k)[1] - 0.5, "xanchor": "left", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 3,
         "text": title, "align": "left", "showarrow": False, "font": {"color": GREY, "size": 13}}
        for k, title in enumerate(map(in_two, titles))
    ]  # fmt: skip
    layout = dict(drawn._layout)
    layout["annotations"] = [*layout["annotations"], *above]
    layout["margin"] = {**layout["margin"], "t": HEAD}  # in pixels: on a phone the pictures shrink, letters do not
    return figure([dict(trace) for trace in drawn._data], layout)


def in_two(title: str) -> str:
    """A title on two lines where it has a place to break, the middle one: five pictures side by side are narrow."""
    places = [k + (title[k] == " ") for k, letter in enumerate(title) if k and letter in " （("]
    if not places:
        return title
    middle = min(places, key=lambda k: abs(2 * k - len(title)))
    return f"{title[:middle].rstrip()}<br>{title[middle:]}"


def weathered(
    kinds: Sequence[str], probabilities: np.ndarray, names: Sequence[Sequence[str]], *, label: Label = str
) -> go.Figure:
    """How sure of its first answer, ``(kinds, 5)``, as cells; ``names``: what it answers there, shown on hover."""
    texts = [[f"{p:.0%}" for p in row] for row in probabilities.tolist()]
    trace = {
        "type": "heatmap", "z": probabilities.astype(np.float32), "zmin": 0, "zmax": 1, "showscale": False,
        "colorscale": [[0.0, "#fbe6d8"], [1.0, MODEL]], "xgap": 3, "ygap": 3, "text": texts,
        "texttemplate": "%{text}", "hovertext": [list(row) for row in names],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "ticks": "", "showline": False, "fixedrange": True}
    layout = {
        "xaxis": {**axis, "tickvals": list(range(probabilities.shape[1])), "side": "top",
                  "ticktext": [str(s + 1) for s in range(probabilities.shape[1])],
                  "title": {"text": label(N_("strength"))}},
        "yaxis": {**axis, "tickvals": list(range(len(kinds))), "ticktext": [label(kind) for kind in kinds],
                  "autorange": "reversed", "automargin": True},
        "margin": {"l": 110, "r": 8, "t": 52, "b": 30},
    }  # fmt: skip
    return figure([trace], layout)
