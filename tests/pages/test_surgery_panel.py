"""The panel that takes blocks out: real networks of a checkpoint, asked in this process instead of a worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from dlcore import jobs
from dlcore.checkpoints import to_plain
from dlcore.data.images import load
from dlcore.events import pack
from dlcore.models.stacks import build
from dlcore.models.together import Together
from tests.pages.visit import said
from tests.waiting import patience

BLOCKS = 4


def page() -> None:
    import streamlit as st

    from dlcore.experiments.resnet import Config
    from dlcore.history import History
    from dlcore.knobs import build
    from ui.surgery_lab import surgery_lab

    st.session_state["here"] = "resnet"
    st.session_state.setdefault("page:resnet", {"run": "r"})
    config = build(Config, {"depth": 4, **st.session_state.get("settings", {})})
    finished = st.session_state.get("finished", True)
    history = History(
        state="finished" if finished else "running", has_checkpoint=True,
        config={"network": "stack", "dataset": "digits", "residual": True, "train_size": 0, "norm": "batch",
                "order": config.order, "drop_path": config.drop_path},
    )  # fmt: skip
    surgery_lab(config, history)


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the page with an address; ``twin``: a plain network stands beside the residual one."""
    st.cache_data.clear()
    monkeypatch.setattr(jobs, "status", lambda: SimpleNamespace(state="ready"))
    monkeypatch.setattr(jobs, "call", lambda function, *given, timeout=0.0: function(*given))
    monkeypatch.setattr(jobs, "checkpoint", lambda run, owner: tmp_path / "checkpoint.bin")

    def opened(*, twin: bool = True, finished: bool = True, **address: str) -> AppTest:
        torch.manual_seed(3)
        names = ("plain", "residual") if twin else ("residual",)
        shape = {"network": "stack", "shape": (1, 28, 28), "classes": 10, "depth": BLOCKS, "width": 8}
        builds = {name: {**shape, "residual": name == "residual", "norm": "batch"} for name in names}
        models = Together({name: build(**given) for name, given in builds.items()})
        state = {
            "builds": builds,
            "model": to_plain(dict(models.state_dict())),
            "classes": list(load("digits").classes),
        }
        (tmp_path / "checkpoint.bin").write_bytes(pack(state))
        at = AppTest.from_function(page, default_timeout=patience(30))
        at.session_state["finished"] = finished
        for name, text in address.items():
            at.query_params[name] = text
        return at.run()

    return opened


def test_before_a_run_has_finished_it_says_what_will_stand_here(visit) -> None:
    at = visit(finished=False)
    assert not at.exception
    assert "as a row of blocks" in said(at)
    assert not at.button


def test_all_blocks_are_in_at_first_and_the_number_of_images_is_told(visit) -> None:
    at = visit()
    assert not at.exception
    words = said(at)
    assert f"the first {len(load('digits').y_test)} test images" in words
    assert "All blocks are in" in words
    assert "16 paths" in words
    assert "Without any one of its 4 blocks" in words


def test_an_address_takes_blocks_out(visit) -> None:
    at = visit(removed="2,4,77,x")
    assert not at.exception
    words = said(at)
    assert "All blocks are in" not in words
    assert "Of 16 paths through the network 4 are left" in words
    assert "The plain twin without the same blocks" in words


def test_a_network_alone_has_no_twin(visit) -> None:
    at = visit(twin=False, removed="1")
    assert not at.exception
    assert "twin" not in said(at)


def test_random_orders_are_drawn_on_request_only(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    at = visit()
    asked = []
    call = jobs.call
    monkeypatch.setattr(jobs, "call", lambda f, *given, timeout=0.0: asked.append(f.__name__) or call(f, *given))
    at.run()
    assert "at_random" not in asked
    at.button(key="surgery.random").click().run()
    assert not at.exception
    assert asked.count("at_random") == 10  # five orders of each network


def test_stochastic_depth_is_offered_with_the_order_that_it_needs(visit) -> None:
    at = visit()
    at.button(key="surgery.drop").click().run()
    assert at.session_state["page:resnet"]["given"] == {"drop_path": 0.5, "order": "pre"}


def test_normalised_branches_are_offered_where_a_missing_block_costs_much(visit) -> None:
    at = visit()
    assert "a missing block cost 4 to 8 points" in said(at)
    at.button(key="surgery.normed").click().run()
    assert at.session_state["page:resnet"]["given"] == {"norm": "batch", "order": "pre"}
