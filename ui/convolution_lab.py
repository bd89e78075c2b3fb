"""The workshop of convolution: a picture, a filter, how its window goes, and the picture that answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore.convolution_story import NAMES, OPERATIONS, Bench, Settings
from dlcore.filters import TITLES, preset, read_filter, resized, write_filter
from dlcore.graph_math import number
from dlcore.knobs import Knob, check_value, knobs_of, to_text
from dlcore.texts import N_, Problem
from ui import filter_choice, picture_choice
from ui.controls import get_extra, put_extra, read_extra
from ui.convolution_view import convolution_view
from ui.i18n import _, sentences, tell
from ui.intro import lab
from ui.session import imposed, set_up_by_teacher
from ui.slider import slider

SLUG = "convolution"
EXTRA = (*picture_choice.EXTRA, "filter", *NAMES, "at")
LOOK = {
    "identity": N_("One weight of 1 in the middle: the picture comes out as it went in, only smaller by its border."),
    "box": N_("Equal weights: every output is the mean of its window, so edges become slopes."),
    "gaussian": N_("The middle counts most: a softer blur, without the box’s corners."),
    "sharpen": N_("Five times the middle less its four neighbours: what differs from its surroundings is overdrawn."),
    "sobel_x": N_("Vermilion: dark at the left, bright at the right; blue: the reverse. A level edge leaves nothing."),
    "sobel_y": N_("Vermilion: dark above, bright below; blue: the reverse. An upright edge leaves nothing."),
    "laplacian": N_("Weights that add up to 0: even areas vanish, and every edge shows, with one sign on either side."),
    "emboss": N_("Light from the upper left: slopes towards it and away from it get different signs."),
}  # fmt: skip


def draw() -> Bench:
    """Draw controls and picture; returns what is on the bench."""
    panel, view = lab()
    with panel:
        picture = picture_choice.picture()
        bench = _bench(picture)
    with view:
        shown = not set_up_by_teacher()
        convolution_view(bench, key="workshop", at=_place(), editable=shown, on_kernel=_typed, on_at=_pointed)
        _words(bench)
    return bench


def _bench(picture: np.ndarray) -> Bench:
    """The bench as the address has it, after the widgets (which a teacher's link hides) have had their say."""
    filter_text = get_extra("filter", slug=SLUG)
    W = _filter(filter_text)
    settings = _settings(W)
    if not set_up_by_teacher():
        operation = _operation(settings)
        if operation == "filter":
            filter_choice.choose(filter_text, own=W is not None)
        for name in NAMES[1:]:
            if _counts(name, operation):
                _move(knobs_of(Settings)[name], getattr(settings, name))
        settings = _settings(W, silent=True)
    k = settings.window
    laid = preset(filter_text or filter_choice.FIRST, k)[None] if W is None else resized(W, k)
    if len(picture) == 1:
        laid = laid.sum(0, keepdims=True)  # grey is the same in every channel, so their weights add up
    elif len(laid) != len(picture):
        laid = np.repeat(laid[:1], len(picture), 0)
    return Bench(settings, picture, laid)


def _counts(name: str, operation: str) -> bool:
    return {"dilation": operation != "average", "bias": operation == "filter"}.get(name, True)


def _filter(text: str) -> np.ndarray | None:
    """The weights that were typed, ``(1 or 3, k, k)``; None for a known filter."""
    if not text or text in TITLES:
        return None
    try:
        return read_filter(text)
    except Problem as problem:
        st.warning(tell(problem), icon=":material/info:")
        put_extra("filter", "", slug=SLUG)
        return preset(filter_choice.FIRST, 3)[None]


def _settings(W: np.ndarray | None, *, silent: bool = False) -> Settings:
    """What the address says; what it says wrongly is told (unless ``silent``), and the default taken."""
    values: dict[str, Any] = {} if W is None else {"window": W.shape[-1]}
    for name in NAMES:
        given = read_extra(knobs_of(Settings)[name], slug=SLUG, silent=silent)
        if given is not None:
            values[name] = given
    return Settings(**values)


def put(name: str, value: Any) -> None:
    """Set one of the settings, in the address, too; a default need not stand there, except beside typed weights."""
    knob = knobs_of(Settings)[name]
    kept = name == "window" and get_extra("filter", slug=SLUG) not in ("", *TITLES)
    put_extra(name, "" if value == knob.default and not kept else to_text(check_value(knob, value)), slug=SLUG)


def _operation(settings: Settings) -> str:
    knob = knobs_of(Settings)["operation"]
    st.segmented_control(
        _(knob.label), knob.choices, format_func=lambda name: _(OPERATIONS[name]), required=True, help=_(knob.help),
        **imposed(f"{SLUG}.operation", settings.operation, lambda name: put("operation", name)),
    )  # fmt: skip
    return settings.operation


def _move(knob: Knob, value: float) -> None:
    low, high = float(knob.low or 0), float(knob.high or 1)
    if knob.kind is float:
        given = imposed(f"{SLUG}.{knob.name}", float(value), lambda chosen: put(knob.name, chosen))
        st.number_input(_(knob.label), low, high, step=0.1, format="%.6g", help=_(knob.help), **given)
        return
    chosen = slider(
        _(knob.label), key=f"{SLUG}.{knob.name}", low=low, high=high, value=value, step=1, help=_(knob.help),
        controlled=True,
    )  # fmt: skip
    if chosen != value:
        put(knob.name, int(chosen))


def _place() -> tuple[int, int] | None:
    parts = get_extra("at", slug=SLUG).split("_")
    small = all(part.isascii() and part.isdecimal() and len(part) < 3 for part in parts)
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and small else None


def _pointed(text: str) -> None:
    put_extra("at", text[:9], slug=SLUG)


def _typed(text: str) -> None:
    """Take the weights that came from the browser; the window stays as large as they are."""
    try:
        W = read_filter(text)
    except Problem:
        return
    put_extra("filter", write_filter(W), slug=SLUG)
    put("window", W.shape[-1])


def _words(bench: Bench) -> None:
    """What to see, with the numbers on screen."""
    made, geometry, text = bench.output, bench.geometry, get_extra("filter", slug=SLUG) or filter_choice.FIRST
    with st.container(key="story"):
        if made is None:
            return
        plane = np.abs(made).max(0)
        row, column = np.unravel_index(int(plane.argmax()), plane.shape)
        sentence = _(
            "Each output number sees {extent} × {extent} pixels. The strongest answer is {most}, in row {row}, "
            "column {column}."
        )
        words = sentence.format(
            extent=geometry.extent, most=number(float(made[:, row, column][np.abs(made[:, row, column]).argmax()]), 3),
            row=row + 1, column=column + 1,
        )  # fmt: skip
        if not bench.pools and text in LOOK:
            words = sentences(_(LOOK[text]), words)
        st.markdown(f":blue[:material/visibility:] {words}")


def is_own() -> bool:
    """Whether the filter on the bench is weights rather than a known name."""
    return get_extra("filter", slug=SLUG) not in ("", *TITLES)
