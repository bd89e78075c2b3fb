"""The opened cell on its page, short of the browser: links, widgets, presets, challenges."""

from __future__ import annotations

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from dlcore.cell_presets import PRESETS
from tests.pages import visit
from tests.pages.visit import said
from ui import cell_lab

opened = partial(visit.opened, "sequences")
STATE = "page:sequences"


def extra(at: AppTest, name: str) -> str:
    return at.session_state[STATE]["extra"].get(name, "")


def solved(at: AppTest) -> list[str]:
    return at.session_state[STATE]["solved"]


def test_opens_on_a_latch_and_says_what_to_see():
    at = opened()
    assert not at.exception
    assert "The first letter finds the input gate open" in said(at)
    assert "has 160 numbers in all" in said(at)
    assert not {"mend", "wipe"} & set(solved(at))
    assert not [button for button in at.button if button.key == "cell.undo"]


def test_choosing_another_cell_and_other_weights_begins_anew():
    at = opened(edits="bh.4.0_1", holds="f.3_0.2", keep="3.0", place="3_2")
    assert not at.exception
    at.segmented_control(key="cell.opened").set_value("gru")
    at.run()
    assert extra(at, "opened") == "gru"
    assert {extra(at, name) for name in ("edits", "holds", "keep", "place")} == {""}
    assert "z is near 0" in said(at)
    for name in PRESETS:
        at.selectbox(key="cell.preset").set_value(name)
        at.run()
        assert not at.exception
        assert PRESETS[name].look["gru"] in said(at)
    drawing = next(button for button in at.button if button.key == "cell.draw")
    drawing.click().run()
    assert extra(at, "drawing") == "1"


def test_a_word_is_typed_and_a_wrong_one_is_answered():
    at = opened()
    field = next(box for box in at.text_input if (box.key or "").startswith("cell.word"))
    field.set_value("ABBA")
    at.run()
    assert extra(at, "word") == "ABBA"
    assert "is none" not in said(at)
    bad = opened(word="xyz")
    assert "each of them a, b, c or d. “xyz” is none." in said(bad)
    assert not bad.exception


@pytest.mark.parametrize(
    "params",
    [
        {"opened": "transformer"}, {"preset": "none"}, {"units": "9"}, {"keep": "nan"}, {"edits": "x"}, {"holds": "f"},
        {"place": "99_99"}, {"place": "a"}, {"opened": "rnn", "holds": "a.0_1", "keep": "3"},
    ],
    ids=str,
)  # fmt: skip
def test_bad_links_leave_the_page_standing(params):
    assert not opened(**params).exception


def test_challenges_are_checked_against_the_bench():
    assert "mend" in solved(opened(preset="leaky", edits="bh.6.0_6"))
    assert "mend" in solved(opened(preset="leaky", keep="5.0"))
    assert "wipe" in solved(opened(holds="f.3_0"))
    assert "wipe" in solved(opened(opened="gru", holds="z.3_0"))


def test_undo_brings_the_preset_back():
    at = opened(edits="bh.4.0_1", holds="f.3_0.2")
    next(button for button in at.button if button.key == "cell.undo").click().run()
    assert not at.exception
    assert extra(at, "edits") == extra(at, "holds") == ""


def test_a_teachers_link_has_no_knobs():
    at = opened(hide="controls", opened="gru", preset="counter")
    assert not at.exception
    assert not [box for box in at.selectbox if box.key == "cell.preset"]
    assert "has 81 numbers in all" in said(at), "3 units: 9 rows of 4 + 3 weights and two biases"


def test_what_the_browser_sends_is_checked(monkeypatch):
    kept = {}
    monkeypatch.setattr(cell_lab, "put_extra", lambda name, text, *, slug=None: kept.update({name: text}))
    monkeypatch.setattr(cell_lab, "_bench", lambda: cell_lab.Bench())
    for name, text, wanted in (
        ("edits", "bh.6.0_6~junk", "bh.6.0_6"), ("holds", "f.3_7~f.2_0.5", "f.2_0.5"), ("place", "3_2" * 9, "3_23_23"),
    ):  # fmt: skip
        cell_lab._told(name, text)
        assert kept[name] == wanted
