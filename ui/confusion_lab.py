"""The confusion matrix whose cells open: their images, or their scores; and the scores of every class."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from dlcore import evaluation_sources, jobs
from dlcore.evaluation import report
from dlcore.evaluation_story import Scene, percent
from dlcore.figures import evaluation, images, thresholds
from dlcore.figures.evaluation import amount
from dlcore.texts import N_, Problem
from dlcore.thresholds import curves, histogram
from ui.controls import extra_choice, get_extra, put_extra
from ui.i18n import _, ngettext, plain, tell
from ui.intro import passage
from ui.live_plot import live_plot
from ui.session import imposed, set_up_by_teacher
from ui.sources import Source
from ui.threshold_lab import EDGES, names, place_in, positive_class

EXTRA = ("cell", "view", "cells")
MOST, COLUMNS = 18, 6  # images of a cell
VIEWS = {"classes": N_("All classes: the largest wins"), "threshold": N_("One class, at the threshold")}


def draw(source: Source, scene: Scene) -> tuple[int, int] | None:
    """Draw matrix and open cell; returns the cell, ``(truth, answer)``, that is open."""
    truth, answer, classes = _sides(source, scene)
    matrix = np.zeros((len(classes), len(classes)), int)
    np.add.at(matrix, (truth, answer), 1)
    with st.container(key="confusion-cells"):
        left, right = st.columns([1, 1.35], gap="large")
    with left:
        shares, choose = extra_choice("cells", ["count", "share"])
        st.segmented_control(
            _("Numbers"), ["count", "share"], required=True, label_visibility="collapsed",
            format_func=lambda name: _("Counts") if name == "count" else _("Shares of a row"),
            help=_("How many samples, or which part of those with the same truth."),
            **imposed("evaluation.cells", shares, choose),
        )  # fmt: skip
        cell = _cell(matrix)
        live_plot(
            evaluation.confusion(matrix, classes, shares=shares == "share", chosen=cell, label=_), key="cells",
            height=430 if len(classes) > 2 else 300, on_click=lambda click: _open(click, len(classes)),
            alt=_("Confusion matrix: choose a cell to see its samples."),
            table={_("truth"): classes, **{name: matrix[:, k] for k, name in enumerate(classes)}},
        )  # fmt: skip
    with right:
        _selectors(classes, cell)
        inside = np.flatnonzero((truth == cell[0]) & (answer == cell[1]))
        _inside(source, scene, classes, cell, inside)
    return cell


def _sides(source: Source, scene: Scene) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Truth and answer of each sample as rows and columns of the matrix, and what these are called."""
    if not source.binary and _view() == "classes":
        return source.labels, source.probabilities.argmax(1), [_(name) for name in source.classes]
    positive = positive_class(source)
    called = source.probabilities[:, positive].astype(float) >= scene.threshold
    return (source.labels != positive).astype(int), (~called).astype(int), list(names(source, positive))


def _view() -> str:
    given = get_extra("view")
    view = given if given in VIEWS else "classes"
    if set_up_by_teacher():
        return view
    return st.segmented_control(
        _("Which matrix"), list(VIEWS), format_func=lambda name: _(VIEWS[name]), required=True,
        help=_("Every class for itself, or one against the rest as in the pictures above."),
        label_visibility="collapsed",
        **imposed("evaluation.view", view, lambda name: put_extra("view", "" if name == "classes" else name)),
    )  # fmt: skip


def _cell(matrix: np.ndarray) -> tuple[int, int]:
    """The open cell: the one asked for, else that with the most mistakes."""
    parts = get_extra("cell").split("_")
    row, column = (place_in(len(matrix), part) for part in (parts if len(parts) == 2 else ("", "")))
    if row is not None and column is not None:
        return row, column
    wrong = matrix - np.diag(np.diag(matrix))
    worst = np.unravel_index(int(wrong.argmax()), wrong.shape)
    return int(worst[0]), int(worst[1])


def _open(click: dict[str, Any], size: int) -> None:
    row, column = round(click["y"]), round(click["x"])
    if 0 <= row < size and 0 <= column < size:
        put_extra("cell", f"{row}_{column}")


def _selectors(classes: list[str], cell: tuple[int, int]) -> None:
    """The open cell in words: another way to choose it."""
    if set_up_by_teacher():
        return
    places = list(range(len(classes)))
    for place, (column, word) in enumerate(zip(st.columns(2), (_("Truth"), _("Answer")), strict=True)):

        def chosen(k: int, place: int = place) -> None:
            put_extra("cell", "_".join(str(k if i == place else cell[i]) for i in range(2)))

        column.selectbox(
            word, places, format_func=classes.__getitem__, help=_("The cell of the matrix that is open."),
            **imposed(f"evaluation.cell.{place}.{len(classes)}", cell[place], chosen),
        )  # fmt: skip


def _inside(source: Source, scene: Scene, classes: list[str], cell: tuple[int, int], inside: np.ndarray) -> None:
    """What lies in the open cell."""
    words = ngettext(
        "{n} sample is **{truth}** and was called **{answer}**.",
        "{n} samples are **{truth}** and were called **{answer}**.",
        len(inside),
    )
    st.markdown(words.format(n=f"{len(inside):,}", truth=plain(classes[cell[0]]), answer=plain(classes[cell[1]])))
    if not source.dataset:
        _scores(source, scene, cell, inside)
    elif len(inside):
        _images(source, inside)
    else:
        st.caption(_("The cell is empty. Choose one with a number in it."))


def _images(source: Source, inside: np.ndarray) -> None:
    """The cell's images, those first of which the classifier was surest."""
    sure = source.probabilities.max(1)
    shown = inside[np.argsort(-sure[inside], kind="stable")][:MOST]
    try:
        found = _pictures(source.dataset, source.which[shown].tolist(), source.own)
    except Problem as problem:
        st.warning(tell(problem))
        return
    said, names_of = source.probabilities[shown].argmax(1), [_(name) for name in source.classes]
    truth, answer = [names_of[k] for k in source.labels[shown]], [names_of[k] for k in said]
    live_plot(
        images.mistakes(found, truth, answer, sure[shown].astype(float).tolist(), columns=COLUMNS), key="cell-images",
        height=images.FOOT + 118 * -(-len(shown) // COLUMNS),
        alt=_("The images of the cell, each with its truth, the largest answer and its probability."),
        table={_("image"): source.which[shown], _("truth"): truth, _("answer"): answer,
               _("probability"): sure[shown].round(4)},
    )  # fmt: skip
    st.caption(_("Blue: the truth. Vermilion: the likeliest class and its probability. The surest answers come first."))


@st.cache_resource(max_entries=64, show_spinner=False)
def _pictures(dataset: str, which: list[int], of_test: bool) -> np.ndarray:
    return jobs.call(evaluation_sources.pictures, dataset, np.array(which), of_test=of_test)  # (n, C, H, W)


def _scores(source: Source, scene: Scene, cell: tuple[int, int], inside: np.ndarray) -> None:
    """The scores of the cell's samples before those of the others with the same truth."""
    scores, same = source.probabilities[:, 1], (source.labels == 1) == (cell[0] == 0)
    mine, _none = histogram(curves(np.ones(len(inside)), scores[inside]), EDGES) if len(inside) else (EDGES[:-1] * 0, 0)
    everyone, _none = histogram(curves(np.ones(same.sum()), scores[same]), EDGES)
    live_plot(
        thresholds.cell_scores(EDGES, mine, everyone, label=_), key="cell-scores", height=230,
        alt=_("Scores of the samples in the cell, before all with the same truth."),
        table={_("sample"): inside[:200], _("score"): scores[inside][:200].round(4)},
    )  # fmt: skip
    st.caption(_("Blue: the scores in this cell. Grey: all samples with the same truth. The table lists them."))


def class_scores(source: Source) -> None:
    """Precision, recall and F1 of each class, and the averages that are in use."""
    said = source.probabilities.argmax(1)
    try:
        found = _report(source.name, said, source)
    except Problem as problem:
        st.warning(tell(problem))
        return
    table, words = st.columns([1, 1.35], gap="large")
    rows = [f"| | {_('precision')} | {_('recall')} | F1 | {_('samples')} |", "|---|---|---|---|---|"]
    columns = (found["precision"], found["recall"], found["f1"], found["support"])
    for name, *values, support in zip(source.classes, *columns, strict=True):
        rows.append(f"| **{plain(_(name))}** | " + " | ".join(f"{v:.3f}" for v in values) + f" | {support:,} |")
    total = amount(float(found["support"].sum()))
    for word, kind in ((_("macro mean"), "macro"), (_("weighted mean"), "weighted")):
        means = [found[f"{kind}_{measure}"] for measure in ("precision", "recall", "f1")]
        rows.append(f"| {word} | " + " | ".join(f"{v:.3f}" for v in means) + f" | {total} |")
    micro = found["accuracy"]
    rows.append(f"| {_('micro mean = accuracy')} | {micro:.3f} | {micro:.3f} | {micro:.3f} | {total} |")
    table.markdown("\n".join(rows))
    words.markdown(passage("evaluation", "averages"))
    words.caption(
        _("Accuracy {accuracy}, balanced accuracy (the mean recall of the classes) {balanced}.").format(
            accuracy=percent(found["accuracy"]), balanced=percent(found["balanced_accuracy"])
        )
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _report(name: str, _said: np.ndarray, _source: Source) -> dict[str, Any]:
    return jobs.call(report, _source.labels, _said, len(_source.classes))
