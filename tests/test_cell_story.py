"""The opened cell's bench: presets do what is said of them, shares add up, challenges and texts are checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.cell_presets import LETTERS, PRESETS
from dlcore.cell_story import Bench, read_edits, read_holds, read_word, write_edits, write_holds
from dlcore.texts import Problem

CELLS = ("rnn", "lstm", "gru")
words = st.text(LETTERS, min_size=2, max_size=12)
benches = st.builds(
    Bench, st.sampled_from(CELLS), st.sampled_from(list(PRESETS)), st.integers(2, 4), st.integers(0, 99), words,
    st.none() | st.floats(-8, 8),
)  # fmt: skip


@given(benches)
def test_shares_add_up_to_the_belt(bench):
    np.testing.assert_allclose(bench.shares().sum(1), bench.belt(), atol=1e-12)


@given(benches)
def test_gradient_by_time_is_the_slope(bench):
    """The last step's is exact: the derivative of h_T by its own belt."""
    last = bench.gradients(1)[-1]
    values = bench.steps[-1]
    slope = values["o"] * (1 - np.tanh(values["c_new"]) ** 2) if bench.cell == "lstm" else np.ones(bench.hidden)
    np.testing.assert_allclose(last, slope * np.eye(bench.hidden)[1])


@pytest.mark.parametrize("cell", CELLS)
@given(word=words)
def test_latch_keeps_the_first_letter_and_nothing_else(cell, word):
    belt = Bench(cell, "latch", 4, 0, word).belt()[-1]
    unit = LETTERS.index(word[0])
    assert belt[unit] > 0.9
    assert np.delete(belt, unit).max() < 0.1


@pytest.mark.parametrize("cell", CELLS)
def test_leaky_latch_loses_it(cell):
    bench = Bench(cell, "leaky", 4, 0, "cabdbacd")
    first = bench.shares()[-1, 0, 2] if cell != "rnn" else bench.belt()[5, 2]
    assert abs(first) < 0.1


def test_counter_counts_in_the_lstm_alone():
    lstm = Bench("lstm", "counter", 4, 0, "aabacada")
    belt = lstm.belt()
    np.testing.assert_allclose(belt[:, 0], [1, 2, 2, 3, 3, 4, 4, 5], atol=0.02)
    np.testing.assert_allclose(belt[:, 1], [1, 2, 1, 2, 2, 3, 3, 4], atol=0.02)
    np.testing.assert_allclose(belt[:, 2], [0, 0, 0, 0, 1, 1, 0, 0], atol=0.02)
    np.testing.assert_allclose(belt[:, 3], np.arange(1, 9), atol=0.02)
    gru = replace(lstm, cell="gru").belt()[:, 0]
    assert gru.max() < 1
    steps = np.diff([0, *gru[[0, 1, 3, 5, 7]]])
    assert (np.diff(steps) < 0).all(), "each of its steps is smaller than the one before"
    rnn = replace(lstm, cell="rnn").belt()[:, 0]
    assert 0.05 < rnn[0] < rnn[-1] < 0.5


def test_saturated_rnn_remembers_but_passes_no_gradient_and_the_lstm_does_both():
    rnn, lstm = (np.linalg.norm(Bench(cell, "latch", 4).gradients(2), axis=1) for cell in ("rnn", "lstm"))
    assert rnn[0] < 1e-20
    assert lstm[0] > 0.9 * lstm[-1]


def test_forget_bias_is_what_lets_the_gradient_pass():
    """At random weights, from the last of 12 steps to the first: as PyTorch begins, and with a bias of 3."""
    ratios = {}
    for keep in (None, 3.0):
        sizes = [
            np.linalg.norm(Bench("lstm", "drawn", 3, seed, "abcd" * 3, keep).gradients(0), axis=1) for seed in range(20)
        ]
        ratios[keep] = np.median([size[0] / size[-1] for size in sizes])
    assert ratios[None] < 0.01
    assert ratios[3.0] > 0.3


def test_challenge_one_bias_mends_the_leak():
    leaky = Bench("lstm", "leaky", 4, 0, "cabdbacd")
    assert not leaky.mended()
    assert replace(leaky, edits={("bh", 4 + 2, 0): 6.0}).mended(), "the forget bias of unit 3 alone"
    assert replace(leaky, keep=6.0).mended(), "the slider: all of them"
    assert not replace(leaky, edits={("bh", 4 + 1, 0): 6.0}).mended(), "another unit's"
    assert not replace(leaky, edits={("bh", 6, 0): 6.0, ("bh", 5, 0): 6.0}).mended(), "one, not two"
    assert not replace(leaky, keep=6.0, word="ca").mended(), "too short to say"
    assert not replace(leaky, preset="latch").mended(), "it has no leak"


@pytest.mark.parametrize(("cell", "gate"), [("lstm", "f"), ("gru", "z")])
def test_challenge_a_held_gate_forgets_everything(cell, gate):
    latch = Bench(cell, "latch", 4, 0, "cabdbacd")
    assert not latch.wiped_at(4)
    assert replace(latch, holds={gate: (3, 0.0)}).wiped_at(4)
    assert not replace(latch, holds={gate: (4, 0.0)}).wiped_at(4), "a step too late"
    assert not replace(latch, holds={gate: (3, 0.3)}).wiped_at(4), "some is left"
    assert not replace(latch, holds={gate: (0, 0.0)}).wiped_at(4), "there was nothing to forget"
    assert not replace(latch, preset="leaky", word="cab", holds={gate: (2, 0.0)}).wiped_at(4), "there is no step 4"


@given(benches, st.integers(0, 30), st.integers(0, 9), st.floats(-100, 100))
def test_any_edit_leaves_a_bench_standing(bench, row, column, value):
    moved = replace(bench, edits={(name, row, column): value for name in ("wi", "wh", "bi", "bh")})
    assert np.isfinite(moved.belt()).all()


def test_texts_of_the_address_are_read_back():
    edits = {("wi", 3, 1): -2.5, ("bh", 15, 0): 6.0}
    assert read_edits(write_edits(edits)) == edits
    holds = {"f": (3, 0.2), "g": (0, -1.0)}
    assert read_holds(write_holds(holds), "lstm") == holds


@given(st.text(max_size=40))
def test_any_text_of_an_address_is_survived(text):
    bench = Bench(edits=read_edits(text), holds=read_holds(text, "lstm"))
    assert np.isfinite(bench.belt()).all()
    try:
        word = read_word(text)
    except Problem:
        return
    assert 2 <= len(word) <= 12


@pytest.mark.parametrize(
    "text", ["wi.0.1_nan", "wi.0.1_inf", "wi.0.1_101", "xx.0.1_1", "wi.-1.0_1", "wi.0_1", "_", "~~"]
)
def test_edits_that_cannot_be_read_are_left_out(text):
    assert read_edits(text) == {}


@pytest.mark.parametrize("text", ["f.3_1.5", "f.3_-0.1", "r.3_0.5", "f_0.5", "f.x_0.5", "f.3_nan"])
def test_holds_that_cannot_be_read_are_left_out(text):
    assert read_holds(text, "lstm") == {}
    assert read_holds("a.0_0.5", "rnn") == {}, "an RNN has no gate"


@pytest.mark.parametrize("text", ["", "a", "abcde", "1 2", "abcdabcdabcda", "甲乙"])
def test_a_word_that_is_none_is_told(text):
    with pytest.raises(Problem) as told:
        read_word(text)
    assert told.value.kind == "word"
    assert read_word(" A b\tC ") == "abc"
