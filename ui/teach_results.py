"""What the trained layer says of the held-out pictures: a matrix whose cells open their pictures."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from dlcore.data import album as albums
from dlcore.figures import evaluation
from dlcore.history import History
from dlcore.texts import Problem
from ui.album_board import thumbnail
from ui.i18n import _, ngettext, plain, tell
from ui.live_plot import live_plot
from ui.session import current, page_state

MOST = 24  # pictures of a cell


@st.fragment
def results_panel(history: History) -> None:
    """Draw it for the run of ``history``; before there is one, say what will stand here."""
    st.header(_("Where it is wrong"), anchor="results")
    said = history.snapshots.get("test_predictions")
    if said is None or history.state != "finished":
        st.markdown(
            _(
                "When it has learned, its answers to the pictures that were held out stand here, each mistake "
                "with its picture."
            )
        )
        return
    try:
        names, _y, test = albums.load(history.config["data_hash"]).samples()
    except Problem as problem:
        st.warning(tell(problem))
        return
    held = [name for name, out in zip(names, test.tolist(), strict=True) if out]
    _matrix(history, held, said.arrays["probabilities"], said.arrays["labels"].astype(int))


def _matrix(history: History, held: list[str], shares: np.ndarray, labels: np.ndarray) -> None:
    classes, answers = [_(str(name)) for name in history.info["classes"]], shares.argmax(1)
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (labels, answers), 1)
    row, column = _open_cell(counts)
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        st.caption(_("Each row is what a picture shows, each column what the network said. Click a cell to open it."))
        live_plot(
            evaluation.confusion(
                counts, classes, chosen=(row, column), label=lambda text: text if text in classes else _(text)
            ), key="teach-matrix",
            height=300 if len(classes) < 4 else 420, on_click=_choose,
            alt=_("Confusion matrix of the held-out pictures: choose a cell to see its pictures."),
            table={_("truth"): classes, **{name: counts[:, k] for k, name in enumerate(classes)}},
        )  # fmt: skip
    with right:
        inside = np.flatnonzero((labels == row) & (answers == column))
        _cell(inside, held, shares, classes[row], classes[column])


def _choose(click: dict[str, Any]) -> None:
    page_state(current())["cell"] = [round(click["y"]), round(click["x"])]


def _open_cell(counts: np.ndarray) -> tuple[int, int]:
    """The cell that was clicked; at first that with the most mistakes, or the first where there are none."""
    chosen = page_state(current()).get("cell")
    if chosen and all(0 <= k < len(counts) for k in chosen):
        return chosen[0], chosen[1]
    wrong = counts - np.diag(np.diag(counts))
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(row), int(column)


def _cell(inside: np.ndarray, held: list[str], shares: np.ndarray, truth: str, answer: str) -> None:
    """The pictures of a cell, those first of which it was surest."""
    words = ngettext(
        "{n} picture shows **{truth}** and was called **{answer}**.",
        "{n} pictures show **{truth}** and were called **{answer}**.",
        len(inside),
    )
    st.markdown(words.format(n=len(inside), truth=plain(truth), answer=plain(answer)))
    if not len(inside):
        st.caption(_("The cell is empty. Choose one with a number in it."))
        return
    sure = shares.max(1)
    shown = inside[np.argsort(-sure[inside], kind="stable")][:MOST]
    figures = [_figure(held[k], truth, answer, float(sure[k])) for k in shown.tolist()]
    st.html(f'<div class="dl-al-cell" role="list">{"".join(figures)}</div>')
    st.caption(_("Below each: how sure it was of its answer. The surest come first; a sure mistake teaches most."))


def _figure(name: str, truth: str, answer: str, share: float) -> str:
    alt = _("A picture of “{truth}” that was called “{answer}”").format(truth=truth, answer=answer)
    return (
        f'<figure role="listitem"><img src="{thumbnail(name)}" alt="{escape(alt)}">'
        f"<figcaption>{min(share, 0.999):.0%}</figcaption></figure>"
    )
