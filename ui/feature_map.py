"""The pictures of an album as a map, before a network looked at them and after; a click shows the picture."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dlcore.experiments.teach import best_backbone
from dlcore.feature_map import LEAST, METHODS, SPACES
from dlcore.figures import feature_map as figures
from dlcore.history import History
from dlcore.texts import N_
from ui.album_board import thumbnail
from ui.class_colors import color_of
from ui.i18n import _, plain, sentences
from ui.later import as_it_comes, later
from ui.live_plot import live_plot
from ui.session import current, page_state

SPACE = {"pixels": N_("Pixels"), "features": N_("Trained eyes"), "answers": N_("After your training")}
METHOD = {"pca": "PCA", "tsne": "t-SNE"}
HELP = {
    "pixels": N_("Before any network: pictures are near each other where the same pixels have the same colours."),
    "features": N_("What the trained network makes of each picture; it has never heard of your classes."),
    "answers": N_("What the new last layer makes of that: the numbers that become its answer."),
}
HEIGHT = 440
MOST_THUMBS = 300  # pictures drawn on the map


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
    key = ("feature-map", album, network, space, method, checkpoint, version if space == "answers" else 0)
    asked = checkpoint if space == "answers" else None
    ask = partial(later, key, "dlcore.feature_map:places", album, network, space, method, asked)
    as_it_comes(lambda found, _problem: _draw(left, right, found, space, method, pictures), ask)


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


def _draw(left: Any, right: Any, found: dict[str, Any] | None, space: str, method: str, pictures: bool) -> None:
    state = page_state(current())
    with left:
        if found is None:
            st.container(height=HEIGHT, border=False).caption(_("The map is being drawn; t-SNE takes a few seconds."))
            return
        chosen = state.get("on_map")
        chosen = found["names"].index(chosen) if chosen in found["names"] else None
        thumbs = [thumbnail(name) for name in found["names"]] if pictures and len(found["names"]) <= MOST_THUMBS else []
        live_plot(
            figures.feature_map(
                found["xy"], found["y"], [_(name) for name in found["classes"]], held=found["held"], chosen=chosen,
                thumbs=thumbs,
            ),
            key="feature-map", height=HEIGHT, on_click=lambda click: _choose(found, click, state),
            alt=_("Map of the pictures: near each other where they are alike."),
            table={_(
                "class"
            ): [_(found["classes"][k]) for k in found["y"]], "x": found["xy"][:, 0], "y": found["xy"][:, 1]},
        )  # fmt: skip
    with right:
        _legend(found, space, method, chosen)
    seen = {*state.get("maps", []), space}
    if len(seen) > len(state.get("maps", [])):
        state["maps"] = sorted(seen)
        if {"pixels", "features"} <= seen and "two-maps" not in state.get("solved", []):
            st.rerun()


def _choose(found: dict[str, Any], click: dict[str, Any], state: dict[str, Any]) -> None:
    index = figures.nearest(np.asarray(found["xy"]), click["x"], click["y"])
    state["on_map"] = None if index is None else found["names"][index]


def _legend(found: dict[str, Any], space: str, method: str, chosen: int | None) -> None:
    """The classes' colours, what is compared, how well the classes lie apart, and the chosen picture."""
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
    st.caption(sentences(_(HELP[space]), seen, _("Hollow: held out.") if found["held"].any() else ""))
    if chosen is not None:
        name = plain(_(found["classes"][found["y"][chosen]]))
        st.html(f'<div class="dl-al-cell"><figure><img src="{thumbnail(found["names"][chosen])}" alt="{name}">'
                f"<figcaption>{name}</figcaption></figure></div>")  # fmt: skip
    else:
        st.caption(_("Click a point to see its picture."))
