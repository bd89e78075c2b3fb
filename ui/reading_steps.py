"""From text to numbers: some real texts as tokens, as numbers, as a table that is filled up, and as a packed batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data.corpora import dataset_of
from dlcore.experiments import reading_look
from dlcore.figures import reading
from dlcore.texts import Problem
from ui.i18n import _, plain, tell
from ui.live_plot import live_plot
from ui.session import page_state

ROWS = 6
HEIGHT = 560  # px: kept while the workers start


@st.fragment
def steps_panel(config: Any) -> None:
    """Draw it for the data of the settings; no run is needed."""
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        with st.container(height=HEIGHT, border=False):
            st.caption(_("The texts are being fetched by a worker; they appear here in a few seconds."))
        return
    state = page_state("reading")
    first = state.setdefault("first_row", 0)
    name = dataset_of(config.task, config.language, config.dataset)
    words, picture = st.columns([1, 2.4], gap="large")
    try:
        found, wasted = _prepared(name, first), _wasted(name, config.batch_size)
    except Problem as problem:
        words.info(tell(problem), icon=":material/info:")
        return
    with words:
        numbers = st.segmented_control(
            _("Cells show"), [False, True], format_func=lambda n: _("Numbers") if n else _("Tokens"), default=False,
            key="reading.cells", required=True, label_visibility="collapsed",
        )  # fmt: skip

        def others() -> None:
            state["first_row"] += ROWS

        st.button(_("Other texts"), icon=":material/casino:", key="reading.others", on_click=others)
        for n, (text, label) in enumerate(zip(found["texts"], found["labels"].tolist(), strict=True)):
            st.caption(f"{n + 1}. {plain(text)} · *{plain(_(found['classes'][label]))}*")
    with picture:
        _pictures(found, bool(numbers), wasted, config.batch_size)


def _pictures(found: dict[str, Any], numbers: bool, wasted: float, batch_size: int) -> None:
    table, sizes = found["table"], found["sizes"]
    with st.container(key="wide-steps"):  # on a phone it is moved sideways
        live_plot(
            reading.padded_table(found["tokens"], table, numbers=numbers, label=_), key="padded", height=84 + 36 * ROWS,
            alt=_("The texts as a table, one row each; grey where a row has ended."),
            table={f"{n + 1}": row for n, row in enumerate(table.tolist())},
        )  # fmt: skip
        live_plot(
            reading.packed(sizes, len(table), label=_), key="packed", height=170,
            alt=_("How many rows are computed at each step."), table={_("rows"): sizes},
        )  # fmt: skip
    words = _(
        "Filled up to the longest, the table has {rows} × {steps} = {cells} cells; packed, {sum} steps of the network "
        "are computed, and {share} saved. In random batches of {batch} it would be {typical}. The vocabulary has {n} "
        "numbers."
    )
    cells = table.size
    st.caption(words.format(
        rows=len(table), steps=table.shape[1], cells=cells, sum=int(sizes.sum()),
        share=f"{1 - sizes.sum() / cells:.0%}", batch=batch_size, typical=f"{wasted:.0%}", n=f"{found['vocabulary']:,}",
    ))  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def _prepared(name: str, first: int) -> dict[str, Any]:
    which = np.random.default_rng(first).integers(10**6, size=ROWS)  # from all over the set, which is sorted by class
    return jobs.call(reading_look.prepared, name, which.tolist())


@st.cache_data(max_entries=64, show_spinner=False)
def _wasted(name: str, batch_size: int) -> float:
    return jobs.call(reading_look.wasted, name, batch_size)
