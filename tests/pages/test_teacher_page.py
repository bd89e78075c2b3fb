"""The teacher's page: off by default, behind its password, and what it does reaches the workers and the class."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from dlcore.jobs import classroom
from dlcore.jobs.store import hashed
from dlcore.room import Room
from dlcore.texts import Problem
from tests import toy
from tests.waiting import patience, until
from ui import teacher_gate
from ui.lessons import lesson_for
from ui.teacher_room import page_of

PASSWORD = "chalk and board"


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv(teacher_gate.PASSWORD, PASSWORD)
    teacher_gate._wrong.clear()
    teacher_gate._known.clear()
    yield PASSWORD
    classroom.hold(False)
    classroom.reset_limits()
    Room().close()
    Room().end_show()


def visit(lang: str = "en") -> AppTest:
    at = AppTest.from_file("../../ui/shell.py", default_timeout=patience(60))
    at.query_params["lang"] = lang
    at.run()
    return at.switch_page("../pages/teacher.py").run()


def entered(lang: str = "en") -> AppTest:
    at = visit(lang)
    at.text_input[0].set_value(PASSWORD)
    at.button[0].click()
    at.run()
    assert not at.exception
    assert at.metric
    return at


def press(at: AppTest, key: str) -> AppTest:
    next(button for button in at.button if button.key == key).click()
    at.run()
    assert not at.exception
    return at


def test_without_a_password_there_is_no_such_page(jobs, monkeypatch):
    monkeypatch.delenv(teacher_gate.PASSWORD, raising=False)
    assert not teacher_gate.enabled()
    monkeypatch.setenv(teacher_gate.PASSWORD, "short")
    assert not teacher_gate.enabled(), "a password of five letters protects nothing"


def test_only_the_password_opens_it_and_guessing_is_slowed(jobs, password):
    at = visit()
    assert not at.metric
    for guess in ["", "chalk", PASSWORD + " "] * 4:
        at.text_input[0].set_value(guess)
        at.button[0].click()
        at.run()
        assert not at.metric
    assert "Wait a minute" in at.error[0].value
    at.text_input[0].set_value(PASSWORD)
    at.button[0].click()
    at.run()
    assert not at.metric, "not even the right one, for a minute"
    teacher_gate._known.add(hashed(at.session_state["owner"]))
    at.text_input[0].set_value(PASSWORD)
    at.button[0].click()
    at.run()
    assert at.metric, "but for a browser that has been let in before"
    assert PASSWORD not in str(at.main)


def test_the_right_is_the_sessions_not_the_links(jobs, password):
    entered()
    assert not visit().metric


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_is_whole_in_both_languages(jobs, password, lang):
    at = entered(lang)
    assert at.title[0].value == ("The classroom" if lang == "en" else "教室")
    assert len(at.metric) == 4


def test_limits_hold_from_here(jobs, password):
    at = entered()
    field = next(one for one in at.number_input if "teacher.limit.epochs" in str(one.key))
    field.set_value(3)
    next(b for b in at.button if b.label == "Set these limits").click()
    at.run()
    assert classroom.limits().epochs == 3
    press(at, "teacher.reset")
    assert classroom.limits().epochs == 0


def test_the_queue_is_paused_from_here(jobs, password):
    at = entered()
    at.toggle[0].set_value(True)
    at.run()
    assert classroom.limits().held


def test_runs_are_listed_without_their_owner(jobs, password):
    run_id = jobs.submit("toy", toy.Config(steps=10_000, pause=0.02), owner="a pupil's browser")
    try:
        until(lambda: jobs.history(run_id, owner="a pupil's browser").step > 1)
        at = entered()
        text = at.dataframe[0].value.to_string()
        assert "toy" in text
        assert run_id not in text
        assert "pupil" not in text
    finally:
        jobs.stop(run_id, owner="a pupil's browser")


def test_what_is_shown_reaches_a_pupils_page(jobs, password):
    at = entered()
    press(at, "teacher.show")
    press(at, "teacher.open")
    pupil = AppTest.from_file("../../ui/shell.py", default_timeout=patience(60)).run()
    assert any("Your teacher opens" in m.value for m in pupil.markdown)
    press(pupil, "room.later")
    assert not any("Your teacher opens" in m.value for m in pupil.markdown)
    nickname = next(one for one in pupil.text_input if one.label == "Nickname")
    nickname.set_value("Ada")
    next(b for b in pupil.button if b.label == "Join").click()
    pupil.run()
    assert [member.name for member in Room().board()] == ["Ada"]


def test_a_pasted_link_is_taken_for_its_page_and_settings_only():
    lesson = lesson_for("cnn")
    assert page_of("", lesson, hide=False) == "cnn?lang=en"
    pasted = "https://elsewhere.example/base/resnet?lang=zh&depth=20&x=a%26b#code"
    assert page_of(pasted, lesson, hide=True) == "resnet?lang=zh&depth=20&x=a%26b&hide=controls"
    assert page_of("https://x/cnn?embed=true&EMBED_options=a&note=", lesson, hide=False) == "cnn?lang=en&note="
    for bad in (
        "https://elsewhere.example/",
        "http://[x",
        "javascript:alert(1)",
        "nothing",
        "/teacher",
        "cnn?x=" + "a" * 3000,
    ):
        with pytest.raises(Problem):
            page_of(bad, lesson, hide=False)
