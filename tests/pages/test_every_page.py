"""Every page in every language, entered through the shell as a browser enters it."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ui.i18n import catalogue
from ui.lessons import READY

SHELL = Path(__file__).resolve().parents[2] / "ui" / "shell.py"
PAGES = ["home", *(lesson.slug for lesson in READY)]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
BAD = {"seed": "-1", "alchemy": "gold"}  # a value and a name that no lesson has
TRACES = re.compile(r"Traceback|Error:|NoneType|object at 0x|\{\{\w+\}\}")


def open_page(slug: str, **params: str) -> AppTest:
    at = AppTest.from_file(str(SHELL), default_timeout=60)
    for name, text in params.items():
        at.query_params[name] = text
    if slug != "home":
        at.switch_page(f"../pages/{slug}.py")
    at.run()
    return at


def texts(at: AppTest) -> list[str]:
    """All that a page says."""
    said = [*at.title, *at.header, *at.subheader, *at.markdown, *at.caption, *at.warning, *at.error, *at.info]
    return [element.value for element in said if isinstance(element.value, str)]


@pytest.mark.parametrize("slug", PAGES)
def test_page_renders_and_the_language_switch_keeps_it(slug):
    """Opened by a link that asks for what there is not: that is told in the language that the rest is in."""
    at = open_page(slug, lang="en", **({} if slug == "home" else BAD))
    english = at.title[0].value
    stands(at)
    tells_what_is_wrong(at, slug)
    assert slug == "home" or knobs(at, slug)
    at.segmented_control(key="language-switch").set_value("zh")
    at.run()
    stands(at)
    tells_what_is_wrong(at, slug)
    assert at.session_state["here"] == slug
    assert at.title[0].value == catalogue("zh").gettext(english) != english
    assert all(CHINESE.search(header.value) for header in at.header)
    raw = [option for box in at.selectbox for option in box.options if re.fullmatch("[a-z]+(_[a-z]+)*", option)]
    assert raw == [], "choices by their names in links"


def tells_what_is_wrong(at: AppTest, slug: str) -> None:
    """Both parts of ``BAD``, each in the session's language."""
    told = [box.value for box in at.warning if "-1" in box.value or "alchemy" in box.value]
    assert len(told) == (0 if slug == "home" else 2)
    assert all(bool(CHINESE.search(text)) == (at.session_state["language"] == "zh") for text in told)


def stands(at: AppTest) -> None:
    """No fault, and no trace of the machinery in what is said."""
    assert not at.exception
    assert len(at.title) == 1, "one question in large type"
    for text in texts(at):
        assert not TRACES.search(text), text


@pytest.mark.parametrize("slug", PAGES)
def test_page_says_so_when_no_worker_answers(slug, monkeypatch):
    """As if no workers had been started, whatever other tests did: the page stands, and says what it cannot do."""
    from dlcore import jobs

    monkeypatch.setattr("dlcore.jobs._broker", None)
    assert jobs.status().state == "down"
    at = open_page(slug, lang="en")
    assert not at.exception
    if slug in ("cnn", "neural_network"):
        assert any("the workers do not answer" in text for text in texts(at))


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
def test_a_link_within_the_session_brings_its_settings_and_they_survive_a_visit_elsewhere(lesson):
    at = open_page("home")
    at.query_params["seed"] = "8"
    at.switch_page(f"../pages/{lesson.slug}.py").run()
    assert not at.exception
    assert at.session_state[f"page:{lesson.slug}"]["given"]["seed"] == 8
    at.query_params.clear()
    at.switch_page("../pages/home.py").run()
    at.switch_page(f"../pages/{lesson.slug}.py").run()
    assert not at.exception
    assert at.session_state[f"page:{lesson.slug}"]["given"]["seed"] == 8


def test_an_unknown_language_is_english_and_the_page_stands():
    at = open_page("home", lang="tlh")
    assert not at.exception
    assert at.session_state["language"] == "en"


def knobs(at: AppTest, slug: str) -> list:
    """The number fields that are knobs; panels further down may have fields of their own."""
    return [field for field in at.number_input if str(field.key).startswith(f"{slug}.")]


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
def test_a_teachers_link_hides_the_controls(lesson):
    """That they are there without it is seen by the first test."""
    hidden = open_page(lesson.slug, seed="3", hide="controls")
    assert not hidden.exception
    assert knobs(hidden, lesson.slug) == []
    assert hidden.session_state[f"page:{lesson.slug}"]["given"]["seed"] == 3
