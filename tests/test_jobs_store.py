"""Runs on disk: torn frames, full disks, old runs, thinning; no worker needed."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

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
from dlcore.jobs.logs import append, last_event, open_log
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import LOG, Store
from dlcore.texts import Problem


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "state")
    store.prepare()
    return store


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
    assert store.clean({kept}, days=14, most_bytes=2.5 * one) == 3
    assert sorted(ages[r.run_id] for r in store.all()) == [0, 1, 40]
    with pytest.raises(Problem):
        store.record(next(run_id for run_id, days in ages.items() if days == 3))


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
