"""A small network as matrices: forward, backward, and any weight's gradient opened."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlcore.layer_story import CHOICES, Layers, layers
from ui.components import component, pack
from ui.controls import get_extra, put_extra
from ui.i18n import _
from ui.session import imposed, page_state, set_up_by_teacher

_mount = component("layers", height="520px")
EXTRA = ("units", "draw")
MOST_DRAWS = 999


def layer_view() -> Layers:
    """Draw it; returns the network shown. The weight opened last is in ``page_state`` as ``"weight"``."""
    activation = get_extra("units") if get_extra("units") in CHOICES else CHOICES[0]
    drawn = get_extra("draw")
    seed = int(drawn) if drawn.isdecimal() and drawn.isascii() and len(drawn) <= 3 else 0
    if not set_up_by_teacher():
        _choose(activation, seed)
    shown = layers(activation, seed)
    alt = _("The network’s matrices, row by row; in the gradients every number is a button.")
    payload = {**shown.payload(), "texts": {**_texts(), "alt": alt}}
    _mount(key="layers", data=pack(payload), on_pick_change=_picked)
    return shown


def _choose(activation: str, seed: int) -> None:
    def changed(chosen: str) -> None:
        put_extra("units", "" if chosen == CHOICES[0] else chosen, slug="backpropagation")

    def other() -> None:
        put_extra("draw", str((seed + 1) % MOST_DRAWS), slug="backpropagation")

    with st.container(horizontal=True, vertical_alignment="bottom"):
        units = imposed("backpropagation.units", activation, changed)
        st.segmented_control(_("Hidden units"), CHOICES, required=True, **units)
        st.button(_("Other weights"), icon=":material/casino:", on_click=other, key="backpropagation.draw")


def _picked() -> None:
    sent = (st.session_state.get("layers") or {}).get("pick")
    parts = str(sent).split(",")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        page_state("backpropagation")["weight"] = [int(part) for part in parts]


def found_largest(shown: Layers) -> bool:
    """Whether the weight opened last is the one with the largest gradient."""
    return page_state("backpropagation").get("weight") == list(shown.largest())


def _texts() -> dict[str, Any]:
    return {
        "forward": _("Forward"), "backward": _("Backward"), "mode": _("Direction"), "layer": _("Layer {n}"),
        "answer": _("f, the answer"), "target": _("y, the target"), "row": _("first point"),
        "invite": _("Click on a weight, or on a number of ∂L/∂W, to see what its gradient is made of."),
        "path": _(
            "The gradient of {weight} is made of two columns: unit {i} of what comes into layer {l}, and δ of its unit "
            "{j}, multiplied point by point and added up."
        ),
    }  # fmt: skip
