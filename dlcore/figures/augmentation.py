"""Random variants of images with what they count as; one network on several kinds of images; pixel values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, GREY, MODEL, WARNING, Label, figure
from dlcore.figures.images import FOOT, INK, Mosaic
from dlcore.texts import N_

FONT = 12  # px


@dataclass(frozen=True)
class Note:
    """A word under a tile: at its left or right end, in the colour of its meaning."""

    tile: int
    text: str
    color: str = GREY
    right: bool = False


def arrangement(images: np.ndarray, columns: int, foot: int = 0) -> Mosaic:
    """Where each of ``(n, C, h, w)`` images stands, so many in a row, with ``foot`` pixels for a word below each."""
    height, width = images.shape[-2:]
    return Mosaic(len(images), height, width, columns, gap=max(2, round(width / 9)), foot=foot)


def aspect(place: Mosaic) -> float:
    """Width to height of ``tiles`` in this arrangement, with the margin that they leave."""
    tall, wide = place.shape
    return (wide + 2) / (tall + 2)


def tiles(
    images: np.ndarray, columns: int, *, foot: int = 0, notes: Sequence[Note] = (), framed: Collection[int] = (),
    frame: str = MODEL,
) -> go.Figure:  # fmt: skip
    """Images ``(n, C, h, w)`` uint8, grey (bright on black) or in colour, with words below and some in a frame."""
    place = arrangement(images, columns, foot)
    tall, wide = place.shape
    axis = {"visible": False, "constrain": "domain", "fixedrange": True}
    layout = {
        "xaxis": {**axis, "range": [-1.5, wide + 0.5], "constraintoward": "left"},
        "yaxis": {**axis, "range": [tall + 0.5, -1.5], "scaleanchor": "x", "constraintoward": "top"},
        "margin": {"l": 0, "r": 0, "t": 0, "b": FOOT},
        "annotations": [_note(place, note) for note in notes],
        "shapes": [_box(place, tile, frame) for tile in framed],
    }
    return figure([_trace(place, images)], layout)


def _trace(place: Mosaic, images: np.ndarray) -> dict[str, Any]:
    if images.shape[1] == 1:
        return {
            "type": "heatmap", "z": place.picture(images[:, 0]), "colorscale": INK, "zmin": 0, "zmax": 255,
            "showscale": False, "hoverinfo": "none", "hoverongaps": False,
        }  # fmt: skip
    large = np.zeros((*place.shape, 4), np.uint8)  # transparent between the images
    for tile, image in enumerate(images):
        top, left = place.corner(tile)
        inside = large[top : top + place.height, left : left + place.width]
        inside[..., :3], inside[..., 3] = image.transpose(1, 2, 0), 255
    return {"type": "image", "z": large, "colormodel": "rgba", "hoverinfo": "none"}


def _note(place: Mosaic, note: Note) -> dict[str, Any]:
    top, left = place.corner(note.tile)
    end = {"x": left + place.width - 0.5, "xanchor": "right"} if note.right else {"x": left - 0.5, "xanchor": "left"}
    return {
        **end, "y": top + place.height - 0.5, "yanchor": "top", "showarrow": False, "text": note.text,
        "font": {"color": note.color, "size": FONT},
    }  # fmt: skip


def _box(place: Mosaic, tile: int, color: str) -> dict[str, Any]:
    top, left = place.corner(tile)
    ends = {"x0": left - 1, "x1": left + place.width, "y0": top - 1, "y1": top + place.height}
    return {"type": "rect", **ends, "line": {"color": color, "width": 3}}


def kinds(names: Sequence[str], without: Sequence[float], with_: Sequence[float], *, label: Label = str) -> go.Figure:
    """Right answers (0 to 1) of two networks on each kind of images, side by side; NaN where nothing is known yet."""
    shown = [label(name) for name in names]
    rows = ((N_("without"), without, GREY), (N_("with augmentation"), with_, MODEL))
    bars = [
        {
            "type": "bar", "x": shown, "y": np.asarray(values, dtype=float), "name": label(name),
            "marker": {"color": color}, "text": [f"{v:.1%}" if v == v else "" for v in values],
            "textposition": "outside", "textfont": {"size": FONT}, "cliponaxis": False, "textangle": 0,
            "hovertemplate": "%{y:.1%}",
        }
        for name, values, color in rows
    ]  # fmt: skip
    layout = {
        "barmode": "group", "bargap": 0.28, "bargroupgap": 0.06, "hovermode": "x unified", "showlegend": True,
        "xaxis": {"type": "category", "fixedrange": True, "ticks": ""},
        "yaxis": {"range": [0, 1.12], "tickvals": [0, 0.25, 0.5, 0.75, 1], "tickformat": ".0%", "fixedrange": True,
                  "title": {"text": label(N_("right answers"))}, "zeroline": False},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 64, "r": 8, "t": 32, "b": 44},
    }  # fmt: skip
    return figure(bars, layout)


def spread(
    edges: np.ndarray, shares: np.ndarray, mean: float, std: float, *, color: str = DATA, label: Label = str
) -> go.Figure:
    """How often each pixel value occurs (on a root scale, since most pixels are black), with mean and deviation.

    Args:
        edges: ``(n + 1,)`` of the bins. shares: ``(n,)`` of all pixels in each.
    """
    middle, root = (edges[1:] + edges[:-1]) / 2, np.sqrt(shares)
    bars = {
        "type": "bar", "x": middle, "y": root, "width": np.diff(edges), "marker": {"color": color},
        "customdata": shares, "hovertemplate": "%{x:.3g}: %{customdata:.2%}<extra></extra>",
    }  # fmt: skip
    room = 0.04 * float(edges[-1] - edges[0])
    span = {"type": "rect", "yref": "y domain", "y0": 0, "y1": 1, "x0": mean - std, "x1": mean + std, "layer": "below",
            "line": {"width": 0}, "fillcolor": WARNING, "opacity": 0.18}  # fmt: skip
    line = {"type": "line", "yref": "y domain", "y0": 0, "y1": 1, "x0": mean, "x1": mean,
            "line": {"color": WARNING, "width": 2}}  # fmt: skip
    ticks = np.array([0, 0.01, 0.1, 0.25, 0.5, 1.0])
    layout = {
        "shapes": [span, line], "bargap": 0,
        "xaxis": {"title": {"text": label(N_("pixel value"))}, "zeroline": False, "fixedrange": True,
                  "range": [float(min(edges[0], mean - std)) - room, float(max(edges[-1], mean + std)) + room]},
        "yaxis": {"range": [0, 1.02], "tickvals": np.sqrt(ticks), "ticktext": [f"{t:.0%}" for t in ticks],
                  "fixedrange": True, "title": {"text": label(N_("share of all pixels"))}, "zeroline": False},
        "margin": {"l": 64, "r": 8, "t": 8, "b": 44},
    }  # fmt: skip
    return figure([bars], layout)
