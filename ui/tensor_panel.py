"""The numbers that enter the network, channel by channel."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.figures import images
from dlcore.texts import Problem
from ui import network_choice as networks
from ui.classify_lab import Scene
from ui.i18n import _, tell
from ui.kept_here import kept
from ui.live_plot import live_plot
from ui.picture_source import LOOK, settings


def tensor_panel(scene: Scene) -> None:
    """Draw the first network's input, and say its shape and range; on request, since it is half a megabyte."""
    if not st.toggle(_("Show the numbers"), key="classify.numbers", value=False):
        return
    worker = networks.worker_name(scene.names[0])
    asked = settings(scene.config)
    key = ("tensor", scene.picture.key, worker, *asked.values(), scene.config.seed)
    try:
        values = kept("tensor", key, lambda: jobs.call(
            f"{LOOK}:tensor", scene.picture.pixels, worker, asked, scene.config.seed))  # fmt: skip
    except Problem as problem:
        st.info(tell(problem))
        return
    _draw(values)


def _draw(values: np.ndarray) -> None:
    words = _("{shape} = {count:,} numbers, from {low:.2f} to {high:.2f}; mean {mean:.2f}")
    shape = " × ".join(map(str, values.shape))
    st.caption(words.format(shape=shape, count=values.size, low=values.min(), high=values.max(), mean=values.mean()))
    live_plot(
        images.tensor(values), key="classify.tensor", height=420, aspect=1.0,
        alt=_("The channels of the picture as the network gets them: red and green above, blue below."),
    )  # fmt: skip
