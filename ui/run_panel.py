"""A run of the lesson's experiment: buttons, progress, state, and the picture that follows it.

The run lives in ``dlcore.jobs`` and belongs to the browser, so this panel only looks on: it finds the newest run after
a page change or a reload, and loses nothing when it is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.events import Changed
from dlcore.history import History
from dlcore.jobs import RunInfo
from dlcore.knobs import knobs_of
from dlcore.texts import N_, Problem
from ui import repeat
from ui.controls import put_value
from ui.faults import told
from ui.i18n import _, ngettext, sentences, tell
from ui.lessons import Lesson
from ui.session import arrived, owner, page_state

TICK = 0.5  # seconds between two looks at a run that goes on
ACTIVE = ("queued", "running")
STATES = {
    "empty": N_("Nothing has been trained yet."),
    "running": N_("Training"),
    "paused": N_("Paused; everything is kept"),
    "finished": N_("Finished"),
    "diverged": N_("Diverged"),
    "stopped": N_("Stopped"),
    "failed": N_("Interrupted"),
}

View = Callable[[History], None]
Changes = Callable[[], Sequence[tuple[str, Any]]]


def run_panel(
    lesson: Lesson,
    config: Any,
    view: View,
    *,
    start: str = N_("Train"),
    ready: bool = True,
    changes: Changes = tuple,
) -> History:
    """Draw the panel and, under it, ``view(history)``, again at each tick while the run goes on.

    Args:
        config: what the next run will use; its ``live`` knobs also steer the run that goes on.
        view: draws the living picture from the history (an empty one before the first run); keep it under 5 ms.
        start: what the button that begins a first run says, marked with ``N_``.
        ready: whether a run can begin; where something is missing that the page tells of, no button starts one.
        changes: asked when a run begins for what was changed by hand before its first step, as for ``jobs.change``.

    Returns:
        The history of the run that is shown, for what the page draws below.
    """
    info = find_run(lesson)
    history = jobs.history(info.run_id, owner=owner()) if info else History()
    _steer(lesson, config, info)
    with st.container(key="run-panel", gap="small"):
        with st.container(key="run-buttons", horizontal=True, vertical_alignment="center", gap="small"):
            _buttons(lesson, config, info, start, ready, changes)
        repeat.tell_changes(lesson, config)
        _messages(lesson, config, info, history)
        active = info is not None and (info.state in ACTIVE or info.place is not None)  # or its worker is late
        st.fragment(_tick, run_every=TICK if active else None)(info, view)
    return history


def find_run(lesson: Lesson) -> RunInfo | None:
    """The run that this page shows: the one it began, else the browser's newest of this lesson.

    A comparison's runs come last: after a reload they would push the page's own run aside.
    """
    state = page_state(lesson.slug)
    if "run" not in state:
        known = jobs.runs(owner(), lesson.slug)
        newest = next((run for run in known if not run.part), next(iter(known), None))
        state["run"] = newest.run_id if newest else None
    try:
        return jobs.info(state["run"], owner=owner()) if state["run"] else None
    except Problem:  # its files were cleared away
        del state["run"]
        return None


def _tick(info: RunInfo | None, view: View) -> None:
    """One look at the run: progress and picture. The page as a whole is drawn again only when the state changes."""
    with told():
        jobs.beat(owner())  # Streamlit drops the heartbeat's request where this one comes at the same moment
        now = jobs.info(info.run_id, owner=owner()) if info else None
        history = jobs.history(info.run_id, owner=owner()) if info else History()
        if info and now and (now.state, now.resumable) != (info.state, info.resumable):
            st.rerun()  # other buttons, another pace, and the parts of the page that read the finished run
        _progress(now, history)
        view(history)


# -- buttons ---------------------------------------------------------------------------------------------------------


def _buttons(lesson: Lesson, config: Any, info: RunInfo | None, start: str, ready: bool, changes: Changes) -> None:
    """The buttons that make sense in the run's state."""
    state = info.state if info else "empty"
    run_id = info.run_id if info else ""
    if state in ACTIVE:
        if state == "running":
            _button(lesson, _("Pause"), "pause", jobs.pause, run_id, shortcut="P")
        _button(lesson, _("Stop"), "stop", jobs.stop, run_id)
        return
    if info is not None and info.resumable:
        words = _("Go on from the last checkpoint") if state == "failed" else _("Resume")
        _button(lesson, words, "play_arrow", jobs.resume, run_id, primary=state != "stopped", shortcut="P")
        if state != "failed":
            _button(lesson, _("One step"), "skip_next", _one_step, run_id, shortcut="N")
    changed = info is not None and bool(_differences(info, config))
    if info is None or changed:
        words = _("Start with the new settings") if changed else _(start)
    else:
        words = _("Start again from the same weights")
    primary = state == "stopped" or not (info and info.resumable)
    _start_button(lesson, config, words, primary=primary, ready=ready, changes=changes)
    if info is not None and not changed and "seed" in knobs_of(type(config)):
        other = _other_seed(config)
        _start_button(lesson, other, _("From other weights"), icon="casino", seed=other.seed, ready=ready)


def _button(
    lesson: Lesson,
    label: str,
    icon: str,
    action: Any,
    run_id: str,
    *,
    primary: bool = False,
    shortcut: str = "",
) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        key=f"{lesson.slug}.run.{action.__name__}",  # a knob may have the same name
        shortcut=shortcut or None,
        on_click=_attempt,
        args=(lesson, lambda: action(run_id, owner=owner())),
    )


def _one_step(run_id: str, *, owner: str) -> None:
    jobs.resume(run_id, owner=owner, steps=1)


def _start_button(
    lesson: Lesson, config: Any, label: str, *, primary: bool = False, icon: str = "play_arrow",
    seed: int | None = None, ready: bool = True, changes: Changes = tuple,
) -> None:  # fmt: skip
    def submit() -> None:
        if seed is not None:
            put_value("seed", seed, slug=lesson.slug)
        state = page_state(lesson.slug)
        made = [*(Changed(0, name, value) for name, value in changes()), *repeat.changes(lesson, config)]
        state["run"] = jobs.submit(lesson.slug, config, owner=owner(), changes=made)
        state["live"] = _live(config)  # what it begins with need not be told to it

    st.button(
        label,
        icon=f":material/{icon}:",
        type="primary" if primary else "secondary",
        key=f"{lesson.slug}.start.{icon}",
        shortcut="Ctrl+Enter" if icon == "play_arrow" else None,
        on_click=_attempt,
        args=(lesson, submit),
        disabled=not ready or jobs.status().state == "down",
    )


def _attempt(lesson: Lesson, action: Callable[[], Any]) -> None:
    _try(lesson, action)


def _try(lesson: Lesson, action: Callable[[], Any]) -> bool:
    """Do it, and say whether it worked; what goes wrong is kept and told on the page."""
    state = page_state(lesson.slug)
    state.pop("problem", None)
    try:
        action()
    except Problem as fault:
        state["problem"] = fault.to_dict()
    return "problem" not in state


def _other_seed(config: Any) -> Any:
    high = knobs_of(type(config))["seed"].high
    return replace(config, seed=0 if high is not None and config.seed >= high else config.seed + 1)


# -- steering --------------------------------------------------------------------------------------------------------


def _steer(lesson: Lesson, config: Any, info: RunInfo | None) -> None:
    """Pass on what the user has moved among the live knobs. A link that is opened never steers a run.

    What is moved while the run waits or rests is kept back until it goes on: ``state["live"]`` is what has been told.
    """
    live, state = _live(config), page_state(lesson.slug)
    if "live" not in state or arrived() or info is None or not (info.state in ACTIVE or info.resumable):
        state["live"] = live
    if info is None or info.state != "running":
        return
    for name, value in live.items():
        if state["live"].get(name) != value and _try(lesson, lambda n=name, v=value: _change(info, n, v)):
            state["live"][name] = value


def _change(info: RunInfo, name: str, value: Any) -> None:
    jobs.change(info.run_id, name, value, owner=owner())


def _live(config: Any) -> dict[str, Any]:
    """The values of the knobs that may be moved while a run goes on."""
    return {name: getattr(config, name) for name, knob in knobs_of(type(config)).items() if knob.live}


def _differences(info: RunInfo, config: Any) -> list[str]:
    """The labels of the knobs that stand otherwise than when the run began."""
    knobs = knobs_of(type(config))
    return [
        _(knob.label) or name for name, knob in knobs.items() if getattr(info.config, name) != getattr(config, name)
    ]


# -- words -----------------------------------------------------------------------------------------------------------


def _messages(lesson: Lesson, config: Any, info: RunInfo | None, history: History) -> None:
    """What the user must know: a fault, a divergence, settings that the run does not have."""
    fault = page_state(lesson.slug).get("problem") or (history.problem if history.state == "failed" else None)
    if fault:
        st.error(tell(fault), icon=":material/error:")
    if history.state == "diverged" and history.diverged is not None:
        reason = {"template": history.diverged.reason, "kind": "diverged", "params": history.diverged.params}
        st.warning(tell(reason), icon=":material/trending_up:")
    status = jobs.status()
    if status.state == "down":
        why = tell(status.problem) if status.problem else ""
        st.warning(sentences(_("Nothing can be trained now: the workers do not answer."), why))
    live = {_(k.label) or n for n, k in knobs_of(type(config)).items() if k.live}
    running = info is not None and info.state in (*ACTIVE, "paused")
    changed = [label for label in _differences(info, config) if label not in live] if info and running else []
    if changed:
        names = _(", ").join(changed)
        st.caption(_("This run keeps the settings it began with. Changed since then: {names}.").format(names=names))


def _progress(info: RunInfo | None, history: History) -> None:
    """One line and a bar, always there, so that nothing jumps."""
    state = info.state if info else "empty"
    parts = [_waiting(info)] if info is not None and state == "queued" else [_(STATES[state])]
    if history.total_steps and not history.info.get("open_end") and state not in ("empty", "queued"):
        parts.append(_("step {step} of {total}").format(step=f"{history.step:,}", total=f"{history.total_steps:,}"))
    if state == "running":
        parts.append(time_left(history.seconds_left))
    st.progress(history.progress, text=" · ".join(part for part in parts if part))


def _waiting(info: RunInfo) -> str:
    """Which place a run has that waits, and for how long about."""
    if jobs.status().state == "starting":
        return _("The workers are starting; your run begins right after.")
    if not info.place:
        return _("Beginning: the worker loads the data")
    if info.held:
        return _("The teacher has paused the queue; your run keeps its place")
    if info.used:
        words = _("Making room for others, then it goes on by itself")
    elif info.place == 1:
        words = _("Waiting: yours is the next run")
    else:
        n = info.place - 1
        words = ngettext("Waiting: {n} run is before yours", "Waiting: {n} runs are before yours", n).format(n=n)
    return " · ".join(part for part in (words, until(info.wait)) if part)


def until(seconds: float | None) -> str:
    """Seconds until a run begins in words, coarse; empty where unknown or at once."""
    if seconds is None or seconds < 2:
        return ""
    if seconds < 90:
        return _("in about {n} s").format(n=5 * max(1, round(seconds / 5)))
    minutes = round(seconds / 60)
    return ngettext("in about {n} minute", "in about {n} minutes", minutes).format(n=minutes)


def time_left(seconds: float | None) -> str:
    """Seconds to go in words, in steps coarse enough that they do not flicker; empty where unknown."""
    if seconds is None:
        return ""
    if seconds < 10:
        return _("a few seconds left")
    if seconds < 90:
        return _("about {n} s left").format(n=5 * round(seconds / 5))
    minutes = round(seconds / 60)
    return ngettext("about {n} minute left", "about {n} minutes left", minutes).format(n=minutes)
