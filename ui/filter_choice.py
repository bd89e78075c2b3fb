"""Which filter looks at the picture: a known one, weights of one's own, or one that a network has learned."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import cnn_look
from dlcore.figures import images
from dlcore.filters import MOST_SIZE, TITLES, preset, write_filter
from dlcore.texts import N_, Problem
from ui.controls import get_extra, put_extra
from ui.i18n import _, tell
from ui.live_plot import live_plot
from ui.session import imposed, owner, page_state

SLUG = "convolution"
FIRST, OWN, LEARNED = "sobel_x", "own", "learned"
CHOICES = {**TITLES, OWN: N_("My own weights"), LEARNED: N_("Learned by a network")}
COLUMNS = 6


def choose(text: str, *, own: bool) -> None:
    """Draw the choice; ``text`` is the address's filter, ``own`` whether it is weights rather than a name."""
    learned = page_state(SLUG).get("learned")
    shown = (LEARNED if learned and learned["text"] == text else OWN) if own else text or FIRST
    st.selectbox(
        _("Filter"), list(CHOICES), format_func=lambda name: _(CHOICES[name]),
        help=_("Nine weights or so. Type into any of its cells to make it your own."),
        **imposed(f"{SLUG}.filter", shown, _take),
    )  # fmt: skip
    if shown == LEARNED:
        _learned()


def _take(name: str) -> None:
    state = page_state(SLUG)
    state.pop("learned", None)
    if name == LEARNED:
        _take_learned(0)
    elif name == OWN:  # what is there, to be changed
        text = get_extra("filter", slug=SLUG) or FIRST
        window = int(get_extra("window", slug=SLUG) or 3)
        if text in TITLES:
            put_extra("filter", write_filter(preset(text, window)[None]), slug=SLUG)
            put_extra("window", str(window), slug=SLUG)
    else:
        if get_extra("filter", slug=SLUG) not in ("", *TITLES):
            put_extra("window", "", slug=SLUG)
        put_extra("filter", "" if name == FIRST else name, slug=SLUG)


def _take_learned(index: int) -> None:
    state = page_state(SLUG)
    try:
        filters, _mine = _filters()
    except Problem as problem:
        state["learned"] = {"text": get_extra("filter", slug=SLUG), "problem": problem.to_dict(), "index": 0}
        return
    W = filters[index % len(filters)]  # (C, k, k)
    text = write_filter(np.round(W, 3))
    state["learned"] = {"text": text, "problem": None, "index": index % len(filters)}
    put_extra("filter", text, slug=SLUG)
    put_extra("window", str(W.shape[-1]), slug=SLUG)


def _filters() -> tuple[np.ndarray, bool]:
    """First layer's filters, (n, C, k, k), of the newest network of the next lesson that this browser has trained.

    Where there is none: of the one that is shipped. Says which. Raises ``Problem`` where no worker answers.
    """
    for run in jobs.runs(owner(), "cnn"):
        kept = jobs.history(run.run_id, owner=owner()).snapshots.get("filters") if run.state == "finished" else None
        if kept is not None and kept.arrays["weight"].shape[-1] <= MOST_SIZE:
            return kept.arrays["weight"], True
    return _shipped()[:, None], False


@st.cache_data(max_entries=1, show_spinner=False)
def _shipped() -> np.ndarray:
    return jobs.call(cnn_look.first_filters)


def _learned() -> None:
    """All filters of the first layer, to choose from."""
    state = page_state(SLUG)["learned"]
    try:
        if state["problem"]:
            raise Problem.from_dict(state["problem"])
        filters, mine = _filters()
    except Problem as problem:
        st.warning(tell(problem), icon=":material/info:")
        return
    words = _("Your own network’s first layer") if mine else _("First layer of the shipped network")
    st.caption(words)
    shown = filters.mean(1)  # over the channels: their colours would need a picture each
    place = images.mosaic(shown, COLUMNS)

    def click(point: dict) -> None:
        index = place.index(point["x"], point["y"])
        if index is not None:
            _take_learned(index)

    rows = -(-len(filters) // COLUMNS)
    live_plot(
        images.filters(shown, COLUMNS), key="learned-filters", height=images.FOOT + 46 * rows, on_click=click,
        alt=_("The filters of a trained network’s first layer: click one."),
    )  # fmt: skip
    bound = imposed(f"{SLUG}.learned.{len(filters)}", state["index"] + 1, lambda n: _take_learned(int(n) - 1))
    st.number_input(_("Filter 1–{n}").format(n=len(filters)), 1, len(filters), **bound)
