"""The lab of the lesson on speed: the trainings as they climb to the target, what each switch was worth, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from dlcore.experiments.speed import Config
from dlcore.figures import speed as figures
from dlcore.history import History
from dlcore.ladder import FAST, PARTS, PLAIN, SIGNS, SWITCHES, Rung, rungs
from dlcore.speed_story import (
    NOISE,
    Timed,
    breaks_even,
    compiled_pair,
    config_of,
    curves_of,
    factor,
    fastest,
    timed,
    worth,
)
from dlcore.texts import N_
from ui.i18n import _, ngettext, sentences
from ui.live_plot import live_plot

HEIGHT = 320
SECONDS, FACTORS, STEP = "seconds", "factors", "step"
VIEWS = {SECONDS: N_("Seconds"), FACTORS: N_("Steps × time"), STEP: N_("One step")}
COMPARE = {
    "compare.ladder": N_("One more each time"), "compare.alone": N_("Each alone"), "compare.without": N_("All but one"),
    "compare.ends": N_("All at once"),
}  # fmt: skip
AGAINST = {  # what a training's factor is of
    "ladder": N_("Against the one before"), "alone": N_("Against the plain loop"),
    "ends": N_("Against the plain loop"), "without": N_("Against all switches"),
}  # fmt: skip
ENDS = {  # of a training that did not arrive
    "limit": N_("not within {seconds} s, had reached {share}"),
    "passes": N_("not within {seconds} s and all its passes, had reached {share}"),
    "diverged": N_("diverged"),
    "not_compiled": N_("could not be compiled"),
}


def title(rung: Rung, compare: str) -> str:
    """What a training is called."""
    if rung.name == PLAIN:
        return _("plain loop")
    if rung.name == FAST:
        return _("all switches")
    return _(SIGNS[compare]).format(name=_(SWITCHES[rung.name]))


def viewer(shown: Config) -> Callable[[History], None]:
    """What draws a run, or, before there is one, the places for the settings on screen."""

    def view(history: History) -> None:
        config, rows = config_of(history, shown), timed(history)
        planned = rungs(config)
        names = [f"{place}  {title(rung, config.compare)}" for place, rung in enumerate(planned, 1)]
        left, right = st.columns([1, 1.15], gap="medium")
        with left:
            st.caption(_("Each curve is a training. A line ties its end to its number."))
            live_plot(
                figures.progress(curves_of(history), config.target, len(planned), label=_),
                key="speed-progress", height=HEIGHT,
                alt=_("Right answers on test images against seconds of training, logarithmic, for each training."),
            )  # fmt: skip
        with right:
            _chosen(names, rows, len(planned))
        with st.container(key="speed-story"):
            st.markdown(said(config, rows, history))
        with st.container(key="speed-table"):
            st.markdown(_table(names, rows, config.compare))

    return view


def _chosen(names: list[str], rows: Sequence[Timed], count: int) -> None:
    shown = st.segmented_control(
        _("What is shown of the trainings"), list(VIEWS), format_func=lambda name: _(VIEWS[name]), default=SECONDS,
        key="speed.view", required=True, label_visibility="collapsed",
        help=_("Seconds to the target; how many steps of what length; or where one step’s time goes."),
    )  # fmt: skip
    if shown == FACTORS:
        alt = _("Steps to the target against milliseconds per step, both logarithmic; falling lines of equal time.")
        step_ms, steps = np.array([1e3 * row.step_seconds for row in rows]), np.array([row.steps for row in rows])
        plot = figures.two_factors(step_ms, steps, [row.reached for row in rows], count, label=_)
    elif shown == STEP:
        alt = _("For each training the share of a step’s time that data, forward, backward and optimizer take.")
        plot = _parts(names, rows)
    else:
        alt = _("Seconds to the target for each training, as bars on a logarithmic axis.")
        plot = _bars(names, rows)
    live_plot(plot, key=f"speed-{shown}", height=HEIGHT, alt=alt)


def _bars(names: list[str], rows: Sequence[Timed]):
    left = len(names) - len(rows)
    training = np.array([row.seconds or np.nan for row in rows] + [np.nan] * left)
    compiling = np.array([row.compiling for row in rows] + [0.0] * left)
    notes = [_note(rows, k) for k in range(len(rows))] + [""] * left
    reached = [row.reached for row in rows] + [True] * left
    return figures.seconds(names, training, compiling, notes, reached, label=_)


def _note(rows: Sequence[Timed], k: int) -> str:
    """What stands behind a bar: seconds, and how many times as fast as the plain loop."""
    if not rows[k].reached:
        return "–" if rows[k].outcome in ("diverged", "not_compiled") else f"({rows[k].accuracy:.1%})"
    times = factor(rows, k, against=0)
    text = f"{rows[k].cost:.3g} s"
    return text if times is None else f"{text} · {times:.3g}×"


def _parts(names: list[str], rows: Sequence[Timed]):
    shares = np.full((len(names), len(PARTS)), np.nan)
    totals = [""] * len(names)
    for k, row in enumerate(rows):
        parts = np.array([row.parts[part] for part in PARTS])
        if parts.sum():
            shares[k], totals[k] = parts / parts.sum(), f"{1e3 * parts.sum():.3g} ms"
    return figures.parts(names, shares, totals, label=_)


def _table(names: Sequence[str], rows: Sequence[Timed], compare: str) -> str:
    """The numbers of all trainings; a dash where they are not known yet, so that nothing jumps."""
    heads = (_("Training"), _("Seconds"), _("Steps"), _("ms per step"), _(AGAINST[compare]), "")
    lines = ["| " + " | ".join(heads) + " |", "|---|---:|---:|---:|---:|---|"]
    for k, name in enumerate(names):
        lines.append("| " + " | ".join([name, *(_cells(rows, k) if k < len(rows) else ["–"] * 4 + [""])]) + " |")
    return "\n".join(lines)


def _cells(rows: Sequence[Timed], k: int) -> list[str]:
    row, gain = rows[k], factor(rows, k)
    ended = "" if row.reached else ending(row)
    compiling = _("of which {n} s compiling").format(n=f"{row.compiling:.1f}") if row.compiling and row.reached else ""
    return [
        f"{row.cost:.3g}" if row.cost else "–",
        f"{row.steps:,}" if row.steps else "–",
        f"{1e3 * row.step_seconds:.3g}" if row.steps else "–",
        f"{gain:.2f}×" if gain is not None else "–",
        ended or compiling,
    ]


# -- words -----------------------------------------------------------------------------------------------------------


def ending(row: Timed) -> str:
    """How a training ended that did not arrive."""
    return _(ENDS[row.outcome]).format(seconds=f"{row.seconds:.3g}", share=f"{row.accuracy:.1%}")


def said(config: Config, rows: Sequence[Timed], history: History) -> str:
    """What to see now, from the run's own numbers; a line that is always there."""
    count = len(rungs(config))
    if history.state == "empty":
        words = ngettext("{n} training to {target} right.", "{n} trainings, each to {target} right.", count)
        return sentences(
            words.format(n=count, target=f"{config.target:.1%}"),
            _("Which switch will be worth most? Say so before you start."),
        )
    if history.state in ("queued", "running", "paused") or not rows:
        return _("Training {n} of {count}.").format(n=min(len(rows) + 1, count), count=count)
    return sentences(_overall(rows), *_switches(config, rows), _compiling(config, rows))


def _overall(rows: Sequence[Timed]) -> str:
    best = fastest(rows)
    if not rows[0].reached:
        return _("The plain loop: {end}.").format(end=ending(rows[0]))
    if best is None:
        return _("The plain loop needed {seconds} s.").format(seconds=f"{rows[0].cost:.3g}")
    fast = rows[best]
    words = _(
        "From {plain} s to {fast} s: {times} times as fast, since it took {steps} instead of {plain_steps} steps, of "
        "{ms} instead of {plain_ms} ms."
    )
    return words.format(
        plain=f"{rows[0].cost:.3g}", fast=f"{fast.cost:.3g}", times=f"**{rows[0].cost / fast.cost:.3g}**",
        steps=f"{fast.steps:,}", plain_steps=f"{rows[0].steps:,}", ms=f"{1e3 * fast.step_seconds:.3g}",
        plain_ms=f"{1e3 * rows[0].step_seconds:.3g}",
    )  # fmt: skip


def _switches(config: Config, rows: Sequence[Timed]) -> list[str]:
    """Which switch was worth most, and which did not pay on this machine."""
    gains = worth(rows, config.compare)
    if not gains:
        return []
    most = max(gains, key=gains.__getitem__)
    told = [
        _("Worth most: {name}, {times} times.").format(name=_(SWITCHES[most]), times=f"{gains[most]:.3g}")
    ] if gains[most] > 1 + NOISE else []  # fmt: skip
    losses = [f"{_(SWITCHES[name])} ({gain:.2f}×)" for name, gain in gains.items() if gain < 1 - NOISE]
    same = [_(SWITCHES[name]) for name, gain in gains.items() if abs(gain - 1) <= NOISE]
    if losses:
        told.append(_("It did not pay here: {names}.").format(names=_(", ").join(losses)))
    if same:
        told.append(_("No difference beyond chance: {names}.").format(names=_(", ").join(same)))
    return told


def _compiling(config: Config, rows: Sequence[Timed]) -> str:
    """Whether compiling paid; empty where none was asked for."""
    asked, before = compiled_pair(rows, config.compare)
    if asked is None:
        return ""
    if asked.outcome == "not_compiled":
        return _("torch.compile could not translate the network here, so that training was left out. "
                 "It needs a C++ compiler.")  # fmt: skip
    if before is None:
        return _("Compiling took {n} s.").format(n=f"{asked.compiling:.3g}")
    steps = breaks_even(before, asked)
    if steps is None:
        return _("Compiling took {n} s, and its steps are no faster here.").format(n=f"{asked.compiling:.3g}")
    words = _("Compiling took {n} s. It would pay from about {steps} steps on.")
    return words.format(n=f"{asked.compiling:.3g}", steps=f"{round(steps, -2 if steps > 1000 else 0):,.0f}")
