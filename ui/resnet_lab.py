"""The depth lesson's lab: errors of both networks, what arrives in each block, a block with its sum; all one film."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore import resnet_story as story
from dlcore.experiments import resnet_look
from dlcore.experiments.resnet import Config, depths_of
from dlcore.experiments.resnet_look import SHAPING
from dlcore.figures import resnet as figures
from dlcore.history import History
from dlcore.knobs import Knob, build
from dlcore.resnet_blocks import chain
from dlcore.texts import N_
from ui import address
from ui.block_view import block_view
from ui.controls import controls, get_extra, put_extra, read_extra
from ui.data_box import data_box
from ui.faults import if_ready
from ui.film import thinned
from ui.i18n import _, sentences
from ui.intro import lab
from ui.lessons import lesson_for
from ui.live_plot import live_plot
from ui.names import BLOCKS, DATASETS, OPTIMIZERS, RESNETS, SCHEDULES
from ui.run_panel import run_panel

SLUG, GROUP = "resnet", "depth"
LABELS = {**DATASETS, **RESNETS, **BLOCKS, **OPTIMIZERS, **SCHEDULES}
FOLDED = ("depths", "twin", "residual", "optimizer", "batch_size", "epochs")
STACK_ONLY, NET_ONLY = ("blocks", "depth", "width", "depths"), ("shortcut",)
HEIGHT = 152  # px; the lab fits a laptop's screen
GRADIENTS, VARIANCES = (1e-6, 1e0), (1e-4, 1e1)  # what the axes show at least
ICONS = {"plain_lost": ":red[:material/trending_flat:]", "plain_behind": ":orange[:material/south_east:]",
         "both": ":green[:material/check_circle:]", "neither": ":orange[:material/block:]",
         "residual_lost": ":orange[:material/swap_vert:]", "vanishes": ":orange[:material/trending_down:]",
         "grows": ":orange[:material/trending_up:]"}  # fmt: skip

Film = dict[str, np.ndarray]  # "step" (F,), and by quantity and network, as "weights/plain", (F, L)


@dataclass(frozen=True)
class Shown:
    """What the lab shows: the settings, the run, and (1, L) what goes through blocks of networks that begin so."""

    config: Config
    history: History
    fresh: Film
    opened: int | None  # the block that the reader opened, from 0; None while nobody has


def draw() -> Shown:
    """Draw controls and picture; returns what they show."""
    panel, picture = lab()
    with panel:
        config = controls(Config, labels=LABELS, hidden=_hidden, folded=FOLDED, extra=("block", "removed"))
    with picture:
        here = data_box(config.dataset)
        fresh = _fresh(config) if here else {}
        history = run_panel(lesson_for(SLUG), config, partial(view, config, fresh), ready=here)
    asked = get_extra("block", slug=SLUG)
    return Shown(config, history, fresh, int(asked) - 1 if asked.isdecimal() else None)


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    """The networks of the paper are as deep as they are; a stack changes no shape."""
    unseen = NET_ONLY if values["network"] == "stack" else STACK_ONLY
    return (*unseen, "residual") if values["twin"] else unseen


def _fresh(config: Config) -> Film:
    """What goes through networks that begin with these settings; nothing while no worker answers."""
    return if_ready(partial(_asked, tuple((name, getattr(config, name)) for name in SHAPING)), SLUG)


@st.cache_data(max_entries=256, show_spinner=False)
def _asked(settings: tuple[tuple[str, Any], ...]) -> Film:
    return {"step": np.zeros(1), **jobs.call(resnet_look.fresh, dict(settings), timeout=60.0)}


def film_of(config: Config, fresh: Film, history: History) -> Film:
    """The run's film where it is of the networks on screen, else the one frame before training."""
    same = all(history.config.get(name) == getattr(config, name) for name in SHAPING)
    return thinned(history.frames.all()) if same and len(history.frames) else fresh


def of_networks(film: Film, quantity: str) -> dict[str, np.ndarray]:
    """By network, the frames (F, L) of a quantity."""
    return {name: film[f"{quantity}/{name}"] for name in figures.NAMES if f"{quantity}/{name}" in film}


# -- pictures --------------------------------------------------------------------------------------------------------


def view(config: Config, fresh: Film, history: History) -> None:
    """All that lives: errors, what arrives in each block, the blocks; and a sentence."""
    address.follow()  # a block that was opened
    film = film_of(config, fresh, history)
    errors, gradients, variances = st.columns([1.15, 1, 1], gap="small")
    with errors:
        _errors(history, film)
    with gradients:
        _by_block("weights", N_("gradient of the weights"), GRADIENTS, film)
    with variances:
        _by_block("activation", N_("variance of the output"), VARIANCES, film)
    with st.container(key="resnet-story"):
        st.markdown(said(config, fresh, history))
    drawn = chain(config)
    flows = {
        name: {what: film[f"{what}/{name}"] for what in ("x", "f", "y", "gx", "gradient", "weights", "link", "through")}
        for name in figures.NAMES if f"x/{name}" in film
    }  # fmt: skip
    block_view(
        drawn, flows, key="blocks", steps=film.get("step", np.zeros(1)), total=history.total_steps, group=GROUP,
        block=_block(len(drawn.kind_of)), on_block=lambda k: put_extra("block", str(k + 1), slug=SLUG),
    )  # fmt: skip


def _block(count: int) -> int:
    """Which block is opened: what the address says, else the middle one."""
    asked = read_extra(Knob("block", int, (count + 1) // 2, low=1, high=count), slug=SLUG, silent=True)
    return (asked or (count + 1) // 2) - 1


def _errors(history: History, film: Film) -> None:
    steps = history.epochs.column("step")
    found = {
        kind: {
            name: (steps, 1 - history.epochs.column(f"{kind}_accuracy/{name}")) for name in _trained(history)
        } for kind in ("train", "test")
    }  # fmt: skip
    guessing = 1 - 1 / (len(history.info.get("classes", ())) or 10)
    plot, frames = figures.errors(
        found["train"], found["test"], steps=float(history.total_steps or 100), playhead=film.get("step", np.zeros(1)),
        depths=_depths(history), guessing=guessing, label=_,
    )  # fmt: skip
    live_plot(
        plot, key="resnet-errors", height=HEIGHT, frames={**frames, "group": GROUP, "controls": False},
        alt=_("Share of wrong answers against steps: bold on the training images, dashed on held-out ones."),
    )  # fmt: skip


def _by_block(quantity: str, title: str, span: tuple[float, float], film: Film) -> None:
    alts = {
        "weights": _("The norm of the gradient of each block’s weights, on a logarithmic scale; dotted, at the start."),
        "activation": _("The variance of each block’s output, on a logarithmic scale; dotted, at the start."),
    }
    plot, frames = figures.by_block(of_networks(film, quantity), title=title, span=span, height=HEIGHT, label=_)
    live_plot(plot, key=f"resnet-{quantity}", height=HEIGHT, alt=alts[quantity],
              frames={**frames, "group": GROUP, "controls": False})  # fmt: skip


def _trained(history: History) -> list[str]:
    """The networks that the run trains."""
    return [name for name in figures.NAMES if name in history.info.get("networks", ())]


def _depths(history: History) -> list[int]:
    """The depths that the run trains at, one after the other; none while there is no run."""
    return depths_of(build(Config, history.config)) if history.config.get("network") == "stack" else []


# -- words -----------------------------------------------------------------------------------------------------------


def said(config: Config, fresh: Film, history: History) -> str:
    """What to see now, in the numbers on screen; a line that is always there."""
    told = None
    if history.state == "finished":
        told = story.verdict(story.errors(history.metrics), layers(history))
    if told is None:
        told = story.fresh({name: row[0] for name, row in of_networks(fresh, "weights").items()})
    waits = patience(config) if history.state == "empty" else ""
    if told is not None:
        return sentences(f"{ICONS[told.kind]} {_(told.sentence).format(**told.values)}", waits)
    if waits:
        return waits
    if jobs.status().state == "down":
        return _("There is no worker that could compute what goes through the blocks.")
    return _("The workers are being woken up; then the numbers of all blocks appear here.")


def patience(config: Config) -> str:
    """How long a network of the paper will take; nothing for a stack: most take seconds, and the run panel tells."""
    expected = story.minutes(config)
    if expected is None:
        return ""
    if expected < 2:
        return _("Without a graphics card this run takes a minute or two.")
    words = _("On two processor cores without a graphics card this run takes about {n} minutes.")
    return words.format(n=round(expected, None if expected < 20 else -1))


def layers(history: History) -> int:
    """How deep the run's networks are, in layers with weights: those of the blocks of a stack, else of the name."""
    network = str(history.config.get("network", "stack"))
    return int(history.config.get("depth", 0)) if network == "stack" else int(network.removeprefix("resnet"))
