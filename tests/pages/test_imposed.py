"""A value that the page gives a widget holds against what the browser says before it has drawn it."""

from __future__ import annotations

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from ui.session import imposed

    state = st.session_state
    state.setdefault("mine", "a")
    state.setdefault("ours", ["a"])
    st.pills("Leaf", list("abc"), **imposed("leaf", state.mine, lambda leaf: state.update(mine=leaf)))
    racers = imposed("racers", state.ours, lambda names: state.update(ours=names))
    st.pills("Racers", list("abc"), selection_mode="multi", **racers)
    st.button("Click on node b", on_click=lambda: state.update(mine="b"))
    st.text(f"{state.mine} {''.join(state.ours)}")


@pytest.fixture
def at() -> AppTest:
    return AppTest.from_function(_page).run()


def test_an_old_word_of_the_browser_does_not_undo_a_click(at):
    before = at.pills[0]._widget_state
    at.button[0].click().run()
    assert (at.text[0].value, at.pills[0].value) == ("b a", "b")
    at._run(WidgetStates(widgets=[before]))  # a timer's message, sent before the browser had drawn "b"
    assert (at.text[0].value, at.pills[0].value) == ("b a", "b")


def test_the_user_goes_on_choosing_before_and_after(at):
    at.pills[0].set_value("c").run()
    assert at.text[0].value == "c a"
    assert at.pills[0].key == "leaf", "a choice of the user's leaves the widget, and the focus on it, alone"
    at.button[0].click().run()
    at.pills[0].set_value("a").run()
    assert (at.text[0].value, at.pills[0].value) == ("a a", "a")


def test_several_choices_are_the_same_in_any_order(at):
    at.pills[1].set_value(["c", "a"]).run()
    assert sorted(at.text[0].value.split()[1]) == ["a", "c"]
    assert at.pills[1].key == "racers"
