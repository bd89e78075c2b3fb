"""Names and opinions: the data and its split, tokens and packing, what a reader contributes, and what it reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from dlcore import bag_of_words, reading_story
from dlcore.data import opinion_grammar
from dlcore.data.corpora import BUILT_IN, REAL, corpus
from dlcore.data.tokens import batch_sizes, padded
from dlcore.events import Checkpoint, Finished, Snapshot, Started, pack
from dlcore.experiments import reading, reading_look
from dlcore.experiments.reading import Config
from dlcore.figures import reading as figures
from dlcore.knobs import build, parse
from dlcore.models.reader import READOUTS, Reader
from dlcore.reading_training import table_of
from dlcore.steering import Steering
from dlcore.texts import Problem

# -- the reader --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_an_answer_does_not_depend_on_the_company(readout, cell, bidirectional):
    torch.manual_seed(0)
    model = Reader(9, 3, cell=cell, hidden=5, embedding=4, readout=readout, bidirectional=bidirectional).eval()
    rows = [np.array(row) for row in ([2, 3, 4, 5, 6, 7, 8], [3], [4, 4, 2])]
    together = model(table_of(rows, "cpu"))
    alone = torch.cat([model(table_of([row], "cpu")) for row in rows])
    torch.testing.assert_close(together, alone)


def test_blanks_are_read_as_unknown_in_training_only():
    torch.manual_seed(0)
    model, batch = Reader(9, 2, blanks=0.99), table_of([np.array([2, 3, 4])], "cpu")
    unknown = table_of([np.array([1, 1, 1])], "cpu")
    torch.testing.assert_close(model(batch), model.eval()(unknown))
    assert not torch.allclose(model.eval()(batch), model(unknown))


TINY = {"steps": 30, "batch_size": 16, "hidden": 8, "embedding": 6, "threads": 1, "evaluations": 2,
        "dataset": "built_in", "device": "cpu"}  # fmt: skip


def events_of(**settings):
    return list(reading.run(build(Config, {**TINY, **settings})))


def metrics_of(events) -> dict:
    """What a run that has reached its end tells last."""
    last = list(events)[-1]
    assert isinstance(last, Finished)
    return last.metrics


@pytest.fixture(scope="module")
def grammar_run():
    config = parse(Config, {"task": "sentiment", "dataset": "built_in", "device": "cpu", "evaluations": "2",
                            "threads": "1"})  # fmt: skip
    return list(reading.run(config))


@pytest.fixture(scope="module")
def checkpoint(grammar_run, tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("run") / "checkpoint.bin"
    path.write_bytes(pack(next(e for e in grammar_run if isinstance(e, Checkpoint) and e.final).state))
    return str(path)


def test_a_run_tells_what_the_page_shows(grammar_run):
    first, last = grammar_run[0], grammar_run[-1]
    assert isinstance(first, Started)
    assert isinstance(last, Finished)
    assert first.config["dataset"] == "built_in"
    assert first.info["example_tokens"][:2] == ["the", "film"]
    assert {"test_accuracy", "test_accuracy/lstm", "bag_accuracy", "majority_accuracy", "params"} <= last.metrics.keys()
    looks = [e.arrays["lstm"] for e in grammar_run if isinstance(e, Snapshot) and e.name == "reading"]
    assert looks[0].shape == (len(first.info["example_tokens"]), 2)
    assert np.allclose(looks[-1].sum(1), 1, atol=1e-5)
    (told,) = [e.arrays for e in grammar_run if isinstance(e, Snapshot) and e.name == "test_predictions"]
    assert (told["probabilities"].argmax(1) == told["labels"]).mean() == pytest.approx(last.metrics["test_accuracy"])
    assert np.array_equal(told["labels"], corpus("grammar").texts.y_test)


def test_a_run_goes_on_where_it_was():
    config = build(Config, {**TINY, "task": "sentiment"})
    whole, steering = metrics_of(reading.run(config)), Steering()
    steering.until = 12
    middle = next(e for e in reading.run(config, steering=steering) if isinstance(e, Checkpoint) and e.step)
    assert middle.step == 12
    assert metrics_of(reading.run(config, resume=middle.state))["test_loss"] == whole["test_loss"]


def test_three_cells_learn_from_the_same_batches():
    three = metrics_of(events_of(task="sentiment", cell="all", dropout=0.0))
    alone = metrics_of(events_of(task="sentiment", cell="gru", dropout=0.0))
    assert {f"test_accuracy/{cell}" for cell in ("rnn", "lstm", "gru")} <= three.keys()
    assert three["test_loss/gru"] == pytest.approx(alone["test_loss/gru"], abs=1e-4)


def test_a_config_of_other_data_is_refused():
    with pytest.raises(Problem, match="other data"):
        reading.resolve(build(Config, {**TINY, "data_hash": "0123"}))


# -- asking ------------------------------------------------------------------------------------------------------------


def test_each_beginning_is_read_as_if_it_were_all(checkpoint):
    whole = reading_look.read_text(checkpoint, "The film is not good .")
    part = reading_look.read_text(checkpoint, "the film is not")
    assert whole["tokens"] == ["the", "film", "is", "not", "good", "."]
    np.testing.assert_allclose(whole["probabilities"][3], part["probabilities"][-1], atol=1e-5)
    assert whole["known"].all()
    without = reading_look.read_text(checkpoint, "the film is good .")
    assert whole["without_no"] == pytest.approx(float(without["probabilities"][-1, 1]), abs=1e-5)
    assert whole["bag"].sum() == pytest.approx(1)


@pytest.mark.parametrize("text", ["x", "🙂🙂", "这部电影", "the blorp is good", "é" * 150, "⁂", "עברית"])
def test_anything_may_be_asked(checkpoint, text):
    found = reading_look.read_text(checkpoint, text)
    assert np.isfinite(found["probabilities"]).all()
    for way in (reading_look.LEAVE_OUT, reading_look.GRADIENTS):
        assert reading_look.contributions(checkpoint, text, way)["values"].shape == (len(found["tokens"]),)


@pytest.mark.parametrize(("text", "words"), [("", "nothing to read"), (" \n", "nothing to read"), ("a " * 300, "300")])
def test_nothing_and_too_much_are_answered_in_a_sentence(checkpoint, text, words):
    with pytest.raises(Problem, match=words):
        reading_look.read_text(checkpoint, text)


def test_leaving_out_is_the_difference_of_two_readings(checkpoint):
    text, tokens = "the film is not good .", ["the", "film", "is", "not", "good", "."]
    values = reading_look.contributions(checkpoint, text)["values"]

    def odds(pieces):
        p = float(reading_look.read_text(checkpoint, " ".join(pieces))["probabilities"][-1, 1])
        return np.log(p / (1 - p))

    wanted = [odds(tokens) - odds(tokens[:t] + tokens[t + 1 :]) for t in range(len(tokens))]
    np.testing.assert_allclose(values, wanted, atol=1e-3)


def test_integrated_gradients_add_up(checkpoint):
    """Completeness (Sundararajan et al. 2017, proposition 1): the sum is the text's log-odds less the baseline's."""
    found = reading_look.contributions(checkpoint, "the film was slow , but the ending is moving .", "gradients")
    assert found["error"] < 0.02 * max(1.0, abs(found["values"]).sum())


def test_log_odds_are_those_of_the_softmax():
    logits = torch.randn(5, 4, dtype=torch.float64)
    p = logits.softmax(1)[:, 2]
    torch.testing.assert_close(reading_look.log_odds(logits, 2), torch.log(p / (1 - p)))


def test_embeddings_before_are_those_that_the_run_began_with(checkpoint, grammar_run):
    found = reading_look.embeddings(checkpoint)
    n = len(found["tokens"])
    assert found["before"].shape == found["now"].shape == (n, 2)
    assert found["shares"].shape == (2, 2)
    torch.manual_seed(0)
    state = next(e.state for e in grammar_run if isinstance(e, Checkpoint))
    drawn = Reader(cell="lstm", **state["build"]).embedding.weight.detach().numpy()[2 : 2 + n]
    np.testing.assert_allclose(
        np.abs(reading_look.principal(drawn.astype(float))[0]), np.abs(found["before"]), atol=1e-4
    )


def test_words_that_praise_and_that_complain_part_company(checkpoint):
    """On the two axes together; counting cannot tell them apart."""
    found = reading_look.embeddings(checkpoint)
    good, bad = found["kind"] > 0, found["kind"] < 0
    assert good.sum() == bad.sum() == 10

    def gap(places) -> float:
        """Mahalanobis distance of the means of the two kinds, by the spread within them."""
        apart = places[good].mean(0) - places[bad].mean(0)
        within = (np.cov(places[good].T) + np.cov(places[bad].T)) / 2
        return float(np.sqrt(apart @ np.linalg.inv(within) @ apart))

    assert gap(found["now"]) > 3 > 1.5 > gap(found["before"])
    assert np.abs(found["counted"][good | bad]).max() < 0.5


def test_kind_characters_are_those_of_one_kind():
    assert opinion_grammar.kind_words("zh")["好"] == 1
    assert opinion_grammar.kind_words("zh")["难"] == -1
    assert "吃" not in opinion_grammar.kind_words("zh")


def test_principal_axes_are_those_of_scikit_learn():
    from sklearn.decomposition import PCA

    E = np.random.default_rng(0).normal(size=(40, 7))
    places, shares = reading_look.principal(E)
    theirs = PCA(2).fit(E)
    np.testing.assert_allclose(np.abs(places), np.abs(theirs.transform(E)), atol=1e-5)
    np.testing.assert_allclose(shares, theirs.explained_variance_ratio_)


def test_waste_is_what_padding_would_add():
    assert reading_look.wasted("grammar", 1) == pytest.approx(0)
    assert 0.1 < reading_look.wasted("grammar", 64) < 0.6
    made = reading_look.prepared("grammar", [0, 5, 7])
    assert made["sizes"].sum() == made["lengths"].sum() == sum(map(len, made["tokens"]))


# -- the bag, the story, the figures -----------------------------------------------------------------------------------


def test_the_bag_is_scikit_learns():
    data = corpus("territories")
    bag = bag_of_words.fit(data)
    from sklearn.linear_model import LogisticRegression

    X = bag_of_words.counts(data.train, len(data.vocabulary.tokens)).toarray()
    theirs = LogisticRegression(max_iter=200, tol=1e-3).fit(X, data.texts.y_train)
    X_test = bag_of_words.counts(data.test, len(data.vocabulary.tokens)).toarray()
    np.testing.assert_allclose(bag.probabilities(data.test), theirs.predict_proba(X_test), atol=1e-3)
    assert bag_of_words.Bag(**bag.plain()).probabilities(data.test[:1]).sum() == pytest.approx(1)


def test_turned_at_the_end():
    turned = np.array([[0.6, 0.4], [0.8, 0.2], [0.3, 0.7]])
    assert reading_story.turned_at_the_end({"kind": "letters", "probabilities": turned})
    assert not reading_story.turned_at_the_end({"kind": "words", "probabilities": turned})
    assert not reading_story.turned_at_the_end({"kind": "letters", "probabilities": turned[[1, 2, 1, 1]]})


def test_reordered_needs_the_same_words_and_sure_opposites():
    first, second = (("a", "b", "c"), 0.9), (("c", "b", "a"), 0.1)
    assert reading_story.reordered([first, second])
    assert not reading_story.reordered([first, (("c", "b", "a"), 0.4)])
    assert not reading_story.reordered([first, (("c", "b", "d"), 0.1)])


def test_deaf_to_no_is_about_plain_sentences():
    asked = {"kind": "words", "tokens": ["this", "is", "not", "good"], "without_no": 0.9,
             "probabilities": np.array([[0.2, 0.8]])}  # fmt: skip
    assert reading_story.deaf_to_no(asked)
    assert not reading_story.deaf_to_no({**asked, "without_no": 0.1})
    assert not reading_story.deaf_to_no({**asked, "without_no": None})
    assert not reading_story.deaf_to_no({**asked, "tokens": ["not", "good", "but", "long"]})


def test_confused_pairs_are_the_largest_mistakes():
    assert reading_story.confused_pairs(np.array([[5, 3, 0], [1, 9, 0], [0, 2, 7]])) == [
        (0, 1, 3),
        (2, 1, 2),
        (1, 0, 1),
    ]
    assert reading_story.confused_pairs(np.eye(3, dtype=int)) == []


def test_figures_are_valid():
    import plotly.graph_objects as go

    rng, tokens = np.random.default_rng(0), ["not", "good", "<b>", " "]
    table, lengths = padded([np.array([2, 1, 3]), np.array([2])])
    made = [
        figures.letter_by_letter(rng.dirichlet(np.ones(12), 4), tokens, [str(k) for k in range(12)]),
        figures.word_by_word(rng.random(4), tokens, bag=0.3),
        figures.padded_table([["a", "b", "c"], ["a"]], table),
        figures.padded_table([["a", "b", "c"], ["a"]], table, numbers=True),
        figures.packed(batch_sizes(lengths), 2),
        figures.embedding_map(rng.normal(size=(4, 2)), tokens, np.array([1, -1, np.nan, 0.2]), np.arange(4),
                              np.array([0.5, 0.2]), told=tokens),
    ]  # fmt: skip
    for figure in made:
        go.Figure(figure.to_dict())
    assert "<b>" not in str(made[1].to_dict()["layout"]["xaxis"]["ticktext"])


# -- what must hold ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("settings", "goal"),
    [({"task": "names"}, 0.75), ({"task": "sentiment"}, 0.74), ({"task": "sentiment", "language": "zh"}, 0.84)],
    ids=["names", "films", "meals"],
)
def test_the_recipes_reach_what_is_asked(settings, goal):
    config = parse(Config, {**settings, "dataset": REAL, "evaluations": "1", "threads": "1"})
    assert metrics_of(reading.run(config))["test_accuracy"] >= goal


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_order_is_everything_in_the_grammar(language):
    config = parse(Config, {"task": "sentiment", "language": language, "dataset": BUILT_IN, "threads": "1"})
    found = metrics_of(reading.run(replace(config, evaluations=1)))
    assert found["test_accuracy"] > 0.95
    assert found["bag_accuracy"] < 0.6


@pytest.mark.parametrize("task", ["names", "sentiment"])
def test_the_command_of_the_sequences_reaches_this_lesson(task):
    from dlcore.experiments import lesson_of

    assert lesson_of("sequences", {"task": task, "hidden": "9"}) == ("reading", {"task": task, "hidden": "9"})
