"""Beginnings and ends of servers and clusters: runs outlive them or are told to have ended, and can go on."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from dlcore.events import Stopped
from dlcore.jobs import broker as jobs_broker
from dlcore.jobs import worker as jobs_worker
from dlcore.jobs.broker import Broker
from dlcore.jobs.calls import call_worker
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import Store, hashed
from dlcore.texts import Problem
from tests import toy
from tests.documented import cluster
from tests.serving import ROOT, free_port
from tests.test_jobs import alone, result
from tests.waiting import ENDED, until

SMALL = Sizes(train_workers=1, light_threads=1, call_threads=1, worker_memory=2 * 10**9)
KNOBS = {"steps": 150, "pause": 0.03, "seed": 4}

SERVER = """
import sys, time
from dlcore import jobs
from tests import toy
jobs.start(jobs.Sizes(train_workers=1, light_threads=1, call_threads=1))
running = jobs.submit("toy", toy.Config(**{knobs!r}), owner="me")
waiting = jobs.submit("toy", toy.Config(**{knobs!r}), owner="me")
while jobs.history(running, owner="me").step < 5: time.sleep(0.02)
print(running, waiting, flush=True)
sys.stdin.readline()
jobs.shutdown()
"""


@pytest.fixture(autouse=True)
def unprepared(monkeypatch):
    """Nothing here computes a tensor: of the many workers that begin and end, none imports torch ahead of need."""
    monkeypatch.setenv("DLCORE_WARM", "0")


def server(state: Path) -> subprocess.Popen[str]:
    """A process with runs going on; it shuts down when it is given a line."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVER.format(knobs=KNOBS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "DLCORE_STATE": str(state)},
    )  # fmt: skip


def said(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return process.stdout.readline().split()


@pytest.fixture
def broker(tmp_path):
    """One that looks at the same folder, as the server after a restart does."""
    broker = Broker(Store(tmp_path), SMALL)
    yield broker
    broker.close()


def ended(broker, run_id):
    def look():
        history = broker.history(broker.store.record(run_id))
        return history.state in ENDED and broker.place(run_id) is None and history

    return until(look, 60)


def test_workers_prepare_themselves_unless_they_are_told_not_to(monkeypatch):
    begun: list[dict[str, float]] = []
    monkeypatch.setattr(jobs_worker, "_warm_up", begun.append)
    for told, lane in (("0", "light"), ("1", "interactive")):
        monkeypatch.setenv("DLCORE_WARM", told)
        jobs_worker.dask_setup(SimpleNamespace(state=SimpleNamespace(total_resources={lane: 1.0})))
    until(lambda: begun)
    assert begun == [{"interactive": 1.0}]


def test_a_clean_restart_loses_nothing(tmp_path, broker):
    with server(tmp_path) as process:
        running, waiting = said(process)
        process.communicate("end\n", timeout=60)
    assert broker.history(broker.store.record(running)).state == "paused"
    assert broker.history(broker.store.record(waiting)).problem["kind"] == "server_restarted"
    assert {r.run_id for r in broker.store.all() if r.owner == hashed("me")} == {running, waiting}
    broker.enqueue(broker.store.record(running))
    assert result(ended(broker, running)) == alone(toy.Config(**KNOBS))


def test_runs_of_a_server_that_was_killed_are_told_to_have_ended(tmp_path, broker):
    with server(tmp_path) as process:
        running, waiting = said(process)
        alive = broker.history(broker.store.record(running))
        assert alive.state == "running", "another server's run is left alone while that one lives"
        pid = alive.info["pid"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait(20)
    for run_id in (running, waiting):
        history = broker.history(broker.store.record(run_id))
        assert (history.state, history.problem["kind"]) == ("failed", "server_restarted")
    until(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])


@pytest.fixture
def address(monkeypatch):
    """Where a scheduler may be started, already named by ``DLCORE_SCHEDULER``."""
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv("DLCORE_SCHEDULER", address)
    return address


def test_a_scheduler_that_comes_late_is_found_and_its_workers_are_used(tmp_path, address):
    """``DLCORE_SCHEDULER``: down with a sentence first; then the cluster is started."""
    with contextlib.closing(Broker(Store(tmp_path), SMALL)) as broker:
        assert broker.settled.wait(60)
        assert broker.state == "down"
        with pytest.raises(Problem, match="DLCORE_SCHEDULER"):
            broker.enqueue(broker.store.new("toy", {}, "me", []))
        with cluster(address, tmp_path, "train", "train", "interactive") as processes:
            until(lambda: broker.state == "ready" and len(broker.places) == 3, 90)
            record = broker.store.new("toy", KNOBS, "me", [])
            broker.enqueue(record)
            assert result(ended(broker, record.run_id)) == alone(toy.Config(**KNOBS))
            record = broker.store.new("toy", {**KNOBS, "steps": 10_000}, "me", [])
            broker.enqueue(record)
            history = until(lambda: (h := broker.store.history(record.run_id)).step > 3 and h)
            os.kill(history.info["pid"], signal.SIGKILL)
            assert ended(broker, record.run_id).problem["kind"] == "worker_died"
            processes[0].kill()
            until(lambda: broker.state == "down", 60)


def test_a_run_on_a_cluster_outlives_its_web_process_and_is_taken_over(tmp_path, address, monkeypatch):
    monkeypatch.setattr(jobs_broker, "SIGN", 0.5)
    with cluster(address, tmp_path, "train"), contextlib.closing(Broker(Store(tmp_path), SMALL)) as broker:
        until(lambda: broker.state == "ready" and broker.places, 90)
        with server(tmp_path) as process:
            running, waiting = said(process)
            assert broker.history(broker.store.record(running)).state == "running"
            process.kill()
            process.wait(20)
        told = broker.history(broker.store.record(running)).state
        assert told == "running", "a page that asks before it is taken over must not end it"
        until(lambda: broker.place(running) == 0)
        until(lambda: broker.history(broker.store.record(waiting)).state == "failed")
        assert broker.wish(broker.store.record(running), "pause")
        assert ended(broker, running).state == "paused"
        broker.enqueue(broker.store.record(running))
        assert result(ended(broker, running)) == alone(toy.Config(**KNOBS))
        assert broker.store.record(running).attempts == 2


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="no scheduling groups here")
def test_pages_have_the_processor_before_the_workers(broker):
    """Niceness among processes says nothing between sessions: the group of a worker that trains has to be nice."""
    """Those that answer stay as they are: on a busy machine a page would wait a minute for a nice one."""
    until(lambda: {p.lane for p in broker.places} >= {"train", "interactive"}, 60)
    family = psutil.Process(broker.link._child.pid).children(recursive=True)
    groups = [Path(f"/proc/{process.pid}/autogroup").read_text().split() for process in family]
    assert {nice for *_group, nice in groups} == {"0", "5"}
    behind = [group for group, *_other, nice in groups if nice == "5"]
    assert len(behind) == len(set(behind)) == sum(p.lane == "train" for p in broker.places)


def test_a_killed_cluster_is_replaced_and_its_runs_go_on(tmp_path, broker):
    until(lambda: any(p.lane == "train" for p in broker.places), 60)
    record = broker.store.new("toy", KNOBS, "me", [])
    broker.enqueue(record)
    until(lambda: broker.store.history(record.run_id).step > 3)
    assert broker.wish(record, "pause")  # so that there is a checkpoint
    ended(broker, record.run_id)
    broker.enqueue(broker.store.record(record.run_id))
    until(lambda: broker.store.history(record.run_id).state == "running")
    os.kill(broker.link._child.pid, signal.SIGKILL)
    assert ended(broker, record.run_id).problem["kind"] == "worker_died"
    assert call_worker(broker, toy.echo, (1,), {}, 60.0, "interactive", "me") == 1, "a call waits for the new workers"
    broker.enqueue(broker.store.record(record.run_id))
    assert result(ended(broker, record.run_id)) == alone(toy.Config(**KNOBS))


def test_a_run_whose_worker_vanishes_before_it_begins_waits_again(tmp_path, broker):
    """Its task names that worker, so the cluster would keep it for ever."""
    until(lambda: any(p.lane == "train" for p in broker.places), 60)
    record = broker.store.new("toy", {"steps": 5}, "me", [])
    address = next(p.address for p in broker.places if p.lane == "train")
    broker.link.restart(address)
    broker.places = [p for p in broker.places if p.address != address]
    broker.enqueue(record)
    with broker.queue.lock:
        if record.run_id not in broker.queue.hands:
            waits = next(r for r in broker.queue.waiting if r.run_id == record.run_id)
            broker.queue.waiting.remove(waits)
            broker._start(waits, "train", address)
    assert result(ended(broker, record.run_id)) == alone(toy.Config(steps=5))
    broker.store.end(record.run_id, Stopped)
    assert broker.store.history(record.run_id).state == "finished"
