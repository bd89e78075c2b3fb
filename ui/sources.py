"""Whose answers are examined: a built-in classifier, or a network that this browser has trained."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlcore import evaluation_sources, jobs
from dlcore.data.images import name_of
from dlcore.experiments.settings import ImageConfig
from dlcore.history import History
from dlcore.texts import N_, Problem
from dlcore.thresholds import Curves, curves
from ui.controls import get_extra, put_extra
from ui.i18n import _, tell
from ui.names import DATASETS, NETWORKS, name_for
from ui.session import imposed, owner, set_up_by_teacher

BUILT_IN = {
    "rare": N_("A rare disease (generated)"),
    "breast_cancer": N_("Real tumours, two measurements"),
    "by_heart": N_("150 digits learned by heart"),
    "shipped": N_("Our network on strange digits"),
}
FIRST = "rare"
RUN = "run:"
MOST_RUNS = 8  # of one's own that are offered, the newest
PREDICTIONS = "test_predictions"
KNOBS = {"network": NETWORKS, "dataset": DATASETS}


@dataclass(frozen=True, eq=False)
class Source:
    """A classifier's answers to samples that it had not learned from. The arrays are shared: do not write into them.

    Attributes:
        name: as in the address: a built-in one's, or ``run:<run_id>``.
        probabilities, labels: ``(N, K)`` and ``(N,)``.
        classes: names, English.
        dataset, which: the image set and each sample's number in it; ``dataset`` is "" where there are no images.
        own: whether it is a run of this browser, whose samples are the set's test images.
    """

    name: str
    probabilities: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    dataset: str
    which: np.ndarray
    own: bool

    @property
    def binary(self) -> bool:
        """Whether there are two classes, of which the second is the positive one."""
        return len(self.classes) == 2

    def curves(self, positive: int) -> Curves:
        """What hangs on the threshold, for one class against the rest."""
        return _curves(self.name, positive, self)


def choose(picture: DeltaGenerator) -> Source | None:
    """Draw the list to choose from (not where a teacher has prepared the page) and return what is chosen.

    None while there is none to show, which is then said.

    Args:
        picture: where the answers are drawn; that they are awaited is said there.
    """
    own = own_runs()
    named = {**BUILT_IN, **{RUN + run_id: title_of(history) for run_id, history in own.items()}}
    asked = get_extra("source") or FIRST
    name = asked if asked in named else FIRST
    if not set_up_by_teacher():
        st.selectbox(
            _("Whose answers"),
            list(named),
            format_func=lambda name: _(named[name]),
            help=_(
                "A built-in classifier, or a network that you have trained; none of them learned from these samples."
            ),
            **imposed("evaluation.source", name, take),
        )
    if asked not in named:
        st.warning(
            _("The run in this link is not among this browser’s finished runs. A built-in classifier is shown."),
            icon=":material/info:",
        )
    room = picture.empty()
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        room.info(_("The workers are being woken up; this takes a few seconds."), icon=":material/hourglass_top:")
        return None
    try:
        with room, st.spinner(_("The classifier answers its samples …")):  # a worker that has just begun takes time
            return _own(name, own[name.removeprefix(RUN)]) if name.startswith(RUN) else _built_in(name)
    except Problem as problem:
        room.warning(tell(problem), icon=":material/info:")
        return None


def take(name: str) -> None:
    """Examine that source from now on; what was set for the one before is forgotten."""
    put_extra("source", "" if name == FIRST else name)
    for dependent in ("positive", "threshold", "share", "cell", "temperature", "cases"):
        put_extra(dependent, "")


def own_runs() -> dict[str, History]:
    """This browser's newest finished runs that have answered test images, by run_id."""
    try:
        finished = [r for r in jobs.runs(owner()) if r.state == "finished" and isinstance(r.config, ImageConfig)]
        found = {run.run_id: jobs.history(run.run_id, owner=owner()) for run in finished[: 2 * MOST_RUNS]}
    except Problem:
        return {}
    ready = {run_id: history for run_id, history in found.items() if PREDICTIONS in history.snapshots}
    return dict(list(ready.items())[:MOST_RUNS])


def title_of(history: History) -> str:
    """What a run of one's own is called: its network, its data, and how much of it is right."""
    words = _("Yours: {network} on {dataset}, {share} right")
    config, share = history.config, history.metrics.get("test_accuracy", float("nan"))
    network, dataset = (_(name_for(labels, knob, config[knob])) for knob, labels in KNOBS.items())
    return words.format(network=network, dataset=dataset, share=f"{share:.1%}")


@st.cache_resource(max_entries=8, show_spinner=False)
def _built_in(name: str) -> Source:
    found = jobs.call(evaluation_sources.built_in, name, timeout=60)
    arrays = {key: found[key] for key in ("probabilities", "labels", "which")}
    return Source(name, **arrays, classes=tuple(found["classes"]), dataset=found["dataset"], own=False)


@st.cache_resource(max_entries=16, show_spinner=False)
def _own(name: str, _history: History) -> Source:
    found = _history.snapshots[PREDICTIONS].arrays
    labels = found["labels"].astype(np.int64)
    classes = tuple(str(c) for c in _history.info["classes"])
    dataset = name_of(_history.config)
    return Source(name, found["probabilities"], labels, classes, dataset, np.arange(len(labels)), own=True)


@st.cache_resource(max_entries=64, show_spinner=False)
def _curves(name: str, positive: int, _source: Source) -> Curves:
    return curves(_source.labels == positive, _source.probabilities[:, positive])
