"""Keeps the catalogues of ``assets/locale`` up to date: ``python -m ui.translations [--check]``.

Collects every text marked ``_()``, ``N_()`` or ``ngettext()`` in ``ui``, ``pages`` and ``dlcore`` into each language's
``messages.po``, keeps what is translated, drops what is gone, and names what is missing. With ``--check`` it writes
nothing and exits with 1 if anything is missing, fuzzy, gone or unlike its original in its ``{placeholders}``.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from ui.i18n import LANGUAGES, LOCALE

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("ui", "pages", "dlcore")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
PLACEHOLDER = re.compile(r"\{(\w*)(?:![rsa])?(?::([^{}]*))?\}")
HEADER = "# Texts of the deep learning playground. Keep it up to date with: python -m ui.translations"


def collect() -> Catalog:
    """Every marked text of the source, with the files where it stands."""
    catalog = Catalog()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        for _line, message, comments, _context in extract_from_file("python", path, keywords=KEYWORDS):
            catalog.add(message, locations=[(name, 0)], auto_comments=comments)
        for message in _within_fstrings(path):
            catalog.add(message, locations=[(name, 0)])
    return catalog


def _within_fstrings(path: Path) -> Iterator[str | tuple[str, ...]]:
    """Texts marked inside an f-string; before Python 3.12 that is one token, and Babel looks at tokens."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for call in (node for joined in ast.walk(tree) if isinstance(joined, ast.JoinedStr) for node in ast.walk(joined)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS:
            texts = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            if texts:
                yield tuple(texts) if call.func.id == "ngettext" else texts[0]


def path_of(code: str) -> Path:
    """The catalogue of a language."""
    return LOCALE / code / "LC_MESSAGES" / "messages.po"


def read(code: str) -> Catalog:
    """The catalogue of a language as it is; an empty one where there is none."""
    path = path_of(code)
    if not path.exists():
        return Catalog(locale=code, charset="utf-8")
    with path.open("rb") as stream:
        return read_po(stream, locale=code)


def update(code: str, found: Catalog) -> Catalog:
    """Bring a language's catalogue up to date on disk; returns it."""
    catalog = read(code)
    catalog.header_comment, catalog.fuzzy = HEADER, False
    catalog.project, catalog.version, catalog.msgid_bugs_address = "deep-learning-playground", "", ""
    catalog.last_translator, catalog.language_team, catalog.revision_date = "", "", catalog.creation_date
    catalog.update(found, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    path_of(code).parent.mkdir(parents=True, exist_ok=True)
    with path_of(code).open("wb") as stream:
        write_po(stream, catalog, width=120, include_lineno=False, ignore_obsolete=True, sort_by_file=True)
    return catalog


def faults(catalog: Catalog, found: Catalog) -> Iterator[str]:
    """A line for each text that is missing, fuzzy, gone, or unlike its original in its placeholders."""
    for wanted in found:
        if not wanted.id:
            continue
        message = catalog.get(wanted.id)
        if message is None or not all(_forms(message.string)):
            yield f"missing: {wanted.id!r} ({', '.join(name for name, _line in wanted.locations)})"
        elif message.fuzzy:
            yield f"fuzzy: {wanted.id!r}"
        else:
            yield from _unlike(message)
    for message in catalog:
        if message.id and found.get(message.id) is None:
            yield f"gone from the source: {message.id!r}"


def _forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or [""])


def _unlike(message: Message) -> Iterator[str]:
    """Each form must use the placeholders of the original, with the same formats; any form of a plural will do."""
    allowed = [set(PLACEHOLDER.findall(form)) for form in _forms(message.id)]
    for form in _forms(message.string):
        if set(PLACEHOLDER.findall(form)) not in allowed:
            yield f"placeholders differ: {message.id!r} → {form!r}"


def main(argv: list[str] | None = None) -> int:
    """Update every catalogue, or only check them; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ui.translations", description="Catalogues: extract and update.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if anything is wrong")
    check = parser.parse_args(argv).check
    found = collect()
    wrong = []
    for code in LANGUAGES:
        if code != "en":
            wrong += [f"{code}: {line}" for line in faults(read(code) if check else update(code, found), found)]
    print("\n".join(wrong) if wrong else "Every text is translated.")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
