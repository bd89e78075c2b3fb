"""The embedded cluster, a process of its own: ``python -m dlcore.jobs.cluster``.

The web process starts it with two pipes. Its first line in says how big to be, its first line out says where it is and
carries the TLS credentials, made for this start and kept in memory only. When its standard input closes, however the
web process ended, it ends too, and its workers with it: no orphans.

A SIGTERM is meant for the web process, which then puts its runs aside. Some send it to all processes of a service at
once (systemd by default), so here it is answered with patience.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from dataclasses import asdict
from typing import Any

from dlcore.jobs.gpus import gpus, seats
from dlcore.jobs.sizes import Sizes

TLS = ("tls_ca_file", "tls_client_cert", "tls_client_key")
GRACE = 15.0  # seconds after a SIGTERM for the web process to put its runs aside (``broker.ASIDE``) and close the pipe

CONFIG = {
    "distributed.scheduler.allowed-failures": 0,  # a run whose worker died is the person's to start again
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": [],  # no dashboard, no metrics, nothing to read without credentials
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,  # no results lie in workers: nothing to spill
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.worker.memory.monitor-interval": "500ms",  # who has nothing to do shall cost nothing
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.diagnostics.nvml": False,
    "distributed.logging": {"distributed": "warning", "dlcore": "info"},
}
LOOPBACK: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}


async def serve(sizes: Sizes, folder: str) -> None:
    """Run scheduler and workers until standard input closes."""
    from dask.system import CPU_COUNT
    from distributed import Scheduler, Security
    from distributed.system import MEMORY_LIMIT

    room = seats(gpus())
    sizes = sizes.fitted(CPU_COUNT, MEMORY_LIMIT, len(room))
    security = Security.temporary()
    async with Scheduler(security=security, dashboard=False, **LOOPBACK) as scheduler:
        credentials = {name: getattr(security, name) for name in TLS}
        print(json.dumps({"address": scheduler.address, "security": credentials, "sizes": asdict(sizes)}), flush=True)
        nannies = [
            asyncio.create_task(_nanny(scheduler.address, security, folder, sizes.worker_memory, *worker))
            for worker in _workers(sizes, room)
        ]
        await asyncio.to_thread(sys.stdin.buffer.read)
        for nanny in nannies:
            nanny.cancel()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # workers watch a pipe from here and end with it, even in the midst of a step


def _workers(sizes: Sizes, room: list[str]) -> list[tuple[str, int, dict[str, str]]]:
    """Lane, threads and environment of each worker; the light one first, since it is ready first.

    Args:
        sizes: how many of each.
        room: the GPUs that training workers are given in turn. The others see all of them, and answers take the first.
    """
    trains = [("train", 1, _sees(room[i % len(room)]) if room else {}) for i in range(sizes.train_workers)]
    return [("light", sizes.light_threads, {}), ("interactive", sizes.call_threads, {}), *trains]


def _sees(gpu: str) -> dict[str, str]:
    return {"CUDA_VISIBLE_DEVICES": gpu}


async def _nanny(
    address: str, security: Any, folder: str, memory: int, lane: str, threads: int, env: dict[str, str]
) -> Any:
    """One worker process and the nanny that replaces it when it dies; tried again where it does not come up."""
    from distributed import Nanny

    while True:
        try:
            return await Nanny(
                address,
                security=security,
                nthreads=threads,
                resources={lane: threads},
                memory_limit=str(memory),
                local_directory=folder,
                preload=["dlcore.jobs.worker", "dlcore.jobs.cluster"],
                env=env,
                **LOOPBACK,
            )
        except Exception:  # a machine too busy to start a process in time
            logging.getLogger("dlcore.jobs").exception("the %s worker did not start; trying again", lane)
            await asyncio.sleep(2)


def dask_setup(worker: Any) -> None:
    """Called by dask in each embedded worker process as it starts."""
    signal.signal(signal.SIGTERM, end_later)


def end_later(*_: Any) -> None:
    """Answer to SIGTERM: end, but not before the web process has had time for a checkpoint of each run."""
    timer = threading.Timer(GRACE, os._exit, [1])
    timer.daemon = True
    timer.start()


def main() -> None:
    """Entry of the child process."""
    import dask.config

    signal.signal(signal.SIGTERM, end_later)
    sizes = Sizes(**json.loads(sys.stdin.buffer.readline()))
    dask.config.set(CONFIG)
    asyncio.run(serve(sizes, tempfile.mkdtemp(prefix="dlcore-workers-")))


if __name__ == "__main__":
    main()
