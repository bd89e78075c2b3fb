"""What one step of a recurrent network takes, and that what no worker could hold is refused before it begins."""

from __future__ import annotations

import pytest

from dlcore.experiments import experiment
from dlcore.knobs import build
from dlcore.step_memory import MOST_BYTES, check_step, step_bytes
from dlcore.texts import Problem

HUGE = {"batch_size": 1024, "hidden": 512, "cell": "all", "device": "cpu"}
LARGEST = [
    ("sequences", {**HUGE, "length": 200}),
    ("text", {**HUGE, "length": 400, "layers": 3, "precision": "float32"}),
    ("reading", {**HUGE, "task": "sentiment", "dataset": "built_in", "bidirectional": True}),
    ("series", {**HUGE, "dataset": "sines", "window": 190}),
    ("attention", {**HUGE, "cell": "gru", "hidden": 256, "length": 160, "examples": 100, "attention": "additive"}),
]


@pytest.mark.parametrize(("lesson", "given"), LARGEST, ids=[name for name, _given in LARGEST])
def test_what_no_worker_could_hold_is_refused_with_a_batch_that_would_do(lesson, given):
    module = experiment(lesson)
    with pytest.raises(Problem, match="GB are the most") as refused:
        module.resolve(build(module.Config, given))
    fewer = int(refused.value.params["fewer"].replace(",", ""))
    assert module.resolve(build(module.Config, {**given, "batch_size": fewer})).batch_size == fewer


def test_the_bound_is_where_it_says():
    most = MOST_BYTES / step_bytes(1, 100, 200, scores=50, models=3)
    check_step(int(most), 100, 200, scores=50, models=3)
    with pytest.raises(Problem):
        check_step(int(most) + 1, 100, 200, scores=50, models=3)
