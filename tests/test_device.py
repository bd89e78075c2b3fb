"""Choosing where and how to compute: obeyed, measured, remembered, and harmless when the folder is not."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time

import pytest
import torch

from dlcore import device
from dlcore.device import AUTO, LAYOUTS, Layout, choose_layout
from dlcore.texts import Problem

SLOW, QUICK = Layout("contiguous", "float32"), Layout("channels_last", "bfloat16")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path / "state"))
    return tmp_path / "state" / "cache" / "layouts.json"


class Trials:
    """Steps that sleep: one layout is clearly the quickest, and each build is counted."""

    def __init__(self) -> None:
        self.built: list[Layout] = []

    def __call__(self, layout: Layout):
        self.built.append(layout)
        torch.rand(3)  # a real trial draws first weights
        return lambda: time.sleep(0.002 if layout == QUICK else 0.02)


def test_the_quickest_is_chosen_and_remembered(own_cache):
    trials = Trials()
    assert choose_layout("net", trials) == QUICK
    assert sorted(trials.built) == sorted(LAYOUTS)
    assert choose_layout("net", trials) == QUICK
    assert len(trials.built) == len(LAYOUTS), "the second time nothing is measured"
    assert list(json.loads(own_cache.read_text()).values()) == [list(QUICK)]
    choose_layout("other net", trials)
    choose_layout("net", trials, threads=1)
    assert len(trials.built) == 3 * len(LAYOUTS)


def test_what_is_wanted_is_obeyed():
    trials = Trials()
    assert choose_layout("net", trials, wanted=SLOW) == SLOW
    assert trials.built == []
    assert choose_layout("net", trials, wanted=Layout("auto", "float32")).precision == "float32"
    assert {b.precision for b in trials.built} == {"float32"}


def test_a_slow_layout_is_not_measured_to_the_end():
    calls = dict.fromkeys(LAYOUTS, 0)

    def trial(layout):
        def step():
            calls[layout] += 1
            time.sleep(0.001 if layout == QUICK else 0.03)

        return step

    assert device.fastest(list(LAYOUTS), trial) == QUICK
    assert calls[QUICK] > calls[SLOW]


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"net": ["round", "soft"]}'])
def test_a_damaged_cache_is_measured_anew(own_cache, damage):
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text(damage)
    assert choose_layout("net", Trials()) == QUICK
    assert list(json.loads(own_cache.read_text()).values()) == [list(QUICK)]


def test_a_folder_that_cannot_be_written_is_no_fault(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DLCORE_STATE", str(tmp_path / "file"))
    assert choose_layout("net", Trials()) == QUICK


def test_measuring_does_not_change_a_run():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    choose_layout("net", Trials())
    assert torch.equal(torch.rand(4), expected)


def test_a_missing_device_is_told():
    if torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(Problem, match="no cuda device") as caught:
        device.choose_device("cuda")
    assert caught.value.kind == "device"
    assert device.choose_device("auto") in ("cpu", "mps")


def test_reproducible_fixes_threads_and_numbers():
    numbers = []
    for threads in (1, 2):
        device.reproducible(5, threads=threads)
        assert torch.get_num_threads() == threads
        numbers.append(torch.rand(3))
    assert torch.equal(*numbers)


def test_autocast_is_what_its_name_says():
    linear, X = torch.nn.Linear(3, 2), torch.rand(4, 3)
    for precision in device.PRECISIONS[1:]:
        with device.autocast("cpu", precision):
            assert str(linear(X).dtype) == f"torch.{precision}"


def test_auto_is_never_a_result():
    assert all("auto" not in layout for layout in LAYOUTS)
    assert AUTO == ("auto", "auto")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library decides for itself")
def test_a_step_finds_the_memory_of_the_last_one_still_there():
    """In a process of its own, which starts with glibc's documented defaults; else they move with what was freed."""
    defaults = {"MALLOC_TRIM_THRESHOLD_": str(128 << 10), "MALLOC_MMAP_THRESHOLD_": str(128 << 10)}
    code = (
        "import resource, torch; from dlcore.device import reproducible\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(20): [torch.ones(1 << 20) for _ in range(16)]\n"  # 16 times 4 MB
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "torch.set_num_threads(1); faults(); a = faults(); reproducible(0); faults(); print(a, faults())"
    )
    command, env = [sys.executable, "-c", code], os.environ | defaults
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=env)
    before, after = map(int, done.stdout.split())
    assert before > 1000
    assert after < before / 100


def test_configs_are_checked_without_torch():
    code = (
        "import sys; from dlcore.experiments import cnn; from dlcore.knobs import parse, to_texts;"
        "c = parse(cnn.Config, {'network': 'fast', 'dataset': 'mnist'}); assert to_texts(c);"
        "print([m for m in ('torch', 'sklearn', 'streamlit', 'distributed') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
