"""Build your own network, on the page: what the editor is told, what is believed of what it sends, when Train may."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from dlcore.experiments import cnn
from dlcore.knobs import build, knobs_of
from dlcore.models.layers import FIRST, PRESETS
from tests.pages.test_cnn_page import open_page
from ui import layer_editor as editor

IMPOSSIBLE = "conv 16 3; relu; pool 2; conv 32 9; pool 2; conv 8 5; flatten; dense"


@pytest.fixture
def mounted(monkeypatch) -> dict[str, Any]:
    """What the editor hands to the browser."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(editor, "_mount", lambda *, key, data, on_edit_change: told.update(data))
    monkeypatch.setattr(editor, "set_up_by_teacher", lambda: False)
    monkeypatch.setattr(st, "session_state", {})
    return told


def draw(**given: Any) -> bool:
    return editor.layer_editor("cnn", build(cnn.Config, {"network": "own", **given}))


def test_a_network_that_fits_is_told_layer_by_layer(mounted):
    assert draw()
    assert [card["kind"] for card in mounted["layers"]] == [part.split()[0] for part in FIRST.split("; ")]
    assert mounted["layers"][0]["shape"] == "16 × 26 × 26"
    assert mounted["layers"][0]["params"] == "160 weights"
    assert "56,714 weights" in mounted["sum"]
    assert not mounted["wrong"]
    assert {"Two conv.", "Three conv."} <= {preset["title"] for preset in mounted["presets"]}
    assert {preset["text"] for preset in mounted["presets"]} == {FIRST, *PRESETS.values()}


def test_the_fault_stands_at_its_layer_and_nothing_may_train(mounted):
    assert not draw(layers=IMPOSSIBLE)
    wrong = [bool(card["problem"]) for card in mounted["layers"]]
    assert wrong.index(True) == 5
    assert "does not fit on 2 × 2" in mounted["layers"][5]["problem"]
    assert mounted["sum"] == "It cannot be trained like this: see layer 6."
    assert not draw(layers="conv")
    assert mounted["layers"] == []
    assert "written like this" in mounted["sum"]


def test_a_step_that_no_worker_can_hold_is_told_before_it_runs(mounted, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(st, "warning", lambda words, **_rest: told.append(words))
    monkeypatch.setattr(editor.jobs, "status", lambda: SimpleNamespace(train_memory=3 * 10**9))
    wide = {"layers": "conv 64 3; relu; conv 64 3; relu; average; dense"}  # 160,330 numbers an image
    assert draw(**wide, batch_size=512)
    assert told == []
    assert draw(**wide, batch_size=2048)
    (words,) = told
    assert "would take about 3.3 GB" in words
    assert "2.0 GB for it. Take a batch size of at most 1,247" in words


def test_editor_is_folded_once_a_network_of_ones_own_is_in_the_picture():
    runs: list[Any] = [SimpleNamespace(config=build(cnn.Config, {"network": name})) for name in ("own", "article")]
    assert [editor.shows_own(run) for run in (*runs, None)] == [True, False, False]


def test_the_dataset_decides_what_goes_in_and_comes_out(mounted):
    draw(dataset="shapes")
    assert mounted["layers"][-1]["shape"] == "8"
    draw(dataset="cifar10")
    assert mounted["input"] == "3 × 32 × 32"


@pytest.mark.parametrize("name", [n for n in knobs_of(cnn.Config)["dataset"].choices if n != "own"])
def test_the_forms_are_the_datas(name):
    from dlcore.data import catalogue
    from dlcore.data.images import load

    if name in catalogue.CATALOGUE and not catalogue.locate(name):
        pytest.skip("not on this machine")
    data = load(name)
    assert editor.form(build(cnn.Config, {"dataset": name})) == (data.X_train.shape[1:], len(data.classes))


def test_edits_are_kept_for_undo_and_strange_messages_change_nothing(mounted):
    def send(**edit: Any) -> None:
        st.session_state[editor.KEY] = SimpleNamespace(get=lambda _name: edit)
        editor._edited("cnn", editor.page_state("cnn").get("given", {}).get("layers", FIRST))

    given = editor.page_state("cnn").setdefault("given", {})
    send(text="flatten; dense", n=5)
    assert given["layers"] == "flatten; dense"
    send(text="dense", n=6)
    for edit in ({"text": 7, "n": 7}, {"text": "x" * 2000, "n": 7}, {"n": "7"}, {"text": "flatten; dense"}):
        send(**edit)
        assert given["layers"] == "dense"
    send(undo=True, n=8)
    assert given["layers"] == "flatten; dense"
    send(undo=True, n=9)
    assert "layers" not in given, "back at the default, the address says nothing"
    send(undo=True, n=10)
    assert editor.page_state("cnn")["layers_seen"] == 10


def test_train_waits_for_a_network_that_fits(jobs):
    at = open_page(lang="en", network="own", layers=IMPOSSIBLE)
    assert not at.exception
    assert next(button for button in at.button if button.label == "Train").disabled
    assert next(button for button in at.button if button.label == "Train the settings above, too").disabled
    at = open_page(lang="en", network="own", layers=PRESETS["fast"])
    assert not next(button for button in at.button if button.label == "Train").disabled


def test_a_prepared_page_shows_no_editor_but_says_what_is_wrong(jobs):
    at = open_page(lang="en", network="own", layers="dense", hide="controls")
    assert any("needs a list" in warning.value for warning in at.warning)
