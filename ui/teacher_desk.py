"""The teacher's desk: who is there, what is computed, and how much each may take. Counts, no names."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.jobs import classroom
from dlcore.jobs.classroom import AnyRun
from dlcore.jobs.limits import Limits
from dlcore.texts import N_, Problem
from ui.faults import told
from ui.i18n import _, ngettext, tell
from ui.lessons import LESSONS
from ui.session import again

LOOK = 2.0  # seconds between two looks at the room
LIMITS = {  # name: label, help
    "each_running": (
        N_("Runs at once, each"),
        N_("How many runs of one browser are computed at the same time, of each kind: training and light runs."),
    ),
    "each_going": (N_("Runs in all, each"), N_("How many runs of one browser may be computed or wait.")),
    "turn": (N_("Turn, s"), N_("A run makes room for one that waits after so many seconds, and goes on later.")),
    "grace": (N_("Without browser, s"), N_("After so many seconds without its browser a run is put aside.")),
    "seconds": (N_("Computing time of a run, s"), N_("A run ends after so many seconds; what it reached is kept.")),
    "epochs": (N_("Passes of a run"), N_("How many passes over the data one run may ask for.")),
    "parameters": (N_("Parameters of a model"), N_("The largest model that is trained here.")),
    "megabytes": (N_("Memory of a run, MB"), N_("A run whose process takes more ends with a sentence.")),
    "kept_megabytes": (N_("Kept of each, MB"), N_("The oldest runs of a browser go first beyond that.")),
    "kept_runs": (N_("Kept of each, runs"), N_("The oldest runs of a browser go first beyond that number.")),
    "kept_days": (N_("Kept, days"), N_("Older runs are removed.")),
}


def desk() -> None:
    """Draw all of it; the upper part again every two seconds."""
    st.fragment(_live, run_every=LOOK)()
    st.header(_("What one may take"), anchor="limits")
    _limits()


def _live() -> None:
    with told():
        status, limits = jobs.status(), classroom.limits()
        if status.problem:
            st.error(tell(status.problem), icon=":material/error:")
        _counts(status)
        held = st.toggle(
            _("Pause the queue"), value=limits.held, key=f"teacher.held.{limits.held}",
            help=_("What is being computed goes on; nothing new begins."),
        )  # fmt: skip
        if held != limits.held and _try(lambda: classroom.hold(held)):
            again()
        _runs(classroom.everyone())
        _workers(status)


def _counts(status: jobs.Status) -> None:
    figures = classroom.figures()
    shown = {
        _("Browsers here"): figures["browsers"],
        _("Runs computed"): status.running,
        _("Runs waiting"): status.waiting,
        _("Training workers"): (status.lanes or {}).get("train", 0),
    }
    for column, (label, value) in zip(st.columns(len(shown)), shown.items(), strict=True):
        column.metric(label, f"{int(value):,}")


def _runs(runs: Sequence[AnyRun]) -> None:
    """Those in hand and those that wait; chosen ones can be stopped."""
    if not runs:
        st.caption(_("Nothing is computed just now, and nothing waits."))
        return
    titles = {lesson.slug: _(lesson.title) for lesson in LESSONS}
    rows, ids = [_row(run, titles) for run in runs], [run.run_id for run in runs]
    picked = st.dataframe(  # a choice is a row's number: with other runs in the rows it is a choice no more
        rows, key=f"teacher.runs.{zlib.crc32(''.join(ids).encode())}", on_select="rerun", selection_mode="multi-row",
        hide_index=True, height=min(36 * (len(rows) + 1), 400),
        column_config={_("Progress"): st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1)},
    )  # fmt: skip
    chosen = [ids[i] for i in picked["selection"]["rows"] if i < len(ids)]
    n = len(chosen)
    words = ngettext("Stop {n} chosen run", "Stop {n} chosen runs", n).format(n=n) if n else _("Stop chosen runs")
    st.button(
        words, icon=":material/stop:", disabled=not chosen, key="teacher.stop", on_click=_stop, args=(tuple(chosen),)
    )


def _stop(run_ids: Sequence[str]) -> None:
    """Stop the runs that were chosen when the button was drawn."""
    for run_id in run_ids:
        classroom.stop(run_id)


def _row(run: AnyRun, titles: dict[str, str]) -> dict[str, Any]:
    place = _("is computed") if run.place == 0 else _("place {n}").format(n=run.place)
    return {
        _("Whose"): run.who,
        _("Lesson"): titles.get(run.experiment, run.experiment),
        _("Where"): place,
        _("Progress"): run.progress,
        _("Computed, s"): round(run.seconds),
    }


def _workers(status: jobs.Status) -> None:
    kinds = {"train": _("training"), "light": _("light runs"), "interactive": _("answers")}
    rows = [
        {_("Worker"): kinds.get(lane, lane), _("Memory, MB"): round(taken / 1e6), _("At most, MB"): round(most / 1e6)}
        for _address, lane, taken, most in classroom.worker_memory()
    ]
    with st.expander(_("Workers and device")):
        st.markdown(status.device or _("not known yet"))
        st.dataframe(rows, hide_index=True)


def _limits() -> None:
    """The limits as a form."""
    now = asdict(classroom.limits())
    whole = {f.name for f in fields(Limits) if f.type == "int"}
    st.caption(_("0 means: no limit. They hold at once for new runs, and until somebody changes them here."))
    with st.form("teacher-limits", border=False):
        said = {}
        with st.grid(5, gap="small"):
            for name, (label, words) in LIMITS.items():
                kind = int if name in whole else float
                said[name] = st.number_input(
                    _(label), min_value=kind(0), value=now[name], step=kind(1), help=_(words),
                    format="%d" if kind is int else "%.0f", key=f"teacher.limit.{name}.{now[name]}",
                )  # fmt: skip
        asked = st.form_submit_button(_("Set these limits"), type="primary")
        if asked and _try(lambda: classroom.set_limits(**said)):
            st.rerun()
    if st.button(_("Back to the server's own limits"), key="teacher.reset") and _try(classroom.reset_limits):
        st.rerun()


def _try(action: Callable[[], object]) -> bool:
    """Do it and say whether it worked; what went wrong stands on the page."""
    try:
        action()
    except Problem as problem:
        st.error(tell(problem), icon=":material/error:")
        return False
    return True
