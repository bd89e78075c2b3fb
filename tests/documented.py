"""Clusters started by the very commands and the environment that docs/ names, read from the documents themselves."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tests.serving import ROOT

HOSTING = ROOT / "docs" / "hosting"
LANE = re.compile(r"--resources (\w+)=")


@dataclass(frozen=True)
class Start:
    """Shell commands: for the scheduler and, by lane, for a worker; and what the document sets around them."""

    scheduler: str
    workers: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    before: str = ""  # shell lines


def scaling() -> Start:
    """docs/scaling.md, by hand."""
    found = re.search(r"## A cluster\n.*?```bash\n(.*?)```", (ROOT / "docs/scaling.md").read_text(), re.DOTALL)
    assert found
    lines = [re.sub(r"\s+#.*", "", line) for line in found[1].splitlines()]
    commands = [line for line in lines if line.startswith("dask ")]
    before = "\n".join(line for line in lines[: lines.index(commands[0])] if line)
    return Start(commands[0], _by_lane(commands[1:]), before=before)


def image() -> dict[str, str]:
    """The environment of docs/hosting/Dockerfile, with this project where the image has /app."""
    pairs = re.findall(r"^ENV (.*)$", (HOSTING / "Dockerfile").read_text(), re.MULTILINE)
    environment = dict(pair.split("=", 1) for line in pairs for pair in line.split())
    return {name: str(ROOT) if value == "/app" else value for name, value in environment.items()}


def compose() -> Start:
    """docs/hosting/compose.yaml: commands in its image."""
    services = yaml.safe_load((HOSTING / "compose.yaml").read_text())["services"]
    commands = [service.get("command", "") for service in services.values()]
    workers = [command for command in commands if command.startswith("dask worker")]
    return Start(services["scheduler"]["command"], _by_lane(workers), image())


def kubernetes() -> Start:
    """docs/hosting/kubernetes.yaml: commands in its image, and what dask's operator adds: names and the address."""
    found = manifests()
    cluster = next(d["spec"] for d in found if d["kind"] == "DaskCluster")
    pods = [cluster["worker"]["spec"], *(d["spec"]["worker"]["spec"] for d in found if d["kind"] == "DaskWorkerGroup")]
    workers = [
        " ".join(pod["containers"][0]["args"]).replace("$(DASK_WORKER_NAME)", f"w{i}$$") for i, pod in enumerate(pods)
    ]
    scheduler = " ".join(cluster["scheduler"]["spec"]["containers"][0]["args"]) + " --host 10.0.0.1 --port 8786"
    return Start(scheduler, _by_lane(workers), image() | {"DASK_SCHEDULER_ADDRESS": "tcp://10.0.0.1:8786"})


def manifests() -> list[dict[str, Any]]:
    """All objects of docs/hosting/kubernetes.yaml."""
    return list(yaml.safe_load_all((HOSTING / "kubernetes.yaml").read_text()))


def _by_lane(commands: list[str]) -> dict[str, str]:
    return {LANE.findall(command)[0]: command for command in commands}


def outside(**more: str) -> dict[str, str]:
    """The environment of a person's shell that finds `dask`, and nothing that only tests set for it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"PATH": path} | more


def starters(
    address: str, state: Path, *lanes: str, start: Start | None = None
) -> list[Callable[[], subprocess.Popen[bytes]]]:
    """What starts a scheduler and a worker for each lane, as documented but at this address; the scheduler is first."""
    start = start or scaling()
    host, port = address.removeprefix("tcp://").split(":")

    def here(text: str) -> str:
        return re.sub(r"\b(10\.0\.0\.1|scheduler)(?=:)|\b10\.0\.0\.1\b", host, text).replace("8786", port)

    environment = {name: here(value) for name, value in start.environment.items()}
    env = outside(**environment | {"DLCORE_STATE": str(state)})
    commands = (start.scheduler, *(start.workers[lane] for lane in lanes))
    shells = [f"{start.before}\nexec {here(command)}" for command in commands]
    return [partial(subprocess.Popen, ["bash", "-c", shell], env=env, cwd=ROOT) for shell in shells]


@contextlib.contextmanager
def cluster(
    address: str, state: Path, *lanes: str, start: Start | None = None
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The processes of such a cluster, the scheduler first; they are ended with the block."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes += [begin() for begin in starters(address, state, *lanes, start=start)]
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait(20)
