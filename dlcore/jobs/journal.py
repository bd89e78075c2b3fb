"""What happens to runs, as log lines that a program can read: no name, no address, nothing that was typed.

Each line of the logger ``dlcore.journal`` is one JSON object. A run is named by the first letters of its id, which give
nobody the right to it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

log = logging.getLogger("dlcore.journal")
SHOWN = 8  # letters of a run's id


def to_stderr() -> None:
    """Print the lines on standard error where ``DLCORE_JOURNAL=1`` asks for them."""
    if os.environ.get("DLCORE_JOURNAL") == "1" and not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


def note(event: str, *, run: str = "", **facts: Any) -> None:
    """Write one line: what happened, when (seconds since 1970), to which run, and numbers or words about it."""
    line = {"at": round(time.time(), 3), "event": event, **({"run": run[:SHOWN]} if run else {}), **facts}
    log.info("%s", json.dumps(line))
