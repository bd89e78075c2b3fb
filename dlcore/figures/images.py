"""Many small images in one heat map: pictures, filters, numbers. One trace whatever their number, so it is quick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dlcore.figures import DATA, DIVERGING, MODEL, figure

INK = [[0.0, "#000000"], [1.0, "#ffffff"]]  # as the pixels are: 0 black, 255 white
FOOT = 22  # px below the images, for the buttons that the page puts there
MARK = {"color": MODEL, "width": 3}


@dataclass(frozen=True)
class Mosaic:
    """Where each of ``count`` images of ``height`` x ``width`` pixels stands in one large picture.

    ``gap`` pixels lie between two images, and ``foot`` more below each, for its caption.
    """

    count: int
    height: int
    width: int
    columns: int
    gap: int = 2
    foot: int = 0

    @property
    def rows(self) -> int:
        """Rows of images."""
        return ceil(self.count / self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the large picture."""
        tall = self.rows * (self.height + self.foot) + (self.rows - 1) * self.gap
        return tall, self.columns * self.width + (self.columns - 1) * self.gap

    def corner(self, index: int) -> tuple[int, int]:
        """Row and column of an image's upper left pixel."""
        row, column = divmod(index, self.columns)
        return row * (self.height + self.foot + self.gap), column * (self.width + self.gap)

    def index(self, x: float, y: float) -> int | None:
        """Which image lies at a point of the plot (a click); None where there is none."""
        row, column = int((y + 0.5) // (self.height + self.foot + self.gap)), int((x + 0.5) // (self.width + self.gap))
        index = row * self.columns + column
        inside = 0 <= column < self.columns and 0 <= row < self.rows and index < self.count
        return index if inside else None

    def picture(self, images: np.ndarray) -> np.ndarray:
        """``(count, height, width)`` as one float32 picture, NaN (the page shows through) between the images."""
        return self._laid(images, np.full(self.shape, np.nan, np.float32))

    def colours(self, images: np.ndarray) -> np.ndarray:
        """``(count, 3, height, width)`` uint8 as one picture ``(rows, columns, 4)``, transparent between the images."""
        pixels = images.transpose(0, 2, 3, 1)  # (count, height, width, 3)
        opaque = np.concatenate([pixels, np.full((*pixels.shape[:3], 1), 255, np.uint8)], -1)
        return self._laid(opaque, np.zeros((*self.shape, 4), np.uint8))

    def _laid(self, images: np.ndarray, large: np.ndarray) -> np.ndarray:
        for index, image in enumerate(images):
            top, left = self.corner(index)
            large[top : top + self.height, left : left + self.width] = image
        return large


def mosaic(images: np.ndarray, columns: int, *, foot: int = 0) -> Mosaic:
    """The arrangement of ``(n, …, h, w)`` images in so many columns, with a gap that suits their size."""
    n, (height, width) = len(images), images.shape[-2:]
    return Mosaic(n, height, width, min(columns, max(n, 1)), gap=max(1, round(width / 9)), foot=foot)


def pictures(images: np.ndarray, columns: int, *, chosen: int | None = None) -> go.Figure:
    """Images ``(n, C, h, w)`` uint8, grey (bright ink on black) or in colour; ``chosen`` gets a frame."""
    place = mosaic(images, columns)
    return _pixels(place, images, shapes=[] if chosen is None else [_frame(place, chosen)])


def filters(weights: np.ndarray, columns: int = 8) -> go.Figure:
    """First-layer filters ``(n, C, h, w)``, or ``(n, h, w)`` of grey images, all on one scale.

    Of grey images: vermilion where a bright pixel adds, blue where it takes away. Of colour images, a filter is a small
    colour picture itself: grey where its three weights are 0, and otherwise the colour that it answers to.
    """
    most = float(np.abs(weights).max()) or 1.0
    weights = with_channels(weights)
    if weights.shape[1] == 3:
        tiles = np.rint(127.5 + 127.5 * weights / most).astype(np.uint8)
        return _pixels(mosaic(tiles, columns), tiles)
    weights = weights[:, 0]
    return _mosaic_figure(mosaic(weights, columns), weights, DIVERGING, -most, most)


def tensor(values: np.ndarray) -> go.Figure:
    """The numbers of one image ``(C, h, w)`` as they enter a network, channel by channel, each value on hover."""
    values = values.astype(np.float32)
    most = float(np.abs(values).max()) or 1.0
    scale, low = (DIVERGING, -most) if values.min() < 0 else (INK, 0.0)
    return _mosaic_figure(mosaic(values, 2 if len(values) > 1 else 1), values, scale, low, most, hover=True)


def mistakes(
    images: np.ndarray, truth: Sequence[str], answer: Sequence[str], shares: Sequence[float], columns: int = 6
) -> go.Figure:
    """Wrongly answered images ``(n, C, h, w)`` uint8; below each the truth (blue), the answer (vermilion), its share.

    Args:
        truth, answer: class names, ready to print.
        shares: probability of the answer, 0 to 1.
    """
    said = [f"{wrong} {share:.0%}" for wrong, share in zip(answer, shares, strict=True)]
    return captioned(images, truth, said, (DATA, MODEL), columns)


def captioned(
    images: np.ndarray, left: Sequence[str], right: Sequence[str], colors: tuple[str, str], columns: int, foot: int = 8
) -> go.Figure:
    """Images ``(n, C, h, w)`` uint8, below each two words, one at either edge, in the two colours.

    ``foot`` is the room for the words in the images' own pixels.
    """
    place = mosaic(images, columns, foot=foot)
    notes = []
    for index, (one, other) in enumerate(zip(left, right, strict=True)):
        top, edge = place.corner(index)
        note = {"y": top + place.height - 0.5, "showarrow": False, "yanchor": "top"}
        font = [{"color": color, "size": 13} for color in colors]
        notes += [
            {**note, "x": edge - 0.5, "xanchor": "left", "text": one, "font": font[0]},
            {**note, "x": edge + place.width - 0.5, "xanchor": "right", "text": other, "font": font[1]},
        ]
    return _pixels(place, images, annotations=notes)


def with_channels(images: np.ndarray) -> np.ndarray:
    """Images ``(n, C, h, w)``: those without an axis for channels get one."""
    return images[:, None] if images.ndim == 3 else images


def _pixels(place: Mosaic, images: np.ndarray, **extra: Any) -> go.Figure:
    """Images ``(n, C, h, w)``, or grey ones ``(n, h, w)``, uint8, as they are."""
    images = with_channels(images)
    if images.shape[1] == 3:
        trace = {"type": "image", "z": place.colours(images), "colormodel": "rgba", "hoverinfo": "none"}
        return figure([trace], _layout(place, **extra))
    return _mosaic_figure(place, images[:, 0], INK, 0, 255, **extra)


def _mosaic_figure(
    place: Mosaic, images: np.ndarray, scale: list | str, low: float, high: float, *, hover: bool = False, **extra: Any
) -> go.Figure:
    trace = {
        "type": "heatmap", "z": place.picture(images), "colorscale": scale, "zmin": low, "zmax": high,
        "showscale": False, "hoverinfo": "all" if hover else "none", "hoverongaps": False,
        "hovertemplate": "%{z:.3f}<extra></extra>" if hover else None,
    }  # fmt: skip
    return figure([trace], _layout(place, **extra))


def _layout(place: Mosaic, **extra: list) -> dict:
    """Axes without marks whose units are pixels, the first row on top."""
    tall, wide = place.shape
    hidden = {"visible": False, "constrain": "domain", "fixedrange": True}
    return {
        "xaxis": {**hidden, "range": [-0.5, wide - 0.5], "constraintoward": "left"},
        "yaxis": {**hidden, "range": [tall - 0.5, -0.5], "scaleanchor": "x", "constraintoward": "top"},
        "margin": {"l": 0, "r": 0, "t": 0, "b": FOOT},
        **extra,
    }


def _frame(place: Mosaic, index: int) -> dict:
    top, left = place.corner(index)
    ends = {"x0": left - 0.5, "x1": left + place.width - 0.5, "y0": top - 0.5, "y1": top + place.height - 0.5}
    return {"type": "rect", **ends, "line": MARK}
