"""The laboratory of augmentation: the strengths beside a grid of images that follows them while a slider is dragged."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import streamlit as st

from dlcore import augmentation_story as story
from dlcore import jobs
from dlcore.augmentation_settings import Strengths
from dlcore.experiments import augmentation_look
from dlcore.experiments.augmentation import Config
from dlcore.figures import DATA, GREY
from dlcore.figures import augmentation as figures
from dlcore.texts import N_, Problem
from ui.controls import controls, get_extra, put_extra, put_value
from ui.data_box import data_box
from ui.faults import unanswered
from ui.i18n import _
from ui.intro import lab
from ui.layer_editor import folded_editor
from ui.live_plot import live_plot
from ui.names import DATASETS, NETWORKS, OPTIMIZERS, PIXELS, SCHEDULES
from ui.session import imposed, page_state, set_up_by_teacher

SLUG, EXTRA = "augmentation", ("group", "spread", "rate", "quiz", "quiz_draw")
ROWS, DRAWS = 4, 8
HEIGHT, FOOT = 470, 5  # px of the grid; pixels of an image for the word below
LABELS = {
    "policy.own": N_("My own"), "none": N_("None"), "trivial": "Trivial", "policy.auto": "Auto", "mixup": "MixUp",
    "cutmix": "CutMix", "raw": N_("0 to 255"), "unit": N_("0 to 1"), "normalised": N_("Normalised"),
    "per_image": N_("Each image by itself"), **DATASETS, **NETWORKS, **PIXELS, **OPTIMIZERS, **SCHEDULES,
}  # fmt: skip
FOLDED = ("train_size", "network", "optimizer", "learning_rate", "batch_size", "epochs")


def draw() -> tuple[Config, dict[str, Any] | None, bool]:
    """Controls and grid; returns the config, what the grid shows (None: nobody answers), whether it can be trained.

    Made to be called by ``live_lab``.
    """
    panel, picture = lab()
    with panel:
        group = _group()
        config = controls(
            Config, labels=LABELS, folded=FOLDED, extra=EXTRA, hidden=lambda values: story.hidden(values, group)
        )
    with picture:
        _presets()
        here = data_box(config.dataset)
        made = _grid(config) if here else None
        fits = folded_editor(SLUG, config, unfolded=True)
    return config, made, here and fits


def _group() -> str:
    """Which strengths are drawn; a page set up by a teacher has none."""
    group = get_extra("group", slug=SLUG)
    group = group if group in story.GROUPS else next(iter(story.GROUPS))
    if not set_up_by_teacher():
        names = {name: _(title) for name, (title, _knobs) in story.GROUPS.items()}
        bound = imposed("augmentation.group", group, lambda chosen: put_extra("group", chosen, slug=SLUG))
        st.segmented_control(
            _("What is changed"), list(names), format_func=names.__getitem__, required=True, **bound,
            help=_("Four groups of operations; all that have a strength are used together."),
        )  # fmt: skip
    return group


def _presets() -> None:
    """Whole sets of strengths, one press each."""
    if set_up_by_teacher():
        return
    with st.container(horizontal=True, gap="small", key="presets"):
        for name, (title, strengths) in story.PRESETS.items():
            st.button(_(title), key=f"preset.{name}", on_click=_take, args=(strengths,), width="content")


def _take(strengths: Strengths) -> None:
    for f in fields(Strengths):
        put_value(f.name, getattr(strengths, f.name), slug=SLUG)
    if strengths != story.NONE:
        put_extra("group", story.group_of(strengths), slug=SLUG)


def _grid(config: Config) -> dict[str, Any] | None:
    """The originals in the first column, their variants beside them, and what to think of before they are used."""
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        st.container(height=HEIGHT, border=False).caption(
            _("The workers are being woken up; this takes a few seconds.")
        )
        return None
    state = page_state(SLUG)
    try:
        made = variants(config.dataset, story.strengths(config), state.get("draw", 0))
    except Problem as problem:
        unanswered(problem, "variants")
        return None
    flat = made["images"].reshape(-1, *made["images"].shape[2:])
    notes = _notes(made, mixed=config.mix != "none" and config.probability > 0)
    live_plot(
        figures.tiles(flat, 1 + DRAWS, foot=FOOT, notes=notes), key="variants", height=HEIGHT,
        aspect=figures.aspect(figures.arrangement(flat, 1 + DRAWS, FOOT)),
        alt=_("Four images, and beside each of them eight random variants of it, as the network is shown them."),
        table={_("image"): [_(made["classes"][k]) for k in made["labels"]]},
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="draw-row"):
        st.button(
            _("Draw again"), icon=":material/casino:", key="augmentation.draw", shortcut="D",
            on_click=lambda: state.update(draw=state.get("draw", 0) + 1),
        )  # fmt: skip
        st.caption(_("First column: the image itself. Beside it: what the network is shown in its place."))
    with st.container(height=104, border=False, key="doubts"):
        _doubts(config)
    return made


@st.cache_data(max_entries=64, show_spinner=False)
def variants(dataset: str, settings: dict[str, Any], seed: int) -> dict[str, Any]:
    """See ``augmentation_look.variants``."""
    return jobs.call(augmentation_look.variants, dataset, settings, seed, ROWS, DRAWS)


def _notes(made: dict[str, Any], *, mixed: bool) -> list[figures.Note]:
    """The class under each original; where two images are mixed, the shares under each variant."""
    names = [_(name) for name in made["classes"]]
    notes = [figures.Note(row * (1 + DRAWS), names[k], DATA) for row, k in enumerate(made["labels"])]
    if mixed:
        for row, shares in enumerate(made["shares"]):
            notes += [figures.Note(row * (1 + DRAWS) + 1 + k, shared(s, names), GREY) for k, s in enumerate(shares)]
    return notes


def shared(shares: np.ndarray, names: list[str]) -> str:
    """A target in shares as one reads it: ``3 .64 8 .36``; the two largest, where there are two."""
    best = np.argsort(-shares)[:2]
    if shares[best[0]] > 0.995:
        return names[best[0]]
    return " ".join(f"{names[k][:6]} {shares[k]:.0%}" for k in best)


def _doubts(config: Config) -> None:
    """Is the label still valid? What is known of these strengths on these images."""
    strengths = Strengths(**story.strengths(config))
    words = story.doubts(config.dataset, strengths)
    if not words:
        words = [
            N_("Would you still give each of these variants the label of its original? Then the network may, too.")
        ]
    st.markdown("\n".join(f"- {_(text)}" for text in words))
