"""How deep may a network be? Gradients by layer while the sliders move, and then: does it train?"""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlcore.depth import Profile, profile
from dlcore.experiments.backpropagation import Config
from dlcore.figures import backprop
from dlcore.graph_math import number
from dlcore.history import History
from dlcore.texts import N_
from ui import check_lab, graph_lab, layer_view
from ui.controls import controls
from ui.i18n import _
from ui.live_plot import live_plot

LABELS = {
    "sigmoid": N_("sigmoid"), "tanh": "tanh", "relu": "relu", "gelu": "gelu",
    "zeros": N_("zeros"), "small": N_("small"), "xavier": "Xavier", "he": "He",
}  # fmt: skip
EXTRA = (*graph_lab.EXTRA, *check_lab.EXTRA, *layer_view.EXTRA)
GUESSING = float(np.log(2))  # cross-entropy of two classes at even odds


def draw() -> tuple[Config, Profile]:
    """Draw controls and the profile of the network as it begins."""
    with st.container(key="lab-depth"):
        panel, picture = st.columns([1, 2.7], gap="large")
    with panel:
        config = controls(Config, labels=LABELS, extra=EXTRA)
    with picture:
        made = profile(config.depth, config.width, config.activation, config.init, config.seed)
        limit = made.limit if config.activation == "sigmoid" and config.init == "xavier" else None
        live_plot(
            backprop.depth_curve(made.deltas, made.theory, made.signals, limit, label=_), key="depth", height=380,
            alt=_("Size of the gradient at every hidden layer, measured and in theory, on a logarithmic scale."),
        )  # fmt: skip
        st.markdown(_sentence(config, made))
    return config, made


def _sentence(config: Config, made: Profile) -> str:
    ratio = made.ratio
    if config.init == "zeros" or not np.isfinite(ratio):
        return ":red[:material/block:] " + _(
            "With weights of zero nothing passes: below the last hidden layer every gradient is 0, and the units of a "
            "layer could never become different from one another.")  # fmt: skip
    if ratio == 0:
        return ":red[:material/trending_down:] " + _(
            "So little is left that the computer’s numbers end: the first layer’s gradient is 0.")  # fmt: skip
    per_layer = ratio ** (1 / max(config.depth - 1, 1))
    numbers = {"ratio": number(ratio, 2), "factor": number(per_layer, 3), "depth": config.depth}
    if ratio < 0.1:
        return ":orange[:material/trending_down:] " + _(
            "It vanishes: the first layer gets {ratio} of what the last one gets. On average each of the {depth} "
            "layers multiplies it by {factor}.").format(**numbers)  # fmt: skip
    if ratio > 10:
        return ":orange[:material/trending_up:] " + _(
            "It explodes: the first layer gets {ratio} times what the last one gets. On average each of the {depth} "
            "layers multiplies it by {factor}.").format(**numbers)  # fmt: skip
    return ":green[:material/check_circle:] " + _(
        "It arrives: the first layer gets {ratio} of what the last one gets, a factor of {factor} for each of the "
        "{depth} layers.").format(**numbers)  # fmt: skip


def training(config: Config, history: History) -> None:
    """The run, live: its loss, and the gradients of all layers at the beginning and now."""
    step, loss = history.steps.column("step"), history.steps.column("loss")
    rows = history.steps.rows
    now = np.array(rows[-1]["gradient_norms"]) if rows else np.zeros(0)
    first = np.array(rows[0]["gradient_norms"]) if rows else np.zeros(0)
    left, right = st.columns(2)
    with left:
        live_plot(
            backprop.loss_plot(step, loss, history.total_steps or config.steps, GUESSING, label=_), key="training-loss",
            height=260, alt=_("Training loss against steps; the dotted line is what guessing costs."),
        )  # fmt: skip
    with right:
        live_plot(
            backprop.norm_plot(first, now, layers=config.depth + 1, label=_), key="training-norms", height=260,
            alt=_("Gradient of every layer’s weights, at the start and now."),
        )  # fmt: skip
    st.caption(_said(history))


def _said(history: History) -> str:
    """How it went; a line that is always there."""
    accuracy, loss = history.steps.last("accuracy"), history.steps.last("loss")
    if accuracy is None:
        return _("A disc in a ring, 40 points, to be told apart by the network above. Does it learn?")
    if loss > 0.95 * GUESSING:
        return _("Loss {loss}: no better than guessing ({guessing}).").format(
            loss=number(loss), guessing=number(GUESSING, 3)
        )
    return _("Loss {loss}, {share} of the points right. Guessing costs {guessing}.").format(
        loss=number(loss, 3), share=f"{accuracy:.0%}", guessing=number(GUESSING, 3)
    )


def kept(config: Config, made: Profile) -> float:
    """How far the challenge “30 layers within a factor of 10” is achieved."""
    if config.depth < 30 or not np.isfinite(made.ratio):
        return 0.0
    return 1.0 if 0.1 <= made.ratio <= 10 else 0.5
