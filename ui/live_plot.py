"""Figures that change in place: ``Plotly.react`` in a component that is never remounted; films played by the browser.

The stock ``st.plotly_chart`` hashes the figure into its identity, so each change throws the chart away, zoom and all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ui.components import component, pack, plotly_url
from ui.i18n import _

_mount = component("live_plot")
_mount_text = component("frame_text")
_mount_player = component("player", height="44px")

Frames = Mapping[str, Any]


def live_plot(
    figure: go.Figure,
    *,
    key: str,
    height: int = 360,
    aspect: float | None = None,
    alt: str,
    table: Mapping[str, Sequence[Any] | np.ndarray] | None = None,
    frames: Frames | None = None,
    on_click: bool | Callable[[dict[str, Any]], None] = False,
) -> dict[str, Any] | None:
    """Draw ``figure``, or bring the one drawn under this ``key`` up to date. Zoom and camera stay (``uirevision``).

    Colours of text, grid and background come from the page; those of ``dlcore.figures`` are lightened on a dark one.

    Args:
        key: unique on the page.
        height: of the plot in pixels, kept free before it has data; player and footer come below it.
        aspect: width to height of a picture that keeps its shape, without margins: narrow, the plot is lower, too.
        alt: what the picture shows, in a translated sentence, for those who do not see it.
        table: columns for the data table (any length each); by default they are read off the traces.
        on_click: return clicks, on the empty plot area too (2-D axes), by pointer or by keyboard (arrow keys move a
            cross, Enter clicks); a function is called with each, before the rerun, so that it may set a knob
            (``put_value``).
        frames: a film, played by the browser alone at its own rate::

                {
                    "count": 200,                # frames 0 … 199
                    "group": "descent",          # plots (and frame_text, player) of a group share one playhead
                    "traces": {                  # which trace's attributes follow the playhead, and how
                        1: {"x": {"grow": path_x}, "y": {"grow": path_y}},  # (count,): the first k + 1 of them
                        2: {"x": {"at": path_x}, "y": {"at": path_y}},      # (count,): the k-th as a single point
                        3: {"y": {"at": rows}},                             # (count, P): the k-th row
                        0: {"y": {"mix": [weights, basis]}},                # (count, D), (P, D): basis @ weights[k]
                    },
                    "autoplay": False,           # play once when first shown (never under prefers-reduced-motion)
                    "seconds": 4.0,              # how long the film takes at speed 1; default 2 to 8, from count
                    "steps": steps,              # (count,): at which training step each frame is, told by the bar
                    "controls": True,            # the bar below this plot; leave it to one plot of a group
                    "start": "end",              # where the playhead stands at first: "end" or "begin"
                }

            ``mix`` keeps a moving line small: ``y = a x + b`` for 2,000 frames is ``[(2000, 2), (P, 2)]``, and a NaN in
            the basis is a gap. When new frames arrive, a playhead at the end stays at the end.

    Returns:
        The last click ``{"x", "y", "curve", "point", "n"}`` in data coordinates (``curve`` and ``point`` are None on
        the empty area; ``n`` grows, so that a page acts on each once); None before the first and without ``on_click``.
    """
    click = _click(st.session_state.get(key)) if on_click else None

    def clicked() -> None:
        new = _click(st.session_state.get(key))
        if callable(on_click) and new:
            on_click(new)

    payload = {
        "height": height, "aspect": aspect,  # the first two: the loader reads them (``ui.components``)
        **_spec(figure), "alt": alt, "table": table, "frames": frames, "click": bool(on_click),
        "clicks": click["n"] if click else 0, "vendor": plotly_url(), "texts": _texts(),
    }  # fmt: skip
    _mount(key=key, data=pack(payload), on_click_change=clicked)
    return click


def player(group: str, *, key: str, steps: Any = None) -> None:
    """The bar with play, step and speed for a group of plots, where none of them shows its own.

    Args:
        steps: (count,), at which training step each frame is; without them the bar counts frames.
    """
    _mount_player(
        key=key, data={"group": group, "texts": _texts(), "steps": None if steps is None else [*map(int, steps)]}
    )


def frame_text(template: str, values: Mapping[str, Any], *, group: str, key: str, count: int | None = None) -> None:
    """A line of text whose numbers follow the playhead of ``group``: ``"θ ← {theta} − {rate} · {gradient}"``.

    Args:
        template: HTML written by us (``<i>``, ``<sub>``, ``<sup>``, ``<b class="data|model|gradient|reference">``),
            never by a user. ``{name}`` is a number with 4 significant digits, ``{name:2}`` with 2, ``{name:d}`` a whole
            one; ``{step}`` is the frame's number unless ``values`` has one.
        values: for each name an array ``(count,)``, or one number for all frames.
        count: number of frames; by default the longest array's.
    """
    arrays = {name: np.asarray(value, dtype=float) for name, value in values.items()}
    frames = count or max((a.size for a in arrays.values() if a.ndim), default=1)
    _mount_text(key=key, data=pack({"template": template, "values": arrays, "group": group, "count": frames}))


def _spec(figure: go.Figure) -> dict[str, Any]:
    """The figure's data and layout as they were given, arrays untouched; the page's own theme replaces the template."""
    data = [dict(trace) for trace in figure._data]  # to_dict() would copy each array and turn it into base64
    layout = {name: value for name, value in figure._layout.items() if name != "template"}
    return {"data": data, "layout": layout}


def _click(state: Any) -> dict[str, Any] | None:
    """What the browser sent as its last click, if it has the form of one."""
    sent = (state or {}).get("click")
    if not isinstance(sent, dict) or not isinstance(sent.get("n"), int):
        return None
    if not all(isinstance(sent.get(axis), (int, float)) and np.isfinite(sent[axis]) for axis in ("x", "y")):
        return None
    indices = {name: sent.get(name) if isinstance(sent.get(name), int) else None for name in ("curve", "point")}
    return {"x": float(sent["x"]), "y": float(sent["y"]), **indices, "n": sent["n"]}


def _texts() -> dict[str, str]:
    return {
        "play": _("Play"),
        "pause": _("Pause"),
        "step": _("Step"),
        "after_step": _("after step {step}"),
        "scrub": _("Step shown; arrow keys move it"),
        "speed": _("Speed"),
        "table": _("Data table"),
        "csv": _("Download as CSV"),
        "png": _("Download as PNG"),
        "keys": _("Arrow keys move a cross (with Shift faster); Enter clicks there."),
        "more": _("The table shows the first {shown} of {all} rows; the CSV file has all of them."),
        "loading": _("The picture is being loaded …"),
        "failed": _("The drawing library could not be loaded. Reload the page."),
    }
