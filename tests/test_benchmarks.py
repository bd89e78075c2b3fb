"""Every benchmark runs, in its short form: it measures what it says and holds what does not depend on the machine."""

from __future__ import annotations

import os
import subprocess
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
    pytest.param("page_latency", marks=pytest.mark.browser),
    pytest.param("time_to_accuracy", marks=pytest.mark.data),
    pytest.param("cifar10", marks=pytest.mark.data),
    pytest.param("image_presets", marks=pytest.mark.data),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_benchmark_in_its_short_form(name: str, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DLCORE_STATE": str(tmp_path)}
    command = [sys.executable, f"benchmarks/{name}.py", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert any(character.isdigit() for character in done.stdout)
