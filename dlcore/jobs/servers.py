"""Which web process answers for a run, and whether it is still there."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

import psutil

from dlcore.jobs.store import RUN, Record, Store
from dlcore.texts import N_, Problem

SILENT = 90.0  # seconds without a sign of life of a server on another machine: it is gone


def scheduler() -> str:
    """The address of the cluster to use (``DLCORE_SCHEDULER``); empty for workers of our own."""
    return os.environ.get("DLCORE_SCHEDULER", "").strip()


def restarted() -> Problem:
    """The Problem of a run whose server process ended."""
    return Problem(
        N_("The server was restarted while this run was going on. Resume it if it has a checkpoint, or start again."),
        kind="server_restarted",
    )


def this_server() -> dict[str, Any]:
    """This process, as it stands in ``Record.server``."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": psutil.Process().create_time()}


def is_gone(record: Record, store: Store, patience: float = 0.0) -> bool:
    """Whether the web process that answers for a run has ended; with ``patience``, that many seconds ago or more."""
    server = record.server
    if server.get("host") == socket.gethostname():
        try:
            return psutil.Process(server["pid"]).create_time() != server["started"]
        except psutil.NoSuchProcess:
            return True
    try:
        return time.time() - store.path(record.run_id, RUN).stat().st_mtime > SILENT + patience
    except OSError:
        return True
