"""Workers by GPU, with a stand-in for ``nvidia-smi``: no test machine has several."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from dlcore.jobs.broker import Broker
from dlcore.jobs.gpus import ASK, Gpu, gpus, seats
from dlcore.jobs.sizes import Sizes
from dlcore.jobs.store import Store
from tests.waiting import until

TWO = "0, GPU-aaaa-1, 24576\n1, GPU-bbbb-2, 8192\n"
LARGE, SMALL = 24576 * 2**20, 8192 * 2**20


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A function that sets what the driver's program prints, and with which status it ends."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def says(text: str, status: int = 0) -> None:
        path = Path(tmp_path) / "nvidia-smi"
        wanted = " ".join(ASK[1:])
        path.write_text(f"#!/bin/sh\n[ \"$*\" = '{wanted}' ] || exit 2\ncat <<'E'\n{text}E\nexit {status}\n")
        path.chmod(0o755)

    return says


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, [("GPU-aaaa-1", LARGE), ("GPU-bbbb-2", SMALL)]),
        ("1", [("1", SMALL)]),
        ("1, 0", [("1", SMALL), ("0", LARGE)]),
        ("GPU-bb", [("GPU-bb", SMALL)]),
        ("", []),
        ("-1", []),
        ("0,7,1", [("0", LARGE)]),
        ("MIG-1234", [("MIG-1234", 0)]),
    ],
)
def test_the_gpus_are_those_that_cuda_would_use(visible, found, driver, monkeypatch):
    driver(TWO)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus() == [Gpu(*pair) for pair in found]


def test_a_machine_without_a_driver_has_none(driver, monkeypatch):
    driver("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", 9)
    assert gpus() == []
    driver("0, GPU-aaaa-1, [N/A]\n")
    assert gpus() == [Gpu("GPU-aaaa-1", 0)], "memory that is shared with the processor is not told"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,MIG-1")
    assert gpus() == []


def test_workers_sit_on_the_gpus_in_turn_as_their_memory_allows():
    assert seats([Gpu("a", 8 * 10**9), Gpu("b", 0), Gpu("c", 10**10)]) == ["a", "b", "c", "a", "c", "c"]
    assert seats([Gpu("a", 10**11)]) == ["a"] * 8
    assert seats([]) == []


@pytest.mark.parametrize(
    ("cores", "gigabytes", "room", "train"),
    [(16, 64, 1, 1), (16, 64, 10, 8), (64, 256, 16, 16), (64, 8, 16, 3), (2, 8, 8, 2)],
)
def test_sizes_fit_the_gpus_and_the_machine(cores, gigabytes, room, train, monkeypatch):
    monkeypatch.delenv("DLCORE_TRAIN_WORKERS", raising=False)
    assert Sizes.from_environment().fitted(cores, gigabytes * 10**9, room).train_workers == train
    monkeypatch.setenv("DLCORE_TRAIN_WORKERS", "5")
    assert Sizes.from_environment().fitted(cores, gigabytes * 10**9, room).train_workers == 5, "what is asked for wins"


def test_each_training_worker_sees_a_gpu_of_its_own(driver, tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_WARM", "0")
    driver(TWO)
    with contextlib.closing(Broker(Store(tmp_path), Sizes(3, 1, 1, 2 * 10**9))) as broker:
        until(lambda: len(broker.places) == 5, 60)
        seen = broker.link.client.run(os.getenv, "CUDA_VISIBLE_DEVICES")
        by_lane = sorted((place.lane, str(seen[place.address])) for place in broker.places)
    assert by_lane == [
        ("interactive", "None"), ("light", "None"),
        ("train", "GPU-aaaa-1"), ("train", "GPU-aaaa-1"), ("train", "GPU-bbbb-2"),
    ]  # fmt: skip
