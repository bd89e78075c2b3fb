"""Data that a learner brings to a lesson: a CSV file with a choice of columns, points that are clicked.

The page's config has the knobs ``dataset``, ``points`` and ``data_hash``; ``own_table`` also wants ``x_column`` and
``y_column``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from dlcore.data import own
from dlcore.data.tabular import MOST_POINTS, read_points, write_points
from dlcore.texts import Problem
from ui.controls import put_value
from ui.i18n import _, plain, sentences, tell
from ui.session import current, imposed, page_state

FILE = "own-data-file"
TAKEN_BACK = ("x_column", "y_column", "columns", "column", "learning_rate")  # when another table comes


def own_table(config: Any) -> bool:
    """Draw the upload and, once a table is here, the choice of its columns; says whether a table is here."""
    hint = _("Any two columns of numbers will do: price and floor area, height and shoe size, marks and hours.")
    table = table_of(config, hint)
    if table is None:
        return False
    x, y, another = st.columns([2, 2, 1], vertical_alignment="bottom")
    with x:
        one_column("x_column", _("Column that predicts (x)"), table.names, own.x_default(table))
    with y:
        one_column("y_column", _("Column to predict (y)"), table.names)
    with another:
        other_file()
    st.caption(what_was_read(table))
    return True


def table_of(config: Any, hint: str, *, series: bool = False) -> own.Table | None:
    """The user's table; where there is none yet, draw the upload, with a hint at what would do, and what went wrong.

    Args:
        series: one column of numbers is enough, and dates are read (``own.read_csv``).
    """
    problem = page_state(current()).get("own_data_problem")
    if problem:
        st.warning(tell(problem), icon=":material/info:")
    try:
        return own.load(config.data_hash)
    except Problem as missing:
        if config.data_hash and not problem:
            st.info(tell(missing), icon=":material/link_off:")
        _upload(_("Your table, as a CSV file"), series)
        st.caption(hint)
        return None


def other_file(*, series: bool = False) -> None:
    """The way to another table."""
    with st.popover(_("Other file"), icon=":material/upload_file:"):
        _upload(_("Another CSV file"), series)


def what_was_read(table: own.Table) -> str:
    """What was read, and what was left out."""
    said = [_("{n} rows, {k} columns of numbers.").format(n=len(table.values), k=len(table.names) - len(table.dates))]
    if table.dates:
        said.append(_("Dates: {names}.").format(names=_(", ").join(map(plain, table.dates))))
    if table.ignored:
        said.append(_("Without numbers, so left out: {names}.").format(names=_(", ").join(map(plain, table.ignored))))
    if table.skipped:
        said.append(_("{n} cells that are no numbers count as missing.").format(n=table.skipped))
    return sentences(*said)


def _upload(label: str, series: bool) -> None:
    st.file_uploader(
        label,
        type=["csv", "tsv", "txt"],
        max_upload_size=own.MOST_BYTES // 10**6,
        key=FILE,
        on_change=_receive,
        args=(series,),
        help=_(
            "One row per line, with a header or without. It stays on this server; whoever gets the link of your page "
            "sees the table, too."
        ),
    )


def _receive(series: bool) -> None:
    """Read what was uploaded; a fault is told at the next drawing."""
    file, state = st.session_state.get(FILE), page_state(current())
    state["own_data_problem"] = None
    if file is None:
        return
    try:
        if file.size > own.MOST_BYTES:
            raise own.too_large(file.size)
        fingerprint = own.keep(own.read_csv(file.getvalue(), series=series))
    except Problem as problem:
        state["own_data_problem"] = problem.to_dict()
        return
    put_value("data_hash", fingerprint)
    for name in TAKEN_BACK:  # what the table before it suggested
        put_value(name, None)


def one_column(knob: str, label: str, names: Sequence[str], default: str | None = None) -> None:
    """A choice of one column among these, bound to its knob; by default the last."""
    chosen = page_state(current()).get("given", {}).get(knob)
    shown = chosen if chosen in names else default or names[-1]
    st.selectbox(label, names, **imposed(f"{current()}.{knob}", shown, lambda name: put_value(knob, name)))


def put_aside(config: Any) -> None:
    """The table's fingerprint is no other dataset's: taken out of the page's settings, and kept for when it returns."""
    state = page_state(current())
    if config.dataset == "csv" and config.data_hash:
        state["own_table"] = config.data_hash
    elif config.dataset == "csv" and state.get("own_table"):
        put_value("data_hash", state["own_table"])
        st.rerun()
    elif config.dataset != "csv" and config.data_hash and config.data_hash == state.get("own_table"):
        put_value("data_hash", None)
        st.rerun()


def clicked_point(click: dict[str, Any], text: str, points_curve: int) -> None:
    """Take a click on the data: a point under it is removed, elsewhere one is added; too many become a table."""
    pairs = read_points(text)  # (N, 2)
    if click["curve"] == points_curve and click["point"] is not None and click["point"] < len(pairs):
        pairs = np.delete(pairs, click["point"], axis=0)
    else:
        pairs = np.vstack([pairs, [click["x"], click["y"]]])
    put_points(pairs)


def put_points(pairs: np.ndarray) -> None:
    """Make these points (N, 2) the page's data."""
    if len(pairs) <= MOST_POINTS:
        put_value("dataset", "points")
        put_value("points", write_points(pairs))
        return
    put_value("data_hash", own.keep(own.Table(("x", "y"), np.asarray(pairs, dtype=float))))
    put_value("dataset", "csv")


def points_bar(pairs: np.ndarray) -> None:
    """A line of help for clicked points, and the way to start again."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(_("Click to add a point; click a point to remove it."), width="content")
        clear = np.zeros((0, 2))
        st.button(_("Remove all"), icon=":material/delete:", type="tertiary", key=f"{current()}.clear",
                  on_click=put_points, args=(clear,), disabled=not len(pairs))  # fmt: skip
