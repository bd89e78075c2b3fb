"""Where does it break? One change grows from nothing to its strongest, and the first answer with it goes under."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import Any

import streamlit as st

from dlcore.experiments.classify import Config
from dlcore.figures import answers
from dlcore.knobs import knobs_of
from dlcore.texts import N_, Problem
from dlcore.vision.changes import SWEEPS
from dlcore.vision.networks import KNOWN
from ui import network_choice as networks
from ui.classify_lab import Scene
from ui.controls import put_value
from ui.i18n import _, plain
from ui.later import as_it_comes, later
from ui.live_plot import live_plot
from ui.picture_source import LOOK, SLUG
from ui.session import imposed, set_up_by_teacher

NAMES = {
    "rotate": N_("Rotation"), "crop": N_("Crop"), "scale": N_("Size"), "blur": N_("Blur"), "noise": N_("Noise"),
    "brightness": N_("Brightness"), "grey": N_("Grey"), "occlude": N_("Cover in the middle"),
}  # fmt: skip
MOST = 12.0  # billions of multiply-adds for a sweep: a dear network is asked at fewer strengths
LEAST = 6


def draw(scene: Scene) -> None:
    """Draw the choice of what grows, the curve, and what it shows."""
    change = scene.config.change
    if not set_up_by_teacher():
        st.segmented_control(
            _("What grows"), list(SWEEPS), format_func=lambda name: _(NAMES[name]), required=True,
            label_visibility="collapsed",
            **imposed(f"{SLUG}.change", change, lambda name: put_value("change", name, slug=SLUG)),
        )  # fmt: skip
    config = replace(scene.config, steps=_steps(scene))
    as_it_comes(partial(_show, scene, config), partial(_ask, scene, config))


def _steps(scene: Scene) -> int:
    dearest = max((KNOWN[name].gflops for name in scene.names if name in KNOWN), default=0.0)
    return scene.config.steps if not dearest else max(LEAST, min(scene.config.steps, round(MOST / dearest)))


def _ask(scene: Scene, config: Config) -> list[dict[str, Any]] | None:
    """Each network's sweep; None while one is missing."""
    found = []
    for name, first in zip(scene.names, scene.first, strict=True):
        if "problem" in first:
            continue
        settings = {**asdict(config), "model": networks.worker_name(name)}
        key = ("sweep", scene.picture.key, *settings.values())
        found.append(later(key, f"{LOOK}:sweep", scene.picture.pixels, settings))
    return None if any(one is None for one in found) else found


def _show(scene: Scene, config: Config, found: list[dict[str, Any]] | None, problem: Problem | None) -> None:
    names = [name for name, first in zip(scene.names, scene.first, strict=True) if "problem" not in first]
    change, knob = config.change, knobs_of(Config).get(config.change)
    unit = _("share of width and height") if change == "occlude" else _(knob.unit) if knob else ""
    title = _("{change} ({unit})").format(change=_(NAMES[change]), unit=unit) if unit else _(NAMES[change])
    lines = [answers.Sweep(networks.title(name), one["strength"], one["probability"], one["index"])
             for name, one in zip(names, found or [], strict=False)]  # fmt: skip
    labels = [_labels(name, one) for name, one in zip(names, found or [], strict=False)]
    with st.container(key="break-plot"):
        if lines:
            live_plot(
                answers.sweeps(lines, labels, title=title, log=change == "brightness", label=_), key=f"{SLUG}.sweep",
                height=300, alt=_("The probability of the first answer while the change grows; hollow circles where "
                                  "another answer is likelier."),
            )  # fmt: skip
            for name, one, said in zip(names, found or [], labels, strict=True):
                st.markdown(_sentence(name, one, said, unit))
        elif problem is None:
            with st.container(height=300, border=False):
                st.caption(_("The network is being asked at each strength …"))


def _labels(name: str, found: dict[str, Any]) -> list[str]:
    index = [int(k) for k in found["index"]]
    return networks.class_names(name, [found["labels"][str(k)] for k in index], index)


def _sentence(name: str, found: dict[str, Any], said: list[str], unit: str) -> str:
    """What becomes of the first answer."""
    words = {"network": plain(networks.title(name)), "first": plain(said[0])}
    words["share"] = answers.percent(float(found["probability"][0]))
    if found["broken_at"] is None:
        text = _("{network}: **{first}** ({share} at first) stays the answer to the end.")
        return text.format(**words)
    words["other"] = plain(said[int((found["index"] != found["index"][0]).argmax())])
    words["strength"] = f"{found['broken_at']:.3g}{unit if unit in ('°', '%') else ''}"
    text = _("{network}: **{first}** ({share} at first) gives way to **{other}** at {strength}; "
             "it is the answer in {kept} of the steps.")  # fmt: skip
    return text.format(**words, kept=f"{found['kept']:.0%}")
