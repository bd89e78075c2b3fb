"""The memory lesson's lab: the task, the gradient through time while sliders move, and the cells as they learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs, sequence_training
from dlcore.data.memory_tasks import TASKS, chance
from dlcore.experiments import sequences_look
from dlcore.experiments.sequences import Config
from dlcore.experiments.sequences_look import SHAPING
from dlcore.figures import memory
from dlcore.figures.cells import NAMES
from dlcore.figures.curves import Level
from dlcore.graph_math import number
from dlcore.history import History
from dlcore.knobs import knobs_of
from dlcore.memory_story import (
    KEPT,
    Line,
    forgotten,
    linear_decay,
    lines,
    newest_gradients,
    ratios,
    rows_of,
    written,
)  # fmt: skip
from dlcore.texts import N_
from ui.cell_lab import EXTRA
from ui.cells_view import Coming, Score, cells_of, loss_figure, score_figure, told_scores
from ui.controls import controls
from ui.faults import if_ready
from ui.i18n import _, sentences
from ui.intro import lab
from ui.lessons import lesson_for
from ui.live_plot import live_plot
from ui.names import CELLS, OPTIMIZERS, SCHEDULES, STARTS
from ui.run_panel import run_panel
from ui.session import owner, page_state
from ui.slider import Mark

SLUG = "sequences"
LABELS = {
    **CELLS, **STARTS, **OPTIMIZERS, **SCHEDULES,
    "first_symbol": N_("First letter"), "copy": N_("Copy"), "adding": N_("Add two numbers"),
    "parentheses": N_("Brackets"),
}  # fmt: skip
FOLDED = ("hidden", "batch_size", "steps", "optimizer")
HEIGHT = 300
SCORE, LOSS, DISTANCE = "score", "loss", "distance"
VIEWS = {SCORE: N_("Right answers"), LOSS: N_("Loss"), DISTANCE: N_("By distance")}
SCORES = {"adding": N_("sums right within 0.1")}
NEWEST = 60  # runs whose scores are collected


def draw() -> tuple[Config, History, dict[str, np.ndarray]]:
    """Draw controls and picture; returns the settings, the run that is shown, and the fresh networks' gradients."""
    panel, picture = lab()
    with panel:
        config = controls(Config, labels=LABELS, hidden=_hidden, folded=FOLDED, marks=_marks, extra=EXTRA)
    with picture:
        _example(config)
        fresh = _fresh(config)
        known = lines(finished_rows(config.task))
        history = run_panel(lesson_for(SLUG), config, partial(view, config, fresh, known))
    return config, history, fresh


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    """An RNN has no gate."""
    return ("forget_bias",) if values["cell"] == "rnn" else ()


def _marks(values: Mapping[str, Any]) -> dict[str, Sequence[Mark]]:
    """The radius at which a linear network neither forgets nor explodes."""
    return {"radius": [Mark(1.0, "1", "note")]}


def _example(config: Config) -> None:
    """One sequence of the task, and what is asked."""
    steps, answer = written(config.task, config.length)
    with st.container(key="memory-example"):
        st.caption(f"{steps} → {_(TASKS[config.task].question)} **{answer}**")


def _fresh(config: Config) -> dict[str, np.ndarray]:
    """The gradients of networks that begin with these settings; nothing while no worker answers."""
    return if_ready(partial(_asked, tuple((name, getattr(config, name)) for name in SHAPING)), SLUG)


@st.cache_data(max_entries=256, show_spinner=False)
def _asked(settings: tuple[tuple[str, Any], ...]) -> dict[str, np.ndarray]:
    return jobs.call(sequences_look.fresh_gradients, dict(settings))


def finished_rows(task: str) -> list[Any]:
    """What this browser's finished runs of the task tell; each is read once."""
    kept: dict[str, list[Any]] = page_state(SLUG).setdefault("rows", {})
    rows = []
    for run in jobs.runs(owner(), SLUG)[:NEWEST]:
        if run.state == "finished" and run.config.task == task:
            if run.run_id not in kept:
                kept[run.run_id] = rows_of(run.config, jobs.history(run.run_id, owner=owner()).metrics)
            rows += kept[run.run_id]
    return rows


def view(config: Config, fresh: Mapping[str, np.ndarray], known: Sequence[Line], history: History) -> None:
    """All that lives: left the gradient through time, right how they learn; and a sentence."""
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        st.caption(_("How much of the error arrives at step t. Dotted: before training."))
        _gradient(config, fresh, history)
    with right:
        shown = st.segmented_control(
            _("What is shown of the training"), list(VIEWS), format_func=lambda name: _(VIEWS[name]), default=SCORE,
            key="memory.view", required=True, label_visibility="collapsed",
        )  # fmt: skip
        _learning(shown or SCORE, config, known, history)
    with st.container(key="memory-story"):
        st.markdown(said(config, fresh, history))


def _gradient(config: Config, fresh: Mapping[str, np.ndarray], history: History) -> None:
    """That of the run, and dotted that of fresh networks with the settings on screen; before a run theirs alone."""
    ran = newest_gradients(history.frames.kept)
    length = max([config.length, *(len(row) for row in ran.values())])
    linear = linear_decay(config.radius, config.length) * _last(fresh) if config.radius and fresh else None
    live_plot(
        memory.through_time(ran or fresh, fresh if ran else {}, length=length, linear=linear, label=_),
        key="memory-gradient", height=HEIGHT,
        alt=_("The size of the gradient at each step of the sequence, on a logarithmic scale, for each cell."),
    )  # fmt: skip


def _learning(shown: str, config: Config, known: Sequence[Line], history: History) -> None:
    """Score or loss against steps, or the score of all finished runs against distance."""
    guess, coming = chance(config.task, config.length), Coming(sequence_training.cells_of(config), config.steps)
    if shown == LOSS:
        alt, plot = _("The loss of each cell against steps, on a logarithmic scale."), loss_figure(history, coming)
    elif shown == DISTANCE:
        alt = _("Right answers of trained networks against the distance that they were trained for.")
        sets = _sets(config, known, history)
        plot = memory.by_distance(sets, chance=guess, longest=_longest(config, known), label=_)
    else:
        alt = _("The score of each cell on held-out sequences against steps.")
        title = SCORES.get(history.config.get("task", config.task), N_("right answers"))
        levels = [Level(history.info.get("chance", guess), N_("guessing"))]
        plot = score_figure(history, Score(title=title, levels=levels), coming)
    live_plot(plot, key=f"memory-{shown}", height=HEIGHT, alt=alt)


def _last(fresh: Mapping[str, np.ndarray]) -> float:
    """Where the line of a linear network ends: at the last step of the cell that comes first."""
    return float(next(iter(fresh.values()))[-1])


def _sets(
    config: Config, known: Sequence[Line], history: History
) -> list[tuple[str, str, np.ndarray, np.ndarray, bool]]:
    """The lines of the finished runs, those with the settings on screen last; and of a sweep what it has so far."""
    sets = [(line.cell, _note(line), line.lengths, line.scores, line.of(config)) for line in known]
    part = history.snapshots.get("by_distance")
    if part is not None and history.state != "finished":
        x = np.asarray(part.arrays["length"], float)
        sets += [(cell, "", x, part.arrays[cell], True) for cell in cells_of(history)]
    return sorted(sets, key=lambda one: one[-1])


def _note(line: Line) -> str:
    return f"b = {line.forget_bias:g}" if line.forget_bias else ""


def _longest(config: Config, known: Sequence[Line]) -> int:
    """The axis's end, in tens."""
    return 10 * -(-max([config.length, *(int(line.lengths[-1]) for line in known)]) // 10)


# -- words -----------------------------------------------------------------------------------------------------------


def said(config: Config, fresh: Mapping[str, np.ndarray], history: History) -> str:
    """What to see now, with the numbers on screen; a line that is always there."""
    lost = _diverged(history)
    if lost:
        return ":orange[:material/trending_up:] " + lost
    scores = told_scores(history)
    if history.state == "finished" and scores:
        told = _("Distance {length}, after {steps} steps: {scores}. Guessing is right {chance} of the time.").format(
            length=history.config["length"], steps=f"{history.total_steps:,}", scores=scores,
            chance=f"{history.info.get('chance', 0):.0%}",
        )  # fmt: skip
        return ":blue[:material/flag:] " + sentences(told, _why_at_chance(history))
    if not fresh and jobs.status().state == "down":
        return _("There is no worker that could compute the gradient through time.")
    if not fresh:
        return _("The workers are being woken up; then the gradient through time appears here.")
    found = ratios(fresh)
    told = _(", ").join(f"{NAMES[cell]} {number(value, 2)}" for cell, value in found.items())
    words = _("Before any training, step 1 gets this share of the gradient that step {T} gets: {ratios}.")
    return f"{_icon(found)} {sentences(words.format(T=config.length, ratios=told), _judged(found))}"


def _why_at_chance(history: History) -> str:
    """Why all gated cells only guess, and which number to change; empty where that is not so."""
    left = forgotten(history)
    if left is None:
        return ""
    kept, rest = left
    cells = _(", ").join(NAMES[cell] for cell in cells_of(history) if cell != "rnn")
    return _(
        "So {cells} only guess, too: with these weights a gate begins by keeping about {kept} of the "
        "memory at each step, and over this distance {rest} is left. Set “{knob}” to 3, where a gate keeps 95%, and "
        "train again."
    ).format(cells=cells, kept=f"{kept:.0%}", rest=number(rest, 2), knob=_(knobs_of(Config)["forget_bias"].label))


def _icon(found: Mapping[str, float]) -> str:
    if max(found.values()) < KEPT:
        return ":orange[:material/trending_down:]"
    return ":green[:material/check_circle:]"


def _judged(found: Mapping[str, float]) -> str:
    arrives = [NAMES[cell] for cell, value in found.items() if value >= KEPT]
    if any(value > 100 for value in found.values()):
        return _("Above 1 it grows on its way back: it explodes.")
    if not arrives:
        return _("It vanishes: what came first can hardly be learned.")
    if len(arrives) == len(found):
        return _("It arrives.")
    return _("It arrives in: {cells}.").format(cells=_(", ").join(arrives))


def _diverged(history: History) -> str:
    """Which of several cells left all bounds, and when; empty where none has."""
    from dlcore.sequence_training import MOST_LOSS

    cells = cells_of(history)
    if len(cells) < 2:
        return ""
    steps, parts = history.steps.column("step"), []
    for cell in cells:
        beyond = ~(np.abs(history.steps.column(f"loss/{cell}")) <= MOST_LOSS)
        if beyond.any():
            parts.append(_("{cell} at step {step}").format(cell=NAMES[cell], step=f"{int(steps[beyond.argmax()]):,}"))
    if not parts:
        return ""
    words = _("Left all bounds: {cells}. The others went on without it; it is measured no more.")
    return words.format(cells=_(", ").join(parts))
