"""The exercises of the memory lesson: they ask what they say, and are the same for every run."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from dlcore.data import memory_tasks
from dlcore.data.memory_tasks import COPIED, DEEPEST, TASKS, held_out
from dlcore.experiments import sequences
from dlcore.memory_story import written
from dlcore.models import memory
from tests.test_sequences import quick

RNG = partial(np.random.default_rng, 3)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("task", TASKS)
def test_tasks_are_reproducible_and_ask_what_they_say(task):
    for length in (2, 3, 9, 30):
        one, two = (TASKS[task].draw(length, 50, RNG(), False) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(vars(one).values(), vars(two).values(), strict=True))
        assert one.X.dtype == np.float32
        assert one.X.shape[2] == TASKS[task].inputs
        assert np.isfinite(one.X).all()
        assert TASKS[task].draw(length, 5, RNG(), True).equal
        steps, answer = written(task, length)
        assert steps
        assert answer


def test_first_symbol_asks_for_the_first_and_copy_for_all_in_order():
    batch = memory_tasks.first_symbol(7, 100, RNG())
    assert np.array_equal(batch.X[:, 0].argmax(1), batch.y)
    assert abs(np.bincount(memory_tasks.first_symbol(7, 4000, RNG()).y) / 4000 - 0.25).max() < 0.03
    copied = memory_tasks.copy(9, 100, RNG())
    assert copied.X.shape[1] == 9 + COPIED
    assert np.array_equal(copied.X[:, :COPIED].argmax(2), copied.y)
    assert (copied.X[:, COPIED:9].argmax(2) == 4).all(), "blanks while it waits"
    assert (copied.X[:, 9].argmax(1) == 5).all(), "the sign, as many steps after the first letter"


def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum():
    batch = memory_tasks.adding(9, 200, RNG())
    assert (batch.X[:, :4, 1].sum(1) == 1).all()
    assert (batch.X[:, 4:, 1].sum(1) == 1).all()
    np.testing.assert_allclose((batch.X[..., 0] * batch.X[..., 1]).sum(1), batch.y, atol=1e-6)
    y = memory_tasks.adding(9, 5000, RNG()).y
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, abs=0.01), "always 1"
    assert memory_tasks.chance("adding", 9) == pytest.approx(1 - 0.9**2, abs=0.05)


def test_brackets_never_close_what_is_not_open_and_have_different_lengths():
    batch = memory_tasks.parentheses(20, 300, RNG())
    assert batch.lengths.min() >= 10
    assert batch.lengths.max() == 20
    assert len(set(batch.lengths)) > 5
    for X, length, answer in zip(batch.X, batch.lengths, batch.y, strict=True):
        depth = np.cumsum(X[:length] @ [1, -1])
        assert depth.min() >= 0
        assert depth.max() <= DEEPEST
        assert depth[-1] == answer
        assert not X[length:].any()


def test_packed_sequences_are_answered_as_each_would_be_alone():
    """Nothing is cut off, and what lies behind a sequence's end has no effect."""
    for cell in ("rnn", "lstm", "gru"):
        config = quick(task="parentheses", length=12, cell=cell)
        torch.manual_seed(0)
        model = memory.build(config, cell).eval()
        batch = memory_tasks.parentheses(12, 20, RNG())
        with torch.no_grad():
            packed, _y = memory.tensors(batch, "cpu")
            together_ = model(packed)
            alone = [model(torch.from_numpy(X[None, :n])) for X, n in zip(batch.X, batch.lengths, strict=True)]
        torch.testing.assert_close(together_, torch.cat(alone))


def test_held_out_sequences_are_the_same_for_every_run_and_not_those_of_training():
    config = quick(length=30)
    tested = held_out("first_symbol", 30).X.reshape(memory_tasks.HELD_OUT, -1)
    torch.manual_seed(config.seed)
    made = sequences.exercise(config)
    seen = np.concatenate([made.batch(torch.arange(64))[0].numpy().reshape(64, -1) for _ in range(20)])
    assert not {row.tobytes() for row in seen} & {row.tobytes() for row in tested}
