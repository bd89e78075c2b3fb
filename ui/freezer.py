"""A network to click on: which blocks are taken over and left alone, which are trained on, which are drawn anew."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import streamlit as st

from dlcore.data import new_shapes
from dlcore.data.gallery import strip
from dlcore.models.layer_shapes import Row
from ui.components import component, pack
from ui.i18n import _
from ui.session import current, page_state

MANY = 4  # layers from which a block is shown by what leaves it
_mount = component("freezer", height="178px")


def freezer(
    blocks: Sequence[Sequence[Row]],
    letters: str,
    *,
    key: str,
    classes: Sequence[str],
    presets: Mapping[str, str],
    pictures: Sequence[str],
    on_letters: Callable[[str], None],
) -> None:
    """Draw the network; ``on_letters`` is called with what a click has made of ``letters``.

    Args:
        blocks: the layers of each block and, as the last, of the head (``dlcore.transfer_methods.blocks_of``).
        letters: a letter of ``dlcore.transfer_methods.STATES`` for each block.
        classes: the new ones, translated.
        presets: by what is written on a button, the letters that it sets.
        pictures: addresses of one of each new class; none: none are shown.
    """
    state = page_state(current()).setdefault("freezer", {})

    def sent() -> None:
        found = (st.session_state.get(key) or {}).get("letters")
        if isinstance(found, dict):
            state["n"] = int(found["n"])
            on_letters(str(found["letters"]))

    payload = {
        "letters": letters, "n": state.get("n", 0), "blocks": [_block(rows) for rows in blocks[:-1]],
        "head": {"name": _name(blocks[-1][-1]), "params": sum(row.params for row in blocks[-1])},
        "classes": list(classes), "pictures": list(pictures),
        "presets": [{"title": title, "letters": made} for title, made in presets.items()], "texts": _texts(),
    }  # fmt: skip
    _mount(key=key, data=pack(payload), on_letters_change=sent)


def _block(rows: Sequence[Row]) -> dict[str, object]:
    """A block as it is drawn: its maps as they leave its first layer, of a block of many layers its last."""
    shown = [row for row in rows if row.layer.kind == "conv"][-1 if len(rows) > MANY else 0]
    channels, height, width = shown.shape
    return {
        "name": _name(shown), "shape": f"{channels} × {height} × {width}", "channels": channels, "side": height,
        "params": sum(row.params for row in rows),
    }  # fmt: skip


def _name(row: Row) -> str:
    if row.layer.kind == "conv":
        return _("{n} filters").format(n=row.layer.size)
    return _("{n} weights").format(n=f"{row.params:,}")


@lru_cache(maxsize=1)
def drawn_pictures() -> tuple[str, ...]:
    """One picture of each new shape, as addresses that an ``img`` takes."""
    X, _y = new_shapes.few(1, 0)
    return tuple(f"data:image/png;base64,{b64encode(strip(x[None], 1)).decode()}" for x in X)


def _texts() -> dict[str, str]:
    return {
        "f": _("frozen"), "t": _("trained on"), "n": _("drawn anew"),
        "f_help": _("It keeps what it has learned. Click: train it on."),
        "t_help": _("It begins with what it has learned and goes on learning. Click: draw it anew."),
        "n_help": _("It begins with random weights and learns. Click: take it over and freeze it."),
        "head": _("head"), "head_help": _("The last layer has a score for each new class, so it always begins anew."),
        "block": _("Block {n}, {state}: {params} weights."), "presets": _("Ways to learn, by name"),
        "trained": _("{n} of {all} numbers are trained ({share})"),
        "alt": _("The network from picture to answer, block by block."),
        "keys": _("Arrow keys move from block to block, space changes what becomes of one."),
    }  # fmt: skip
