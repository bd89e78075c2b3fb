"""Changes as text: what is written is read again, and nothing else."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore.changes import MOST_CHANGES, carried, read, write
from dlcore.cli import main
from dlcore.events import Changed
from dlcore.experiments.cnn import Config
from dlcore.texts import Problem

rates = st.floats(1e-5, 10.0)


@given(st.lists(st.builds(Changed, st.integers(0, 10**6), st.just("learning_rate"), rates), max_size=20))
def test_what_is_written_is_read_again(changes):
    assert list(read(write(changes), "cnn", asdict(Config()))) == changes


@pytest.mark.parametrize(
    "text",
    [
        "nonsense", "3", "{}", "[3]", '[[1,"learning_rate"]]', '[["1","learning_rate",0.1]]',
        '[[-1,"learning_rate",0.1]]', '[[true,"learning_rate",0.1]]', '[[1,"learning_rate","0.1"]]',
        '[[1,"learning_rate",1e9]]', '[[1,"learning_rate",NaN]]', '[[1,"epochs",3]]', '[[1,"nothing",3]]',
        "[" * 5000, write([Changed(1, "learning_rate", 0.1)] * (MOST_CHANGES + 1)),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_in_a_sentence(text):
    with pytest.raises(Problem) as told:
        read(text, "cnn", asdict(Config()))
    assert str(told.value).endswith(".")
    assert len(str(told.value)) < 400, "the name of the setting and those there are, no more"


@pytest.mark.parametrize("many", [0, 1, 150, MOST_CHANGES, MOST_CHANGES + 1])
def test_what_is_carried_can_be_read(many):
    """A slider that is held for half a minute makes hundreds of changes."""
    made = [Changed(120_000 + step, "learning_rate", 0.0123456789) for step in range(many)]
    kept = carried(made)
    assert list(read(write(kept), "cnn", asdict(Config()))) == (made if many <= 150 else [])


def test_a_command_line_repeats_a_steered_run(capsys):
    common = ["train", "linear_regression", "--set", "steps=20", "--json"]
    assert main([*common, "--changes", '[[10,"learning_rate",0.2]]']) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(line for line in lines if line["event"] == "changed")["value"] == 0.2
    assert main(common) == 0
    plain = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert plain[-1]["loss"] > lines[-1]["loss"], "the change made it faster"
