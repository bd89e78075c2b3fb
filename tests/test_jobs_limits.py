"""Where limits come from, and how a worker watches those of a run."""

from __future__ import annotations

import json
from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from dlcore.events import Finished, Started, Step
from dlcore.jobs.guard import Guard
from dlcore.jobs.limits import Limits, write


def test_the_guard_of_a_run():
    guard = Guard({"parameters": 1000, "megabytes": 1})
    assert guard.met(Started(0, {}, 10, {"params": 1000})) is None
    assert "1,001 parameters" in str(guard.met(Started(0, {}, 10, {"params": 1001})))
    assert guard.met(Step(1, 0.0)) is None, "memory is looked at once a second"
    guard._looked -= 2
    assert guard.met(Step(2, 0.0)) is None, "what the process took before is not the run's"
    guard._looked, guard._before = guard._looked - 2, guard._before - 2 * 10**6
    assert "1 MB of memory" in str(guard.met(Step(3, 0.0)))
    assert Guard({}).met(Finished(1, {})) is None


def test_limits_come_from_the_config_then_the_environment_then_the_teacher(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit/config.toml").write_text("[dlcore]\nseconds = 600\nepochs = 5\nturn = 30\n")
    assert (Limits.read(tmp_path).seconds, Limits.read(tmp_path).epochs) == (600, 5)
    monkeypatch.setenv("DLCORE_LIMIT_EPOCHS", "7")
    assert (Limits.read(tmp_path).epochs, Limits.read(tmp_path).turn) == (7, 30)
    (tmp_path / "limits.json").write_text(json.dumps({"epochs": 9, "held": True}))
    limits = Limits.read(tmp_path)
    assert (limits.epochs, limits.held, limits.seconds) == (9, True, 600)
    write(tmp_path, {"turn": 20})
    monkeypatch.setenv("DLCORE_LIMIT_SECONDS", "300")
    limits = Limits.read(tmp_path)
    assert (limits.epochs, limits.turn, limits.seconds) == (9, 20, 300), "what was not changed follows the server"
    write(tmp_path, None)
    limits = Limits.read(tmp_path)
    assert (limits.epochs, limits.turn, limits.held) == (7, 30, True), "a held queue stays held"


NONSENSE = ["x", "", "nan", "inf", "-1", None, [], {}, "1e99", "9" * 400]


@given(st.dictionaries(st.sampled_from([f.name for f in fields(Limits)] + ["other"]), st.sampled_from(NONSENSE)))
def test_nonsense_among_the_limits_is_left_out(said):
    assert Limits().with_(said) == Limits()


def test_a_file_that_is_no_limits_file_is_none(tmp_path):
    for text in ("", "{", "[1]", "null", '{"epochs": "many"}'):
        (tmp_path / "limits.json").write_text(text)
        assert Limits.read(tmp_path).epochs == 0
