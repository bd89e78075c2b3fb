"""The text lesson's page short of the browser: sources, what is missing, own files, challenges."""

from __future__ import annotations

import numpy as np
import pytest

from dlcore.data import own_text
from dlcore.events import Finished, Snapshot, Started, Step
from dlcore.history import History
from dlcore.text_story import beats_pairs, learned_by_heart, numbers
from tests.pages.visit import opened, put, said

STATE = "page:text"


def test_it_says_what_the_text_holds_and_offers_to_train():
    at = opened("text")
    assert not at.exception
    words = said(at)
    assert "are held out" in words


def test_another_source_brings_its_own_network():
    at = opened("text", source="shakespeare")
    assert not at.exception
    assert at.session_state[STATE]["given"] == {"source": "shakespeare"}


def test_without_the_poems_there_is_a_way_on(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path))
    at = opened("text", source="poems")
    assert not at.exception
    assert "nobody offers them for download" in said(at)
    next(button for button in at.button if "Alice" in button.label).click().run()
    assert at.session_state[STATE]["given"]["source"] == "alice"


def test_your_own_text_is_invited_and_a_link_to_one_finds_it(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    at = opened("text", source="own")
    assert not at.exception
    assert "a text of yours" in said(at)
    kept = own_text.keep(("Пушкин 猫 שלום 😀\n" * 100).encode("utf-16"))
    at = put(at, STATE, data_hash=kept.hash)
    assert not at.exception
    assert "read as utf-16" in said(at)
    at = put(at, STATE, source="alice")
    assert at.session_state[STATE]["given"].get("data_hash") is None, "the fingerprint is not Alice's"


def test_a_link_to_a_text_of_somebody_else_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path))
    at = opened("text", source="own", data_hash="0123456789abcdef")
    assert not at.exception
    assert "not on this computer" in said(at)


@pytest.mark.parametrize("params", [{"length": "9999"}, {"cell": "transformer"}, {"source": "bible"}])
def test_what_does_not_fit_is_named_and_the_page_lives(params):
    at = opened("text", **params)
    assert not at.exception
    assert at.warning


def run_of(bits: list[float], pairs: float = 3.5) -> History:
    history = History()
    info = {"levels": {"uniform": 6.0, "letters": 4.6, "pairs": pairs}, "symbols": ["a", "b"], "held_out": 8000,
            "cells": ["lstm"]}  # fmt: skip
    history.add(Started(0, {"source": "alice", "data_hash": ""}, 10, info))
    history.add(Snapshot(0, "frames", {"step": np.array([0]), "sample/lstm": np.zeros((1, 4), np.int16)}))
    for step, value in enumerate(bits):
        history.add(Step(step, 1.0, 1.0, {"loss/lstm": 1.0}))
        history.epochs.append({"step": step, "test_bits": value, "test_bits/lstm": value})
    history.add(Finished(10, {"bits_per_character": bits[-1]}))
    return history


def test_challenges_look_at_the_numbers_of_the_run():
    assert beats_pairs([run_of([6.0, 2.99])]) == 1
    assert 0 < beats_pairs([run_of([6.0, 3.2])]) < 1
    assert beats_pairs([]) == 0
    assert learned_by_heart([run_of([6.0, 2.0, 2.11])]) == 1
    assert learned_by_heart([run_of([6.0, 3.0, 2.0])]) == 0


def test_prose_has_the_runs_numbers():
    told = numbers(run_of([6.0, 2.0]))
    assert told["bits"] == "2.00"
    assert told["choices"] == "4.0"
    assert told["kilobytes"] == "2.0"
    assert set(numbers(History()).values()) == {"…"}
