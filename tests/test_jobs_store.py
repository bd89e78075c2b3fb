"""Runs on disk: torn frames, full disks, old runs, thinning; no worker needed."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcore.events import (
    Changed,
    Checkpoint,
    Epoch,
    Failed,
    Finished,
    Paused,
    Queued,
    Snapshot,
    Started,
    Step,
    encode,
    pack,
    unpack,
)
from dlcore.jobs import store as stores
from dlcore.jobs import worker
from dlcore.jobs.cleaning import clean, clean_own, is_needed
from dlcore.jobs.logs import append, last_event, open_log
from dlcore.jobs.servers import this_server
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import LOG, Store, hashed
from dlcore.texts import Problem


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state")
    store.prepare()
    return store


def not_needed(record):
    return False


def new_run(store: Store, owner="me", **fields) -> str:
    record = store.new("toy", {"steps": 5}, owner, [])
    store.write(stores.Record(**{**record.__dict__, **fields}))
    return record.run_id


def job(store: Store, run_id: str, **config) -> dict:
    return {
        "folder": str(store.path(run_id)), "run_id": run_id, "experiment": "toy", "config": config,
        "changes": [], "attempt": 1, "resume": False,
    }  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_log_cut_anywhere_reads_as_the_frames_before_and_takes_more(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("log") / LOG
    events = [Started(0, {"a": 1}, 5), Step(1, 0.5), Snapshot(1, "w", {"x": np.ones(3)}), Epoch(5, 1, {"acc": 0.9})]
    frames = [encode(e) for e in events]
    whole = b"".join(frames)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    ends = np.cumsum([len(f) for f in frames])
    kept = int((ends <= cut).sum())
    tail = stores.Tail(path)
    assert tail.read().version == kept
    last = last_event(path)
    assert (type(last) is type(events[kept - 1])) if kept else last is None
    with open_log(path) as stream:
        append(stream, Failed(3, {"kind": "x"}))
    history = tail.read()
    assert (history.version, history.state) == (kept + 1, "failed")


def test_a_tail_reads_only_what_is_new(tmp_path, monkeypatch):
    path = tmp_path / LOG
    tail = stores.Tail(path)
    assert tail.read().state == "queued", "a run without a log waits for its worker"
    with open_log(path) as stream:
        for step in range(1, 4):
            append(stream, Step(step, 1.0))
            assert tail.read().step == step
    monkeypatch.setattr(Path, "open", None)
    assert tail.read().step == 3, "nothing new: the file is not opened"


def test_a_full_disk_leaves_the_log_whole(store):
    """``/dev/full`` answers every write as a full disk does."""
    run_id = new_run(store)
    store.path(run_id, LOG).symlink_to("/dev/full")
    said = worker.run(job(store, run_id, steps=5))
    assert said is not None
    assert said["kind"] == "state"
    store.end(run_id, Failed, said)
    assert store.history(run_id).problem == said, "those who ask this process hear it though it cannot be written"
    with pytest.raises(Problem, match="cannot be written"):
        store.queued(run_id)


def test_a_write_that_is_cut_short_is_taken_back(tmp_path):
    class Short:
        """A file on a disk with room for 10 more bytes."""

        def __init__(self, stream):
            self.stream = stream

        def __getattr__(self, name):
            return getattr(self.stream, name)

        def write(self, frame):
            return self.stream.write(frame[:10])

    with open_log(tmp_path / LOG) as stream:
        append(stream, Step(1, 0.5))
        size = (tmp_path / LOG).stat().st_size
        with pytest.raises(OSError, match="space"):
            append(Short(stream), Step(2, 0.5))  # type: ignore[arg-type]
        assert (tmp_path / LOG).stat().st_size == size
        append(stream, Step(3, 0.5))
    assert stores.Tail(tmp_path / LOG).read().step == 3


@pytest.mark.parametrize("folder", ["/proc/no/such", "/dev/null/state"])
def test_a_state_folder_that_cannot_be_is_a_sentence(folder):
    store = Store(Path(folder))
    with pytest.raises(Problem, match="DLCORE_STATE"):
        store.prepare()
    with pytest.raises(Problem, match="DLCORE_STATE"):
        store.write(store.new("toy", {}, "me", []))
    assert store.all() == []


def test_a_task_tried_again_by_the_cluster_does_nothing(store):
    run_id = new_run(store)
    assert worker.run(job(store, run_id, steps=5)) is None
    before = store.path(run_id, LOG).read_bytes()
    said = worker.run(job(store, run_id, steps=5))
    assert said is not None
    assert said["kind"] == "worker_died"
    assert store.path(run_id, LOG).read_bytes() == before


def test_end_does_not_speak_over_the_run(store):
    run_id = new_run(store)
    worker.run(job(store, run_id, steps=5))
    store.end(run_id, Failed, {"kind": "late"})
    assert store.history(run_id).state == "finished"


def test_cleaning_takes_old_and_then_the_oldest_beyond_the_limit(store):
    now = time.time()
    ages = {new_run(store, created=now - days * 86400): days for days in (0, 1, 2, 3, 30, 40)}
    for run_id in ages:
        (store.path(run_id) / "checkpoint.bin").write_bytes(bytes(1000))
    kept = next(run_id for run_id, days in ages.items() if days == 40)
    one = sum(f.stat().st_size for f in store.path(kept).iterdir())
    assert clean(store, lambda r: r.run_id == kept, days=14, most_bytes=2.5 * one) == 3
    assert sorted(ages[r.run_id] for r in store.all()) == [0, 1, 40]
    with pytest.raises(Problem):
        store.record(next(run_id for run_id, days in ages.items() if days == 3))


def test_what_one_browser_has_too_much_takes_nothing_from_the_others(store):
    """The newest are the greedy one's; what is removed of it is room for the older ones of the other."""
    now = time.time()
    ages = {new_run(store, owner, created=now - age): (owner, age) for owner, age in
            [("greedy", age) for age in range(6)] + [("other", age) for age in (10, 11)]}  # fmt: skip
    for run_id in ages:
        (store.path(run_id) / "checkpoint.bin").write_bytes(bytes(1000))
    one = max(store.size(run_id) for run_id in ages)
    assert clean(store, not_needed, days=0, most_bytes=5.5 * one, each=2.5 * one) == 4
    assert sorted(ages[r.run_id] for r in store.all()) == [("greedy", 0), ("greedy", 1), ("other", 10), ("other", 11)]


def test_a_browser_keeps_so_many_runs_and_those_that_go_on(store):
    now = time.time()
    mine = [new_run(store, created=now - age) for age in range(5)]
    theirs = [new_run(store, "other", created=now - age) for age in range(5)]
    assert clean_own(store, not_needed, hashed("me"), 0) == 0, "no limit"
    assert clean_own(store, lambda r: r.run_id == mine[4], hashed("me"), 2) == 2
    assert [r.run_id for r in store.of(hashed("me"))] == [*mine[:2], mine[4]]
    assert {r.run_id for r in store.all()} == {*mine[:2], mine[4], *theirs}
    assert not store.path(mine[2]).exists()


def test_a_run_is_needed_while_some_server_answers_for_it(store):
    """Two servers share the folder; what one of them computes is not the other's to remove, however old."""
    gone = {**this_server(), "started": 0.0}
    going, waiting, lost, over = (new_run(store, server=who) for who in (this_server(), this_server(), gone, gone))
    for run_id, event in ((going, Started(0, {}, 9)), (lost, Started(0, {}, 9)), (over, Finished(9, {}))):
        with open_log(store.path(run_id, LOG)) as stream:
            append(stream, event)
    other = Store(store.folder)
    known = {r.run_id: r for r in other.all()}
    assert [is_needed(known[run_id], other) for run_id in (going, waiting, lost, over)] == [True, True, False, False]
    store.write(replace(store.record(lost), server=this_server()))  # somebody goes on with it
    assert is_needed(known[lost], other)
    assert clean(other, lambda r: is_needed(r, other), days=0, most_bytes=0) == 1
    assert {r.run_id for r in other.all()} == {going, waiting, lost}


def test_nothing_is_remembered_of_a_run_that_is_gone(store):
    """Removed by this server or by another: in weeks there are many thousands of them."""
    ids = [new_run(store, f"browser {k}") for k in range(3)]
    for run_id in ids:
        store.history(run_id)
    store.forget(ids[0])
    shutil.rmtree(store.path(ids[1]))
    assert [r.run_id for r in store.all()] == [ids[2]]
    for table in (store._records, store._stamps, store._tails):
        assert list(table) == [ids[2]]
    assert list(store._owned) == [hashed("browser 2")]


def test_histories_that_nobody_asks_for_are_let_go(store, monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: now, time=time.time)
    now = 1000.0
    monkeypatch.setattr(stores, "time", clock)
    idle, used = new_run(store), new_run(store)
    first, second = store.history(idle), store.history(used)
    now += stores.CACHED_SECONDS - 1
    assert store.history(used) is second
    now += 2
    assert store.history(used) is second
    assert store.history(idle) is not first, "read again from its log when somebody asks"


def test_rows_and_pictures_count_in_what_histories_may_take(store, monkeypatch):
    """Not films alone: a run of minutes has thousands of rows."""
    runs = [new_run(store) for _ in range(3)]
    for run_id in runs:
        with open_log(store.path(run_id, LOG)) as stream:
            for step in range(100):
                append(stream, Step(step, 1.0))
            append(stream, Snapshot(100, "w", {"x": np.zeros(100)}))
    one = 100 * stores.ROW_BYTES + 800
    monkeypatch.setattr(stores, "CACHED_BYTES", 1.5 * one)
    first = store.history(runs[0])
    store.history(runs[1])
    store.history(runs[2])
    assert store.history(runs[0]) is not first


def test_runs_of_another_server_are_found(store):
    assert store.all() == []
    other = Store(store.folder)
    ids = [new_run(other, owner="a browser's id"), new_run(other)]
    assert {r.run_id for r in store.all()} == set(ids)
    assert "browser" not in store.path(ids[0], "run.json").read_text(), "the owner is a hash on disk"


def test_replay_repeats_what_the_checkpoint_does_not_hold(store):
    record = store.new("toy", {}, "me", [Changed(2, "rate", 0.2), Changed(50, "rate", 0.9)])
    store.write(record)
    with open_log(store.path(record.run_id, LOG)) as stream:
        for event in (Changed(2, "rate", 0.2), Changed(9, "rate", 0.5), Checkpoint(10, {}), Changed(12, "rate", 0.6)):
            append(stream, event)
    assert store.replay(record) == [[12, "rate", 0.6], [50, "rate", 0.9]]


def test_long_films_are_not_all_kept_in_memory(store, monkeypatch):
    runs = [new_run(store) for _ in range(4)]
    for run_id in runs:
        with open_log(store.path(run_id, LOG)) as stream:
            append(stream, Snapshot(9, "frames", {"step": np.arange(10), "parameters": np.zeros((10, 500))}))
    one = store.history(runs[0]).frames.nbytes
    assert one >= 10 * 500 * 8
    monkeypatch.setattr(stores, "CACHED_BYTES", 2.5 * one)
    films = {run_id: store.history(run_id) for run_id in runs}
    assert store.history(runs[3]) is films[runs[3]], "the newest stay"
    again = store.history(runs[0])
    assert again is not films[runs[0]], "the oldest is read again"
    np.testing.assert_array_equal(again.frames.all()["step"], np.arange(10))


def test_of_one_step_what_was_changed_at_rest_comes_last(store):
    """A weight set in the last moment before a pause, and again while the run rests at that step."""
    record = store.new("toy", {}, "me", [])
    store.write(record)
    with open_log(store.path(record.run_id, LOG)) as stream:
        for event in (Changed(10, "rate", 0.5), Checkpoint(10, {})):
            append(stream, event)
    rested = replace(record, changes=[[10, "rate", 0.7]])
    assert store.replay(rested) == [[10, "rate", 0.5], [10, "rate", 0.7]]


def thinned(events_at):
    thin = worker.Thinner()
    return [kept for now, event in events_at for kept in thin(event, now)]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0.001, 0.3), st.sampled_from("ssssswe")), min_size=1, max_size=200))
def test_thinning_keeps_order_ends_and_everything_rare(pairs):
    now, events = 0.0, []
    for step, (gap, kind) in enumerate(pairs):
        now += gap
        made = {"s": Step(step, 1.0), "w": Snapshot(step, "w", {"x": np.ones(1)}), "e": Epoch(step, step, {})}[kind]
        events.append((now, made))
    events.append((now, Finished(len(pairs), {})))
    kept = thinned(events)
    assert [e for e in kept if isinstance(e, (Epoch, Finished))] == [
        e for _, e in events if isinstance(e, (Epoch, Finished))
    ]
    steps = [e.step for e in kept if isinstance(e, Step)]
    assert steps == sorted(set(steps))
    for before, after in pairwise(events):
        if isinstance(before[1], (Step, Snapshot)) and isinstance(after[1], (Epoch, Finished)):
            assert before[1] in kept, "the last step before an epoch or the end is kept"
    rare = sum(isinstance(e, (Epoch, Finished)) for e in kept)
    assert len(steps) <= now / worker.STEP_GAP + 1 + rare


def test_big_snapshots_and_long_logs_become_rarer():
    small, big = Snapshot(0, "s", {"x": np.ones(1)}), Snapshot(0, "b", {"x": np.zeros(10**6)})  # 8 MB: 8 s of the rate
    thin = worker.Thinner()
    kept = [e.name for i in range(100) for e in thin([small, big][i % 2], i * 0.1) if isinstance(e, Snapshot)]
    assert kept.count("s") == pytest.approx(17, abs=3)
    assert kept.count("b") == 2
    thin = worker.Thinner()
    thin.written = int(3 * worker.LONG_LOG)
    assert len([e for i in range(100) for e in thin(small, i * 0.1)]) == pytest.approx(5, abs=1)


def test_states_of_a_run_in_its_log(store):
    run_id = new_run(store)
    store.queued(run_id)
    seen = [store.history(run_id).state]
    with open_log(store.path(run_id, LOG)) as stream:
        for event in (Started(0, {}, 9), Step(4, 1.0), Paused(4), Queued(4), Started(4, {}, 9), Finished(9, {"a": 1})):
            append(stream, event)
            seen.append(store.history(run_id).state)
    assert seen == ["queued", "running", "running", "paused", "queued", "running", "finished"]


def test_private_files_are_private_and_made_once(tmp_path):
    stores.create_private(tmp_path / "secret", b"one")
    with pytest.raises(FileExistsError):
        stores.create_private(tmp_path / "secret", b"two")
    assert (tmp_path / "secret").read_bytes() == b"one"
    assert os.stat(tmp_path / "secret").st_mode & 0o777 == 0o600
    assert [f.name for f in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize(
    ("cores", "gigabytes", "train"), [(1, 2, 1), (2, 4, 1), (2, 8, 2), (8, 16, 4), (64, 256, 8), (16, 6, 2)]
)
def test_sizes_fit_the_machine(cores, gigabytes, train, monkeypatch):
    monkeypatch.delenv("DLCORE_TRAIN_WORKERS", raising=False)
    sizes = Sizes.from_environment().fitted(cores, gigabytes * 10**9)
    assert sizes.train_workers == train
    assert sizes.worker_memory >= 1.5e9
    monkeypatch.setenv("DLCORE_TRAIN_WORKERS", "3")
    monkeypatch.setenv("DLCORE_LIGHT_THREADS", "many")
    sizes = Sizes.from_environment().fitted(cores, gigabytes * 10**9)
    assert (sizes.train_workers, sizes.light_threads) == (3, 8)


def test_checkpoints_are_replaced_whole(tmp_path):
    path = tmp_path / "checkpoint.bin"
    for size in (5, 3):
        stores.replace_file(path, pack({"w": np.arange(size)}))
        assert len(unpack(path.read_bytes())["w"]) == size
    with pytest.raises(TypeError):
        stores.replace_file(path, None)  # type: ignore[arg-type]  # a fault half way
    assert [f.name for f in tmp_path.iterdir()] == ["checkpoint.bin"]
    assert len(unpack(path.read_bytes())["w"]) == 3


def test_a_record_that_another_server_has_written_is_read_again(store):
    """With an old count of attempts a resumed run would be taken for one that the cluster tries again."""
    record = store.record(new_run(store))
    Store(store.folder).write(replace(record, attempts=7))
    assert store.record(record.run_id).attempts == 7
    shutil.rmtree(store.path(record.run_id))
    with pytest.raises(Problem, match="does not exist here any more"):
        store.record(record.run_id)
