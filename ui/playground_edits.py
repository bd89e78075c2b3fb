"""What is done in the playground's picture: knobs by click, weights by hand, points drawn, epochs asked for.

The browser sends each edit with a number until it sees that number acknowledged, so a rerun that overtakes another
loses none. Weights that are changed while nothing is computed are kept here: those of a fresh network are what the next
run begins with, those of a run that rests are shown until it goes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data import own, points2d
from dlcore.experiments import neural_network as experiment
from dlcore.experiments.neural_network import Config
from dlcore.history import History
from dlcore.jobs import RunInfo
from dlcore.knobs import check_value, knobs_of
from dlcore.playground_view import frame_again, still
from dlcore.texts import Problem
from ui.controls import put_value
from ui.session import owner, page_state

SLUG, KEY = "neural_network", "playground"
KNOBS = ("features", "layers", "activation")  # what the picture may change
Change = tuple[str, list[Any]]


def receive() -> None:
    """Do what the browser asks for and has not been done yet; what it sends is checked as if a stranger had sent it."""
    sent, state = (st.session_state.get(KEY) or {}).get("edits"), page_state(SLUG)
    if not isinstance(sent, dict) or not isinstance(sent.get("client"), str) or not isinstance(sent.get("list"), list):
        return
    known = state.get("ack", {})
    done = known.get("n", 0) if known.get("client") == sent["client"] else 0
    for edit in sent["list"]:
        if isinstance(edit, dict) and isinstance(edit.get("n"), int) and edit["n"] > done:
            try:
                _do(str(edit.get("name")), edit.get("value"))
            except Problem as problem:
                state["problem"] = problem.to_dict()
                state["whole"] = True  # the page tells it
            done = edit["n"]
    state["ack"] = {"client": sent["client"][:20], "n": done}


def acknowledged() -> dict[str, Any]:
    """The newest edit that has been dealt with, for the browser."""
    return page_state(SLUG).get("ack", {"client": "", "n": 0})


def _do(name: str, value: Any) -> None:
    state = page_state(SLUG)
    match name, value:
        case "knob", [str(knob), str(text)] if knob in KNOBS:
            put_value(knob, check_value(knobs_of(Config)[knob], text[:400]), slug=SLUG)
            state["whole"] = True
        case "points", list(rows):
            put_points(rows)
            state["whole"] = True
        case (("weight" | "freeze"), [*_]):
            _change((name, list(value)))
        case "replay", int() | float() if 0 <= value < math.inf:
            _replay(float(value))
        case "resend", _:
            state["resend"] = True


def put_points(rows: Sequence[Sequence[float]]) -> None:
    """Make these rows of x1, x2, label the page's data; more than a link can hold become a table of their own."""
    try:
        table = np.array(rows, dtype=float).reshape(-1, 3)
    except (TypeError, ValueError):
        return
    if len(table) > points2d.MOST_ROWS or not (np.abs(table) <= points2d.EDGE).all():
        return
    if len(table) <= points2d.MOST_POINTS:
        put_value("dataset", "points", slug=SLUG)
        put_value("points", points2d.write_points(table), slug=SLUG)
        return
    put_value("data_hash", own.keep(own.Table(("x1", "x2", "y"), table)), slug=SLUG)
    put_value("columns", None, slug=SLUG)
    put_value("dataset", "csv", slug=SLUG)


# -- weights by hand -------------------------------------------------------------------------------------------------


def run_of_page() -> RunInfo | None:
    """The run that the page shows, if it is still there."""
    run_id = page_state(SLUG).get("run")
    try:
        return jobs.info(run_id, owner=owner()) if run_id else None
    except Problem:
        return None


def _change(change: Change) -> None:
    """Into the run of the page, and into the picture while that run rests; else kept for the run to come."""
    name, info, state = change[0], run_of_page(), page_state(SLUG)
    config = info.config if info else Config(**state["shown"])
    change = (name, experiment.ACTIONS[name](config, change[1]))
    if info and (info.state in ("running", "queued") or info.resumable):
        jobs.change(info.run_id, *change, owner=owner())
    if info and info.state != "running":  # a run that has ended shows what would be
        step = jobs.history(info.run_id, owner=owner()).step
        kept = held(info, step)
        state["held"] = {"run": info.run_id, "step": step, "list": _with(kept, change)}
    elif not info:
        state["fresh"] = {"of": repr(still(config)), "list": _with(fresh(config), change)}


def _with(changes: Iterable[Change], change: Change) -> list[Change]:
    """The changes with one more; of the same weight only the newest counts."""
    place = change[0], change[1][:3]
    return [c for c in changes if (c[0], c[1][:3]) != place] + [change]


def fresh(config: Config) -> list[Change]:
    """What was changed by hand in the untrained network of this config."""
    kept = page_state(SLUG).get("fresh", {})
    return kept["list"] if kept.get("of") == repr(still(config)) else []


def held(info: RunInfo | None, step: int) -> list[Change]:
    """What was changed by hand while this run rests at this step."""
    kept = page_state(SLUG).get("held", {})
    return kept["list"] if info and (kept.get("run"), kept.get("step")) == (info.run_id, step) else []


def frozen(changes: Iterable[Change]) -> list[list[int]]:
    """Which weights are frozen after these changes, as [layer, i, j]."""
    found: dict[tuple[int, ...], bool] = {}
    for name, value in changes:
        if name == "freeze":
            found[tuple(value[:3])] = value[3]
    return [list(place) for place, on in found.items() if on]


# -- another epoch ---------------------------------------------------------------------------------------------------


def _replay(epoch: float) -> None:
    """Compute an epoch of the run again; the picture gets it as one more frame."""
    info = run_of_page()
    if info is None:
        return
    history = jobs.history(info.run_id, owner=owner())
    frame = again(info, history, epoch)
    state = page_state(SLUG)
    state["again"] = {"n": state.get("again", {}).get("n", 0) + 1, "run": info.run_id, "frames": frame}


def again(info: RunInfo, history: History, epoch: float) -> dict[str, np.ndarray]:
    """A film of one frame: the run as it was after this epoch (or at its end), computed again in a worker."""
    step = min(round(epoch * history.info["steps_per_epoch"]), history.step)
    near = history.frames.nearest(step)
    if history.config["optimizer"] != "sgd" and history.has_checkpoint:  # a frame lacks what the rule remembers
        near = str(jobs.checkpoint(info.run_id, owner=owner()))
    changes = [[c.step, c.name, c.value] for c in history.changes]
    return jobs.call(frame_again, history.config, changes, step, near)
