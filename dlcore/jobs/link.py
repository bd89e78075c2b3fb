"""The connection to the workers: the embedded cluster, or a running one (``DLCORE_SCHEDULER``)."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from distributed import Client, Future, Security

from dlcore.jobs import worker
from dlcore.jobs.servers import scheduler
from dlcore.jobs.sizes import Sizes
from dlcore.texts import N_, Problem

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds for the embedded cluster to say where it is: a slow disk, a cold start
REACH = 5.0  # seconds for a running scheduler to answer


@dataclass(frozen=True)
class Place:
    """One worker process: where it is, how many runs or calls of its lane it takes at once, and how many bytes."""

    address: str
    lane: str
    slots: int
    memory: int = 0  # 0: not limited


class Link:
    """A client and, for the embedded cluster, the child process that it talks to.

    Raises ``Problem`` (kind ``"down"``) where there is no answer.
    """

    def __init__(self, sizes: Sizes, log: Path | None) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        address, security = scheduler(), None
        self.embedded = not address
        try:
            if self.embedded:
                self._child = _start_child(log)
                address, security = _hand_shake(self._child, sizes)
            self.client = Client(address, security=security, timeout=REACH, set_as_default=False, name="dlcore")
        except (OSError, ValueError, TypeError, ImportError) as error:  # no answer; not an address
            self._end_child()
            raise _unreachable(address, error) from None
        self._control = ThreadPoolExecutor(4, thread_name_prefix="jobs-control")

    @property
    def alive(self) -> bool:
        """Whether the scheduler is still there."""
        return self.client.status == "running" and (self._child is None or self._child.poll() is None)

    def places(self) -> list[Place]:
        """The workers there are now. Raises ``OSError`` where the scheduler does not answer."""
        found = self.client.scheduler_info(n_workers=-1)["workers"]
        lanes = {address: next(iter(w["resources"].items()), None) for address, w in found.items()}
        limits = {address: int(w.get("memory_limit") or 0) for address, w in found.items()}
        return [Place(address, lane[0], int(lane[1]), limits[address]) for address, lane in lanes.items() if lane]

    def memory(self) -> dict[str, int]:
        """Bytes that each worker process takes, as it last told; by address."""
        with contextlib.suppress(OSError, RuntimeError):
            found = self.client.scheduler_info(n_workers=-1)["workers"]
            return {address: int(w.get("metrics", {}).get("memory", 0)) for address, w in found.items()}
        return {}

    def submit(self, lane: str, function: Callable[..., Any], *args: Any, workers: list[str] | None = None) -> Future:
        """Hand a task to a lane, or to the workers named and no others.

        (With ``allow_other_workers`` dask forgets the lane when those workers are gone, and its scheduler stumbles over
        the resources that the others lack.)
        """
        return self.client.submit(function, *args, pure=False, resources={lane: 1}, workers=workers)

    def ask(self, places: list[str], run_id: str, action: str, *args: Any) -> Any:
        """Pass a wish to a run; a concurrent future that tells whether some worker had it."""

        def deliver() -> bool:
            replies: Any = self.client.run(worker.ask, run_id, action, *args, workers=places, on_error="ignore")
            return any((replies or {}).values())

        return self._control.submit(deliver)

    def restart(self, address: str) -> None:
        """Replace one worker process, whatever it is doing."""
        with contextlib.suppress(Exception):  # a worker without a nanny, or one that is gone already
            self.client.restart_workers([address], timeout=10, raise_for_error=False)

    def killed_for_memory(self, address: str, seconds: float = 0.6) -> bool:
        """Whether a dead worker was ended because it had outgrown its memory; its nanny may take a moment to say so."""
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError):
            while time.monotonic() < deadline:
                events: Any = self.client.get_events("worker-restart-memory")
                if any(event.get("worker") == address for _, event in events):
                    return True
                time.sleep(0.1)
        return False

    def close(self) -> None:
        """Let go of the workers; the embedded ones end."""
        self._control.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(Exception):
            self.client.close(timeout=2)
        self._end_child()

    def _end_child(self) -> None:
        if self._child is None:
            return
        for stream in (self._child.stdin, self._child.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()


def _start_child(log: Path | None) -> subprocess.Popen[bytes]:
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "warning",
        "DASK_DISTRIBUTED__LOGGING__DLCORE": "info",
    }
    with contextlib.ExitStack() as stack:
        errors: IO[bytes] | None = None  # the server's own, where no file can be written
        if log is not None:
            with contextlib.suppress(OSError):
                errors = stack.enter_context(log.open("wb"))
        return subprocess.Popen(
            [sys.executable, "-m", "dlcore.jobs.cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=env,
            start_new_session=True,  # Ctrl-C is for the web process, which then ends this one
        )


def _hand_shake(child: subprocess.Popen[bytes], sizes: Sizes) -> tuple[str, Security]:
    """Tell the child how big to be; learn its address and credentials."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(json.dumps(asdict(sizes)).encode() + b"\n")
    child.stdin.flush()
    said = json.loads(child.stdout.readline() or b"{}")
    if not said:
        raise OSError("the worker process ended as it started")
    return said["address"], Security(require_encryption=True, **said["security"])


def _unreachable(address: str, error: BaseException) -> Problem:
    if scheduler():
        log.warning("no answer from the scheduler at %s: %s", address, error)  # no page shows where it is
        return Problem(
            N_(
                "The scheduler does not answer. Check DLCORE_SCHEDULER and that the cluster is running; "
                "it is tried again every few seconds."
            ),
            kind="down",
        )
    return Problem(
        N_("The workers of this server could not be started ({reason}). It is tried again every few seconds."),
        kind="down",
        reason=str(error)[:200] or type(error).__name__,
    )
