"""The pictures of an album as a map, before a network looked at them and after; each shows itself when pointed at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dlcore.experiments.teach import best_backbone
from dlcore.feature_map import LEAST, METHODS, SPACES
from dlcore.history import History
from dlcore.texts import N_
from ui.album_board import thumbnail
from ui.class_colors import COLORS, color_of
from ui.components import component, pack
from ui.i18n import _, plain, sentences
from ui.later import as_it_comes, later
from ui.session import current, page_state

SPACE = {"pixels": N_("Pixels"), "features": N_("Trained eyes"), "answers": N_("After your training")}
METHOD = {"pca": "PCA", "tsne": "t-SNE"}
HELP = {
    "pixels": N_("Before any network: pictures are near each other where the same pixels have the same colours."),
    "features": N_("What the trained network makes of each picture; it has never heard of your classes."),
    "answers": N_("What the new last layer makes of that: the numbers that become its answer."),
}
HEIGHT, MARGIN = 440, 52  # px
WAITING = N_("The map is being drawn; t-SNE takes a few seconds.")
SIGNS = 3  # forms of a point: for the first round of colours, the second, the third
_mount = component("picture_map", height=f"{HEIGHT + MARGIN}px")


@st.fragment
def feature_map(album: str, network: str, *, count: int, checkpoint: str | None, version: int) -> None:
    """Draw the map of a kept album.

    Args:
        album: its fingerprint; ``count`` of its pictures.
        network: whose features are asked for.
        checkpoint: the run's, with the trained last layer, or None; ``version`` tells its states apart.
    """
    if count < LEAST:
        st.caption(_("With a few more pictures there will be a map here."))
        return
    left, right = st.columns([2.6, 1], gap="large")
    with left:
        space, method, pictures = _choices(checkpoint is not None)
    asked = checkpoint if space == "answers" else None
    key = ("feature-map", album, network, space, method, asked, version if asked else 0)
    ask = (key, "dlcore.feature_map:places", album, network, space, method, asked)
    as_it_comes(lambda found, _problem: _draw(left, right, found, ask, pictures), partial(later, *ask))


def map_of(history: History, album: str, count: int, checkpoint: str | None) -> None:
    """The map for a page's board: with the network of its run, or else with the best that is here."""
    same = history.config.get("data_hash") == album and history.state == "finished"
    network = history.config["backbone"] if same else best_backbone()
    feature_map(album, network, count=count, checkpoint=checkpoint if same else None, version=history.version)


def _choices(trained: bool) -> tuple[str, str, bool]:
    spaces = SPACES if trained else SPACES[:2]
    with st.container(key="map-choices", horizontal=True, gap="medium", vertical_alignment="center"):
        space = st.segmented_control(
            _("What is compared"), spaces, format_func=lambda name: _(SPACE[name]), default="features", required=True,
            key=f"map.space.{trained}", label_visibility="collapsed",
        )  # fmt: skip
        method = st.segmented_control(
            _("How it is made flat"), METHODS, format_func=METHOD.__getitem__, default="tsne", required=True,
            key="map.method", label_visibility="collapsed",
            help=_(
                "PCA looks along the two widest directions. t-SNE keeps neighbours together; distances "
                "between groups mean nothing."
            ),
        )  # fmt: skip
        pictures = st.toggle(_("Pictures"), value=True, key="map.pictures")
    return space, method, pictures


def _draw(left: Any, right: Any, found: dict[str, Any] | None, ask: tuple[Any, ...], pictures: bool) -> None:
    """The map that was asked for; until it is there, the one before, so that its pictures can move to their places."""
    state, (space, method) = page_state(current()), ask[4:6]
    shown = found or (later(*state["map_ask"]) if "map_ask" in state else None)
    with left:
        if shown is None:
            st.container(height=HEIGHT + MARGIN, border=False).caption(_(WAITING))
            return
        _mount(key="feature-map", data=pack(_payload(shown, state, pictures)))
    with right:
        if found is None:
            st.caption(_(WAITING))
            return
        _legend(found, space, method, pictures)
    state["map_ask"] = ask
    seen = {*state.get("maps", []), space}
    if len(seen) > len(state.get("maps", [])):
        state["maps"] = sorted(seen)
        if {"pixels", "features"} <= seen and "two-maps" not in state.get("solved", []):
            st.rerun()


def _payload(found: dict[str, Any], state: dict[str, Any], pictures: bool) -> dict[str, Any]:
    places = facing(found["xy"], found["names"], state.get("map_places", {}))
    state["map_places"] = dict(zip(found["names"], map(tuple, places.tolist()), strict=True))
    return {
        "height": HEIGHT, "points": _points(found, places), "pictures": pictures,
        "alt": _("Map of the pictures: near each other where they are alike. Arrow keys go from one to the next."),
    }  # fmt: skip


def facing(xy: np.ndarray, names: Sequence[str], before: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """Places (N, 2) on the unit square, ``y`` downwards, mirrored so that pictures have the least way to go.

    Which way round a map of this kind is means nothing, and a map that turns over hides what has really moved.
    """
    low, high = xy.min(0), xy.max(0)
    unit = (xy - low) / np.maximum(high - low, 1e-9)
    known = [k for k, name in enumerate(names) if name in before]
    if known:
        old = np.array([before[names[k]] for k in known])
        flipped = ((unit[known] - old) ** 2).sum(0) > ((1 - unit[known] - old) ** 2).sum(0)
        unit = np.where(flipped, 1 - unit, unit)
    return unit


def _points(found: dict[str, Any], places: np.ndarray) -> list[dict[str, Any]]:
    """Each picture as the browser draws it."""
    titles = [_(name) for name in found["classes"]]
    held = _("held out: it was not learned from")
    return [
        {
            "id": f"{name}-{k}", "x": round(float(x), 4), "y": round(float(y), 4), "name": titles[k],
            "color": color_of(k), "sign": k // len(COLORS) % SIGNS, "held": bool(out), "note": held if out else "",
            "picture": thumbnail(name),
        }
        for name, k, out, (x, y) in zip(found["names"], found["y"].tolist(), found["held"], places, strict=True)
    ]  # fmt: skip


def _legend(found: dict[str, Any], space: str, method: str, pictures: bool) -> None:
    """The classes' colours, what is compared, and how well the classes lie apart."""
    rows = "".join(
        f'<li><i style="background:{color_of(k)}"></i>{plain(_(name))}</li>' for k, name in enumerate(found["classes"])
    )
    st.html(f'<ul class="dl-al-legend">{rows}</ul>')
    words = _(
        "Of **{share}** of the pictures the nearest other one is of the same class (in all numbers, not on the map)."
    )
    st.markdown(words.format(share=f"{found['neighbours']:.0%}"))
    seen = (
        _("The map shows {share} of all differences.").format(share=f"{found['kept']:.0%}") if method == "pca" else ""
    )
    hollow = _("Dashed: held out.") if pictures else _("Hollow: held out.")
    st.caption(sentences(_(HELP[space]), seen, hollow if found["held"].any() else ""))
    st.caption(_("Point at a picture, or go from one to the next with the arrow keys, to see it large."))
