"""The lesson's classifiers and trainings: right by scikit-learn, repeatable, and with the effects that it teaches."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.model_selection import StratifiedKFold

from dlcore import evaluation, evaluation_sources, small_models
from dlcore import evaluation_story as story
from dlcore.calibration import tempered
from dlcore.data import labelled
from dlcore.events import Checkpoint, Finished, Snapshot, Started, Step
from dlcore.experiments import evaluation as lesson
from dlcore.history import History
from dlcore.knobs import build
from dlcore.steering import Steering
from dlcore.texts import Problem
from dlcore.thresholds import area_under_roc, average_precision, counts, curves, precisions

QUICK = {"dataset": "moons", "size": 120, "model": "logistic", "rival": "tree"}


def done(**given: Any) -> History:
    history = History()
    for event in lesson.run(build(lesson.Config, given)):
        history.add(event)
    return history


def rows(history: History, model: int = 0) -> np.ndarray:
    table = history.snapshots["scores"].arrays["rows"]
    return table[table[:, 0] == model]


# -- the report ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_report_is_scikit_learns_with_classes_that_never_occur(pairs):
    y, said = np.array(pairs).T
    found = evaluation.report(y, said, 5)  # class 4 neither occurs nor is answered
    for kind in ("macro", "weighted"):
        theirs = sk.precision_recall_fscore_support(y, said, labels=range(5), average=kind, zero_division=0)  # type: ignore[arg-type]
        ours = [found[f"{kind}_{name}"] for name in ("precision", "recall", "f1")]
        assert ours == pytest.approx(theirs[:3])
    micro = sk.precision_recall_fscore_support(y, said, average="micro", zero_division=0)  # type: ignore[arg-type]
    assert micro[:3] == pytest.approx([found["accuracy"]] * 3)
    present = [k for k in range(5) if (y == k).any()]
    assert found["balanced_accuracy"] == pytest.approx(np.mean([(said[y == k] == k).mean() for k in present]))


# -- the classifiers that are examined -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rare() -> dict[str, Any]:
    return evaluation_sources.built_in("rare")


def test_rare_disease_99_percent_right_and_worthless(rare):
    """TEACHING: always-negative has accuracy 0.99 and balanced accuracy 0.5; AUC near 0.913, average precision 0.2."""
    aucs, averages = [], []
    for seed in range(3):
        found = rare if seed == 0 else evaluation_sources.rare(seed)
        c = curves(found["labels"] == 1, found["probabilities"][:, 1])
        assert c.prevalence == 0.01
        never, plain = counts(c, 2.0), counts(c, 0.5)
        assert never.accuracy == 0.99
        assert never.balanced_accuracy == 0.5
        assert np.isnan(never.precision)
        assert plain.accuracy == pytest.approx(0.99, abs=0.002)
        assert plain.recall < 0.15
        aucs.append(area_under_roc(c))
        averages.append(average_precision(c))
    assert np.mean(aucs) == pytest.approx(0.913, abs=0.02)
    assert 0.12 < np.mean(averages) < 0.3


def test_screening_challenge_can_be_achieved_and_not_by_much_more(rare):
    c = curves(rare["labels"] == 1, rare["probabilities"][:, 1])
    possible = precisions(c)[c.tpr >= story.GOAL_RECALL].max()
    assert story.GOAL_PRECISION < possible < 1.1 * story.GOAL_PRECISION
    grid = [float(f"{t:.4f}") for t in np.arange(0.005, 0.02, 0.0001)]  # what the slider can be set to
    assert any(story.screens(story.Scene("rare", c, t)) == 1 for t in grid)
    assert story.screens(story.Scene("rare", c, 0.5)) < 0.5
    assert story.screens(story.Scene("rare", c, 0.0101, prevalence=0.3)) == 0


def test_other_challenges(rare):
    c = curves(rare["labels"] == 1, rare["probabilities"][:, 1])
    assert not story.worthless(story.Scene("rare", c, 0.5))
    assert story.worthless(story.Scene("rare", c, 0.99))
    assert story.believable(story.Scene("rare", c, 0.04)) < 0.5
    assert any(story.believable(story.Scene("rare", c, t, prevalence=0.3)) == 1 for t in (0.02, 0.05, 0.08, 0.1))
    assert story.calibrated(0.14, 0.03) == 1
    assert story.calibrated(0.08, 0.03) == 0, "it was not bad before"
    assert 0 < story.calibrated(0.14, 0.10) < 1


def test_real_tumours_were_answered_out_of_fold():
    found = evaluation_sources.built_in("breast_cancer")
    y, P = found["labels"], found["probabilities"]
    assert (len(y), y.sum()) == (569, 212)
    assert P.sum(1) == pytest.approx(1, abs=1e-6)
    assert area_under_roc(curves(y == 1, P[:, 1])) == pytest.approx(0.83, abs=0.02)


def test_sources_with_images_show_the_images_that_were_answered():
    found = evaluation_sources.built_in("by_heart")
    images, labels = evaluation_sources.all_images("digits")
    some = np.array([0, 700, 1600])
    shown = evaluation_sources.pictures("digits", found["which"][some], of_test=False)
    np.testing.assert_array_equal(shown, images[found["which"][some]])
    np.testing.assert_array_equal(found["labels"], labels[found["which"]])
    assert (found["probabilities"].argmax(1) == found["labels"]).mean() == pytest.approx(0.82, abs=0.02)
    test = evaluation_sources.pictures("digits", np.array([3]), of_test=True)
    np.testing.assert_array_equal(test[0], images[1442 + 3])
    assert evaluation_sources.pictures("digits", np.array([], int), of_test=False).shape == (0, 1, 28, 28)


def test_shipped_network_is_too_modest_on_strange_digits():
    found = evaluation_sources.built_in("shipped")
    right = found["probabilities"].argmax(1) == found["labels"]
    assert len(right) == 1797
    assert right.mean() == pytest.approx(0.959, abs=0.01)
    assert found["probabilities"].max(1).mean() < right.mean()


def test_a_source_that_there_is_not():
    with pytest.raises(Problem, match="no classifier “oracle”"):
        evaluation_sources.built_in("oracle")


# -- the repeated trainings ------------------------------------------------------------------------------------------


@given(st.integers(2, 10), st.integers(0, 50))
def test_folds_are_stratified_and_miss_nobody(folds, seed):
    y = np.random.default_rng(seed).integers(0, 3, 90)
    fold = lesson.fold_of(y, folds, seed)
    assert set(fold) <= set(range(folds))
    assert np.ptp(np.bincount(fold, minlength=folds)) <= 1
    for label in np.unique(y):
        sizes = np.bincount(fold[y == label], minlength=folds)
        theirs = [np.sum(y[test] == label) for _, test in StratifiedKFold(folds).split(y, y)] if sizes.min() else sizes
        assert np.ptp(sizes) <= max(1, np.ptp(theirs))


def test_every_sample_is_tested_once_a_repeat_and_never_learned_from():
    config = build(lesson.Config, {**QUICK, "folds": 4, "repeats": 3})
    y = labelled.load("moons", 120)[1]
    fits = lesson.plan(config, y)
    assert len(fits) == 2 * 4 * 3
    for repeat in range(3):
        tested = np.concatenate([fit.test for fit in fits if fit.repeat == repeat and fit.model == 0])
        assert sorted(tested) == list(range(120))
    for fit in fits:
        assert not set(fit.learn) & set(fit.test)
    for one, other in zip(fits[::2], fits[1::2], strict=True):
        np.testing.assert_array_equal(one.test, other.test)


def test_sizes_are_nested_and_hold_every_class():
    y = labelled.load("digits", 600)[1]
    learn, test = lesson.split(y, 3)
    assert sorted([*learn, *test]) == list(range(600))
    assert len(set(y[learn[:20]])) == 10
    assert lesson.sizes(len(learn))[0] == 20
    assert lesson.sizes(len(learn))[-1] == len(learn)


@given(st.lists(st.integers(2, 60), min_size=2, max_size=5), st.integers(0, 50))
@example([200, 200], 0)
@example([266, 134], 0)  # two to one, and every third row for the test: a test without any of the rarer class
def test_a_split_holds_each_class_in_proportion(sizes, seed):
    y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    learn, test = lesson.split(y, seed)
    assert sorted([*learn, *test]) == list(range(len(y)))
    assert np.bincount(y[test], minlength=len(sizes)).tolist() == [round(n * lesson.HELD_OUT) for n in sizes]
    learned = np.bincount(y[learn])
    for size in (len(learn) // 3, len(learn) // 2):
        first = np.bincount(y[learn[:size]], minlength=len(sizes))
        assert np.abs(first - size * learned / len(learn)).max() <= len(sizes) / 2 + 0.5


@pytest.mark.parametrize("kind", small_models.SCORES)
@pytest.mark.parametrize("dataset", ["moons", "digits"])
def test_scores_are_scikit_learns(kind, dataset):
    X, y = labelled.load(dataset, 200, 1)
    model = small_models.fitted("logistic", 1.0, 0, X[:140], y[:140])
    said, P = model.predict(X[140:]), model.predict_proba(X[140:])
    theirs = {
        "accuracy": lambda: sk.accuracy_score(y[140:], said),
        "balanced_accuracy": lambda: sk.balanced_accuracy_score(y[140:], said),
        "roc_auc": lambda: sk.roc_auc_score(y[140:], P if dataset == "digits" else P[:, 1], multi_class="ovr"),
    }[kind]()
    assert small_models.score(model, X[140:], y[140:], kind) == pytest.approx(theirs)


def test_events_are_those_of_every_lesson():
    config = build(lesson.Config, {**QUICK, "repeats": 1})
    events = list(lesson.run(config))
    assert isinstance(events[0], Started)
    assert events[0].total_steps == 10
    assert isinstance(events[-1], Finished)
    assert isinstance(events[-3 if isinstance(events[-2], Snapshot) else -2], Checkpoint)
    assert [e.step for e in events if isinstance(e, Step)] == list(range(1, 11))
    assert events[0].config == asdict(config)
    json.dumps(events[-1].metrics)


def test_paused_and_resumed_is_the_same_run():
    config = build(lesson.Config, {**QUICK, "model": "mlp", "repeats": 1})
    whole = done(**{**QUICK, "model": "mlp", "repeats": 1})
    steering, state = Steering(), None
    steering.until = 4
    for event in lesson.run(config, steering=steering):
        if isinstance(event, Step) and event.step == 4:
            steering.ask_checkpoint()
        if isinstance(event, Checkpoint):
            state = event.state
            break
    assert state is not None
    rest = History()
    for event in lesson.run(config, resume=state):
        rest.add(event)
    np.testing.assert_array_equal(rest.snapshots["scores"].arrays["rows"], whole.snapshots["scores"].arrays["rows"])
    assert rest.metrics == whole.metrics


def test_comparison_is_paired_and_honest():
    """A straight line against neighbours on the moons differ for sure; a model against itself does not."""
    config = {**QUICK, "size": 400, "rival": "knn"}
    apart = done(**config)
    assert apart.metrics["difference_high"] < 0
    assert story.really_better([apart]) == 1
    same = done(**{**config, "rival": "logistic"})
    assert same.metrics["difference"] == same.metrics["difference_low"] == same.metrics["difference_high"] == 0
    assert story.really_better([same]) == 0
    close = done()  # the default: logistic regression and a tree on real tumours
    assert close.metrics["difference_low"] < 0 < close.metrics["difference_high"]
    assert story.really_better([close]) == 0.5


def test_variance_closes_with_samples_and_bias_stays():
    given = {"task": "learning_curve", "dataset": "moons", "model": "logistic", "rival": "tree", "size": 1000}
    found = [done(**given, seed=seed) for seed in range(2)]
    ends = []
    for model, few, many in ((0, 0.03, 0.02), (1, 0.15, 0.04)):  # gaps of training and test, as means of two draws
        tables = np.concatenate([rows(one, model) for one in found])
        first, last = (tables[tables[:, 2] == size] for size in (tables[:, 2].min(), tables[:, 2].max()))
        assert float((first[:, 5] - first[:, 6]).mean()) > few
        assert float((last[:, 5] - last[:, 6]).mean()) < many
        ends.append(float(last[:, 6].mean()))
    assert ends[1] > ends[0] + 0.01, "the straight line stays below, however many samples it gets"


def test_complexity_turns_back():
    found = done(task="complexity", dataset="breast_cancer", model="tree", rival="none")
    table = rows(found)
    train, test = ([table[table[:, 1] == d][:, c].mean() for d in small_models.DIALS["tree"]] for c in (5, 6))
    assert np.all(np.diff(train) >= 0)
    assert train[-1] == 1.0
    assert max(test) > test[-1] + 0.03
    assert np.argmax(test) < 4
    assert found.metrics["best_dial_a"] == small_models.DIALS["tree"][int(np.argmax(test))]
    assert found.metrics["mean_a"] == pytest.approx(max(test))


@pytest.mark.parametrize("task", lesson.TASKS)
def test_a_handful_of_rare_positives_is_no_fault(task):
    found = done(task=task, dataset="rare", size=60, prevalence=0.01, score="roc_auc", rival="knn", repeats=2)
    assert found.state == "finished"


def test_seeds_differ_and_repeat():
    first, again = (done(**QUICK, task="seeds", repeats=6) for _ in range(2))
    np.testing.assert_array_equal(rows(first), rows(again))
    assert rows(first)[:, 6].std() > 0
    assert replace(lesson.Config(), task="seeds").repeats == 2, "the recipe is for what nobody has set"
    assert build(lesson.Config, {"task": "seeds"}).repeats == 20


def test_numbers_of_the_prose():
    P = tempered(np.array([[0.8, 0.2], [0.3, 0.7], [0.4, 0.6], [0.9, 0.1]]), 1.0)
    scene = story.Scene("rare", curves(np.array([False, True, False, True]), P[:, 1]))
    numbers = story.numbers(scene)
    assert [numbers[name] for name in ("tp", "fp", "fn", "tn", "n")] == ["1", "1", "1", "1", "4"]
    assert numbers["precision"] == r"50.0\%"
    assert set(numbers) == set(story.numbers(None))
    assert story.fractions(scene.counts)["recall"] == ("1 / (1 + 1)", 0.5)
    assert story.percent(float("nan")) == story.DASH


@pytest.mark.parametrize(
    ("numbers", "as_percent", "texts"),
    [
        ((0.99, 0.988, 0.9918), True, ["99.00%", "98.80%", "99.18%"]),
        ((0.92, 0.82, 0.98), True, ["92.0%", "82.0%", "98.0%"]),
        ((0.9901, 0.98995, 0.99025), True, ["99.010%", "98.995%", "99.025%"]),
        ((0.9326, 0.9133, 0.9503), False, ["0.933", "0.913", "0.950"]),
        ((1.0, 1.0, 1.0), True, ["100.0%", "100.0%", "100.0%"]),
    ],
)
def test_an_interval_is_printed_with_digits_of_one_kind(numbers, as_percent, texts):
    assert story.alike(*numbers, as_percent=as_percent) == texts
