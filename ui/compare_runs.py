"""Several trainings side by side: started by one button or picked one by one, watched as curves that grow together.

The runs are ordinary runs of an experiment, so they wait in the same queue, go on when the page is left, and are found
again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from ui.training_view import SMOOTHING, running_mean

HEIGHT = 320  # px
PART = "comparison"  # of a page: its runs are not the one that the page's own panel shows
ACROSS = {"step": N_("Steps"), "epoch": N_("Epochs"), "seconds": N_("Seconds")}
MEASURES = {
    "test_loss": N_("Test loss"), "test_accuracy": N_("Right on test images"),
    "loss": N_("Training loss"), "accuracy": N_("Right in training"),
}  # fmt: skip
Y_TITLES = {
    "test_loss": N_("test loss"), "test_accuracy": N_("right on test images"),
    "loss": N_("training loss"), "accuracy": N_("right in training"),
}  # fmt: skip
EMPTY = {"step": 300.0, "epoch": 10.0, "seconds": 10.0}  # how long the axis is before the first run


@dataclass(frozen=True)
class Contender:
    """One of the runs: a name that stays, a title (translated), a colour, and its config."""

    name: str
    title: str
    color: str
    config: Any


Shown = Mapping[Contender, History]


def compare_runs(
    slug: str, experiment: str, contenders: Sequence[Contender], *, start: str, alt: str, name: str = "compare",
    draw: Callable[[Shown], None] | None = None, measures: Sequence[str] = ("test_loss",),
) -> Shown:  # fmt: skip
    """Draw the button, the curves and the results for runs of ``experiment``, one for each contender (at most four).

    Args:
        slug: of the page, which keeps which runs are shown.
        start: what the button says, translated.
        alt: what the picture shows, for those who do not see it.
        name: of this comparison, unique on the page.
        draw: draws the picture at each tick, instead of curves.
        measures: which of ``MEASURES`` the curves may show; more than one can be chosen from.

    Returns:
        The history of every run that is shown.
    """
    state = page_state(slug).setdefault(name, {})
    if "compared" not in state:
        state["compared"] = _found(experiment, contenders)
    _buttons(state, experiment, contenders, start, name)
    tell_fault(state)
    return watch(state, f"{slug}.{name}", contenders, alt=alt, draw=draw, measures=measures)


def watch(
    state: dict[str, Any], key: str, contenders: Sequence[Contender], *, alt: str,
    draw: Callable[[Shown], None] | None = None, measures: Sequence[str] = ("test_loss",),
) -> Shown:  # fmt: skip
    """The picture and the table of the runs in ``state["compared"]`` (contender's name → run), drawn at each tick."""
    empty = _("Nothing has been trained yet. The curves will grow here, one run after the other.")
    if draw:  # of no curves
        empty = _("Nothing has been trained yet.")
    draw = draw or _curves(key, alt, measures)
    infos = _infos(state)
    active = [name for name, info in infos.items() if info.state in ACTIVE]
    st.fragment(_tick, run_every=TICK if active else None)(state, contenders, draw, active, empty)
    return _shown(infos, contenders)


def _curves(key: str, alt: str, measures: Sequence[str]) -> Callable[[Shown], None]:
    """The choice of axes, drawn now, and what draws the curves for it."""
    names, kinds = ({n: _(title) for n, title in titles.items()} for titles in (ACROSS, MEASURES))
    measure = measures[0]
    with st.container(horizontal=True, gap="medium"):
        if len(measures) > 1:
            measure = st.segmented_control(
                _("Shown"),
                list(measures),
                default=measure,
                required=True,
                key=f"{key}.measure",
                format_func=kinds.__getitem__,
            )
        across = st.segmented_control(
            _("Against"), list(names), default="step", required=True, key=f"{key}.across", format_func=names.__getitem__
        )

    def draw(shown: Shown) -> None:
        live_plot(compared(shown, across, _, measure=measure), key=f"{key}.curves", height=HEIGHT, alt=alt)

    return draw


def tell_fault(state: Mapping[str, Any]) -> None:
    """What went wrong when a run was begun, if anything did."""
    if fault := state.get("compare_problem"):
        st.error(tell(fault), icon=":material/error:")


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


def begin(state: dict[str, Any], experiment: str, contenders: Sequence[Contender]) -> None:
    """Start a run for each contender, in place of those that are shown."""
    _stop(state)
    state["compared"] = {}
    state.pop("compare_problem", None)
    for contender in contenders:
        if not submit(state, experiment, contender.name, contender.config):
            return


def submit(state: dict[str, Any], experiment: str, name: str, config: Any) -> bool:
    """Start one run and show it under ``name``; whether that went well (what did not is told by ``tell_fault``)."""
    try:
        state["compared"][name] = jobs.submit(experiment, config, owner=owner(), part=PART)
    except Problem as problem:
        state["compare_problem"] = problem.to_dict()
        return False
    state.pop("compare_problem", None)
    return True


def _buttons(
    state: dict[str, Any], experiment: str, contenders: Sequence[Contender], start: str, key: str = "compare"
) -> None:
    with st.container(horizontal=True, gap="small"):
        down = jobs.status().state == "down"
        active = any(info.state in ACTIVE for info in _infos(state).values())  # they hold this browser's places
        st.button(start, icon=":material/play_arrow:", type="primary", key=f"{key}-start", on_click=begin,
                  args=(state, experiment, contenders), disabled=down or active or not contenders)  # fmt: skip
        stop_button(state, key, active)


def stop_button(state: dict[str, Any], key: str, active: bool) -> None:
    """Ends the runs that go on, where there are some."""
    if active:
        st.button(_("Stop"), icon=":material/stop:", key=f"{key}-stop", on_click=lambda: _stop(state))


def _stop(state: dict[str, Any]) -> None:
    for info in _infos(state).values():
        if info.state in ACTIVE:
            jobs.stop(info.run_id, owner=owner())


def _shown(infos: Mapping[str, RunInfo], contenders: Sequence[Contender]) -> dict[Contender, History]:
    by_name = {c.name: c for c in contenders}
    return {by_name[n]: jobs.history(i.run_id, owner=owner()) for n, i in infos.items() if n in by_name}


def _tick(
    state: dict[str, Any], contenders: Sequence[Contender], draw: Callable, was_active: Sequence[str], empty: str
) -> None:
    """One look at all runs; the page as a whole is drawn again when one of them has ended."""
    with told():
        infos = _infos(state)
        going = [name for name, info in infos.items() if info.state in ACTIVE]
        if len(going) < len(was_active):
            st.rerun()
        shown = _shown(infos, contenders)
        draw(shown)
        _results(infos, shown, empty)


def compared(shown: Shown, across: str, label: Label = str, *, measure: str = "test_loss"):
    """A measure of every run against steps, epochs or seconds of training.

    On the test data usually; of the batches' values only some reach a page, and each is a chance of its own, so their
    running mean is drawn.
    """
    lines, furthest, lowest, highest = [], 0.0, 0.1, 3.0
    for contender, history in shown.items():
        table = history.epochs if measure.startswith("test") else history.steps
        values, steps = table.column(measure), table.column("step")
        if table is history.steps:
            values = running_mean(values, SMOOTHING)
        per_epoch = history.info.get("steps_per_epoch", 1)
        x = {"step": steps, "epoch": steps / per_epoch, "seconds": table.column("seconds")}[across]
        if across != "seconds":  # the whole run's length, so that the curves grow into their place
            furthest = max(furthest, history.total_steps / (per_epoch if across == "epoch" else 1))
        furthest = max([furthest, *x[-1:]])
        lines.append(Curve(x, values, contender.title, contender.color))
        seen = values[np.isfinite(values) & (values > 0)]
        lowest, highest = min([lowest, *seen]), max([highest, *seen])
    titles = {"step": N_("step"), "epoch": N_("epoch"), "seconds": N_("seconds of training")}
    axes: dict[str, Any] = {"x_title": titles[across], "y_title": Y_TITLES[measure], "label": label}
    axes["x_range"] = (0.0, float(furthest) or EMPTY[across])
    if measure.endswith("accuracy"):
        return curves(lines, **axes, y_range=(0.0, 1.02), y_format=".0%")
    decades = float(10 ** np.floor(np.log10(lowest))), min(float(highest), 1e4)
    return curves(lines, **axes, log_y=True, y_range=decades)


def _results(infos: Mapping[str, RunInfo], shown: Shown, empty: str) -> None:
    """A table: how far each is, and what it has reached; ``empty`` before there are any."""
    if not shown:
        st.caption(empty)
        return
    heads = (_("Run"), _("Test loss"), _("Right on test images"), _("Seconds"), "")
    rows = ["| " + " | ".join(heads) + " |", "|---|---:|---:|---:|---|"]
    for contender, history in shown.items():
        loss, right = history.epochs.last("test_loss"), history.epochs.last("test_accuracy")
        seconds = history.epochs.last("seconds")
        state = infos[contender.name].state
        said = _("Waiting") if state == "queued" else _(STATES[state])
        figures = [(loss, ".3g"), (right, ".1%"), (seconds, ".1f")]
        cells = [contender.title, *("–" if value is None else format(value, f) for value, f in figures), said]
        rows.append("| " + " | ".join(cells) + " |")
    st.markdown("\n".join(rows))
