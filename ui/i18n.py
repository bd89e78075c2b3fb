"""The session's language and its words: ``_("Learning rate")``, ``tell(problem)``, ``prose("cnn")``.

English stands in the code; other languages come from ``assets/locale/<lang>/LC_MESSAGES/messages.po``, read once per
process and never installed globally, since each session has its own language.
"""

from __future__ import annotations

import gettext
import re
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dlcore.places import discreet
from dlcore.texts import Problem

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LOCALE = ASSETS / "locale"
LANGUAGES = {"en": "English", "zh": "中文"}  # each in its own words, for the switch
SECTION = re.compile(r"^## +([a-z][a-z0-9-]*) *$", re.MULTILINE)
MARKUP = re.compile(r"[\[\]`<$*:|\\]")
POWER = re.compile(r"e([+-])0*(\d+)$")
RAISED = str.maketrans("+-0123456789", " ⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


def language() -> str:
    """The session's language, a key of ``LANGUAGES``; English outside a session."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    return st.session_state.get("language", "en")


def set_language(code: str) -> None:
    """Make ``code`` the session's language."""
    if code in LANGUAGES:  # a switch that is just being drawn anew may say None
        st.session_state["language"] = code


def language_for(asked: str | None, locale: str | None) -> str:
    """The language for a new session: the link's, else the first of the browser's that we have, else English.

    Args:
        asked: the link's ``lang``. Region tags are allowed (``zh-CN``).
        locale: the browser's language, e.g. ``"zh-Hans-CN"``; None where unknown.
    """
    for wish in (asked, locale):
        code = (wish or "").replace("_", "-").split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return "en"


@lru_cache
def catalogue(code: str) -> gettext.NullTranslations:
    """The compiled catalogue of a language (empty for English); compiled in memory, so no ``.mo`` can be stale."""
    path = LOCALE / code / "LC_MESSAGES" / "messages.po"
    if code == "en" or not path.exists():
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo  # only where a session needs it: 5 MB
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=code))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _(text: str) -> str:
    """``text`` in the session's language. Marks literals, and takes texts that were marked with ``N_`` elsewhere."""
    return catalogue(language()).gettext(text) if text else ""


def ngettext(one: str, many: str, count: int) -> str:
    """The form for ``count`` in the session's language; fill in the number yourself."""
    return catalogue(language()).ngettext(one, many, count)


def sentences(*parts: str) -> str:
    """Whole sentences one after the other, as the session's language sets them: Chinese ones without a space."""
    return ("" if language() == "zh" else " ").join(part for part in parts if part)


def tell(problem: Problem | Mapping[str, Any], *, markdown: bool = True) -> str:
    """A ``Problem`` (or its ``to_dict()``) as a sentence in the session's language, to be shown as Markdown.

    Its parameters may come from a stranger (a link, a file), so they are shown as they are: no links, no pictures; and
    where they name a folder of this machine they say no path. Without ``markdown`` it is for a component, which shows
    text as text.
    """
    if not isinstance(problem, Problem):
        problem = Problem.from_dict(dict(problem))
    problem = discreet(problem)
    return _(problem.template).format(**{name: _shown(value, markdown) for name, value in problem.params.items()})


def _shown(value: Any, markdown: bool) -> Any:
    if isinstance(value, str):
        return plain(value) if markdown else value
    return _Printed(value) if isinstance(value, float) else value


class _Printed(float):
    """A number as a sentence prints it: ``1.08 × 10⁴⁰`` where a program writes ``1.08e+40``."""

    def __format__(self, spec: str) -> str:
        return POWER.sub(_power, super().__format__(spec))


def _power(found: re.Match[str]) -> str:
    return f"\u00a0×\u00a010{''.join(found.groups()).translate(RAISED).strip()}"


def plain(text: str) -> str:
    """``text`` as Markdown that shows it as it is."""
    return MARKUP.sub(r"\\\g<0>", text)


@lru_cache(maxsize=64)
def sections(slug: str, code: str) -> dict[str, str]:
    """A lesson's prose by section name, from ``assets/lessons/<slug>.<code>.md`` (see docs/adding-a-lesson.md)."""
    text = (ASSETS / "lessons" / f"{slug}.{code}.md").read_text(encoding="utf-8")
    parts = SECTION.split(text)  # what stands before the first heading is a note to authors
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def fill(text: str, numbers: Mapping[str, Any]) -> str:
    """``text`` with each ``{{name}}`` replaced by ``numbers[name]``. Raises ``KeyError`` for a name that is missing."""
    return PLACEHOLDER.sub(lambda match: str(numbers[match[1]]), text)
