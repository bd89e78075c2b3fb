"""From the command to the first page, to the first run, and what the web process weighs.

Each of several fresh servers (``streamlit run app.py``, a state folder of its own) is asked for its start page as a
browser asks, without one: HTML, then the session, until the page's script has sent its last message. The clock starts
before the command. Then every page is visited in both languages, and the web process is weighed (resident memory).

``--check`` holds 3 s to the first page and 200 MB, on an otherwise idle machine. ``--quick`` starts one server, visits
one lesson (tests visit all of them) and only fails where something does not work at all.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.serving import PAGE, exceptions, serve  # noqa: E402
from tests.waiting import until  # noqa: E402
from ui.lessons import READY, Lesson  # noqa: E402

SECONDS, MEGABYTES = 3.0, 200.0


def measure(lessons: Sequence[Lesson]) -> dict[str, float]:
    """One fresh server: seconds to the first page and to readiness for runs, and megabytes after these pages."""
    began = time.monotonic()
    with serve() as server:
        server.get("/", headers=PAGE).raise_for_status()
        assert exceptions(server.visit("")) == []
        page = time.monotonic() - began
        until(lambda: server.health()["state"] == "ready", 60)
        ready = time.monotonic() - began
        until(lambda: server.health()["device"], 120)
        for lesson in lessons:
            for query in ("", "lang=zh"):
                assert exceptions(server.visit(lesson.slug, query)) == [], lesson.slug
        memory = psutil.Process(server.process.pid).memory_info()
    return {"first page, s": page, "ready for runs, s": ready, "web process, MB": memory.rss / 1e6}


def main() -> int:
    """Print medians; with --check, 1 where a limit is not kept."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--check", action="store_true")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--repeats", type=int, default=5)
    given = arguments.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    lessons, repeats = (READY[:1], 1) if given.quick else (READY, given.repeats)
    runs = [measure(lessons) for _ in range(repeats)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    for name, value in medians.items():
        print(f"{name:20} {value:8.2f}   ({', '.join(f'{run[name]:.2f}' for run in runs)})")
    kept = medians["first page, s"] <= SECONDS and medians["web process, MB"] <= MEGABYTES
    if given.check:
        print("kept" if kept else f"not kept: at most {SECONDS:g} s and {MEGABYTES:g} MB")
    return int(given.check and not kept)


if __name__ == "__main__":
    sys.exit(main())
