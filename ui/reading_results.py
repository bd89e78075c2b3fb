"""What a reader has learned: its embeddings on two axes, and which held-out texts it takes for what."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.experiments import reading_look
from dlcore.figures import evaluation, reading
from dlcore.history import History
from dlcore.reading_story import confused_pairs
from dlcore.texts import N_, Problem
from dlcore.trained import written
from ui.i18n import _, ngettext, plain, tell
from ui.lessons import Lesson
from ui.live_plot import live_plot
from ui.session import owner, page_state

NOW, BEFORE = "now", "before"
WHEN = {BEFORE: N_("Before training"), NOW: N_("As it is now")}
EXAMPLES = 12
VOWELS = frozenset("aeiouyáàâäãåąéèêëęíìîïóòôöõøúùûüýæœıăâđêôơư")


def embeddings_panel(lesson: Lesson, history: History) -> None:
    """Draw the map of the most frequent tokens."""
    if not history.has_checkpoint or jobs.status().state == "starting":
        st.caption(_("The map of the embeddings is drawn here when a network has begun to train."))
        return
    st.fragment(_map)(lesson)


def _map(lesson: Lesson) -> None:
    when = st.segmented_control(
        _("When"), list(WHEN), format_func=lambda name: _(WHEN[name]), default=NOW, key="reading.when", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    path = str(jobs.checkpoint(page_state(lesson.slug)["run"], owner=owner()))
    try:
        found = _embeddings(path, written(path))
    except Problem as problem:
        st.info(tell(problem), icon=":material/info:")
        return
    letters = found["read_as"] == "letters"
    tone = np.array([_sound(t) for t in found["tokens"]], float) if letters else found["kind"]
    told = [
        _("{token}: {n} times").format(token=t, n=f"{int(n):,}")
        + ("" if letters else " · " + _("log-odds of praise {tone:+.2f}").format(tone=float(value)))
        for t, n, value in zip(found["tokens"], found["counts"], found["counted"], strict=True)
    ]
    places = found[when or NOW]
    live_plot(
        reading.embedding_map(
            places, found["tokens"], tone, found["counts"], found["shares"][int(when != BEFORE)], told=told,
            label=_,
        ),
        key="embeddings", height=460, alt=_("The embeddings of the most frequent tokens on their two principal axes."),
        table={_("token"): found["tokens"], "1": places[:, 0].round(3), "2": places[:, 1].round(3)},
    )  # fmt: skip
    st.caption(
        _("Vermilion: vowels. Blue: consonants.")
        if letters
        else _(
            "Vermilion: words of praise. Blue: words of complaint. Real texts were counted to know them, while our "
            "grammar has lists of them; the network is told neither."
        )
    )


def _sound(token: str) -> float:
    return 1.0 if token in VOWELS else -1.0 if token.isalpha() else 0.0


@st.cache_data(max_entries=16, show_spinner=False)
def _embeddings(path: str, version: int) -> dict[str, Any]:
    return jobs.call(reading_look.embeddings, path)


def mistakes_panel(history: History) -> None:
    """Draw the confusion matrix of the held-out texts, and the mistakes of one pair of classes."""
    predictions = history.snapshots.get("test_predictions")
    if predictions is None or jobs.status().state == "starting":
        st.markdown(_("When a run has finished, its answers to all held-out texts are examined here."))
        return
    arrays = predictions.arrays
    try:
        report = _report(history.info["dataset"], arrays["probabilities"], arrays["labels"])
    except Problem as problem:
        st.info(tell(problem), icon=":material/info:")
        return
    st.fragment(_matrix)(report, arrays["probabilities"], arrays["labels"], history.info["classes"])


@st.cache_data(max_entries=16, show_spinner=False)
def _report(dataset: str, probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    return jobs.call(reading_look.held_out, dataset, probabilities, labels)


def _matrix(report: dict[str, Any], probabilities: np.ndarray, labels: np.ndarray, classes: list[str]) -> None:
    names = [_(name) for name in classes]
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        live_plot(
            evaluation.confusion(report["confusion"], classes, label=_), key="confusion",
            height=600 if len(classes) > 2 else 300,
            alt=_("Confusion matrix: rows are the truth, columns the answer."),
            table={_("truth"): names, **{name: report["confusion"][:, k] for k, name in enumerate(names)}},
        )  # fmt: skip
    with right:
        words = _("{share} of {n} are right; the mean over the classes, whatever their size, is {balanced}.")
        st.markdown(words.format(
            share=f"{report['accuracy']:.1%}", n=f"{len(labels):,}", balanced=f"{report['balanced_accuracy']:.1%}"
        ))  # fmt: skip
        pairs = confused_pairs(report["confusion"])
        if not pairs:
            st.markdown(_("It made no mistake at all."))
            return
        chosen = st.selectbox(
            _("Most confused"),
            range(len(pairs)),
            key=f"reading.pair.{len(classes)}",
            format_func=lambda n: _pair(pairs[n], names),
        )
        _examples(report, probabilities, labels, pairs[min(chosen, len(pairs) - 1)], names)


def _pair(pair: tuple[int, int, int], names: list[str]) -> str:
    words = ngettext("{truth}, taken for {answer}: {n} time", "{truth}, taken for {answer}: {n} times", pair[2])
    return words.format(truth=names[pair[0]], answer=names[pair[1]], n=pair[2])


def _examples(
    report: dict[str, Any], probabilities: np.ndarray, labels: np.ndarray, pair: tuple[int, int, int], names: list[str]
) -> None:
    """Texts of one kind of mistake, the surest first."""
    said = probabilities.argmax(1)
    rows = [
        (text, float(probabilities[k].max()))
        for k, text in zip(report["worst"].tolist(), report["texts"], strict=True)
        if labels[k] == pair[0] and said[k] == pair[1]
    ]
    rows.sort(key=lambda row: -row[1])
    lines = [f"- {plain(text)} · {share:.0%}" for text, share in rows[:EXAMPLES]]
    st.caption(_("Those of which it was surest, with its probability for “{name}”:").format(name=names[pair[1]]))
    st.markdown("\n".join(lines))
