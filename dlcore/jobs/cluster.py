"""The embedded cluster, a process of its own: ``python -m dlcore.jobs.cluster``.

The web process starts it with two pipes. Its first line in says how big to be, its first line out says where it is and
carries the TLS credentials, made for this start and kept in memory only. When its standard input closes, however the
web process ended, it ends too, and its workers with it: no orphans.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import asdict
from typing import Any

from dlcore.jobs.sizes import Sizes

TLS = ("tls_ca_file", "tls_client_cert", "tls_client_key")


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

    sizes = sizes.fitted(CPU_COUNT, MEMORY_LIMIT)
    security = Security.temporary()
    async with Scheduler(security=security, dashboard=False, **LOOPBACK) as scheduler:
        credentials = {name: getattr(security, name) for name in TLS}
        print(json.dumps({"address": scheduler.address, "security": credentials, "sizes": asdict(sizes)}), flush=True)
        nannies = [
            asyncio.create_task(_nanny(scheduler.address, security, folder, lane, threads, memory))
            for lane, threads, memory in _workers(sizes)
        ]
        await asyncio.to_thread(sys.stdin.buffer.read)
        for nanny in nannies:
            nanny.cancel()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)  # workers watch a pipe from here and end with it, even in the midst of a step


def _workers(sizes: Sizes) -> list[tuple[str, int, int]]:
    """Lane, threads and memory of each worker; the light one first, since it is ready first."""
    light, answers = ("light", sizes.light_threads), ("interactive", sizes.call_threads)
    lanes = [light, answers, *[("train", 1)] * sizes.train_workers]
    return [(lane, threads, sizes.worker_memory) for lane, threads in lanes]


async def _nanny(address: str, security: Any, folder: str, lane: str, threads: int, memory: int) -> Any:
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
                preload=["dlcore.jobs.worker"],
                **LOOPBACK,
            )
        except Exception:  # a machine too busy to start a process in time
            logging.getLogger("dlcore.jobs").exception("the %s worker did not start; trying again", lane)
            await asyncio.sleep(2)


def main() -> None:
    """Entry of the child process."""
    import dask.config

    sizes = Sizes(**json.loads(sys.stdin.buffer.readline()))
    dask.config.set(CONFIG)
    asyncio.run(serve(sizes, tempfile.mkdtemp(prefix="dlcore-workers-")))


if __name__ == "__main__":
    main()
