"""Where does it break? One change grows from nothing to its strongest, and the first answer with it goes under."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import streamlit as st

from dlcore.experiments.classify import Config, strength, summary
from dlcore.figures import answers
from dlcore.knobs import knobs_of
from dlcore.texts import N_, Problem
from dlcore.vision.changes import SWEEPS
from dlcore.vision.networks import KNOWN
from ui import network_choice as networks
from ui.classify_lab import Scene
from ui.controls import put_value
from ui.i18n import _, plain, tell
from ui.later import later
from ui.live_plot import live_plot
from ui.picture_source import LOOK, SLUG
from ui.session import imposed, in_fragment, set_up_by_teacher

NAMES = {
    "rotate": N_("Rotation"), "crop": N_("Crop"), "scale": N_("Size"), "blur": N_("Blur"), "noise": N_("Noise"),
    "brightness": N_("Brightness"), "grey": N_("Grey"), "occlude": N_("Cover in the middle"),
}  # fmt: skip
MOST = 12.0  # billions of multiply-adds for a sweep: a dear network is asked at fewer strengths
LEAST = 6
PIECE, TICK = 4, 0.4  # strengths that are asked for at once; seconds between two looks


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
    try:
        found = _found(scene, config)
    except Problem as problem:
        st.caption(tell(problem))
        return
    st.fragment(_show, run_every=None if _whole(found, config) else TICK)(scene, config)


def _steps(scene: Scene) -> int:
    dearest = max((KNOWN[name].gflops for name in scene.names if name in KNOWN), default=0.0)
    return scene.config.steps if not dearest else max(LEAST, min(scene.config.steps, round(MOST / dearest)))


def _found(scene: Scene, config: Config) -> dict[str, dict[str, Any]]:
    """Each network's sweep as far as it has come: ``rows`` and ``labels``, by its name.

    It is asked for in pieces, the next when the one before has come: what nobody looks at any more is not computed.
    """
    ways, found = [k / config.steps for k in range(config.steps + 1)], {}
    for name, untouched in zip(scene.names, scene.first, strict=True):
        if "problem" in untouched:
            continue
        settings = {**asdict(config), "model": networks.worker_name(name)}
        found[name] = {"rows": [], "labels": {}}
        for piece in [ways[:1], *(ways[k : k + PIECE] for k in range(1, len(ways), PIECE))]:
            first = found[name]["rows"][0]["first"] if found[name]["rows"] else None
            key = ("sweep", scene.picture.key, *settings.values(), piece[0])
            came = later(key, f"{LOOK}:sweep", scene.picture.pixels, settings, piece, first)
            if came is None:
                return found
            found[name] = {"rows": found[name]["rows"] + came["rows"], "labels": found[name]["labels"] | came["labels"]}
    return found


def _whole(found: dict[str, dict[str, Any]], config: Config) -> bool:
    return all(len(one["rows"]) == config.steps + 1 for one in found.values())


def _show(scene: Scene, config: Config) -> None:
    """The curves as far as they have come, and when they are whole what they show."""
    try:
        found = _found(scene, config)
    except Problem as problem:
        st.caption(tell(problem))
        return
    change, knob = config.change, knobs_of(Config).get(config.change)
    unit = _("share of width and height") if change == "occlude" else _(knob.unit) if knob and knob.unit else ""
    title = _("{change} ({unit})").format(change=_(NAMES[change]), unit=unit) if unit else _(NAMES[change])
    said = {name: _labels(name, one) for name, one in found.items()}
    lines = [answers.Sweep(networks.title(name), *_columns(one["rows"])) for name, one in found.items() if one["rows"]]
    labels, log = [said[name] for name in found], change == "brightness"
    live_plot(
        answers.sweeps(lines, labels, title=title, ends=_ends(config), log=log, label=_), key=f"{SLUG}.sweep",
        height=300, alt=_("The probability of the first answer while the change grows; hollow circles where another "
                          "answer is likelier."),
    )  # fmt: skip
    whole = _whole(found, config)
    with st.container(key="break-story"):
        for name, one in found.items():
            st.markdown(_sentence(name, one, said[name], unit) if whole else "…")
    if whole and in_fragment():
        st.rerun()  # once: no more looking


def _ends(config: Config) -> tuple[float, float]:
    return strength(config, 0.0), strength(config, 1.0)


def _columns(rows: list[dict[str, Any]]) -> list[np.ndarray]:
    return [np.array([row[name] for row in rows]) for name in ("strength", "probability", "index")]


def _labels(name: str, found: dict[str, Any]) -> list[str]:
    index = [row["index"] for row in found["rows"]]
    return networks.class_names(name, [found["labels"][str(k)] for k in index], index)


def _sentence(name: str, found: dict[str, Any], said: list[str], unit: str) -> str:
    """What becomes of the first answer."""
    rows, ended = found["rows"], summary(found["rows"])
    words = {"network": plain(networks.title(name)), "first": plain(said[0])}
    words["share"] = answers.percent(ended["probability"])
    if ended["broken_at"] is None:
        text = _("{network}: **{first}** ({share} at first) stays the answer to the end.")
        return text.format(**words)
    words["other"] = plain(said[next(k for k, row in enumerate(rows) if row["index"] != row["first"])])
    words["strength"] = f"{ended['broken_at']:.3g}{unit if unit in ('°', '%') else ''}"
    text = _("{network}: **{first}** ({share} at first) gives way to **{other}** at {strength}; "
             "it is the answer in {kept} of the steps.")  # fmt: skip
    return text.format(**words, kept=f"{ended['kept']:.0%}")
