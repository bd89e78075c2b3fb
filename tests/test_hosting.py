"""The files of docs/hosting: their commands start a cluster, their limits and folders fit together."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from dask.utils import parse_bytes
from distributed import Client

from dlcore.jobs.broker import Broker
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import Store
from tests import documented
from tests.documented import HOSTING, cluster, manifests, outside
from tests.serving import ROOT, free_port
from tests.waiting import ENDED, until

USER = "1000"  # the image's
STARTS = {
    "scaling.md": documented.scaling,
    "compose.yaml": documented.compose,
    "kubernetes.yaml": documented.kubernetes,
}
MEMORY = re.compile(r"--memory-limit (\S+)")


@pytest.fixture(autouse=True)
def unprepared(monkeypatch):
    """Nothing here computes a tensor."""
    monkeypatch.setenv("DLCORE_WARM", "0")


@pytest.mark.parametrize("name", STARTS)
def test_documented_workers_may_take_what_torch_needs(name):
    start = STARTS[name]()
    assert start.workers.keys() == {"train", "light", "interactive"}
    for lane, command in start.workers.items():
        least = 1.5e9 if lane == "light" else 2.5e9
        assert parse_bytes(MEMORY.findall(command)[0]) >= least, command


@pytest.mark.parametrize("name", STARTS)
def test_documented_commands_start_a_cluster_that_computes(name, tmp_path, monkeypatch):
    """With the program ``dask`` and nothing but the environment that the document sets."""
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv("DLCORE_SCHEDULER", address)
    with (
        cluster(address, tmp_path, "train", "interactive", "light", start=STARTS[name]()),
        contextlib.closing(Broker(Store(tmp_path), Sizes())) as broker,
    ):
        until(lambda: {p.lane for p in broker.places} == {"train", "interactive", "light"}, 90)
        assert {p.lane: p.slots for p in broker.places} == {"train": 1, "interactive": 2, "light": 8}
        record = broker.store.new("toy", {"steps": 5}, "me", [])
        broker.enqueue(record)
        until(lambda: broker.store.history(record.run_id).state in ENDED, 60)
        assert broker.store.history(record.run_id).state == "finished"
        assert broker.link.submit("interactive", os.getcwd).result(60) == str(ROOT)


SRUN = """#!/bin/bash
# A stand-in for SLURM's: the same command once, here. Of the processors it must be told anew (since Slurm 22.05).
[ "$SRUN_CPUS_PER_TASK" = 3 ] || { echo "srun would give one processor to a task" >&2; exit 1; }
while [[ $1 == --* ]]; do shift; done
exec "$@"
"""
WEB = """
import time
from dlcore import jobs
from tests import toy
from tests.waiting import ENDED, until
jobs.start()
until(lambda: len(jobs.status().lanes or {}) == 3, 90)
run = jobs.submit("toy", toy.Config(steps=5), owner="me")
until(lambda: jobs.history(run, owner="me").state in ENDED, 60)
print(jobs.history(run, owner="me").state)
jobs.shutdown()
"""


@pytest.fixture
def slurm(tmp_path) -> Iterator[SimpleNamespace]:
    """slurm.sh as a job whose tasks are started here: its folder, its environment, the scheduler's address."""
    srun, state = tmp_path / "bin" / "srun", tmp_path / "state"
    for folder in (srun.parent, state):
        folder.mkdir()
    srun.write_text(SRUN)
    srun.chmod(0o755)
    env = outside(DLCORE_STATE=str(state), SCHEDULER_PORT=str(free_port()), SLURM_CPUS_PER_TASK="3")
    env["PATH"] = f"{srun.parent}{os.pathsep}{env['PATH']}"
    process = subprocess.Popen(["bash", "docs/hosting/slurm.sh"], cwd=ROOT, env=env, start_new_session=True)
    try:
        address = until(lambda: (state / "scheduler").exists() and (state / "scheduler").read_text().strip(), 60)
        yield SimpleNamespace(env=env, state=state, address=address)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")
def test_the_slurm_script_starts_a_cluster_for_those_who_have_its_key(slurm):
    with pytest.raises(OSError, match="in <T"):
        Client(slurm.address.replace("tls:", "tcp:"), timeout=3)
    assert {oct(f.stat().st_mode & 0o077) for f in (slurm.state / "tls").iterdir()} == {"0o0"}
    web = [sys.executable, "-c", WEB]
    start = 'source docs/hosting/tls.sh; export DLCORE_SCHEDULER=$(cat $DLCORE_STATE/scheduler); exec "$@"'
    done = subprocess.run(
        ["bash", "-c", start, "bash", *web], cwd=ROOT, env=slurm.env, capture_output=True, text=True, timeout=200
    )
    assert done.stdout.split() == ["finished"], done.stderr


def pods() -> dict[str, dict]:
    """Of kubernetes.yaml, those that read or write the shared folders."""
    found = {d["metadata"]["name"]: d for d in manifests()}
    names = ("playground-light", "playground-answers")
    workers = {name: found[name]["spec"]["worker"]["spec"] for name in names}
    train = next(d for d in manifests() if d["kind"] == "DaskCluster")["spec"]["worker"]["spec"]
    web = found["playground-web"]["spec"]["template"]["spec"]
    return {"train": train, "web": web, **workers}


@pytest.mark.parametrize("name", pods())
def test_a_pod_may_write_the_folders_that_all_share(name):
    pod = pods()[name]
    (container,) = pod["containers"]
    assert str(pod["securityContext"]["fsGroup"]) == str(pod["securityContext"]["runAsUser"]) == USER
    assert {m["mountPath"]: m["name"] for m in container["volumeMounts"]} == {"/state": "state", "/data": "data"}
    claims = {v["name"]: v["persistentVolumeClaim"]["claimName"] for v in pod["volumes"]}
    modes = {d["metadata"]["name"]: d["spec"]["accessModes"] for d in manifests() if "accessModes" in d["spec"]}
    assert {modes[claims[name]][0] for name in ("state", "data")} == {"ReadWriteMany"}
    assert documented.image().items() >= {"DLCORE_STATE": "/state", "DLCORE_DATA": "/data"}.items()
    assert f"--uid {USER} " in (HOSTING / "Dockerfile").read_text()
    if limit := MEMORY.findall(" ".join(container.get("args", []))):
        allowed = parse_bytes(container["resources"]["limits"]["memory"])
        assert 0.8 * allowed < parse_bytes(limit[0]) < allowed - 150e6, "dask's comes first, with room for its nanny"


def test_pages_are_served_while_the_scheduler_is_down():
    assert pods()["web"]["containers"][0]["readinessProbe"]["httpGet"]["path"] == "/_stcore/health"
    assert "8501/_stcore/health" in (HOSTING / "Dockerfile").read_text()


def test_no_image_and_no_commit_takes_secrets_along():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".streamlit/secrets.toml", "**/.env", ".git", ".venv"} <= set(ignored)
    if (ROOT / ".git").exists() and shutil.which("git"):
        for path in (".streamlit/secrets.toml", "docs/hosting/.env"):
            assert subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT).returncode == 0, path


def test_the_service_writes_where_its_environment_says():
    lines = [line.partition("=")[::2] for line in (HOSTING / "playground.service").read_text().splitlines()]
    given = {name: value for name, value in lines if name not in ("Environment", "")}
    pairs = dict(pair.split("=", 1) for name, value in lines if name == "Environment" for pair in value.split())
    writable = [Path("/var/lib") / given["StateDirectory"], Path(given["ReadWritePaths"].lstrip("-"))]
    assert given["ProtectSystem"] == "strict"
    for name in ("DLCORE_STATE", "DLCORE_DATA", "TORCH_HOME"):
        path = Path(pairs[name])
        assert any(path.is_relative_to(folder) for folder in writable), name
    assert given["KillMode"] == "mixed"


@pytest.mark.parametrize("path", sorted(HOSTING.glob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_shell(path):
    assert subprocess.run(["bash", "-n", str(path)], timeout=20).returncode == 0


def test_compose_s_door_and_web_servers_fit_together():
    services = yaml.safe_load((HOSTING / "compose.yaml").read_text())["services"]
    (mounted,) = services["door"]["volumes"]
    door = (HOSTING / mounted.split(":")[0]).read_text()
    assert re.search(r"name web\s+port 8501\b", door)
    assert "8501" in services["web"]["expose"]
    assert "ports" not in services["web"], "only the door, which writes X-Forwarded-For anew, may reach it"
    assert services["web"]["environment"]["FORWARDED_ALLOW_IPS"] == "*"
