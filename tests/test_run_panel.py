"""The run panel against real workers: what its buttons do, what it says, and that nothing the user moves is lost."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.waiting import patience, until

SLOW = {"steps": "100000", "pause": "0.01"}


def page():
    """The page under test; AppTest runs its source."""
    import streamlit as st

    from ui.controls import controls, put_value
    from ui.lessons import Lesson
    from ui.run_panel import run_panel
    from ui.session import enter, owner

    enter("toy")
    for name, value in st.session_state.pop("move", {}).items():
        put_value(name, value)
    lesson = Lesson("toy", "Toy", "Does it run?", "Tests", ":material/toys:", 1)
    history = run_panel(lesson, controls(lesson.config), lambda history: None)
    st.session_state["history"], st.session_state["me"] = history, owner()


class Page:
    """A browser tab on that page; ``look`` is one look at it."""

    def __init__(self, owner: str = "", **params: str) -> None:
        self.at = AppTest.from_function(page, default_timeout=patience(30))
        if owner:
            self.at.session_state["owner"] = owner
        for name, text in params.items():
            self.at.query_params[name] = text
        self.look()

    def look(self, **move: object) -> Page:
        if move:
            self.at.session_state["move"] = move
        self.at.run()
        assert not self.at.exception
        return self

    @property
    def history(self):
        return self.at.session_state["history"]

    def buttons(self) -> list[str]:
        return [button.label for button in self.at.button if button.label != "Reset to defaults"]

    def press(self, label: str) -> Page:
        until(lambda: label in self.look().buttons())
        next(button for button in self.at.button if button.label == label).click()
        return self.look()

    def becomes(self, state: str) -> Page:
        until(lambda: self.look().history.state == state, 60)
        return self.look()  # the buttons of that state

    def goes_on(self) -> Page:
        self.becomes("running")
        step = self.history.step
        until(lambda: self.look().history.step > step)
        return self


@pytest.fixture
def tab(jobs):
    """Opens tabs; their runs are stopped in the end."""
    tabs: list[Page] = []

    def opened(owner: str = "", **params: str) -> Page:
        tabs.append(Page(owner, **params))
        return tabs[-1]

    yield opened
    for one in tabs:
        for run in jobs.runs(one.at.session_state["me"]):
            jobs.stop(run.run_id, owner=one.at.session_state["me"])


def test_train_pause_resume_stop(tab):
    panel = tab(**SLOW)
    assert panel.buttons() == ["Train"]
    panel.press("Train").goes_on()
    assert panel.buttons() == ["Pause", "Stop"]
    panel.press("Pause").becomes("paused")
    until(lambda: panel.look().buttons()[0] == "Resume")
    step = panel.history.step
    panel.press("One step")
    until(lambda: panel.look().history.step == step + 1)
    panel.becomes("paused")
    until(lambda: panel.look().buttons()[0] == "Resume")
    assert panel.history.step == step + 1
    panel.press("Resume").goes_on()
    assert panel.history.step > step + 1
    panel.press("Stop").becomes("stopped")
    rest = ["Resume", "One step", "Start again from the same weights", "From other weights"]
    until(lambda: panel.look().buttons() == rest)


def test_a_run_to_its_end_and_another_from_other_weights(tab):
    panel = tab(steps="20")
    panel.press("Train").becomes("finished")
    first = panel.history.metrics["x"]
    panel.press("Start again from the same weights").becomes("finished")
    assert panel.history.metrics["x"] == first
    panel.press("From other weights").becomes("finished")
    assert panel.history.metrics["x"] != first
    assert panel.history.config["seed"] == 1


def test_a_reload_finds_the_run_and_a_stranger_does_not(tab):
    panel = tab(**SLOW)
    panel.press("Train").goes_on()
    again = tab(panel.at.session_state["me"], **SLOW)
    assert again.history.state == "running"
    assert again.buttons() == ["Pause", "Stop"]
    assert tab(**SLOW).buttons() == ["Train"]


def test_a_reload_prefers_the_pages_own_run_to_a_newer_one_of_a_comparison(tab, jobs):
    panel = tab(steps="20")
    panel.press("Train").becomes("finished")
    me = panel.at.session_state["me"]
    (own,) = jobs.runs(me)
    jobs.submit("toy", own.config, owner=me, part="comparison")
    assert [run.part for run in jobs.runs(me)] == ["comparison", ""]
    assert tab(me).at.session_state["page:toy"]["run"] == own.run_id


def test_a_failed_run_says_why_and_offers_to_go_on(tab):
    panel = tab(**SLOW, event="problem", at="150")
    panel.press("Train").goes_on()
    panel.press("Pause").becomes("paused")  # makes a checkpoint
    panel.press("Resume").becomes("failed")
    assert [box.value for box in panel.at.error] == ["The data is missing."]
    until(lambda: panel.look().buttons()[0] == "Go on from the last checkpoint")
    panel.press("Go on from the last checkpoint")
    assert not panel.at.error, "it goes on, and the fault is of the past"


def test_settings_that_the_run_does_not_have_are_named(tab):
    panel = tab(**SLOW)
    panel.press("Train").goes_on()
    hint = "This run keeps the settings it began with. Changed since then: seed."
    assert hint not in [text.value for text in panel.at.caption]
    panel.look(seed=7, rate=0.5)
    assert hint in [text.value for text in panel.at.caption], "the rate is live and needs no hint"
    panel.press("Stop").becomes("stopped")
    assert "Start with the new settings" in panel.buttons()


def test_a_live_knob_steers_the_run(tab):
    panel = tab(**SLOW)
    panel.press("Train").goes_on()
    panel.look(rate=0.5)
    until(lambda: panel.look().history.changes)
    assert [(change.name, change.value) for change in panel.history.changes] == [("rate", 0.5)]


def test_a_live_knob_moved_during_a_pause_is_told_when_the_run_goes_on(tab):
    panel = tab(**SLOW)
    panel.press("Train").goes_on()
    panel.press("Pause").becomes("paused")
    panel.look(rate=0.7)
    panel.look(rate=0.8)
    panel.press("Resume").goes_on()
    until(lambda: panel.look().history.changes)
    panel.goes_on()
    assert [(change.name, change.value) for change in panel.history.changes] == [("rate", 0.8)], "once, the last value"


def test_a_live_knob_moved_in_the_queue_is_told_when_the_run_begins(tab):
    first, second = tab(**SLOW), tab(**SLOW)
    first.press("Train").goes_on()
    second.press("Train").goes_on()  # both train workers are taken
    third = tab(**SLOW)
    third.press("Train")
    assert third.history.state == "queued"
    third.look(rate=0.6)
    first.press("Stop").becomes("stopped")
    third.goes_on()
    until(lambda: third.look().history.changes)
    assert [(change.name, change.value) for change in third.history.changes] == [("rate", 0.6)]


def test_a_new_run_is_not_told_what_it_begins_with(tab):
    panel = tab(**SLOW)
    panel.press("Train").goes_on()
    panel.press("Pause").becomes("paused")
    panel.look(rate=0.9).press("Start with the new settings").goes_on()
    assert panel.history.config["rate"] == 0.9
    assert panel.history.changes == []
