"""The errors of this browser's finished runs of the depth lesson, and their picture against depth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore import resnet_story as story
from dlcore.experiments.resnet import Config
from dlcore.figures import resnet as figures
from dlcore.resnet_story import Ended
from ui.i18n import _
from ui.live_plot import live_plot
from ui.session import owner, page_state

SLUG = "resnet"
NEWEST = 60  # runs that are looked at


def finished() -> list[Ended]:
    """The finished runs, newest first, and each depth of one that went through several; each is read once."""
    kept: dict[str, list[Ended]] = page_state(SLUG).setdefault("ended", {})
    rows: list[Ended] = []
    for run in jobs.runs(owner(), SLUG)[:NEWEST]:
        if run.state == "finished":
            if run.run_id not in kept:
                kept[run.run_id] = story.ended(run.config, jobs.history(run.run_id, owner=owner()).metrics)
            rows += kept[run.run_id]
    return rows


def by_depth(config: Config, runs: Sequence[Ended]) -> None:
    """The training error of finished stacks against depth: those that differ from the settings in it and the seed."""
    alike = [run for run in runs if run.alike(config)]
    lines: dict[str, Any] = {}
    for name in figures.NAMES:
        points = sorted({run.config.depth: run.errors[name] for run in reversed(alike) if name in run.errors}.items())
        if points:
            lines[name] = tuple(np.array(column, float) for column in zip(*points, strict=True))
    with st.container(key="prose-by-depth-picture"):
        live_plot(
            figures.by_depth(lines, guessing=story.guessing(config.dataset), label=_),
            key="resnet-by-depth", height=260,
            alt=_("The training error of both networks against depth, one point for each finished run."),
        )  # fmt: skip
        count = len({run.config.depth for run in alike})
        st.caption(
            _("Depths trained so far with the settings on screen: {n}. Each finished run adds its points.").format(
                n=count
            )
        )
