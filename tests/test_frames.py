"""The film that a page keeps of a run: bounded, even, complete at its end, right after a resumption."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.events import Snapshot, Started
from dlcore.frames import MOST, NEWEST, Frames
from dlcore.history import History
from dlcore.jobs.worker import Thinner


def arrays(steps) -> dict[str, np.ndarray]:
    steps = np.array(steps)
    return {"step": steps, "parameters": np.repeat(steps[:, None], 3, 1).astype(np.float32)}


@settings(max_examples=40)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=3000), st.integers(1, 40))
def test_frames_are_bounded_and_even(gaps, at_once):
    steps = np.concatenate([[0], np.cumsum(gaps)])
    frames = Frames()
    for start in range(0, len(steps), at_once):
        frames.add(arrays(steps[start : start + at_once]))
        assert len(frames) <= MOST
    kept = frames.all()["step"]
    assert kept[0] == 0
    assert kept[-1] == steps[-1]
    assert (np.diff(kept) > 0).all()
    assert set(kept) <= set(steps)
    if len(steps) <= MOST:
        np.testing.assert_array_equal(kept, steps)
    else:
        assert len(kept) >= MOST // 2
        assert np.diff(kept).max() <= 4 * steps[-1] / MOST + 2 * max(gaps)
    np.testing.assert_array_equal(frames.since(int(steps[-min(NEWEST, len(steps))]))["step"][-50:],
                                  steps[-min(NEWEST, len(steps)) + 1 :][-50:])  # fmt: skip


def test_a_page_gets_every_new_frame_once():
    frames, heard = Frames(), []
    for k in range(300):
        frames.add(arrays([4 * k, 4 * k + 1, 4 * k + 2, 4 * k + 3]))
        if k % 4 == 3:  # twice a second
            news = frames.since(heard[-1] if heard else -1)
            heard += news["step"].tolist()
            np.testing.assert_array_equal(news["parameters"][:, 0], news["step"])
    assert heard == list(range(1200))
    assert frames.since(1199) == {}


def test_a_late_page_gets_the_kept_ones_and_all_of_the_newest():
    frames = Frames()
    frames.add(arrays(range(5000)))
    steps = frames.since(-1)["step"]
    assert steps[0] == 0
    np.testing.assert_array_equal(steps[-NEWEST:], np.arange(5000 - NEWEST, 5000))
    assert len(steps) <= MOST + NEWEST


def test_nearest_and_forgotten():
    history = History()
    history.add(Snapshot(30, "frames", arrays([0, 10, 20, 30])))
    near = history.frames.nearest(29)
    assert near is not None
    assert int(near["step"]) == 20
    assert history.frames.nearest(-1) is None
    history.add(Started(15, {}, 100))
    np.testing.assert_array_equal(history.frames.all()["step"], [0, 10])
    history.add(Snapshot(20, "frames", arrays([10, 15, 20])))
    np.testing.assert_array_equal(history.frames.since(9)["step"], [10, 15, 20])
    assert "frames" not in history.snapshots
    assert Frames().all() == {}


def test_the_worker_leaves_out_no_frame():
    thin = Thinner()
    events = [Snapshot(k, "frames", arrays([k])) for k in range(20)]
    assert [kept for event in events for kept in thin(event, 0.0)] == events
