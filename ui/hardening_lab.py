"""What helps against attacks? The same network trained as it is, on noisy images, and on attacked ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data.images import name_of
from dlcore.experiments.cnn import Config
from dlcore.figures import DATA, GREY, MODEL
from dlcore.figures import attribution as figures
from dlcore.history import History
from dlcore.texts import N_, Problem
from ui.compare_runs import Contender, compare_runs
from ui.i18n import _, tell
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import owner, page_state

NAME = "harden"
PUSH = 0.1  # of black to white
MANY, FEW = 200, 60  # test images that are attacked: of small grey pictures, of others
SIZES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3)
KINDS = {"plain": (N_("as they are"), GREY), "noise": (N_("with noise"), DATA), "attack": (N_("attacked"), MODEL)}


def hardening_lab(lesson: Lesson, config: Config, *, ready: bool) -> None:
    """Draw the three trainings, and how each network stands against pushes; ``ready``: the images are here."""
    st.header(_("What helps?"), anchor="harden")
    with st.container(key="prose-harden"):
        st.markdown(
            _("The network and the images that are set above, trained three times: on the images as they are, with "
              "random noise of up to ε = {e} in each step, and attacked by as much in each step, which takes about "
              "three times as long. Guess first: is noise as good as an attack?").format(e=PUSH)
        )  # fmt: skip
        contenders = [
            Contender(kind, _(title), color, replace(config, **_pushed(kind))) for kind, (title, color) in KINDS.items()
        ]
        shown = compare_runs(
            lesson.slug, lesson.slug, contenders if ready else [], start=_("Train all three"), name=NAME,
            alt=_("Loss on the test images of the three trainings."), measures=("test_accuracy", "test_loss"),
        )  # fmt: skip
        try:
            _standing({c.name: history for c, history in shown.items() if history.state == "finished"})
        except Problem as problem:
            st.warning(tell(problem))


def _pushed(kind: str) -> dict[str, Any]:
    return {"push": 0.0} if kind == "plain" else {"push": PUSH, "pushes": kind}


def _standing(finished: dict[str, History]) -> None:
    """Right answers against the size of a push, for each network that is trained."""
    if not finished or jobs.status().state == "starting":
        return
    runs, name = page_state("cnn")[NAME]["compared"], name_of(next(iter(finished.values())).config)
    count = FEW if name.startswith(("cifar10", "own")) else MANY
    found = {kind: _curves(runs[kind], name, count) for kind in finished}
    lines = [(KINDS[kind][0], KINDS[kind][1], "solid", curves["pgd"]) for kind, curves in found.items()]
    words = _("How many of {n} test images are still answered rightly when each is attacked in ten steps (PGD):")
    st.markdown(words.format(n=count))
    live_plot(
        figures.accuracies(np.array(SIZES), lines, label=_), key="harden.pgd", height=300,
        alt=_("Right answers against the size of the attack, for each way of training."),
        table={"ε": np.array(SIZES), **{_(KINDS[kind][0]): curves["pgd"].round(3) for kind, curves in found.items()}},
    )  # fmt: skip


@st.cache_data(max_entries=32, show_spinner=False)
def _curves(run: str, dataset: str, count: int) -> dict[str, np.ndarray]:
    path = jobs.checkpoint(run, owner=owner())
    asked = (f"run:{path}", dataset, list(SIZES), ["pgd"])
    return jobs.call("dlcore.vision.attacks:accuracy_curves", *asked, count=count, timeout=60.0)
