"""The living picture of a network that learns to write: bits per letter, and what it writes meanwhile."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from dlcore.data.text import corpus
from dlcore.experiments.text import Config
from dlcore.figures import letters
from dlcore.figures.cells import NAMES
from dlcore.history import History
from dlcore.text_story import invented, real_words, samples
from dlcore.texts import Problem
from ui.i18n import _
from ui.live_plot import live_plot
from ui.session import current, page_state
from ui.text_film import text_film
from ui.training_view import running_mean

HEIGHT = 330
SMOOTHING = 30  # batches


def text_view(config: Config, history: History) -> None:
    """Draw all of it; space is kept before there is anything to see, and the lines without a network are there."""
    steps, texts = samples(history)
    group = f"text-{page_state(current()).get('run', '')}"
    plot, written = st.columns([1.25, 1], gap="small")
    with plot:
        _bits(config, history, steps, group)
    with written:
        source, data_hash = history.config.get("source", ""), history.config.get("data_hash", "")
        marks = {cell: [invented(text, source, data_hash) for text in some] for cell, some in texts.items()}
        text_film(
            steps.tolist(), texts, marks, key="text-film", group=group, height=HEIGHT - 46, names=NAMES,
            invite=_("Press Train: what the network writes will stand here, noise at first."),
        )  # fmt: skip
    with st.container(key="text-pace"):
        st.caption(_pace(history, texts))


def _bits(config: Config, history: History, frames: np.ndarray, group: str) -> None:
    learned, held_out = curves_of(history)
    film: dict[str, Any] = {"count": max(1, len(frames)), "group": group, "controls": False, "traces": {}}
    cell, ring = history.metrics.get("cell") or next(iter(held_out), None), None
    if len(frames) and cell and len(held_out[cell][0]):  # a ring on the curve goes with the samples
        ring = frames.astype(float), np.interp(frames, *held_out[cell])
    levels = history.info.get("levels") or levels_of(config)
    plot = letters.bits(learned, held_out, levels, history.total_steps or config.steps, ring, label=_)
    if ring:
        film["traces"] = {len(plot._data) - 1: {"x": {"at": ring[0]}, "y": {"at": ring[1]}}}
    live_plot(
        plot, key="bits", height=HEIGHT, frames=film,
        alt=_("Bits per letter against steps, on the text it learns from and on the held-out text."),
    )  # fmt: skip


def levels_of(config: Config) -> Mapping[str, float]:
    """What is reached on a text without a network; nothing where the text is not here."""
    try:
        return corpus(config.source, config.data_hash).levels
    except Problem:
        return {}


def curves_of(history: History) -> tuple[letters.Lines, letters.Lines]:
    """Bits of the learned text, smoothed, and of the held-out text, by cell: steps (n,) and bits (n,)."""
    step, tests = history.steps.column("step"), history.epochs.column("step")
    cells = history.info.get("cells", ())
    learned = {c: (step, running_mean(history.steps.column(f"loss/{c}") / math.log(2), SMOOTHING)) for c in cells}
    return learned, {c: (tests, history.epochs.column(f"test_bits/{c}")) for c in cells}


def _pace(history: History, texts: Mapping[str, list[str]]) -> str:
    """How fast it goes, and at the end what has been reached; a line that is always there."""
    speeds, info, config = history.steps.column("examples_per_second"), history.info, history.config
    if not len(speeds) or not info:
        return _("Bits per letter: how many yes-or-no questions the network still has to ask about each next letter.")
    if history.state == "finished":
        found = history.metrics
        words = _(
            "**{bits:.2f} bits** per letter on {held_out:,} letters that it never learned from, after {seconds:.0f} s "
            "({speed} letters per second). [Ask it yourself](#ask) or [look into its memory](#units)."
        )
        return words.format(
            bits=found["bits_per_character"], held_out=info["held_out"], seconds=found["seconds"],
            speed=_rounded(found["tokens_per_second"]),
        )  # fmt: skip
    share = real_words(next(iter(texts.values()))[-1], config["source"], config["data_hash"]) if texts else None
    words = _("{speed} letters per second · {seconds:.0f} s of training").format(
        speed=_rounded(float(np.median(speeds)) * config["length"]), seconds=history.steps.last("seconds")
    )
    if share is None:
        return words
    return (
        words
        + " · "
        + _("{share:.0%} of the words that it writes are in the text (others are underlined)").format(share=share)
    )


def _rounded(speed: float) -> str:
    """To two digits: the rest flickers and means nothing."""
    return f"{float(f'{speed:.2g}'):,.0f}"
