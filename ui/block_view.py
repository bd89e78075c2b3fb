"""Both networks as rows of blocks, and one block of each opened with its sum: drawn by the browser, film and all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st

from dlcore.figures.resnet import NAMES
from dlcore.resnet_blocks import Chain, Part
from ui.components import component, pack
from ui.i18n import _

_mount = component("residual", height="400px")


def block_view(
    chain: Chain,
    flows: Mapping[str, Mapping[str, np.ndarray]],
    *,
    key: str,
    steps: np.ndarray,
    total: int,
    group: str,
    block: int,
    on_block: Callable[[int], None],
) -> None:
    """Draw the rows, the bar of the film, the opened block, and a sentence on its sum.

    Args:
        chain: what the networks' blocks are made of.
        flows: by network and quantity, (F, L): see ``dlcore.experiments.resnet``; empty while nothing is known.
        steps: (F,) of the film's frames; ``total`` of the whole run.
        group: the playhead that is shared with the plots.
        block: which one is opened, from 0; ``on_block`` is called with another one.
    """
    payload = {
        "group": group, "block": block, "steps": steps, "total": total, "kind_of": list(chain.kind_of), "flows": flows,
        "names": {name: _(title) for name, title in NAMES.items()}, "alt": _alt(chain), "texts": _texts(chain),
        "designs": [
            {"layers": [_part(p) for p in kind.layers], "after": [_part(p) for p in kind.after],
             "link": {**_part(kind.link), "box": bool(kind.link.detail)}, "shape_in": kind.shape_in,
             "shape_out": kind.shape_out}
            for kind in chain.kinds
        ],
    }  # fmt: skip
    _mount(key=key, data=pack(payload), on_block_change=lambda: _told(key, on_block))


def _told(key: str, receive: Callable[[int], None]) -> None:
    sent = (st.session_state.get(key) or {}).get("block")
    if isinstance(sent, int) and sent >= 0:
        receive(sent)


def _part(part: Part) -> dict[str, Any]:
    """A layer as it is drawn; its number of weights on hover."""
    counted = _("{n} weights").format(n=f"{part.params:,}") if part.params else ""
    return {**asdict(part), "name": _(part.name), "params": counted}


def _alt(chain: Chain) -> str:
    return _(
        "Two networks of {n} blocks, without and with links, each block as green as the gradient that arrives in it; "
        "below, one block of each with its layers. The table has the numbers."
    ).format(n=len(chain.kind_of))  # fmt: skip


def _texts(chain: Chain) -> dict[str, Any]:
    return {
        "play": _("Play"), "pause": _("Pause"), "step": _("Step"), "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"), "back": _("One step back"), "forth": _("One step"), "table": _("Table of all blocks"),
        "at": _("step {step} of {total}"), "block": _("block"),
        "keys": _("Left and right arrows choose the block, space plays."),
        "tile": _("Block {n}: gradient of its weights {value}"),
        "link": _("the link carries X"), "through_link": _("through the link"),
        "through_branch": _("through the branch"),
        "columns": {"x": "X", "f": "F(X)", "y": "Y", "gx": "∂L/∂X", "weights": "∂L/∂W"},
        "story": _(
            "Block {n} of the residual network: the link carries numbers of size {x}, the branch adds numbers of size "
            "{f}. On the way back the link hands on a gradient of {link}, and the branch adds {branch}."
        ),
        "unknown": _("The numbers appear here as soon as a worker has computed them."),
    }  # fmt: skip
