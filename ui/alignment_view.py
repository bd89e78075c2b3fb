"""A text, the answer to it, and for each symbol of the answer the letters that it came from: drawn by the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dlcore.experiments.attention_look import NAMES
from ui.components import component, pack
from ui.i18n import _

_mount = component("alignment", height="330px")


def alignment_view(
    asked: Mapping[str, Any], found: Mapping[str, Any], *, key: str, on_pick: Callable[[int], None]
) -> None:
    """Draw one network's answer: stepped through letter by letter, pointed at, walked with the arrow keys.

    Args:
        asked: what ``dlcore.experiments.attention_look.read`` returned; ``found``: one of its networks.
        on_pick: called with the number of a symbol of the answer that was clicked, before the rerun.
    """

    def picked() -> None:
        chosen = (st.session_state.get(key) or {}).get("pick")
        if isinstance(chosen, int) and 0 <= chosen < len(found["said"]):
            on_pick(chosen)

    payload = {
        "letters": asked["letters"], "unknown": asked["unknown"].astype(int).tolist(),
        "symbols": [_("end"), _("start"), *NAMES[2:]], "said": found["said"].tolist(), "shares": found["shares"],
        "looks": found["looks"], "needs": found["needs"], "vector": found["vector"], "group": key,
        "texts": _texts(found),
    }  # fmt: skip
    _mount(key=key, data=pack(payload), on_pick_change=picked)


def _texts(found: Mapping[str, Any]) -> dict[str, str]:
    count = 0 if found["vector"] is None else len(found["vector"])
    return {
        "play": _("Play"), "pause": _("Pause"), "step": _("Step"), "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"), "at": _("symbol {n} of {all}"), "answer": _("The answer, symbol by symbol"),
        "unknown": _("The network has never seen this letter"), "shown": _("What the colours show"),
        "looks": _("Where it looks"), "looks_help": _("The weights of the attention; they add up to 100%."),
        "needs": _("What it needs"),
        "needs_help": _("How much of the symbol’s probability is lost when this letter alone is hidden."),
        "vector": _("The text as {n} numbers: nothing else reaches the writer.").format(n=count),
        "likely": _("Candidates for symbol {n}"),
        "looks_say": _("For {symbol} it looks most at {list}."),
        "needs_say": _("Hide one letter, and {symbol} loses: {list}."),
        "one": _("“{letter}” ({share})"), "comma": _(", "),
        "nothing": _("For {symbol} no single letter counts for more than 3%."),
    }  # fmt: skip
