"""One threshold that moves everything: scores, confusion matrix, ROC, precision and recall, costs."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dlcore.evaluation_story import Scene, fractions, percent
from dlcore.figures import evaluation, thresholds
from dlcore.figures.evaluation import amount
from dlcore.knobs import Knob
from dlcore.texts import N_
from dlcore.thresholds import (
    HIGHEST,
    LOWEST,
    area_under_roc,
    average_precision,
    histogram,
    precisions,
    thinned,
)
from ui import sources
from ui.controls import get_extra, put_extra, read_extra
from ui.i18n import _, plain
from ui.live_plot import live_plot
from ui.session import imposed, set_up_by_teacher
from ui.slider import Mark, slider
from ui.sources import Source

EXTRA = ("source", "positive", "threshold", "cost", "share")
EVEN, EQUAL = 0.5, 1.0  # threshold and cost ratio that are used where nobody has thought of them
CHEAPEST, DEAREST, RAREST, COMMONEST = 0.1, 1000.0, 0.001, 0.9
KNOBS = (
    Knob("threshold", float, EVEN, LOWEST, HIGHEST, label=N_("Threshold")),
    Knob("cost", float, EQUAL, CHEAPEST, DEAREST, label=N_("A miss costs")),
    Knob("share", float, None, RAREST, COMMONEST, label=N_("Share of positives")),
)
EDGES = 1 / (1 + np.exp(-np.linspace(-1, 1, 61) * np.log(HIGHEST / LOWEST)))  # even in the log-odds
MEASURES = {
    "accuracy": N_("accuracy"), "balanced": N_("balanced accuracy"), "precision": N_("precision"),
    "recall": N_("recall"), "specificity": N_("specificity"), "f1": "F1",
}  # fmt: skip
TALL, SHORT = 262, 258  # px


def draw() -> tuple[Source, Scene] | None:
    """Draw choice, sliders and pictures; what is shown, or None while there is no classifier to show."""
    with st.container(key="lab-threshold"):
        panel, picture = st.columns([1, 2.7], gap="large")
    with panel:
        source = sources.choose(picture)
        if source is None:
            return None
        scene = _sliders(source, _positive(source))
        with st.container(key="measures"):
            st.html(_table(scene))
    with picture:
        _pictures(source, scene)
    return source, scene


def positive_class(source: Source) -> int:
    """The class that is set against the rest: of two the second, of ten the eight, unless another is asked for."""
    given = None if source.binary else place_in(len(source.classes), get_extra("positive"))
    return min(8, len(source.classes) - 1) if given is None else given


def place_in(count: int, text: str) -> int | None:
    """The number below ``count`` that a part of the address names, or None where it names none."""
    return next((place for place in range(count) if text == str(place)), None)


def _positive(source: Source) -> int:
    """The choice of the positive class, where there is one."""
    chosen = positive_class(source)
    if not source.binary and not set_up_by_teacher():
        st.selectbox(
            _("Positive class"),
            list(range(len(source.classes))),
            format_func=lambda k: _(source.classes[k]),
            help=_("This class is set against all others together; its probability is the score."),
            **imposed("evaluation.positive", chosen, lambda k: put_extra("positive", str(k))),
        )
    return chosen


def _sliders(source: Source, positive: int) -> Scene:
    """Threshold, cost ratio and prevalence, as given and as moved."""
    found = source.curves(positive)
    threshold, ratio, share = (read_extra(knob) for knob in KNOBS)
    threshold, ratio = threshold or EVEN, ratio or EQUAL
    scene = Scene(source.name, found, threshold, ratio, share)
    if set_up_by_teacher():
        return scene
    marks = [Mark(scene.best, _("cheapest"), "best")] if LOWEST <= scene.best <= HIGHEST else []
    threshold = slider(
        _("Threshold"), key="evaluation.threshold", low=LOWEST, high=HIGHEST, value=threshold, odds=True, marks=marks,
        controlled=True, help=_("A score of at least this is called positive. Drag it and watch everything follow."),
    )  # fmt: skip
    put_extra("threshold", "" if threshold == EVEN else f"{threshold:.6g}")
    ratio = slider(
        _("A miss costs"), key="evaluation.cost", low=CHEAPEST, high=DEAREST, value=ratio, log=True, controlled=True,
        unit=_("false alarms"), help=_("How many false alarms are as bad as one positive that is missed."),
    )  # fmt: skip
    put_extra("cost", "" if ratio == EQUAL else f"{ratio:.6g}")
    return Scene(source.name, found, threshold, ratio, _prevalence(scene))


def _prevalence(scene: Scene) -> float | None:
    """The slider of the imagined share of positives, and the way back to the measured one."""
    measured = scene.curves.prevalence
    if not RAREST <= measured <= COMMONEST:
        return None
    own = float(f"{measured:.3g}")
    moved = slider(
        _("Share of positives"), key="evaluation.share", low=RAREST, high=COMMONEST, value=scene.prevalence or own,
        log=True, marks=[Mark(own, _("measured"), "note")], controlled=True,
        help=_("As if the positives were so frequent: the same classifier, used on other people."),
    )  # fmt: skip
    share = None if abs(np.log(moved / own)) < 0.01 else moved
    put_extra("share", "" if share is None else f"{share:.6g}")
    return share


def names(source: Source, scene_positive: int) -> tuple[str, str]:
    """What the positives and the negatives are called, translated."""
    positive = _(source.classes[scene_positive])
    return positive, _(source.classes[0]) if source.binary else _("not {name}").format(name=positive)


def _pictures(source: Source, scene: Scene) -> None:
    """Histogram and matrix above, ROC and precision-recall below; one threshold in all of them."""
    both = names(source, positive_class(source))
    c = scene.counts
    left, right = st.columns([1.62, 1], gap="small")
    with left:
        _histogram(scene, both)
    with right:
        matrix = np.array([[c.tp, c.fn], [c.fp, c.tn]])
        live_plot(
            evaluation.confusion(matrix, both, label=_), key="two-by-two", height=TALL,
            alt=_("Confusion matrix at the threshold."),
            table={_("truth"): both, both[0]: matrix[:, 0].round(2), both[1]: matrix[:, 1].round(2)},
        )  # fmt: skip
    st.markdown(_story(scene, both))
    _rates(scene, *st.columns(2, gap="small"))


def _histogram(scene: Scene, both: tuple[str, str]) -> None:
    ups, downs = histogram(scene.curves, EDGES)
    c = scene.counts
    best = scene.best if LOWEST <= scene.best <= HIGHEST else None
    corners = [amount(n) for n in (c.tp, c.fp, c.fn, c.tn)]
    live_plot(
        thresholds.score_histogram(EDGES, ups, downs, scene.threshold, best, corners, both, label=_), key="scores",
        height=TALL, alt=_("Scores of the positives upwards and of the negatives downwards, cut at the threshold."),
        table={_("score from"): EDGES[:-1].round(4), both[0]: ups, both[1]: downs},
    )  # fmt: skip


def _rates(scene: Scene, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """The two curves, with the threshold's point and the cheapest one's."""
    found = scene.curves
    few = thinned(found)
    precision = precisions(found, scene.prevalence)
    now, best = int(found.place(scene.threshold)), int(found.place(scene.best))
    fpr, tpr = found.fpr, found.tpr
    with left:
        live_plot(
            thresholds.roc(fpr[few], tpr[few], (fpr[now], tpr[now]), (fpr[best], tpr[best]), area_under_roc(found),
                           label=_), key="roc", height=SHORT,
            alt=_("ROC curve: positives found against negatives alarmed, with the threshold’s point."),
        )  # fmt: skip
    with right:
        live_plot(
            thresholds.precision_recall(
                tpr[few], precision[few], (tpr[now], precision[now]), (tpr[best], precision[best]),
                average_precision(found, scene.prevalence), scene.share, label=_,
            ), key="pr", height=SHORT,
            alt=_("Precision against recall, with the threshold’s point."),
        )  # fmt: skip


def _story(scene: Scene, both: tuple[str, str]) -> str:
    """What the threshold does, in a sentence of its own numbers."""
    c = scene.counts
    words = _(
        "Of {total} samples {positives} are **{positive}**: {found} found, {missed} missed, {alarms} false alarms. "
        "**{accuracy}** of all answers are right. Who always says “{usual}” is right in {always}."
    ).format(
        total=amount(c.total), positives=amount(c.tp + c.fn), positive=plain(both[0]), found=amount(c.tp),
        missed=amount(c.fn), alarms=amount(c.fp), accuracy=percent(c.accuracy), always=percent(scene.always),
        usual=plain(both[0] if scene.share > 0.5 else both[1]),
    )  # fmt: skip
    return words


def _table(scene: Scene) -> str:
    """The measures with the numbers of the matrix put in, and what the mistakes cost."""
    c, ratio, found = scene.counts, scene.ratio, fractions(scene.counts)
    rows = [
        f"<tr><th scope='row'>{_(word)}</th><td>{found[name][0]}</td><td><b>{percent(found[name][1])}</b></td></tr>"
        for name, word in MEASURES.items()
    ]
    least = Scene(scene.source, scene.curves, scene.best, ratio, scene.prevalence).counts.cost(ratio)
    cost = f"{amount(c.fp)} + {ratio:.3g} · {amount(c.fn)}"
    rows.append(
        f"<tr><th scope='row'>{_('cost')}</th><td>{cost}</td><td><b>{c.cost(ratio):,.0f}</b></td></tr>"
        f"<tr><th scope='row'>{_('cheapest')}</th><td>{_at(scene)}</td><td><b>{least:,.0f}</b></td></tr>"
    )
    return f"<table class='dl-measures'><caption>{_('At this threshold')}</caption>{''.join(rows)}</table>"


def _at(scene: Scene) -> str:
    if not np.isfinite(scene.best):
        return _("never say yes")
    return _("threshold {value}").format(value=f"{scene.best:.3g}")
