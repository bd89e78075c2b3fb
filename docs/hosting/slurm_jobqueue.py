"""The same workers by dask-jobqueue, which asks SLURM for one job a worker: ``python docs/hosting/slurm_jobqueue.py``.

Beside this project it needs ``pip install dask-jobqueue``. It runs the scheduler, so start it where it may stay (a
login or service node), in the project's folder and after ``source docs/hosting/tls.sh``; when it ends, its jobs end.
Start the web server with the address that it prints:

    source docs/hosting/tls.sh; DLCORE_SCHEDULER=tls://… streamlit run app.py
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from shlex import quote
from typing import Any

from dask_jobqueue import SLURMCluster  # pyright: ignore[reportMissingImports]  # for those who have SLURM
from distributed import Security

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # the scheduler, which runs here, needs this project
TRAIN = 4  # runs at the same time


def job(lane: str, threads: int, **more: Any) -> dict[str, Any]:
    """What SLURM is asked for one worker of a lane; ``more`` are further arguments of ``SLURMJob`` (queue, account)."""
    state = Path(os.environ["DLCORE_STATE"]).absolute()
    passed = {"PYTHONPATH": ROOT, "DLCORE_STATE": state}  # `dask` itself looks in its own folder only
    return {
        "job_name": f"playground-{lane}", "cores": threads, "processes": 1, "job_cpu": 2,
        "memory": "3500MiB", "job_mem": "4G",  # the worker is replaced before SLURM ends it
        "walltime": "04:00:00", "log_directory": str(state / "slurm"),
        "job_script_prologue": [f"export {name}={quote(str(value))}" for name, value in passed.items()],
        "worker_extra_args": ["--resources", f"{lane}={threads}", "--no-dashboard", "--preload", "dlcore.jobs.worker"],
        **more,
    }  # fmt: skip


def start(**more: Any) -> SLURMCluster:
    """The scheduler, one job for each short lane, and ``TRAIN`` jobs that train."""
    options = {"protocol": "tls://", "dashboard": False, "dashboard_address": None}
    cluster = SLURMCluster(security=Security(), protocol="tls://", scheduler_options=options, **job("train", 1, **more))
    kind, shared = cluster.job_cls, {"security": Security(), "protocol": "tls://"}
    for lane, threads in (("light", 8), ("interactive", 2)):
        cluster.worker_spec[lane] = {"cls": kind, "options": job(lane, threads, **more) | shared}
    cluster.scale(len(cluster.worker_spec) + TRAIN)
    return cluster


if __name__ == "__main__":
    with start() as cluster:
        print(cluster.job_script(), cluster.scheduler_address, sep="\n", flush=True)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # and so by the end of this block
        signal.pause()
