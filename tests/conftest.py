"""What all tests share: a state folder of their own, embedded workers on demand, and honest skips.

A test that needs real data, Chromium or a GPU says so with a mark. Where the need is not met it is skipped with the
reason; in CI (``CI=true``) it fails instead, so that nothing is left out unnoticed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("shared machine", deadline=None)  # how long an example takes says nothing of the code here
settings.load_profile("shared machine")

STATE = tempfile.TemporaryDirectory(prefix="dlcore-tests-")
os.environ["DLCORE_STATE"] = STATE.name  # before anything reads it: tests never touch the user's own runs
os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(STATE.name) / "numba"))  # compiled once for all servers of a session
os.environ.setdefault("OMP_NUM_THREADS", "1")  # what sets no number of its own: cores are shared with other tests
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # a thread that waits for another one sleeps instead of spinning
os.environ["DLCORE_EXTRA_EXPERIMENTS"] = "toy=tests.toy"
os.environ.pop("DLCORE_SCHEDULER", None)


@pytest.fixture(scope="session")
def jobs():
    """``dlcore.jobs`` with embedded workers: two train, the light and the interactive one.

    Tests that kill a worker have another one started, which need not import torch for the next test of that kind.
    """
    from dlcore import jobs

    os.environ["DLCORE_WARM"] = "0"
    jobs.start(jobs.Sizes(train_workers=2, light_threads=4, call_threads=2, worker_memory=2 * 10**9))
    del os.environ["DLCORE_WARM"]
    assert jobs.status().state == "ready", jobs.status().message
    yield jobs
    jobs.shutdown()


def _no_data() -> str:
    root = os.environ.get("DLCORE_DATA", "")
    return "" if root and Path(root).is_dir() else "needs real data: set DLCORE_DATA"


def _no_browser() -> str:
    if find_spec("playwright") is None:
        return "needs playwright (requirements-dev.txt)"
    return "" if shutil.which("chromium") else "needs Chromium on the PATH"


def _no_gpu() -> str:
    import torch

    return "" if torch.cuda.is_available() else "needs a CUDA device"


NEEDS = {"data": _no_data, "browser": _no_browser, "gpu": _no_gpu}
HAS_GPU = Path("/dev/nvidia0").exists()  # a CI machine without one cannot be asked for it


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark, missing in NEEDS.items():
        if item.get_closest_marker(mark) and (reason := missing()):
            if os.environ.get("CI") == "true" and (mark != "gpu" or HAS_GPU):
                pytest.fail(f"{reason} (in CI this is a failure, not a skip)", pytrace=False)
            pytest.skip(reason)


@pytest.fixture
def one_thread():
    """torch computes on one thread: little work is slower on two, and far slower on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
