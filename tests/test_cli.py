"""The command line as a user has it: a process of its own, its exit status, and what it prints where."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import pytest

from dlcore import cli, doctor
from dlcore.data import catalogue
from dlcore.data.catalogue import CATALOGUE
from dlcore.experiments import NAMES
from tests.test_data import REMOTES, Mirror, cache, server  # noqa: F401 - fixtures

QUICK = ("--set", "steps=5")
PLAIN = (
    "--set",
    "memory_format=contiguous",
    "--set",
    "precision=float32",
    "--set",
    "threads=1",
)  # nothing is tried first


def dlcore(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dlcore", *args],
        capture_output=True, text=True, timeout=300, env={**os.environ, **env},
    )  # fmt: skip


def rows(text: str) -> list[dict]:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_lessons_json_names_every_setting():
    done = dlcore("lessons", "--json")
    assert done.returncode == 0
    listed = {lesson["name"]: lesson for lesson in json.loads(done.stdout)}
    assert set(listed) == set(NAMES)
    rate = next(k for k in listed["cnn"]["knobs"] if k["name"] == "learning_rate")
    assert rate["kind"] == "float"
    assert rate["low"] < rate["default"] < rate["high"]
    assert listed["linear_regression"]["summary"].startswith("How big may a step be?")


def test_lessons_for_people(capsys):
    assert cli.main(["lessons"]) == 0
    assert "learning_rate" in capsys.readouterr().out


def test_importing_the_command_line_imports_nothing_heavy():
    code = "import sys, dlcore.cli, dlcore.doctor, dlcore.experiments.cnn; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60).stdout.split()
    assert "dlcore.cli" in loaded
    assert not {"torch", "torchvision", "sklearn", "streamlit", "distributed"} & set(loaded)


def test_train_json_is_one_flat_object_a_line():
    done = dlcore("train", "linear_regression", *QUICK, "--seed", "3", "--json")
    assert done.returncode == 0, done.stderr
    lines = rows(done.stdout)
    assert [line["event"] for line in lines] == ["started", *["step"] * 6, "finished"]
    assert lines[0]["config"]["seed"] == 3
    assert {"theta", "loss", "optimum_loss", "lambda_max"} <= lines[-1].keys()
    assert lines[-1]["loss"] == pytest.approx(lines[-2]["loss"])
    assert lines[-1]["loss"] > lines[-1]["optimum_loss"] > 0


def test_the_same_seed_gives_the_same_lines():
    first, second = (dlcore("train", "linear_regression", "--set", "batch_size=7", *QUICK, "--json") for _ in range(2))

    def exact(done):
        return [{k: v for k, v in row.items() if k != "seconds"} for row in rows(done.stdout)]

    assert exact(first) == exact(second)


def test_a_diverging_run_ends_with_its_reason_and_fails():
    done = dlcore("train", "linear_regression", "--set", "learning_rate=100", "--set", "steps=2000", "--json")
    assert done.returncode == 1
    assert rows(done.stdout)[-1]["event"] == "diverged"
    assert "above the limit" in done.stderr
    assert "{" not in rows(done.stdout)[-1]["reason"]


def test_train_cnn_tells_the_lesson_s_metrics():
    done = dlcore(
        "train", "cnn", "--set", "train_size=100", "--set", "network=mlp", "--set", "epochs=2", *PLAIN, "--json"
    )
    assert done.returncode == 0, done.stderr
    lines = rows(done.stdout)
    assert {"test_accuracy", "seconds", "device", "params"} <= lines[-1].keys()
    assert not {"snapshot", "checkpoint"} & {line["event"] for line in lines}
    assert lines[-1]["test_accuracy"] > 0.15
    assert all(len(line) < 5000 for line in done.stdout.splitlines())


def test_train_for_people_prints_the_metrics(capsys):
    assert cli.main(["train", "linear_regression", *QUICK]) == 0
    assert "lambda_max" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "required"),
        (("fly",), "invalid choice"),
        (("train",), "LESSON"),
        (("train", "alchemy"), ", ".join(NAMES)),
        (("train", "cnn", "--set", "epochs"), "NAME=VALUE"),
        (("train", "cnn", "--set", "=3"), "NAME=VALUE"),
        (("train", "cnn", "--set", "epochs=many"), "whole number"),
        (("train", "cnn", "--set", "epochs=1000000"), "goes from 1"),
        (("train", "cnn", "--set", "color=red"), "no setting"),
        (("train", "cnn", "--set", "network=transformer"), "one of: article, fast, small, norm, wide, mlp"),
        (("train", "cnn", "--set", "learning_rate=nan"), "out of range"),
        (("train", "cnn", "--seed", "first"), "whole number"),
        (("train", "cnn", "--set", "device=abacus"), "one of"),
        (("download", "imagenet"), "mnist, fashion_mnist"),
        (("download", "mnist", "imagenet"), "mnist, fashion_mnist"),
    ],
)
def test_bad_input_gives_one_sentence_and_status_2(args, says, capsys):
    try:
        status = cli.main(args)
    except SystemExit as left:
        status = left.code
    out, err = capsys.readouterr()
    assert status == 2
    assert not out
    assert says in err
    assert err.count("\n") == 1, "one sentence"


def test_ctrl_c_ends_with_130_and_no_traceback():
    command = [sys.executable, "-m", "dlcore", "train", "cnn", "--set", "epochs=50", *PLAIN, "--json"]
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # a suite in the background hands on a deaf ear
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    ) as process:
        assert process.stdout
        assert '"started"' in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.strip().splitlines()[-1] == "Stopped."
    assert "Traceback" not in err


def test_a_reader_that_leaves_ends_the_run_quietly():
    command = [sys.executable, "-m", "dlcore", "train", "linear_regression", "--set", "steps=2000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(60)
    assert process.returncode == cli.BROKEN_PIPE
    assert err == ""


def test_bars_are_for_terminals_only():
    done = dlcore("train", "linear_regression", *QUICK)
    assert done.stderr == ""


# --- download ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def mirrors(cache, server, monkeypatch):  # noqa: F811
    """MNIST from the loopback mirror; Fashion-MNIST from one that does not have it. There is nothing else to fetch."""
    for name in set(CATALOGUE) - {"mnist", "fashion_mnist"}:
        monkeypatch.delitem(CATALOGUE, name)
    for name, kind in (("mnist", "good"), ("fashion_mnist", "empty")):
        entry = replace(CATALOGUE[name], remotes=REMOTES, mirrors=(f"{server}/{kind}/",))
        monkeypatch.setitem(CATALOGUE, name, entry)
    return cache


def test_download_all_tries_all_and_tells_what_failed(mirrors, capsys):
    assert cli.main(["download", "--all"]) == 1
    err = capsys.readouterr().err
    assert f"mnist lies in {mirrors / 'MNIST/raw'}" in err
    assert "404" in err
    assert catalogue.locate("mnist")
    assert cli.main(["download", "mnist"]) == 0
    assert Mirror.asked["good"] == 4, "the second time nothing is fetched"


def test_download_without_names_lists_them(mirrors, capsys):
    assert cli.main(["download"]) == 0
    out = capsys.readouterr().out
    assert "MIT" in out
    assert "not here" in out


def test_train_fetches_the_data_it_needs(mirrors, capsys):
    args = ["train", "cnn", "--set", "dataset=mnist", "--set", "network=mlp", "--set", "epochs=1", *PLAIN, "--json"]
    assert cli.main(args) == 0
    out, err = capsys.readouterr()
    assert "mnist lies in" in err
    assert rows(out)[-1]["event"] == "finished"
    args[3] = "dataset=fashion_mnist"
    assert cli.main(args) == 1
    assert "404" in capsys.readouterr().err


# --- doctor -----------------------------------------------------------------------------------------------------------


def test_doctor_says_what_is_missing_and_what_to_do(mirrors, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DLCORE_DATA", str(tmp_path / "typo"))
    monkeypatch.setenv("DLCORE_STATE", "/dev/null/state")
    assert cli.main(["doctor"]) == 0, "nothing is missing without which no lesson works"
    out = capsys.readouterr().out
    assert "python -m dlcore download mnist" in out
    assert "typo, which is not a folder" in out
    assert "/dev/null/state cannot be written" in out
    assert cli.main(["doctor", "--json"]) == 0
    found = {row["name"]: row for row in rows(capsys.readouterr().out)}
    assert found["torch"]["ok"]
    assert not found["mnist"]["ok"]


def test_doctor_fails_where_a_needed_package_is_missing(monkeypatch):
    monkeypatch.setattr(doctor, "NEEDED", ("no-such-package",))
    missing = doctor.package("no-such-package", needed=True)
    assert not missing.ok
    assert "pip install" in missing.advice
    assert cli.main(["doctor"]) == 1


def test_doctor_asks_the_scheduler(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        monkeypatch.setenv("DLCORE_SCHEDULER", f"tcp://127.0.0.1:{listening.getsockname()[1]}")
        assert doctor.workers().ok
    started = time.monotonic()
    silent = doctor.workers()
    assert not silent.ok
    assert "unset DLCORE_SCHEDULER" in silent.advice
    assert time.monotonic() - started < 5
    monkeypatch.setenv("DLCORE_SCHEDULER", "tcp://host:notaport")
    assert not doctor.workers().ok
    assert cli.main(["doctor"]) == 1, "who names a scheduler has no other workers"


def test_memory_full_is_a_sentence(monkeypatch, capsys):
    def full(_args):
        raise MemoryError

    monkeypatch.setattr(cli, "lessons_command", full)
    assert cli.main(["lessons"]) == 1
    assert "memory" in capsys.readouterr().err
