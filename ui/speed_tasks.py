"""The challenges of the lesson on speed, checked against this browser's runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import streamlit as st

from dlcore import jobs
from dlcore.experiments.speed import Config
from dlcore.ladder import SWITCHES
from dlcore.speed_story import NOISE, Timed, factor, fastest, timed, worth
from ui.challenge import Task
from ui.i18n import _
from ui.lessons import lesson_for
from ui.run_panel import find_run
from ui.session import owner, page_state

SLUG = "speed"
NEWEST = 40  # runs that are looked at
TENFOLD = 10.0
ENOUGH = 4  # switches that a prediction has to choose from
LATER = 2.0  # how many times as much the loader is worth when the rest is fast


class Run(NamedTuple):
    """A finished run."""

    name: str
    config: Config
    rows: Sequence[Timed]  # its trainings


def guess() -> None:
    """Ask which switch will be worth most; what is said when a run begins counts for that run."""
    state = page_state(SLUG)
    names = {"": "–", **{name: _(text) for name, text in SWITCHES.items()}}
    said = st.selectbox(
        _("My guess: worth most will be"), list(names), key="speed.guess", format_func=names.__getitem__,
        help=_("Say it before you start: what stands here when a run begins is compared with what it finds."),
    )  # fmt: skip
    info = find_run(lesson_for(SLUG))
    if info is not None:
        state.setdefault("guesses", {}).setdefault(info.run_id, said if info.state in ("queued", "running") else "")


def finished() -> list[Run]:
    """This browser's finished runs, newest first; each is read once."""
    kept: dict[str, Run] = page_state(SLUG).setdefault("timed", {})
    found = []
    for run in jobs.runs(owner(), SLUG)[:NEWEST]:
        if run.state == "finished":
            if run.run_id not in kept:
                kept[run.run_id] = Run(run.run_id, run.config, timed(jobs.history(run.run_id, owner=owner())))
            found.append(kept[run.run_id])
    return found


def tasks() -> list[Task]:
    """The challenges."""
    return [
        Task(
            "tenfold",
            _("Reach the target at least 10 times as fast as the plain loop."),
            lambda: tenfold(finished()),
            hint=_("All switches at once is a good start. Is there one among them that costs time on this machine?"),
            praise=_("Nothing was computed less carefully: the accuracy is the same."),
        ),
        Task(
            "guess",
            _("Say before a run with at least {n} switches which one will be worth most, and be right.").format(
                n=ENOUGH
            ),
            lambda: guessed(finished(), page_state(SLUG).get("guesses", {})),
            hint=_("Look at one step of the plain loop first: what takes most of its time?"),
            praise=_("Measuring first and guessing then is how slow programs are made fast."),
        ),
        Task(
            "slower-steps",
            _("Find a training whose steps are slower than those it is compared with, and which arrives sooner."),
            lambda: slower_steps(finished()),
            hint=_("Seconds are steps × time per step. Which switch makes the steps fewer?"),
            praise=_("A rate of steps says nothing by itself. Ask how many are needed."),
        ),
        Task(
            "amdahl",
            _("Show that the whole set in memory is worth at least twice as much when all else is fast as alone."),
            lambda: amdahl(finished()),
            hint=_("Time “each alone” and then “all but one”, with the same settings otherwise."),
            praise=_("An image takes as long to load in both; what that is a share of is not. That is Amdahl’s law."),
        ),
    ]


def tenfold(runs: Sequence[Run]) -> float:
    """How near the fastest training is to ten times, on a scale of factors (0 to 1)."""
    best = 0.0
    for run in runs:
        place = fastest(run.rows)
        times = factor(run.rows, place, against=0) if place is not None else None
        best = max(best, min((times or 0.0) / TENFOLD, 1.0))
    return best


def guessed(runs: Sequence[Run], guesses: Mapping[str, str]) -> bool:
    """Whether what was said before a run is what it found."""
    for run in runs:
        gains = worth(run.rows, run.config.compare)
        if len(gains) >= ENOUGH and guesses.get(run.name) == max(gains, key=gains.__getitem__):
            return True
    return False


def slower_steps(runs: Sequence[Run]) -> bool:
    """Whether some training had slower steps than its counterpart and arrived sooner, both beyond chance."""
    for run in runs:
        for k, row in enumerate(run.rows):
            gain = factor(run.rows, k)
            slower = row.step_seconds > (1 + NOISE) * run.rows[row.rung.against or 0].step_seconds
            if gain is not None and gain > 1 + NOISE and slower:
                return True
    return False


def amdahl(runs: Sequence[Run]) -> float:
    """Half for one of the two runs, all where the loader's worth has grown enough between two of the same settings."""
    alone, last = (_loader(runs, compare) for compare in ("alone", "without"))
    pairs = [(a, b) for config, a in alone for other, b in last if config == other]
    if pairs:
        return 1.0 if any(b >= LATER * a for a, b in pairs) else 0.9
    return 0.5 if alone or last else 0.0


def _loader(runs: Sequence[Run], compare: str) -> list[tuple[Config, float]]:
    """What the whole set in memory was worth in each run of this comparison, beside the settings without it."""
    found = [(run.config, worth(run.rows, compare)) for run in runs if run.config.compare == compare]
    return [(replace(config, compare="alone"), gains["whole_set"]) for config, gains in found if "whole_set" in gains]
