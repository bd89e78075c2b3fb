"""Events cross every border unchanged: pack, frames, JSON; steering hands each change out once."""

from __future__ import annotations

import io
import json
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dlcore.events import KINDS, Changed, Checkpoint, Snapshot, Step, decode, encode, pack, read_frames, to_dict, unpack
from dlcore.steering import Steering
from dlcore.texts import Problem

ARRAYS = arrays.arrays(
    st.sampled_from(["<f4", "<f8", "<i8", "|u1", "|b1", ">f4", "<f2"]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=20) | ARRAYS
KEYS = st.text() | st.integers() | st.sampled_from(["__array__", "__dict__", "__tuple__", "__bytes__"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def same(a, b) -> bool:
    """Equal in value, type and dtype, NaN included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


@given(TREES)
def test_what_is_packed_comes_back(tree):
    assert same(unpack(pack(tree)), tree)


def test_arrays_in_any_layout_keep_their_numbers():
    x = np.arange(24.0).reshape(2, 3, 4)
    for view in (x.T, x[:, ::2], np.asfortranarray(x), x[..., ::-1]):
        np.testing.assert_array_equal(unpack(pack(view)), view)
    back = unpack(pack(x))
    back[0] = 7  # an array of its own, to be written to


@pytest.mark.parametrize("wrong", [object(), {1, 2}, 1j, np.array([object()]), np.array(["a", None])])
def test_nothing_else_is_packed(wrong):
    with pytest.raises(TypeError):
        pack({"deep": [wrong]})


@given(st.lists(st.integers(0, 5), max_size=6), st.data())
def test_frames_of_a_log_that_grows(sizes, data):
    events = [Snapshot(i, "s", {"x": np.zeros(n)}) for i, n in enumerate(sizes)]
    whole = b"".join(map(encode, events))
    cut = data.draw(st.integers(0, len(whole)))
    stream = io.BytesIO(whole[:cut])
    first = [decode(b) for b in read_frames(stream)]
    stream.seek(0, io.SEEK_END)
    position = sum(len(encode(e)) for e in first)
    stream.write(whole[cut:])
    stream.seek(position)
    assert [e.step for e in [*first, *(decode(b) for b in read_frames(stream))]] == list(range(len(sizes)))


def test_events_are_json_with_their_name():
    told = to_dict(Step(3, loss=0.5, seconds=np.float64(0), values={"theta": np.array([1.0, 2.0]), "n": np.int64(4)}))
    assert json.loads(json.dumps(told)) == {
        "event": "step", "step": 3, "loss": 0.5, "seconds": 0.0, "values": {"theta": [1.0, 2.0], "n": 4},
    }  # fmt: skip
    assert set(KINDS) >= {"started", "step", "epoch", "finished", "failed", "queued"}
    checkpoint = Checkpoint(5, {"rng": (1, b"ab")}, final=True)
    assert decode(encode(checkpoint)[4:]) == checkpoint


def test_problems_cross_as_builtins():
    problem = Problem("{name} is too big.", kind="knob", name="x")
    again = Problem.from_dict(unpack(pack(problem.to_dict())))
    assert (str(again), again.kind) == ("x is too big.", "knob")


def test_steering_repeats_a_record_and_takes_new_wishes():
    steering = Steering([Changed(5, "b", 2), Changed(2, "a", 1)])
    assert steering.due(0) == []
    steering.change("c", 3)
    assert steering.due(2) == [Changed(2, "a", 1), Changed(2, "c", 3)]
    assert steering.due(2) == [], "each is handed out once"
    assert steering.due(5) == [Changed(5, "b", 2)]
    assert not steering.wants_checkpoint()
    steering.ask_checkpoint()
    assert steering.wants_checkpoint()
    assert not steering.wants_checkpoint()


def test_no_wish_is_lost_between_threads():
    steering = Steering()
    wishes = [threading.Thread(target=lambda n=n: [steering.change("x", (n, i)) for i in range(500)]) for n in range(4)]
    for wish in wishes:
        wish.start()
    got = []
    while any(w.is_alive() for w in wishes):
        got += steering.due(len(got))
    got += steering.due(len(got))
    assert sorted(c.value for c in got) == [(n, i) for n in range(4) for i in range(500)]
    for n in range(4):
        assert [c.value[1] for c in got if c.value[0] == n] == list(range(500)), "in the order in which they were made"
