"""The maps that a network's layers make of a picture: the strongest as small pictures, one of them laid over it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore.figures import attribution as figures
from dlcore.figures import images
from ui.asked import Asked, waiting
from ui.i18n import _
from ui.live_plot import live_plot
from ui.session import imposed, page_state

COLUMNS, ROWS = 8, 3
HEIGHT = 330  # px
SIDE = 64  # px of a map in the list, at most


def feature_maps(asked: Asked) -> None:
    """Draw the choice of a layer, its strongest maps, and the chosen one on the picture."""
    st.subheader(_("What its layers see"), anchor="maps")
    with waiting(asked, 2):
        layers = asked.call("maps:layers")
    if not layers:
        st.caption(_("This network has no maps: after its first layer it knows only rows of numbers."))
        return
    state = page_state("maps")
    layer = _layer(asked, layers)
    with waiting(asked, 2):
        found = asked.call("maps:strongest", layer["name"], count=COLUMNS * ROWS)
    chosen = min(state.get("map", 0), len(found["maps"]) - 1)
    left, right = st.columns([1.9, 1], gap="large")
    with left:
        _mosaic(found, chosen, state)
        _number(found, chosen, state)
    with right:
        _enlarged(asked, layer, found, chosen)


def _layer(asked: Asked, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """The layer whose maps are shown: first one a third of the way, where maps are neither edges nor whole things."""
    titles = [
        _("{k}: {count} maps of {h} × {w}").format(k=k + 1, count=one["count"], h=one["places"][0], w=one["places"][1])
        for k, one in enumerate(layers)
    ]
    place = st.select_slider(
        _("Layer"), range(len(layers)), value=len(layers) // 3, format_func=titles.__getitem__,
        key=f"maps.layer.{asked.subject.name}.{len(layers)}",
        help=_("From the first layer, whose maps are fine, to the last, whose few places each see most of the "
               "picture."),
    )  # fmt: skip
    return layers[place]


def _mosaic(found: dict[str, Any], chosen: int, state: dict[str, Any]) -> None:
    maps = _shades(found["maps"])
    place = images.mosaic(maps, COLUMNS)

    def choose(click: dict[str, Any]) -> None:
        index = place.index(click["x"], click["y"])
        state["map"] = chosen if index is None else index

    st.caption(
        _("The {n} maps that answer most, the strongest first; white is the largest value of each. Click one.").format(
            n=len(maps)
        )
    )
    live_plot(
        images.pictures(maps, COLUMNS, chosen=chosen), key="maps.list", height=HEIGHT - 60, aspect=COLUMNS / ROWS,
        on_click=choose, alt=_("The strongest maps of the layer as small pictures: click one."),
        table={_("map"): found["numbers"] + 1, _("largest value"): found["peaks"].round(3),
               _("share of places above 0"): found["active"].round(3)},
    )  # fmt: skip


def _number(found: dict[str, Any], chosen: int, state: dict[str, Any]) -> None:
    """The chosen map by its place in the list: the keyboard's way to what a click does."""
    count = len(found["maps"])
    bound = imposed(f"maps.number.{count}", chosen + 1, lambda number: state.update(map=int(number) - 1))
    st.number_input(_("Place in this list, 1–{n}").format(n=count), 1, count, width=160, **bound)


def _enlarged(asked: Asked, layer: dict[str, Any], found: dict[str, Any], chosen: int) -> None:
    heat = found["maps"][chosen]
    st.caption(
        _("Map {number} on the picture: largest value {peak}, above 0 in {share} of its places").format(
            number=found["numbers"][chosen] + 1,
            peak=f"{found['peaks'][chosen]:.3g}",
            share=f"{found['active'][chosen]:.0%}",
        )
    )
    live_plot(
        figures.overlay(asked.pixels, spread(heat, asked.pixels.shape[1:])), key="maps.one", height=HEIGHT, aspect=1.0,
        alt=_("The chosen map in colour on the picture: vermilion where it is above 0, blue below."),
    )  # fmt: skip
    words = _("Of its {count} maps, {silent} are nowhere above 0 in this picture.")
    st.caption(words.format(count=layer["count"], silent=found["silent"]))


def spread(heat: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A map ``(h, w)`` as large as the picture ``(H, W)``, each place a plain rectangle: so coarse it is."""
    rows, columns = (np.arange(side) * places // side for side, places in zip(shape, heat.shape, strict=True))
    return heat[np.ix_(rows, columns)]


def _shades(maps: np.ndarray) -> np.ndarray:
    """Maps ``(n, h, w)`` as grey pictures ``(n, 1, h, w)`` uint8: 0 and below black, each one's largest value white."""
    step = max(1, maps.shape[1] // SIDE)
    maps = maps[:, ::step, ::step]
    most = np.maximum(maps.max((1, 2), keepdims=True), 1e-9)
    return np.rint(255 * np.clip(maps / most, 0, 1)).astype(np.uint8)[:, None]
