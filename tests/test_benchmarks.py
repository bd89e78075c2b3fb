"""Every benchmark runs, in its short form: it measures what it says and holds what does not depend on the machine.

Each runs in a process of its own, forked from one that has imported PyTorch already: that alone takes four seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHORT = [
    "startup",
    "throughput",
    "sequence_overhead",
    "look_inside",
    "playground",
    "augmentation",
    "speed_ladder",
    "text_model",
    "sequence_lessons",
    "resnet_cifar",
    "depth",
    "landscape",
    "backbone",
    "own_classes",
    pytest.param("page_latency", marks=pytest.mark.browser),
    pytest.param("time_to_accuracy", marks=pytest.mark.data),
    pytest.param("cifar10", marks=pytest.mark.data),
    pytest.param("image_presets", marks=pytest.mark.data),
]
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["torch", "torchvision.transforms.v2", "sklearn.datasets"])


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_benchmark_in_its_short_form(name: str, tmp_path: Path) -> None:
    process = FORKING.Process(target=run, args=(name, tmp_path))
    process.start()
    process.join(500)
    process.kill()
    said = (tmp_path / "said").read_text()
    assert process.exitcode == 0, said[-4000:]
    assert any(character.isdigit() for character in said)


def run(name: str, folder: Path) -> None:
    """A benchmark as ``python benchmarks/<name>.py --quick`` from the root; what it prints is kept in ``said``."""
    os.chdir(ROOT)
    os.environ.update(PYTHONPATH=str(ROOT), DLCORE_STATE=str(folder))
    out = os.open(folder / "said", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(out, stream)
    script = f"benchmarks/{name}.py"
    sys.argv = [script, "--quick"]
    runpy.run_path(script, run_name="__main__")
