"""What a page knows of a run: bounded, evenly spaced, and right after resumptions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore import history as histories
from dlcore.events import (
    Changed,
    Diverged,
    Epoch,
    Failed,
    Finished,
    Paused,
    Queued,
    Snapshot,
    Started,
    Step,
    Stopped,
)
from dlcore.history import History, Table


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(2, 32).map(lambda n: 2 * n))
def test_a_table_is_bounded_and_evenly_spaced(count, most):
    before, histories.MOST_ROWS = histories.MOST_ROWS, most
    try:
        table = Table()
        for i in range(count):
            table.append({"i": i})
            assert len(table) <= most
            assert table.last("i") == i, "the newest row is always there"
    finally:
        histories.MOST_ROWS = before
    column = table.column("i")
    assert column[0] == 0
    gaps = np.diff(column)
    assert (gaps > 0).all()
    assert (gaps[:-1] == table.stride).all(), "all but the newest lie on one grid"
    if count > most:
        assert len(table) > most // 2 - 1
    else:
        assert len(table) == count


def test_columns_with_holes():
    table = Table()
    table.append({"a": 1})
    table.append({"b": 2.0})
    np.testing.assert_array_equal(table.column("a"), [1.0, np.nan])
    assert table.last("a", "none") == "none"
    assert Table().last("a") is None


def told(*events) -> History:
    history = History()
    for event in events:
        history.add(event)
    return history


@pytest.mark.parametrize(
    ("last", "state"),
    [
        (Queued(3), "queued"),
        (Paused(3), "paused"),
        (Stopped(3), "stopped"),
        (Failed(3, {"kind": "x"}), "failed"),
        (Diverged(3, "why"), "diverged"),
        (Finished(3, {"a": 1}), "finished"),
    ],
)
def test_states(last, state):
    history = told(Started(0, {}, 10), Step(3, 1.0), last)
    assert history.state == state
    assert history.progress == pytest.approx(0.3)
    history.add(Started(3, {}, 10))
    assert (history.state, history.problem, history.diverged, history.metrics) == ("running", None, None, {})


def test_resuming_from_an_older_checkpoint_forgets_what_is_repeated():
    first = [Started(0, {}, 9), Changed(1, "r", 1), *(Step(i, 1.0) for i in range(1, 7)), Epoch(6, 1, {})]
    again = [Changed(4, "r", 2), Started(4, {}, 9), Changed(4, "r", 2), *(Step(i, 2.0) for i in range(5, 10))]
    history = told(*first, *again)
    assert history.steps.column("step").tolist() == list(range(1, 10))
    assert history.steps.column("loss").tolist() == [1.0] * 4 + [2.0] * 5
    assert len(history.epochs) == 0
    assert history.changes == [Changed(1, "r", 1), Changed(4, "r", 2)]


def test_only_the_newest_snapshot_of_a_name_is_kept():
    history = told(*(Snapshot(i, name, {"x": np.array(i)}) for i in range(5) for name in "ab"))
    assert {name: s.step for name, s in history.snapshots.items()} == {"a": 4, "b": 4}


def test_time_left_is_not_told_by_the_slow_first_steps():
    slow = [Step(i, 1.0, seconds=2.0 * i) for i in (1, 2)]
    assert told(Started(0, {}, 1000), *slow).seconds_left is None
    steady = [Step(i, 1.0, seconds=4.0 + 0.1 * i) for i in range(3, 101)]
    assert told(Started(0, {}, 1000), *slow, *steady).seconds_left == pytest.approx(90.0)


def test_time_left_is_that_of_the_speed_so_far():
    assert told(Started(0, {}, 100)).seconds_left is None
    assert told(Started(0, {}, 100), Step(20, 1.0, seconds=4.0)).seconds_left == pytest.approx(16.0)
    finished = told(Started(0, {}, 10), Step(10, 1.0, seconds=4.0))
    assert finished.seconds_left == 0.0
    assert finished.progress == 1.0
    assert told().progress == 0.0
