"""The reading page as its reader meets it: before a run, after it, asked, and with links that do not fit."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.visit import opened, said, trained

STATE = "page:reading"
SMALL = {"dataset": "built_in", "threads": "1", "evaluations": "2"}


def page(**params: str) -> AppTest:
    return opened("reading", **{"lang": "en", **SMALL, **params})


def learned(at: AppTest) -> AppTest:
    """Train to the end."""
    return trained(at, "held-out texts are answered right", 120)


def test_opens_with_names_and_invites(jobs):
    at = page()
    assert not at.exception
    assert "As soon as a network trains you can type here" in said(at)
    assert "Built in: the names of the world’s countries" in said(at)
    assert "Filled up to the longest, the table has 6 ×" in said(at), "preprocessing needs no run"
    assert not [box for box in at.segmented_control if box.key == "reading.language"], "means nothing for names"


def test_real_data_that_is_not_here_is_offered(jobs, monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    at = page(dataset="real", task="sentiment", language="zh")
    assert not at.exception
    assert "python -m dlcore download waimai" in said(at)
    assert next(b for b in at.button if b.key == "reading.start.play_arrow").disabled
    next(b for b in at.button if b.key == "data-box.waimai.stand-in").click().run()
    assert at.session_state[STATE]["given"]["dataset"] == "built_in"
    assert not at.exception
    auto = page(dataset="auto")
    assert "choose “Real” to fetch it" in said(auto)


@pytest.mark.slow
def test_an_opinion_is_asked_word_by_word_and_challenges_are_seen(jobs):
    at = learned(page(task="sentiment", steps="250"))
    assert "The LSTM says **" in said(at)
    assert "Most moved by" in said(at)
    assert "400 are right" in said(at)
    samples = [b for b in at.button if str(b.key).startswith("reading.text.grammar.sample")]
    assert len(samples) == 4
    for sample in samples[1:3]:  # the same words in another order
        sample.click().run()
        assert not at.exception
    assert {"order", "beat"} <= set(at.session_state[STATE]["solved"])
    at.session_state[STATE]["given"]["language"] = "zh"
    assert not at.run().exception, "the old run stays to be asked"


@pytest.mark.slow
def test_names_are_read_letter_by_letter(jobs):
    at = learned(page(steps="60", cell="all"))
    assert "says **" in said(at)
    pairs = next(box for box in at.selectbox if str(box.key).startswith("reading.pair"))
    assert "taken for" in pairs.options[0]
    at.segmented_control(key="reading.when").set_value("before").run()
    at.segmented_control(key="reading.way").set_value("gradients").run()
    assert not at.exception
    assert "All shares add up to" in said(at)


@pytest.mark.parametrize(
    ("params", "sentence"),
    [({"task": "poems"}, "one of: names, sentiment"), ({"cell": "cnn"}, "one of: rnn, lstm, gru, all"),
     ({"embedding": "0"}, "goes from 1 to 256"), ({"blanks": "x"}, "is not a number")],
    ids=str,
)  # fmt: skip
def test_bad_links_are_answered(jobs, params, sentence):
    at = page(**params)
    assert not at.exception
    assert sentence in said(at)
