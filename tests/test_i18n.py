"""Every text is translated, whole and with its placeholders; no text is put together from pieces."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog

from dlcore.texts import Problem
from ui import translations
from ui.i18n import LANGUAGES, PLACEHOLDER, _, catalogue, fill, language_for, sections, sentences, tell
from ui.lessons import READY

ROOT = Path(translations.ROOT)
OTHERS = [code for code in LANGUAGES if code != "en"]
SLUGS = ["home", *(lesson.slug for lesson in READY)]


@pytest.mark.parametrize("code", OTHERS)
def test_every_text_is_translated(code):
    assert list(translations.faults(translations.read(code), translations.collect())) == []


def test_faults_are_found():
    found, catalog = Catalog(), Catalog(locale="zh")
    for text in ("missing", "fuzzy", "differs {n:.2f}", ("one {n}", "many {n}"), "right {name}"):
        found.add(text)
    catalog.add("fuzzy", "模糊", flags=["fuzzy"])
    catalog.add("differs {n:.2f}", "不同 {n}")
    catalog.add(("one {n}", "many {n}"), ("很多",))
    catalog.add("right {name}", "{name} 对")
    catalog.add("old", "旧")
    kinds = [line.split(":")[0] for line in translations.faults(catalog, found)]
    assert kinds == ["missing", "fuzzy", "placeholders differ", "placeholders differ", "gone from the source"]


def test_texts_within_f_strings_are_collected(tmp_path, monkeypatch):
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "page.py").write_text(
        """title = f"{page} · {_('Playground')}: {ngettext('a', 'b', 2)} {_(name)}" """
    )
    monkeypatch.setattr(translations, "ROOT", tmp_path)
    assert [message.id for message in translations.collect() if message.id] == ["Playground", ("a", "b")]


def test_marked_texts_are_whole_sentences():
    """An f-string or a sum inside ``_()`` never finds its translation."""
    broken = []
    for path in (p for folder in translations.FOLDERS for p in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_")):
                continue
            if node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
                broken.append(f"{path.name}:{node.lineno}")
    assert broken == []


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("code", OTHERS)
def test_prose_has_the_same_sections_and_placeholders_in_every_language(slug, code):
    ours, theirs = sections(slug, "en"), sections(slug, code)
    assert list(ours) == list(theirs)
    for name, text in ours.items():
        assert set(PLACEHOLDER.findall(text)) == set(PLACEHOLDER.findall(theirs[name])), f"{slug}, {name}"


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("code", LANGUAGES)
def test_prose_is_there(slug, code):
    assert sections(slug, code)["lead"]
    assert all(sections(slug, code).values()), "an empty section"


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("code", LANGUAGES)
def test_thousands_have_a_comma(slug, code):
    """As in the numbers that the page computes; years have none."""
    prose = {name: text for name, text in sections(slug, code).items() if name not in ("reading", "where-used")}
    found = {name: re.findall(r"(?<![\w,.\\-])\d{4,}(?![\w-])", text, re.ASCII) for name, text in prose.items()}
    assert {name: [n for n in numbers if not 1900 <= int(n) < 2100] for name, numbers in found.items()} == {
        name: [] for name in prose
    }


def test_sentences_follow_each_other_as_the_language_sets_them(monkeypatch):
    assert sentences("One.", "", "Two.") == "One. Two."
    monkeypatch.setattr("ui.i18n.language", lambda: "zh")
    assert sentences("一。", "二。") == "一。二。"


def test_formulas_keep_their_braces():
    assert fill(r"$\frac{1}{N}\sum_i x^{ {{eta}} }$", {"eta": "0.1"}) == r"$\frac{1}{N}\sum_i x^{ 0.1 }$"
    with pytest.raises(KeyError):
        fill("{{unknown}}", {})


@pytest.mark.parametrize(
    ("asked", "locale", "expected"),
    [("zh", "en-US", "zh"), ("zh-CN", None, "zh"), (None, "zh-Hans-CN", "zh"), ("xx", "zh", "zh"), (None, None, "en"),
     ("", "fr-FR", "en"), ("en", "zh-CN", "en"), ("ZH_tw", None, "zh")],
)  # fmt: skip
def test_language_of_a_new_session(asked, locale, expected):
    assert language_for(asked, locale) == expected


def test_problems_are_told_outside_a_session_in_english():
    problem = Problem("{name} = {value:g} is out of range.", name="x", value=2.0)
    assert tell(problem) == tell(problem.to_dict()) == "x = 2 is out of range."
    assert _("") == ""  # gettext would answer with the catalogue's header


def test_large_and_small_numbers_are_printed_as_powers_of_ten():
    problem = Problem("{a:.3g}, {b:.2g}, {c:.3g}, {typed}", a=1.08e40, b=2.5e-7, c=63.0, typed="1e+09")
    assert tell(problem) == "1.08\u00a0×\u00a010⁴⁰, 2.5\u00a0×\u00a010⁻⁷, 63, 1e+09"


def test_a_strangers_text_is_shown_as_it_is():
    problem = Problem("“{name}” is unknown.", name="![x](http://a.example/b.png) :red[$1$] learning_rate")
    assert tell(problem) == r"“!\[x\](http\://a.example/b.png) \:red\[\$1\$\] learning_rate” is unknown."


def test_catalogue_speaks():
    assert catalogue("zh").gettext("Train") == "训练"
    assert catalogue("en").gettext("Train") == "Train"


def test_bold_that_ends_with_a_stop_is_closed_for_markdown_too():
    """CommonMark takes ``。**字`` for no end of the bold: the asterisks would stand on the page. A space closes it."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "assets").rglob("*") if path.suffix in (".po", ".md")]
    open_ended = re.compile(r'(?m)(?:^|")\*\*[^*\n"]+[。！？]\*\*(?=[^\s"*])')
    assert [found.group() for text in texts for found in open_ended.finditer(text)] == []
