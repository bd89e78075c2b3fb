"""The memory lesson's page as a reader drives it, short of the browser: gradients before training, runs, challenges."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from dlcore.history import History
from tests.pages import visit
from tests.pages.visit import put, said, trained
from ui import memory_lab, memory_tasks

STATE = "page:sequences"

opened = partial(visit.opened, "sequences")


def test_gradient_before_training_follows_the_settings(jobs):
    at = opened(length="60")
    assert not at.exception
    assert "step 1 gets this share of the gradient that step 60 gets: RNN 8.4·10⁻¹⁵, LSTM 2.2·10⁻¹³" in said(at)
    assert "It vanishes" in said(at)
    assert "Which letter came first?" in said(at)
    put(at, STATE, forget_bias=3.0)
    assert "It arrives in: LSTM, GRU." in said(at)
    assert "$\\sigma(3) = 0.953$" in said(at)
    put(at, STATE, length=100, forget_bias=6.0)
    assert at.session_state[STATE]["solved"] == ["arrives"]


@pytest.mark.parametrize("task", ["copy", "adding", "parentheses"])
def test_every_task_opens_by_link(jobs, task):
    at = opened(task=task, length="12", cell="rnn", radius="1.2", lang="zh")
    assert not at.exception
    assert "训练之前，第 1 步得到的梯度" in said(at)


def test_without_workers_the_page_says_so(monkeypatch):
    monkeypatch.setattr("dlcore.jobs._broker", None)
    at = opened()
    assert not at.exception
    assert "no worker" in said(at)


def test_three_cells_at_three_distances(jobs):
    at = opened(length="6", distances="3", hidden="8", steps="12", batch_size="8", threads="1", evaluations="2")
    trained(at, "Distance 6, after 36 steps: RNN ")
    assert all(name in said(at) for name in ("RNN", "LSTM", "GRU"))
    (kept,) = at.session_state[STATE]["rows"].values()
    assert len(kept) == 9, "three cells at three distances"
    assert "rnn-20" not in at.session_state[STATE]["solved"]
    assert not [box for box in at.header if box.value == "Ask it yourself" and "Train first" in said(at)]


def test_challenges_of_memory_ask_for_the_cell_and_the_distance(monkeypatch):
    shape = ("rnn", 0.0, "orthogonal", 0.0)
    monkeypatch.setattr(memory_tasks, "finished_rows", lambda task: [(shape, 20, 0.97), (shape, 60, 0.5)])
    assert memory_tasks.remembered("rnn", 20) == 1
    assert memory_tasks.remembered("rnn", 60) == 0
    assert memory_tasks.remembered("lstm", 20) == 0


def told(**columns: list[float]) -> History:
    history = History(info={"cells": ["rnn", "lstm", "gru"]})
    for step, values in enumerate(zip(*columns.values(), strict=True), 1):
        history.steps.append(
            {"step": step, **{n.replace("_of_", "/"): v for n, v in zip(columns, values, strict=True)}}
        )
    return history


def test_a_lost_cell_is_named_with_its_step():
    fine = [1.0, 1.0, 1.0]
    lost = told(loss_of_rnn=[1.0, 2e4, float("nan")], loss_of_lstm=fine, loss_of_gru=fine)
    assert "RNN at step 2" in memory_lab._diverged(lost)
    assert memory_lab._diverged(told(loss_of_rnn=fine, loss_of_lstm=fine, loss_of_gru=fine)) == ""


def test_longest_gradient_of_a_run():
    history = told(gradient_norm_of_rnn=[1.0, 300.0], gradient_norm_of_lstm=[1.0, 2.0], gradient_norm_of_gru=[0.0, 0.0])
    assert memory_tasks.longest(history) == 300
    assert memory_tasks.longest(History()) == 0


def test_sentence_judges_the_ratios():
    assert "explodes" in memory_lab._judged({"rnn": 304.0})
    assert memory_lab._judged({"rnn": 0.5, "lstm": 0.2}) == "It arrives."
    assert "LSTM" in memory_lab._judged({"rnn": 1e-9, "lstm": np.float64(0.2)})
