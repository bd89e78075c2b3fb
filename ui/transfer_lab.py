"""The transfer lesson's lab: a network to freeze block by block, and what every way to learn makes of few pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from dlcore import transfer_story as story
from dlcore.data.few_shot import INSECTS, insects_folder
from dlcore.data.new_shapes import KINDS
from dlcore.experiments.transfer import Config
from dlcore.figures import transfer as figures
from dlcore.figures.transfer import TITLES
from dlcore.history import History
from dlcore.texts import N_
from dlcore.transfer_methods import FROZEN, LAYERS, NEW, SHAPES, TRAINED, blocks_of, letters
from ui.controls import controls, put_value
from ui.freezer import freezer
from ui.i18n import _
from ui.intro import lab
from ui.lessons import lesson_for
from ui.live_plot import live_plot
from ui.run_panel import run_panel

SLUG, HEIGHT = "transfer", 244
LABELS = {
    "question.methods": N_("Ways"), "question.layers": N_("Blocks"), "question.distil": N_("Distillation"),
    "dataset.shapes": N_("Shapes"), "dataset.insects": N_("Ants and bees"),
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """What the lab shows: the settings and the run."""

    config: Config
    history: History


def draw() -> Shown:
    """Draw controls and picture; returns what they show."""
    panel, picture = lab()
    with panel:
        config = controls(Config, labels=LABELS, hidden=_hidden)
    with picture:
        _network(config)
        ready = config.dataset == "shapes" or insects_folder() is not None
        if not ready:
            st.info(_("The photographs of ants and bees are not on this machine. The shapes are always here."))
        history = run_panel(lesson_for(SLUG), config, partial(view, config), ready=ready)
    return Shown(config, history)


def _hidden(values: Mapping[str, Any]) -> Sequence[str]:
    """The picture sets ``own``; the shipped backbone has learned what it has learned."""
    unseen = ["own"] if values["question"] == "methods" else ["own", "slower", "rank"]
    if values["dataset"] != "shapes":
        unseen += ["source_classes", "source_epochs"]
    return unseen if values["question"] == "distil" else [*unseen, "temperature"]


def _network(config: Config) -> None:
    classes = [_(name) for name in (KINDS if config.dataset == "shapes" else INSECTS)]
    blocks = blocks_of(LAYERS[config.dataset], SHAPES[config.dataset], len(classes))
    count = len(blocks) - 1
    presets = {
        _(TITLES["scratch"]): NEW * count, _(TITLES["frozen"]): FROZEN * count,
        _(TITLES["last"]): FROZEN * (count - 1) + TRAINED, _(TITLES["finetuned"]): TRAINED * count,
    }  # fmt: skip
    freezer(
        blocks, letters(config.own, count), key=f"freezer-{config.dataset}", classes=classes, presets=presets,
        shapes=config.dataset == "shapes", on_letters=lambda made: put_value("own", made, slug=SLUG),
    )  # fmt: skip


# -- pictures --------------------------------------------------------------------------------------------------------


def view(config: Config, history: History) -> None:
    """All that lives: the results so far, the training that goes on, and a sentence."""
    words, values = story.said(config, history)
    with st.container(key="transfer-story"):
        st.markdown(_(words).format(**{name: _(value) for name, value in values.items()}))
    left, right = st.columns([1.25, 1], gap="small")
    with left:
        _results(config, history)
    with right:
        _training(history)


def _results(config: Config, history: History) -> None:
    images, scores = story.scores_of(history)
    guessing = 1 / len(history.info.get("classes", KINDS if config.dataset == "shapes" else INSECTS))
    ran = history.config.get("question", config.question)
    if ran == "layers":
        count = len(blocks_of(LAYERS[config.dataset], SHAPES[config.dataset], 2)) - 1
        plot = figures.by_blocks(story.by_blocks(scores), count, guessing=guessing, label=_)
        alt = _("Right answers on new pictures against blocks taken over, frozen and trained on.")
    else:
        name, _steps, shares = story.under_way(history)
        live = history.state in ("running", "paused") and name.isdecimal()
        now = {method: (float(name), float(share[-1])) for method, share in shares.items()} if live else {}
        most = float(history.config.get("images", config.images))
        plot = figures.by_images(images, scores, now=now, most=most, guessing=guessing, label=_)
        alt = _("Right answers on new pictures against pictures of each class, a line for each way to learn.")
    live_plot(plot, key="transfer-results", height=HEIGHT, alt=alt)


def _training(history: History) -> None:
    name, steps, shares = story.under_way(history)
    levels = {}
    if name == "pupils":
        levels = {"teacher": float(story.scores_of(history)[1]["teacher"][0][0])}
    last = {"source": None, "pupils": 5 * history.config.get("steps", 60)}.get(name, history.config.get("steps", 60))
    if last is None:
        last = max(float(steps[-1]), history.total_steps - _rest(history)) if len(steps) else 100.0
    guessing = 1 / (len(history.info.get("classes", ())) or 4)
    live_plot(
        figures.progress(
            steps, shares, last=float(last), levels=levels, guessing=None if name == "source" else guessing, label=_
        ),
        key="transfer-training", height=HEIGHT,
        alt=_("Right answers on held-out pictures against the steps of the training that goes on."),
    )  # fmt: skip


def _rest(history: History) -> float:
    """Steps of all stages but the first."""
    steps = history.config.get("steps", 60)
    return sum(5 * steps if name == "pupils" else steps for name in history.info["stages"][1:])


def cost(history: History) -> None:
    """What each way costs: numbers that are trained, time of a step, and what it reaches; a picture and a table."""
    rows = story.table(history)
    with st.container(key="prose-cost-picture"):
        sizes = list(rows[0]["accuracy"]) if rows else []
        at = 5 if 5 in sizes else (sizes[-1] if sizes else 5)
        live_plot(
            figures.cost(
                [r["name"] for r in rows], [r["trained"] for r in rows], [r["accuracy"][at] for r in rows], label=_
            ),
            key="transfer-cost", height=280,
            alt=_("Right answers on new pictures against how many numbers each way trains."),
        )  # fmt: skip
        if not rows:
            st.caption(_("When a run on “Ways” has finished, they stand here side by side."))
            return
        st.caption(_("With {n} pictures of each class.").format(n=at))
        heads = [_("Way"), _("numbers trained"), _("ms per step"), *(str(size) for size in sizes)]
        lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
        for row in rows:
            shares = [story.percent(share) for share in row["accuracy"].values()]
            cells = [_(TITLES[row["name"]]), f"{row['trained']:,}", _ms(row["step_ms"]), *shares]
            lines.append("| " + " | ".join(cells) + " |")
        st.markdown("\n".join(lines))


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.2g}"
