"""Runs side by side: up to four of this browser's runs of a lesson, under names made of what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import streamlit as st

from dlcore import jobs
from dlcore.figures import DATA, GRADIENT, MODEL, REFERENCE
from dlcore.jobs import RunInfo
from dlcore.knobs import defaults_for, knobs_of
from ui.compare_runs import Contender, begin, stop_button, submit, tell_fault, watch
from ui.i18n import _
from ui.lessons import Lesson
from ui.names import name_for
from ui.run_panel import ACTIVE, STATES
from ui.session import imposed, owner, page_state

KEY = "shelf"
COLORS = (MODEL, DATA, GRADIENT, REFERENCE)  # of the four places; a run keeps its own
OFFERED = 24  # of the newest runs
MEASURES = ("test_loss", "test_accuracy", "loss", "accuracy")
SILENT = ("data_hash", "device", "threads", "precision", "memory_format")  # of the machine, not of the experiment
LONGEST = 44  # characters of a value in a name


def run_shelf(lesson: Lesson, config: Any, *, labels: Mapping[str, str] = {}, ready: bool = True) -> None:
    """Draw the section: which runs, the buttons, curves and results.

    Args:
        config: the settings above, for “Train the settings above, too”.
        labels: what choices are called, as for ``controls``.
        ready: whether these settings can be trained.
    """
    state = page_state(lesson.slug).setdefault(KEY, {})
    places: dict[str, str] = state.setdefault("compared", {})  # place "0" … "3" → run
    known = {run.run_id: run for run in jobs.runs(owner(), lesson.slug)}
    for place, run_id in list(places.items()):
        if run_id not in known:
            del places[place]
    st.header(_("Side by side"), anchor="compare")
    with st.container(key="shelf", gap="small"):
        st.markdown(_("Up to four runs in one picture: change one setting, train again, and see what it did."))
        _choose(places, known, labels)
        contenders = _contenders(places, known, labels)
        _buttons(lesson, state, contenders, config, ready)
        tell_fault(state)
        if contenders:
            st.caption(_beginning([c.config for c in contenders]))
        watch(state, KEY, contenders, alt=_("The chosen measure of every run, as curves."), measures=MEASURES)


def _choose(places: dict[str, str], known: Mapping[str, RunInfo], labels: Mapping[str, str]) -> None:
    """Which runs are shown: this browser's newest, by what they were trained with."""
    offered = list(dict.fromkeys([*places.values(), *list(known)[:OFFERED]]))
    chosen = list(places.values())

    def choose(runs: list[str]) -> None:
        kept = {place: run_id for place, run_id in places.items() if run_id in runs}
        free = [str(n) for n in range(len(COLORS)) if str(n) not in kept]
        places.clear()
        places.update(kept)
        places.update(zip(free, (run for run in runs if run not in kept.values()), strict=False))

    st.multiselect(
        _("Runs of this browser, newest first"),
        offered,
        format_func=lambda run_id: _described(known[run_id], labels),
        max_selections=len(COLORS),
        placeholder=_("Choose up to four") if offered else _("None yet: train a network"),
        help=_("A run is named by the settings in which it differs from the defaults."),
        **imposed(f"{KEY}.chosen", chosen, choose),
    )


def _buttons(lesson: Lesson, state: dict[str, Any], contenders: Sequence[Contender], config: Any, ready: bool) -> None:
    places = state["compared"]
    free = next((str(n) for n in range(len(COLORS)) if str(n) not in places), None)
    same = any(c.config == config for c in contenders)
    active = any(jobs.info(run_id, owner=owner()).state in ACTIVE for run_id in places.values())
    down = jobs.status().state == "down"
    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Train the settings above, too"), icon=":material/add:", key=f"{KEY}-add",
            disabled=down or not ready or same or free is None,
            help=_("Its run joins the comparison. Change a setting first: the same twice shows nothing.")
            if free is not None else _("There are four already: take one out."),
            on_click=_add, args=(state, lesson.slug, free, config),
        )  # fmt: skip
        st.button(
            _("Train all again"), icon=":material/restart_alt:", key=f"{KEY}-again",
            disabled=down or active or not contenders, on_click=begin, args=(state, lesson.slug, contenders),
            help=_("From the same first weights, in the same order of images."),
        )  # fmt: skip
        stop_button(state, KEY, active)


def _add(state: dict[str, Any], experiment: str, place: str, config: Any) -> None:
    submit(state, experiment, place, config)


def _contenders(places: Mapping[str, str], known: Mapping[str, RunInfo], labels: Mapping[str, str]) -> list[Contender]:
    shown = {place: known[run_id] for place, run_id in sorted(places.items())}
    names = differing([run.config for run in shown.values()], labels)
    return [
        Contender(place, name, COLORS[int(place)], run.config)
        for (place, run), name in zip(shown.items(), names, strict=True)
    ]


def differing(configs: Sequence[Any], labels: Mapping[str, str] = {}) -> list[str]:
    """A name for each config, made of the knobs in which they differ; numbered where they differ in none."""
    told = [_values(config, labels) for config in configs]
    names = list(dict.fromkeys(name for values in told for name in values))
    apart = [name for name in names if len({values.get(name, "") for values in told}) > 1]
    made = [_(", ").join(filter(None, (values.get(name, "") for name in apart))) for values in told]
    return [
        name if name and made.count(name) == 1 else _("{name} (run {n})").format(name=name or _("the same"), n=n)
        for n, name in enumerate(made, 1)
    ]  # fmt: skip


def _values(config: Any, labels: Mapping[str, str]) -> dict[str, str]:
    """Every knob that says something of the experiment, by its name, as "Epochs 5"."""
    knobs = knobs_of(type(config))
    hidden = SILENT if getattr(config, "network", "") == "own" else (*SILENT, "layers")
    return {f.name: _said(knobs[f.name], getattr(config, f.name), labels) for f in fields(config)
            if f.name in knobs and f.name not in hidden}  # fmt: skip


def _said(knob: Any, value: Any, labels: Mapping[str, str]) -> str:
    """A knob and its value, short; a choice speaks for itself."""
    if knob.choices:
        return _(name_for(labels, knob.name, value))
    if knob.kind is str:
        return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
    if knob.kind is bool:
        return _(knob.label) if value else ""
    text = _(knob.zero) if knob.zero and value == 0 else f"{value:.4g}" if isinstance(value, float) else f"{value:,}"
    return f"{_(knob.label)} {text}"


def _described(run: RunInfo, labels: Mapping[str, str]) -> str:
    """A run among many: dataset, network, what else is not as usual, and how it went."""
    values = _values(run.config, labels)
    given = {n: getattr(run.config, n) for n in ("dataset", "network", "optimizer") if n in values}
    usual = defaults_for(type(run.config), given)
    odd = [
        text for name, text in values.items() if text and (name in given or getattr(run.config, name) != usual[name])
    ]
    state = _("Waiting") if run.state == "queued" else _(STATES[run.state])
    return f"{_(', ').join(odd)} · {state}"


def _beginning(configs: Sequence[Any]) -> str:
    """Whether the runs begin alike: the seed fixes first weights and the order of the images."""
    seeds = {config.seed for config in configs}
    networks = {(config.network, config.layers if config.network == "own" else "") for config in configs}
    if len(seeds) > 1:
        return _("Their seeds differ, so their first weights do, too: part of what you see is chance.")
    if len(networks) > 1:
        return _("One seed, so the images come in the same order; the networks differ, so their first weights do.")
    return _("One seed and one network: all begin with the same weights and see the images in the same order.")
