"""The computation graph on a page: drawn and played by the browser, opened node by node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlcore.graph_story import Graph, film
from ui.components import component, pack
from ui.i18n import _

_mount = component("graph", height="420px")


def graph_view(
    graph: Graph, *, key: str, name: str, calls: int = 1, on_pick: Callable[[str], None] = lambda name: None
) -> None:
    """Draw the graph and its film: forward, then ``calls`` backward passes without setting gradients to zero.

    Args:
        key: unique on the page.
        name: which graph this is; another name plays its film from the beginning.
        on_pick: called with the name of a leaf that was opened (by click or Enter), before the rerun.
    """
    leaves = graph.expression.names

    def picked() -> None:
        chosen = (st.session_state.get(key) or {}).get("pick")
        if isinstance(chosen, str) and chosen in leaves:
            on_pick(chosen)

    alt = _("Computation graph with {n} nodes. The table below has every value and gradient.")
    payload = {
        **film(graph, calls, _), "graph": f"{name}|{graph.expression.text}", "group": key,
        "alt": alt.format(n=len(graph.drawn)), "texts": _texts(),
    }  # fmt: skip
    _mount(key=key, data=pack(payload), on_pick_change=picked)


def _texts() -> dict[str, Any]:
    return {
        "play": _("Play"), "pause": _("Pause"), "step": _("Step"), "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"), "back": _("One step back"), "forth": _("One step"), "close": _("Close"),
        "leaves": _("Leaves"), "forward": _("Forward: the value"),
        "backward": _("Backward: upstream × local derivative"), "slopes": _("Its local derivatives"),
        "comes": _("Its gradient: upstream × local derivative"),
        "sum": _("Its gradient is the sum over all ways out of it"), "table": _("Table of all nodes"),
        "node": _("Node"), "operation": _("Operation"), "value": _("Value"), "gradient": _("Gradient"),
        "leaf": _("leaf"),
    }  # fmt: skip
