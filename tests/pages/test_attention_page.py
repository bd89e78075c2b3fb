"""The lesson on attention as a reader drives it, short of the browser: before, during and after a run, and asking."""

from __future__ import annotations

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages import visit
from tests.pages.visit import said, trained

opened = partial(visit.opened, "attention")
SMALL = {"steps": "20", "examples": "300", "hidden": "8", "length": "0", "device": "cpu", "threads": "1"}
BOX = "attention.ask"


def table(at: AppTest) -> str:
    return next(part.proto.body for part in at.get("html") if "<tbody>" in part.proto.body)


def test_before_a_run_it_invites():
    at = opened(lang="en")
    assert not at.exception
    assert "Nobody is here to answer yet" in said(at)
    assert "six texts that it never learns from" in table(at)
    assert at.session_state["page:attention"]["solved"] == []
    assert "here 32" in said(at), "the vector's length, from the setting"


@pytest.mark.parametrize(("task", "words"), [("dates", "一个日期"), ("numerals", "用文字写的数")])
def test_a_link_sets_task_and_text(task, words):
    at = opened(lang="zh", task=task, text="二百零五", length="120", attention="additive", cell="rnn")
    assert not at.exception
    assert at.session_state["page:attention"]["extra"]["text"] == "二百零五"
    assert at.session_state["page:attention"]["given"] == {
        "task": task, "length": 120, "attention": "additive", "cell": "rnn",
    }  # fmt: skip


@pytest.mark.slow
def test_from_training_to_asking(jobs):
    at = opened(lang="en", text="31 February 2021", **SMALL)
    trained(at, "It writes **")
    assert "Start again" in " ".join(button.label for button in at.button)
    assert "May the 3rd, &#x27;21" in table(at)
    assert "2021-05-03" in table(at)
    assert table(at).count("<tr>") == 7
    assert "Without attention: " in said(at)
    assert "a text of 16 letters" in said(at), "the formulas have the example's numbers"
    who = next(group for group in at.segmented_control if group.key == "attention.who")
    who.set_value("none").run()
    assert not at.exception
    assert "With attention: " in said(at)
    for text, words in (("🙂🙂", "2 letters are unknown to it"), ("x" * 220, "has 220 letters")):
        at.session_state["page:attention"]["extra"]["text"] = text
        at.run()
        assert not at.exception
        assert words in said(at)
