"""The living picture of a reader that trains: its curves beside those of its plain rivals, and one text being read."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dlcore.data import catalogue
from dlcore.data.corpora import AUTO, BUILT_IN, REAL, dataset_of, is_real
from dlcore.data.datasets import CATALOGUE
from dlcore.figures import DATA, GREY, reading
from dlcore.figures.cells import COLORS, NAMES
from dlcore.figures.curves import Curve, Level, curves
from dlcore.history import History
from dlcore.texts import N_
from ui.data_box import data_box
from ui.i18n import _, sentences
from ui.live_plot import live_plot
from ui.names import OPTIMIZERS, SCHEDULES
from ui.training_view import running_mean

HEIGHT, SMOOTHING = 230, 20
NEAR = 0.06  # levels nearer than this would write their names over each other
LABELS = {
    **OPTIMIZERS, **SCHEDULES, "names": N_("Names"), "sentiment": N_("Opinions"), "en": N_("English"),
    "zh": N_("Chinese"), "dataset.auto": N_("What is here"), "real": N_("Real"),
    "built_in": N_("Built in"), **NAMES, "all": N_("All three"),
    "usual": N_("As usual"), "orthogonal": N_("Orthogonal"), "last": N_("Last state"), "max": N_("Largest"),
    "mean": N_("Mean"),
}  # fmt: skip


def hidden(values: dict[str, Any]) -> tuple[str, ...]:
    """Knobs that mean nothing for the task."""
    return () if values["task"] == "sentiment" else ("language",)


def data_note(config: Any) -> bool:
    """Say what is learned from, or offer to fetch it; whether it is here."""
    name = dataset_of(config.task, config.language, config.dataset)
    if is_real(name):
        return data_box(name, instead=BUILT_IN)
    entry = CATALOGUE[dataset_of(config.task, config.language, REAL)]
    words = _("Built in: {what}.").format(what=_(entry.stand_in_title))
    if config.dataset == AUTO and not catalogue.locate(entry.name):
        fetch = _("{title} is not on this machine; choose “Real” to fetch it.").format(title=_(entry.title))
        words = sentences(words, fetch)
    st.caption(words)
    return True


def view(history: History) -> None:
    """Draw it, quick enough for every tick."""
    left, right = st.columns(2, gap="small")
    with left:
        live_plot(
            loss_figure(history), key="loss", height=HEIGHT,
            alt=_("Loss against steps, for the batches it learns from and for texts held out."),
        )  # fmt: skip
    with right:
        live_plot(
            accuracy_figure(history), key="accuracy", height=HEIGHT,
            alt=_("Share of right answers against steps, with those of a bag of words and of a constant answer."),
        )  # fmt: skip
    st.caption(pace(history))
    _example(history)


def loss_figure(history: History) -> go.Figure:
    """Running mean of the batches' loss (faint) and the held-out loss of each cell."""
    return _figure(history, "loss", N_("loss"), None, ())


def accuracy_figure(history: History) -> go.Figure:
    """Share of right answers of each cell, with the levels of what needs no network."""
    bag, same = (history.info.get(name) for name in ("bag_accuracy", "majority_accuracy"))
    levels = []
    if bag is not None and same is not None:
        alike = abs(bag - same) < NEAR
        levels = [
            Level(bag, N_("bag of words, or always the same") if alike else N_("bag of words"), GREY),
            Level(same, "" if alike else N_("always the same"), GREY),
        ]
    return _figure(history, "accuracy", N_("right answers"), (0.0, 1.02), levels)


def _figure(history: History, name: str, title: str, span: tuple[float, float] | None, levels) -> go.Figure:
    cells = history.info.get("cells", [])
    lines = []
    for cell in cells:
        step, values = history.steps.column("step"), history.steps.column(f"{name}/{cell}")
        color = DATA if len(cells) == 1 else COLORS[cell]
        mean = running_mean(values, SMOOTHING)
        alone = N_("training") if len(cells) == 1 else ""
        lines.append(Curve(step, mean, alone, color, width=1.5, opacity=1.0 if alone else 0.4))
    for cell in cells:
        step, values = history.epochs.column("step"), history.epochs.column(f"test_{name}/{cell}")
        lines.append(
            Curve(step, values, N_("held out") if len(cells) == 1 else NAMES[cell], COLORS[cell], markers=True)
        )
    x_range = (0.0, float(history.total_steps or 100))
    percent = ".0%" if name == "accuracy" else ""
    return curves(
        lines, x_title=N_("step"), y_title=title, x_range=x_range, y_range=span, y_format=percent, levels=levels,
        line_height=0.13, label=_,
    )  # fmt: skip


def _example(history: History) -> None:
    """The example text as it is read now; its place is kept before there is a run."""
    snapshot, tokens = history.snapshots.get("reading"), history.info.get("example_tokens", [])
    with st.container(height=HEIGHT + 50, border=False, key="reading-example"):
        if snapshot is None or not tokens:
            st.caption(_("What it makes of one text, step by step, appears here as soon as it trains."))
            return
        cell = history.metrics.get("cell") or history.info["cells"][0]
        st.caption(_("What the {cell} makes of “{text}”, after each piece of it:").format(
            cell=LABELS[cell], text=history.info["example"]
        ))  # fmt: skip
        reading_figure(snapshot.arrays[cell], tokens, history.info["classes"], key="example", height=HEIGHT)


def reading_figure(
    shares: np.ndarray, tokens: list[str], classes: list[str], *, key: str, height: int, bag: float | None = None
) -> None:
    """Probabilities ``(T, K)`` after each token: as a table for many classes, as a line for two."""
    if len(classes) > 2:
        figure = reading.letter_by_letter(shares, tokens, classes, label=_)
        alt = _("The likeliest classes after each letter: rows are classes, columns letters.")
        table = {_("letter"): tokens, **{_(name): shares[:, k].round(4) for k, name in enumerate(classes)}}
    else:
        figure = reading.word_by_word(shares[:, 1], tokens, bag=bag, label=_)
        alt = _("The probability that the text praises, after each word.")
        table = {_("word"): tokens, _("praises"): shares[:, 1].round(4)}
    live_plot(figure, key=f"reading.{key}.{len(classes) > 2}", height=height, alt=alt, table=table)


def pace(history: History) -> str:
    """What has been reached; a line that is always there."""
    if history.state == "finished" and "bag_accuracy" in history.metrics:
        found = history.metrics
        words = _(
            "After {seconds} s of training {share} of {total} held-out texts are answered right; a bag of words gets "
            "{bag}. [Ask it yourself](#ask)."
        )
        return words.format(
            seconds=round(found["seconds"], 1), share=f"{found['test_accuracy']:.1%}",
            bag=f"{found['bag_accuracy']:.1%}", total=f"{history.info['test_size']:,}",
        )  # fmt: skip
    speeds = history.steps.column("examples_per_second")
    if not len(speeds):
        return _("Blue: what it learns from. Coloured dots: texts held out, which it never learns from.")
    return _("{speed} texts per second · {seconds} s of training").format(
        speed=f"{float(f'{np.median(speeds):.2g}'):,.0f}", seconds=f"{history.steps.last('seconds'):.1f}"
    )
