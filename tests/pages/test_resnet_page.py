"""The depth lesson's page as a reader drives it, short of the browser: blocks before training, a run, challenges."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from dlcore.experiments.resnet import Config
from dlcore.history import History
from tests.pages import visit
from tests.pages.visit import put, said, shows, trained
from ui import resnet_lab, resnet_tasks
from ui.resnet_lab import Shown

STATE = "page:resnet"

opened = partial(visit.opened, "resnet")


def test_before_training_the_first_gradient_follows_the_settings(jobs):
    at = shows(opened(), "10⁻⁷ arrives at the first one of the plain network")
    shows(put(at, STATE, norm="batch", depth=20), "Above 1 it grows on its way back")
    at.session_state[STATE]["extra"]["block"] = "1"
    at.run()
    assert at.session_state[STATE]["solved"] == ["branch"], "in the first block the branch brings more back"


def test_every_kind_of_network_opens_by_link(jobs):
    shows(opened(blocks="conv", depth="6", order="pre"), "Before any training")
    shows(opened(network="resnet20", lang="zh"), "第一块的梯度")


def test_without_workers_the_page_says_so(monkeypatch):
    monkeypatch.setattr("dlcore.jobs._broker", None)
    at = opened()
    assert not at.exception
    assert "no worker that could compute" in said(at)


def test_a_run_at_several_depths_leaves_points(jobs):
    at = opened(depth="4", depths="2", epochs="1", threads="1", width="8")
    trained(at, "Depths trained so far with the settings on screen: 2.")
    (kept,) = at.session_state[STATE]["ended"].values()
    assert [one.config.depth for one in kept] == [2, 4]
    assert "Depth 4: " in said(at)


def test_the_film_is_the_runs_only_for_the_networks_on_screen():
    fresh = {"step": np.zeros(1), "weights/plain": np.ones((1, 20))}
    config = Config()
    history = History(config=vars(config))
    frame = {"step": np.arange(3), "weights/plain": np.full((3, 20), 2.0)}
    history.frames.add(frame)
    assert len(resnet_lab.film_of(config, fresh, history)["step"]) == 3
    assert resnet_lab.film_of(replace(config, depth=8), fresh, history) is fresh
    assert resnet_lab.film_of(config, fresh, History()) is fresh


def test_the_branch_must_win_in_the_opened_block_without_hes_weights():
    fresh = {"through/residual": np.array([[2.0, 0.5]]), "link/residual": np.ones((1, 2))}
    shown = Shown(Config(), History(), fresh, 0)
    assert resnet_tasks.branch_wins(shown)
    for other in (
        {"opened": 1},
        {"opened": None},
        {"opened": 7},
        {"fresh": {}},
        {"config": replace(Config(), init="he")},
    ):
        assert not resnet_tasks.branch_wins(replace(shown, **other)), other
