"""What a finished run's answers on the test images are worth: matrix, scores, and the worst mistakes."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import jobs
from dlcore.data.images import name_of
from dlcore.experiments import cnn_look
from dlcore.figures import evaluation, images
from dlcore.history import History
from dlcore.texts import Problem
from ui.i18n import _, language, ngettext, plain, sentences, tell
from ui.lessons import lesson_for
from ui.live_plot import live_plot
from ui.session import current, page_state

MOST = 12  # mistakes that are shown


def evaluation_panel(history: History) -> dict[str, Any] | None:
    """Draw it for the run of ``history`` and return the report; before there is one, say what will stand here."""
    predictions = history.snapshots.get("test_predictions")
    st.header(_("How good is it?"), anchor="evaluation")
    if predictions is None:
        st.markdown(_("When your network has finished training, its answers to all test images are examined here."))
        return None
    if jobs.status().state == "starting":  # the shell draws the page again when they are there
        return None
    try:
        report = _report(name_of(history.config), **predictions.arrays)
    except Problem as problem:
        st.warning(tell(problem))
        return None
    classes = [str(name) for name in history.info["classes"]]
    st.markdown(_summary(report, classes))
    _further()
    matrix, scores = st.columns(2, gap="large")
    with matrix:
        st.caption(_("Each row is what an image shows, each column what the network said."))
        live_plot(
            evaluation.confusion(report["confusion"], classes, label=_), key="confusion", height=440,
            alt=_("Confusion matrix of the test images."), table=_confusion_table(report, classes),
        )  # fmt: skip
    with scores:
        _scores(report, classes)
    _mistakes(report, predictions.arrays["probabilities"], predictions.arrays["labels"], classes)
    return report


@st.cache_data(max_entries=32, show_spinner=False)
def _report(dataset: str, probabilities: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    return jobs.call(cnn_look.run_report, dataset, probabilities, labels, MOST)


def _further() -> None:
    """The way to the lesson on evaluation, with this run to be examined there."""
    run, lesson = page_state(current()).get("run"), lesson_for("evaluation")
    if run:
        st.page_link(
            lesson.page, label=_("Examine these answers: thresholds, calibration, certainty"), icon=lesson.icon,
            query_params={"lang": language(), "source": f"run:{run}"},
        )  # fmt: skip


def _summary(report: dict[str, Any], classes: list[str]) -> str:
    """One sentence made of the run's own numbers, and the pair it confuses most."""
    total, right = int(report["confusion"].sum()), int(np.trace(report["confusion"]))
    words = ngettext(
        "{right} of {total} test images were answered right ({share}); {n} was not.",
        "{right} of {total} test images were answered right ({share}); {n} were not.",
        total - right,
    ).format(right=f"{right:,}", total=f"{total:,}", share=f"{right / total:.2%}", n=f"{total - right:,}")
    wrong = report["confusion"] - np.diag(np.diag(report["confusion"]))
    if not wrong.any():
        return words
    truth, said = np.unravel_index(wrong.argmax(), wrong.shape)
    often = ngettext(
        "Its most frequent mistake: it took **{truth}** for **{said}**, {n} time.",
        "Its most frequent mistake: it took **{truth}** for **{said}**, {n} times.",
        int(wrong.max()),
    ).format(truth=plain(_(classes[truth])), said=plain(_(classes[said])), n=wrong.max())
    return sentences(words, often)


def _scores(report: dict[str, Any], classes: list[str]) -> None:
    """Precision, recall and F1 of each class, with their plain meaning."""
    st.caption(
        _("Precision: of the images it called a class, how many were. Recall: of a class's images, how many it found.")
    )
    rows = [f"| | {_('precision')} | {_('recall')} | F1 | {_('images')} |", "|---|---|---|---|---|"]
    columns = (report["precision"], report["recall"], report["f1"], report["support"])
    for name, precision, recall, f1, support in zip(classes, *columns, strict=True):
        rows.append(f"| **{plain(_(name))}** | {precision:.3f} | {recall:.3f} | {f1:.3f} | {support:,} |")
    means = (report["macro_precision"], report["macro_recall"], report["macro_f1"])
    rows.append(
        f"| {_('mean')} | " + " | ".join(f"{value:.3f}" for value in means) + f" | {report['support'].sum():,} |"
    )
    with st.container(key="scores"):
        st.markdown("\n".join(rows))


def _mistakes(report: dict[str, Any], probabilities: np.ndarray, labels: np.ndarray, classes: list[str]) -> None:
    worst = report["worst"]
    if not len(worst):
        return
    st.subheader(_("The worst mistakes"), anchor="mistakes")
    st.caption(
        _("Where it gave the truth least. Blue: what the image shows. Vermilion: the answer, and how sure it was.")
    )
    said = probabilities[worst].argmax(1)
    shares = probabilities[worst].max(1).astype(float)
    names = [_(name) for name in classes]
    truth, answer = [names[k] for k in labels[worst]], [names[k] for k in said]
    live_plot(
        images.mistakes(report["images"], truth, answer, shares.tolist(), columns=6), key="mistakes",
        height=images.FOOT + 130 * -(-len(worst) // 6),
        alt=_("The test images with the worst answers, each with its true class, the answer and its probability."),
        table={_("image"): worst, _("truth"): truth, _("answer"): answer, _("probability"): shares.round(4)},
    )  # fmt: skip


def _confusion_table(report: dict[str, Any], classes: list[str]) -> dict[str, Any]:
    names = [_(name) for name in classes]
    return {_("truth"): names} | {name: report["confusion"][:, k] for k, name in enumerate(names)}
