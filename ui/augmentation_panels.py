"""Below the lab of augmentation: pixels before and after scaling, the two trainings, and what came of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import numpy as np
import streamlit as st

from dlcore import augmentation_story as story
from dlcore import jobs
from dlcore.experiments import augmentation_look
from dlcore.experiments.augmentation import SCALINGS, Config
from dlcore.figures import DATA, GREY, MODEL, REFERENCE
from dlcore.figures import augmentation as figures
from dlcore.history import History
from dlcore.knobs import Knob, build
from dlcore.texts import N_, Problem
from ui.augmentation_lab import LABELS, SLUG
from ui.compare_runs import Contender, compare_runs
from ui.controls import extra_choice, put_extra, read_extra
from ui.faults import unanswered
from ui.i18n import _
from ui.live_plot import live_plot
from ui.run_panel import ACTIVE
from ui.session import imposed, owner
from ui.slider import slider

COLORS = {"raw": GREY, "unit": DATA, "normalised": MODEL, "per_image": REFERENCE}
BARS, SPREAD = 340, 240  # px
SHORT = {"optimizer": "sgd", "momentum": 0.0, "schedule": "constant", "epochs": 5, "evaluations": 4, "train_size": 1000}
SHORT |= {"network": "fast", "probability": 0.0}
RATE = 0.05  # suits normalised pixels and throws raw ones out
ONE_RATE = Knob("rate", float, RATE, 1e-4, 1.0, log=True, label=N_("Learning rate for all"))
SHOWN = ("normalised", *(name for name in SCALINGS if name != "normalised"))  # the first is shown at first


def runs() -> list[History]:
    """This browser's finished runs of the lesson, the newest first."""
    return [jobs.history(run.run_id, owner=owner()) for run in jobs.runs(owner(), SLUG) if run.state == "finished"]


def own_network(config: Config) -> str | None:
    """The checkpoint of the newest finished network that knows these images; digits are read by the shipped one."""
    if config.dataset in story.DIGITS:
        return None
    for run in jobs.runs(owner(), SLUG):
        if run.state == "finished" and run.config.dataset == config.dataset:
            with suppress(Problem):  # its files were cleared away
                return str(jobs.checkpoint(run.run_id, owner=owner()))
    return None


def two_trainings(config: Config, *, ready: bool) -> None:
    """The same network with and without augmentation, from one button; then how each does on each kind of images."""
    plain, augmented = story.twins(config)
    contenders = [Contender("without", _("Without augmentation"), GREY, plain)]
    if augmented != plain:
        contenders.append(Contender("with", _("With augmentation"), MODEL, augmented))
    with st.container(key="prose-twins"):  # in the reading column, as the words above it
        compare_runs(
            SLUG, SLUG, contenders if ready else [], start=_("Train both"), name="twins",
            alt=_("Loss on the clean test images, with and without augmentation."),
        )  # fmt: skip


def results(config: Config) -> story.Pair | None:
    """Bars for each kind of images: the pair of these settings, else the newest; invites where there is none.

    Of a pair that is just being trained, the first is there as soon as it has finished.
    """
    finished = runs()
    found = story.pairs(finished)
    mine = [pair for pair in found if _asked(pair.with_, config)]
    alone = None if mine else _first(config, finished)
    pair = None if alone else next(iter(mine or found), None)
    without, with_ = (story.accuracies(run) for run in ((pair.without, pair.with_) if pair else (alone, None)))
    names = [_(name) for name in story.KINDS.values()]
    with st.container(key="prose-verdict"):
        live_plot(
            figures.kinds(names, without, with_, label=_), key="kinds", height=BARS,
            alt=_("Right answers with and without augmentation, on clean, shifted, rotated, noisy and blurred images."),
            table={"": names, _("without"): np.round(without, 4), _("with augmentation"): np.round(with_, 4)},
        )  # fmt: skip
        if alone:
            st.markdown(_("The network without augmentation has finished; the other one is still being trained."))
            return None
        if pair is None:
            st.markdown(_("Train both networks: how each does on every kind of images will stand here."))
            return None
        if not mine:
            st.caption(_("The newest pair that you trained; the settings above have changed since."))
        text, words = story.verdict(pair)
        st.markdown(_(text).format(**{name: _(word) for name, word in words.items()}))
    return pair


def _first(config: Config, finished: Sequence[History]) -> History | None:
    """The run without augmentation, where its twin is on its way."""
    plain, augmented = story.twins(config)
    going = any(run.config == augmented and run.state in ACTIVE for run in jobs.runs(owner(), SLUG))
    return next((run for run in finished if going and _same(run, plain)), None)


def _same(run: History, config: Config) -> bool:
    """Whether it was trained with that config, which it has made definite (``auto``)."""
    given = {name: value for name, value in asdict(config).items() if value not in ("auto", "")}
    return all(run.config.get(name) == value for name, value in given.items())


def _asked(run: History, config: Config) -> bool:
    strengths = story.strengths(config)
    rest = {name: getattr(config, name) for name in ("dataset", "train_size", "network", "epochs", "seed", "scaling")}
    return all(run.config[name] == value for name, value in {**strengths, **rest}.items())


def scaling_panel(config: Config) -> None:
    """The pixel values before and after, with their mean and deviation; then what a learning rate makes of each."""
    if jobs.status().state == "starting":
        st.caption(_("The workers are being woken up; this takes a few seconds."))
        return
    with st.container(key="prose-pixels"):
        _pixel_values(config)


def _pixel_values(config: Config) -> None:
    chosen, choose = extra_choice("spread", SHOWN, slug=SLUG)
    st.segmented_control(
        _("Scaling of the pixels"), SCALINGS, format_func=lambda name: _(LABELS[name]), required=True,
        **imposed("scaling.shown", chosen, choose),
    )  # fmt: skip
    try:
        found = _pixels(config.dataset, config.train_size)
    except Problem as problem:
        unanswered(problem, "pixels")
        return
    before, after = st.columns(2, gap="large")
    with before:
        _spread("raw", found["raw"], "before", _("As stored: mean {mean}, standard deviation {std}"))
    with after:
        _spread(
            chosen, found[chosen], "after", _("As the first layer gets them: mean {mean}, standard deviation {std}")
        )


def _spread(name: str, values: dict[str, Any], side: str, words: str) -> None:
    mean = values["mean"] if abs(values["mean"]) > 1e-4 else 0.0  # what is left of rounding
    st.caption(words.format(mean=f"{mean:.3g}", std=f"{values['std']:.3g}"))
    live_plot(
        figures.spread(values["edges"], values["shares"], values["mean"], values["std"], color=COLORS[name], label=_),
        key=f"spread.{side}", height=SPREAD,
        alt=_("How often each pixel value occurs; orange: the mean, and one standard deviation either side."),
        table={_("from"): values["edges"][:-1], _("to"): values["edges"][1:], _("share"): values["shares"]},
    )  # fmt: skip


@st.cache_data(max_entries=8, show_spinner=False)
def _pixels(dataset: str, train_size: int) -> dict[str, Any]:
    return jobs.call(augmentation_look.pixels, dataset, train_size)


def scaling_race(config: Config, *, ready: bool) -> None:
    """Short runs that differ in the scaling alone, at one learning rate for all."""
    with st.container(key="prose-rates"):
        rate = slider(
            _(ONE_RATE.label), key="scaling.rate", low=1e-4, high=1.0, value=read_extra(ONE_RATE, slug=SLUG) or RATE,
            log=True, controlled=True,
            help=_("Plain gradient descent (SGD without momentum), 5 epochs on 1,000 images."),
        )  # fmt: skip
        put_extra("rate", "" if rate == RATE else f"{rate:.6g}", slug=SLUG)
        given = {**SHORT, "dataset": config.dataset, "seed": config.seed, "learning_rate": float(f"{rate:.3g}")}
        contenders = [
            Contender(name, _(LABELS[name]), COLORS[name], build(Config, {**given, "scaling": name}))
            for name in SCALINGS
        ]
        compare_runs(
            SLUG, SLUG, contenders if ready else [], start=_("Train them"), name="scalings",
            alt=_("Loss on the test images for each way of scaling, on a logarithmic scale."),
        )  # fmt: skip
