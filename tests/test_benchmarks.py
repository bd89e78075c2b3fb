"""Every benchmark runs, in its short form: it measures what it says and holds what does not depend on the machine."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

from tests.forked import begun, ended

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
    "surgery",
    "landscape",
    "backbone",
    "classify",
    "explain",
    "own_classes",
    "transfer",
    "classroom_load",
    "queueing",
    pytest.param("page_latency", marks=pytest.mark.browser),
    pytest.param("time_to_accuracy", marks=pytest.mark.data),
    pytest.param("cifar10", marks=pytest.mark.data),
    pytest.param("image_presets", marks=pytest.mark.data),
]


@pytest.mark.slow
@pytest.mark.parametrize("name", SHORT)
def test_benchmark_in_its_short_form(name: str, tmp_path: Path) -> None:
    said = tmp_path / "said"
    process = begun(said, run, name, DLCORE_STATE=str(tmp_path))
    assert any(character.isdigit() for character in ended(process, said, 500))


def run(name: str) -> None:
    """A benchmark as ``python benchmarks/<name>.py --quick``."""
    script = f"benchmarks/{name}.py"
    sys.argv = [script, "--quick"]
    runpy.run_path(script, run_name="__main__")
