"""The window that slides over a picture: drawn and played by the browser, each sum written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlcore.convolution_story import CHANNELS, OPERATIONS, Bench
from dlcore.texts import Problem
from ui.components import component, pack
from ui.i18n import _, tell

_mount = component("convolution", height="560px")


def convolution_view(
    bench: Bench,
    *,
    key: str,
    at: tuple[int, int] | None = None,
    editable: bool = True,
    on_kernel: Callable[[str], None] = lambda text: None,
    on_at: Callable[[str], None] = lambda text: None,
) -> None:
    """Draw input, window and output, the film that fills the output, and the sum of the number pointed at.

    Args:
        key: unique on the page.
        at: output row and column to open with, from 0; None plays the film from its beginning.
        editable: whether the weights can be typed into.
        on_kernel: called with the filter's text (``dlcore.filters.write_filter``) when a weight was typed.
        on_at: called with ``"row_column"`` when an output number was chosen.
    """
    output, problem = bench.output, bench.answer
    payload = {
        **bench.payload(), "group": key, "at": at, "editable": editable, "alt": _alt(bench),
        "problem": tell(problem, markdown=False) if isinstance(problem, Problem) else "", "texts": _texts(bench),
    }  # fmt: skip
    if at and (output is None or at[0] >= output.shape[1] or at[1] >= output.shape[2]):
        payload["at"] = None
    _mount(
        key=key, data=pack(payload), on_kernel_change=lambda: _told(key, "kernel", on_kernel),
        on_at_change=lambda: _told(key, "at", on_at),
    )  # fmt: skip


def _told(key: str, name: str, receive: Callable[[str], None]) -> None:
    sent = (st.session_state.get(key) or {}).get(name)
    if isinstance(sent, str):
        receive(sent)


def _alt(bench: Bench) -> str:
    (_channels, height, width), output = bench.picture.shape, bench.output
    if output is None:
        return _("A picture of {h} × {w} pixels on which the window finds no place.").format(h=height, w=width)
    return _(
        "A picture of {h} × {w} pixels, a window of {k} × {k}, and its {oh} × {ow} answers between {low} and {high}. "
        "The table below has them all."
    ).format(
        h=height, w=width, k=bench.geometry.size, oh=output.shape[1], ow=output.shape[2], low=f"{output.min():.3g}",
        high=f"{output.max():.3g}",
    )  # fmt: skip


def _texts(bench: Bench) -> dict[str, Any]:
    return {
        "play": _("Play"), "pause": _("Pause"), "step": _("Step"), "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"), "back": _("One step back"), "forth": _("One step"), "table": _("Table of the output"),
        "input": _("Picture"), "output": _("Output"), "operation": _(OPERATIONS[bench.settings.operation]),
        "place": _("row {row}, column {column}"), "size": _("output size"), "done": _("{n} of {all}"),
        "channel": _("Channel shown"), "channels": [_(name) for name in CHANNELS],
        "weights": _("Weights of the filter"), "weight": _("Weight in row {i}, column {j}"),
        "keys": _("Point at a number, or move with the arrow keys, to see what it is made of."),
    }  # fmt: skip
