"""A registered lesson has all its parts; what is missing is named."""

from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from dlcore.experiments import NAMES, experiment
from ui.i18n import LANGUAGES, sections
from ui.intro import DISPLAYED, HEADINGS, passage
from ui.lessons import LESSONS, READY, lesson_for, neighbours

ROOT = Path(__file__).resolve().parent.parent
LONGEST_PAGE = 80


def missing(slug: str) -> list[str]:
    """The files that a ready lesson still needs."""
    needed = [f"dlcore/experiments/{slug}.py", f"pages/{slug}.py"]
    needed += [f"assets/lessons/{slug}.{code}.md" for code in LANGUAGES]
    return [name for name in needed if not (ROOT / name).exists()]


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
def test_a_ready_lesson_has_all_its_parts(lesson):
    assert missing(lesson.slug) == []
    assert lesson.slug in NAMES, "its name is not in dlcore.experiments.NAMES"
    module = experiment(lesson.slug)
    assert module.LANE in ("train", "light")
    assert callable(module.run)
    assert callable(module.resolve)
    assert is_dataclass(lesson.config)
    lesson.config()  # type: ignore[operator]  # the defaults are a whole config


def test_what_is_missing_is_named():
    coming = next(lesson for lesson in LESSONS if not lesson.ready)
    assert f"pages/{coming.slug}.py" in missing(coming.slug)


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
@pytest.mark.parametrize("code", LANGUAGES)
def test_prose_has_the_sections_of_every_lesson(lesson, code):
    assert {"lead", *HEADINGS} <= set(sections(lesson.slug, code))


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
def test_every_knob_says_what_it_is(lesson):
    for f in fields(lesson.config):
        if "knob" in f.metadata:
            assert f.metadata["knob"]["label"], f"{f.name} has no label"
            assert f.metadata["knob"]["help"], f"{f.name} has no help"


def test_lessons_not_yet_built_have_no_page():
    built = {path.stem for path in (ROOT / "pages").glob("*.py")}
    assert built == {"home", "teacher", *(lesson.slug for lesson in READY)}


def test_pages_are_short():
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "pages").glob("*.py")}
    assert {name: n for name, n in lengths.items() if n > LONGEST_PAGE} == {}


def test_the_registry_is_consistent():
    slugs = [lesson.slug for lesson in LESSONS]
    assert len(set(slugs)) == len(slugs)
    for lesson in LESSONS:
        for slug in lesson.prerequisites:
            assert slugs.index(slug) < slugs.index(lesson.slug), f"{lesson.slug} comes before {slug}, which it needs"
        assert lesson.question.endswith("?")
        assert 5 <= lesson.minutes <= 90
    with pytest.raises(KeyError):
        lesson_for("alchemy")


def test_the_way_through_the_lessons_has_no_gap():
    first, last = READY[0], READY[-1]
    assert neighbours(first)[0] is None
    assert neighbours(last)[1] is None
    for before, after in pairwise(READY):
        assert neighbours(before)[1] is after
        assert neighbours(after)[0] is before


def test_a_formula_on_a_line_of_its_own_is_displayed():
    """Between $$ and $$ on one line Markdown sees a formula in the text, with small fractions."""
    text = passage("optimizers", "formulas").splitlines()
    assert text.count("$$") >= 8
    assert not [line for line in text if line.startswith("$$") and line != "$$"]


@pytest.mark.parametrize("lesson", READY, ids=lambda lesson: lesson.slug)
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_displayed_formula_begins_and_ends_on_lines_of_its_own(lesson, code):
    r"""``$$\begin{aligned}`` on one line is no formula for Markdown: the page showed its source in red."""
    prose = [DISPLAYED.sub("", text) for text in sections(lesson.slug, code).values()]
    assert not [line for text in prose for line in text.splitlines() if "$$" in line and line != "$$"]
