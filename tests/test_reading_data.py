"""Texts with a class: what is held out, how they are counted and cut into tokens, and packed batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dlcore import bag_of_words
from dlcore.data import names, opinion_grammar, reviews
from dlcore.data.corpora import corpus, dataset_of
from dlcore.data.labelled_texts import split
from dlcore.data.tokens import TOKENIZERS, UNKNOWN, Vocabulary, batch_sizes, padded
from dlcore.texts import Problem

BUILT_INS = ("territories", "grammar", "grammar_zh")


@given(st.lists(st.tuples(st.sampled_from("aAbBcdefgh"), st.integers(0, 2)), min_size=1, max_size=60))
def test_no_spelling_is_on_both_sides_and_no_line_twice(lines):
    made = split([text for text, _ in lines], [label for _, label in lines], ("x", "y", "z"))
    sides = [list(zip(map(str.casefold, texts), y.tolist(), strict=True))
             for texts, y in ((made.train, made.y_train), (made.test, made.y_test))]  # fmt: skip
    assert not {text for text, _ in sides[0]} & {text for text, _ in sides[1]}
    distinct = {(text.casefold(), label) for text, label in lines}
    assert sorted(sides[0] + sides[1]) == sorted(distinct)
    assert made.repeats == len(lines) - len(distinct)
    assert made.shared == sum(
        len({label for t, label in distinct if t == text}) > 1 for text in {t for t, _ in distinct}
    )


def test_every_class_is_held_out_to_the_same_share():
    made = split([f"{n}" for n in range(1000)], [n % 4 for n in range(1000)], tuple("abcd"))
    assert np.bincount(made.y_test).tolist() == [25] * 4
    assert made.hash == split([f"{n}" for n in range(1000)], [n % 4 for n in range(1000)], tuple("abcd")).hash


@pytest.mark.parametrize("name", BUILT_INS)
def test_built_in_data_needs_no_file(name, monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = corpus(name)
    assert 0.09 < len(data.texts.test) / (len(data.texts.test) + len(data.texts.train)) < 0.11
    assert len(data.texts.classes) == (12 if name == "territories" else 2)
    assert len(set(data.texts.y_test.tolist())) == len(data.texts.classes)


def test_without_files_the_built_in_data_stands_in_and_the_real_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert dataset_of("names", "zh", "auto") == "territories"
    assert dataset_of("sentiment", "zh", "auto") == "grammar_zh"
    names.load.cache_clear()
    reviews.load.cache_clear()
    for load, name in ((names.load, "names"), (reviews.load, "rt_polarity"), (reviews.load, "waimai")):
        with pytest.raises(Problem, match="python -m dlcore download"):
            load(name)


@pytest.mark.data
def test_real_names_are_counted_honestly():
    data = names.load(names.REAL)
    assert len(data.train) + len(data.test) + data.repeats == 20_050
    assert (data.repeats, data.shared) == (2046, 469)
    assert np.bincount(np.concatenate([data.y_train, data.y_test]))[0] == 108, "2,000 Arabic lines"


@pytest.mark.data
def test_real_reviews_are_read_line_by_line():
    films, meals = reviews.load("rt_polarity"), reviews.load("waimai")
    assert len(films.train) + len(films.test) == 10_662, "signs within a line are no line ends"
    assert any("é" in text for text in films.train)
    assert len(meals.train) + len(meals.test) + meals.repeats == 11_987
    assert dataset_of("sentiment", "en", "auto") == "rt_polarity"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_grammar_is_even_and_gives_nothing_away_to_counting(language):
    made = opinion_grammar.sentences(language, 2000)
    assert len({text for text, _ in made}) == 2000
    assert sum(praises for _, praises in made) == 1000
    data = corpus("grammar" if language == "en" else "grammar_zh")
    assert bag_of_words.scores(data, bag_of_words.fit(data))["bag_accuracy"] < 0.6


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "tokens"),
    [
        ("letters", "O’Br  ien", list("o’br ien")),
        ("words", "It isn’t GOOD, is it?!", ["it", "isn't", "good", ",", "is", "it", "?", "!"]),
        ("words", "a 10-year-old", ["a", "10", "-", "year", "-", "old"]),
        ("characters", "不好吃ok，25分钟！", ["不", "好", "吃", "ok", ",", "25", "分", "钟", "!"]),
        ("pairs", "不好吃", ["不好", "好吃"]),
        ("pairs", "好", ["好"]),
        ("words", "  ", []),
    ],
)
def test_texts_are_cut_into_tokens(kind, text, tokens):
    assert TOKENIZERS[kind](text) == tokens


@given(st.text(max_size=200))
def test_any_text_becomes_numbers(text):
    for cut in TOKENIZERS.values():
        (numbers,) = Vocabulary(("", "?", "a")).numbers([cut(text)])
        assert len(numbers) == max(1, len(cut(text)))
        assert set(numbers.tolist()) <= {1, 2}


def test_rare_tokens_are_unknown_already_while_learning():
    vocabulary = Vocabulary.of([["a", "b"], ["a", "c"], ["b", "a"]])
    assert vocabulary.tokens == ("", "?", "a", "b")
    assert vocabulary.numbers([["c", "a", "?"]])[0].tolist() == [UNKNOWN, 2, UNKNOWN]


@given(st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=9), min_size=1, max_size=8))
def test_nothing_is_cut_off_and_the_packed_batch_is_torchs(rows):
    table, lengths = padded([np.array(row) for row in rows])
    assert [row[:n].tolist() for row, n in zip(table, lengths, strict=True)] == rows
    packed = torch.nn.utils.rnn.pack_padded_sequence(
        torch.from_numpy(table), torch.from_numpy(lengths), batch_first=True, enforce_sorted=False
    )
    assert packed.batch_sizes.tolist() == batch_sizes(lengths).tolist()
    assert len(packed.data) == sum(map(len, rows)) == batch_sizes(lengths).sum()
