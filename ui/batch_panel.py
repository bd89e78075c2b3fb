"""Many pictures at once: a table of what a network says to each, to look through and to take home as CSV."""

from __future__ import annotations

import csv
import io
from base64 import b64encode
from html import escape
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.figures.answers import percent
from dlcore.texts import Problem
from ui import network_choice as networks
from ui import picture_source as sources
from ui.i18n import _, ngettext, tell
from ui.kept_here import kept
from ui.picture_source import LOOK, SLUG
from ui.spreadsheet import harmless

TOP = 5
COLUMNS = ("image", "rank", "label", "index", "probability", "error")  # of the CSV, as the command line names them


def batch_panel(name: str) -> None:
    """Draw nothing where fewer than two files were brought; else the table of them all, as ``name`` answers them."""
    files = sources.uploads()
    if not files:
        return
    st.header(_("All of them"), anchor="all")
    room = st.empty()
    try:
        rows = [_row(file, name, room, k, len(files)) for k, file in enumerate(files)]
    except Problem as problem:  # no worker answered
        room.warning(tell(problem))
        return
    room.html(_table(rows, name))
    failed = sum("problem" in row for row in rows)
    if failed:
        st.caption(ngettext("{n} file could not be read.", "{n} files could not be read.", failed).format(n=failed))
    st.download_button(
        _("Download the table as CSV"), _csv(rows, name), file_name="predictions.csv", mime="text/csv",
        icon=":material/download:", key=f"{SLUG}.csv", on_click="ignore",
    )  # fmt: skip


def _row(file: Any, name: str, room: Any, k: int, count: int) -> dict[str, Any]:
    """One file's answer, kept in this session; how far it is stands in ``room`` meanwhile."""

    def ask() -> dict[str, Any]:
        room.progress(k / count, _("Picture {n} of {total} …").format(n=k + 1, total=count))
        return jobs.call(f"{LOOK}:read_and_answer", sources.content(file), worker, TOP, timeout=60)

    worker = networks.worker_name(name)
    return {"image": file.name, **kept("row", (file.file_id, worker), ask)}


def _table(rows: list[dict[str, Any]], name: str) -> str:
    heads = "".join(f"<th>{escape(text)}</th>" for text in (_("picture"), "", _("answer"), _("probability"), _("next")))
    body = "".join(_line(row, name) for row in rows)
    return f'<table class="dl-batch"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _line(row: dict[str, Any], name: str) -> str:
    title = escape(row["image"])
    if "problem" in row:
        return f'<tr><td></td><td>{title}</td><td colspan="3">{escape(tell(row["problem"]))}</td></tr>'
    labels = networks.class_names(name, row["labels"], row["index"])
    shares = [percent(float(share)) for share in row["shares"]]
    others = "; ".join(f"{label} {share}" for label, share in zip(labels[1:3], shares[1:3], strict=True))
    source = b64encode(row["thumb"]).decode()
    return (
        f'<tr><td><img alt="" src="data:image/jpeg;base64,{source}"></td><td>{title}</td>'
        f"<td><b>{escape(labels[0])}</b></td><td>{shares[0]}</td><td>{escape(others)}</td></tr>"
    )


def _csv(rows: list[dict[str, Any]], name: str) -> bytes:
    """A line for each answer; with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    out = csv.writer(text)
    out.writerow(COLUMNS)
    for row in rows:
        image = harmless(row["image"])
        if "problem" in row:
            out.writerow([image, "", "", "", "", tell(row["problem"])])
            continue
        labels = networks.class_names(name, row["labels"], row["index"])
        for rank, (label, index, share) in enumerate(zip(labels, row["index"], row["shares"], strict=True), 1):
            out.writerow([image, rank, harmless(label), index, f"{float(share):.6f}", ""])
    return text.getvalue().encode("utf-8-sig")
