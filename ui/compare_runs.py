"""The same training several times with one thing changed: started by one button, watched as curves that grow together.

The runs are ordinary runs of an experiment, so they wait in the same queue, go on when the page is left, and are found
again afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.figures import Label
from dlcore.figures.curves import Curve, curves
from dlcore.history import History
from dlcore.jobs import RunInfo
from dlcore.texts import N_, Problem
from ui.faults import told
from ui.i18n import _, tell
from ui.live_plot import live_plot
from ui.run_panel import ACTIVE, STATES, TICK
from ui.session import owner, page_state

HEIGHT = 320  # px
ACROSS = {"step": N_("Steps"), "epoch": N_("Epochs"), "seconds": N_("Seconds")}
EMPTY = {"step": 300.0, "epoch": 10.0, "seconds": 10.0}  # how long the axis is before the first run


@dataclass(frozen=True)
class Contender:
    """One of the runs: a name that stays, a title (translated), a colour, and its config."""

    name: str
    title: str
    color: str
    config: Any


def compare_runs(
    slug: str, experiment: str, contenders: Sequence[Contender], *, start: str, alt: str, name: str = "compare"
) -> None:
    """Draw the button, the curves and the results for runs of ``experiment``, one for each contender (at most four).

    Args:
        slug: of the page, which keeps which runs are shown.
        start: what the button says, translated.
        alt: what the picture shows, for those who do not see it.
        name: of this comparison, where a page has several.
    """
    state = page_state(slug).setdefault(name, {})
    if "compared" not in state:
        state["compared"] = _found(experiment, contenders)
    _buttons(state, experiment, contenders, start, name)
    if fault := state.get("compare_problem"):
        st.error(tell(fault), icon=":material/error:")
    names = {name: _(title) for name, title in ACROSS.items()}
    across = st.segmented_control(_("Against"), list(names), default="step", required=True, key=f"{slug}.{name}.across",
                                  format_func=names.__getitem__)  # fmt: skip
    infos = _infos(state)
    active = any(info.state in ACTIVE for info in infos.values())
    st.fragment(_tick, run_every=TICK if active else None)(state, contenders, across or "step", alt, active, name)


def _found(experiment: str, contenders: Sequence[Contender]) -> dict[str, str]:
    """The newest run of each contender, if this browser has made one before."""
    known = jobs.runs(owner(), experiment)
    newest = {c.name: next((run.run_id for run in known if run.config == c.config), "") for c in contenders}
    return {name: run_id for name, run_id in newest.items() if run_id}


def _infos(state: dict[str, Any]) -> dict[str, RunInfo]:
    """What is known of the runs that are shown; those whose files were cleared away are forgotten."""
    infos = {}
    for name, run_id in list(state["compared"].items()):
        try:
            infos[name] = jobs.info(run_id, owner=owner())
        except Problem:
            del state["compared"][name]
    return infos


def _buttons(state: dict[str, Any], experiment: str, contenders: Sequence[Contender], start: str, name: str) -> None:
    def begin() -> None:
        _stop(state)
        state["compared"] = {}
        for contender in contenders:
            try:
                state["compared"][contender.name] = jobs.submit(experiment, contender.config, owner=owner())
            except Problem as problem:
                state["compare_problem"] = problem.to_dict()
                return
        state.pop("compare_problem", None)

    with st.container(horizontal=True, gap="small"):
        down = jobs.status().state == "down"
        active = any(info.state in ACTIVE for info in _infos(state).values())  # they hold this browser's places
        st.button(start, icon=":material/play_arrow:", type="primary", key=f"{name}-start", on_click=begin,
                  disabled=down or active or not contenders)  # fmt: skip
        if active:
            st.button(_("Stop"), icon=":material/stop:", key=f"{name}-stop", on_click=lambda: _stop(state))


def _stop(state: dict[str, Any]) -> None:
    for info in _infos(state).values():
        if info.state in ACTIVE:
            jobs.stop(info.run_id, owner=owner())


def _tick(
    state: dict[str, Any], contenders: Sequence[Contender], across: str, alt: str, was_active: bool, name: str
) -> None:
    """One look at all runs; the page as a whole is drawn again when the last of them has ended."""
    with told():
        infos = _infos(state)
        if was_active and not any(info.state in ACTIVE for info in infos.values()):
            st.rerun()
        by_name = {c.name: c for c in contenders}
        shown = {by_name[n]: jobs.history(i.run_id, owner=owner()) for n, i in infos.items() if n in by_name}
        live_plot(compared(shown, across, _), key=f"{name}.plot", height=HEIGHT, alt=alt)
        _results({by_name[n]: info for n, info in infos.items() if n in by_name}, shown, name)


def compared(shown: Mapping[Contender, History], across: str, label: Label = str):
    """Loss of every run on the test data, against steps, epochs or seconds of training.

    Not the loss of the batches: of those only some reach a page, and each is a chance of its own.
    """
    lines, furthest, lowest, highest = [], 0.0, 0.1, 3.0
    for contender, history in shown.items():
        loss, steps = history.epochs.column("test_loss"), history.epochs.column("step")
        per_epoch = history.info.get("steps_per_epoch", 1)
        x = {"step": steps, "epoch": steps / per_epoch, "seconds": history.epochs.column("seconds")}[across]
        if across != "seconds":  # the whole run's length, so that the curves grow into their place
            furthest = max(furthest, history.total_steps / (per_epoch if across == "epoch" else 1))
        furthest = max([furthest, *x[-1:]])
        lines.append(Curve(x, loss, contender.title, contender.color))
        seen = loss[np.isfinite(loss) & (loss > 0)]
        lowest, highest = min([lowest, *seen]), max([highest, *seen])
    decades = float(10 ** np.floor(np.log10(lowest))), min(float(highest), 1e4)
    titles = {"step": N_("step"), "epoch": N_("epoch"), "seconds": N_("seconds of training")}
    width = float(furthest) or EMPTY[across]
    return curves(
        lines, x_title=titles[across], y_title=N_("test loss"), log_y=True, x_range=(0.0, width), y_range=decades,
        label=label,
    )  # fmt: skip


def _results(infos: Mapping[Contender, RunInfo], shown: Mapping[Contender, History], name: str) -> None:
    """A table: how far each is, and what it has reached."""
    if not shown:
        st.caption(_("Nothing has been trained yet. The curves will grow here, one run after the other."))
        return
    heads = (_("Run"), _("Test loss"), _("Right on test images"), _("Seconds"), "")
    rows = ["| " + " | ".join(heads) + " |", "|---|---:|---:|---:|---|"]
    for contender, history in shown.items():
        loss, right = history.epochs.last("test_loss"), history.epochs.last("test_accuracy")
        seconds = history.epochs.last("seconds")
        state = infos[contender].state
        said = _("Waiting") if state == "queued" else _(STATES[state])
        figures = [(loss, ".3g"), (right, ".1%"), (seconds, ".1f")]
        cells = [contender.title, *("–" if value is None else format(value, f) for value, f in figures), said]
        rows.append("| " + " | ".join(cells) + " |")
    with st.container(key=f"prose-{name}"):
        st.markdown("\n".join(rows))
